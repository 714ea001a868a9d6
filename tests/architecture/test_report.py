"""The report of the long runs: one suite's run says nothing about the others' and keeps what they have said."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

PLACE = Path(__file__).resolve().parents[2] / "tools" / "report.py"
SPEC = spec_from_file_location("confero_test_report", PLACE)
assert SPEC is not None and SPEC.loader is not None
report = sys.modules[SPEC.name] = module_from_spec(SPEC)  # dataclasses look their module up
SPEC.loader.exec_module(report)
ORDER = ("c", "unit", "web")


def section(suite: str, **rest: object) -> tuple[str, str]:
    made = report.Section(suite, "what it is for", **{"passed": True, "seconds": 61.4, **rest})
    return suite, made.text("2026-11-29 at commit abc")


def test_a_section_says_all_of_its_run() -> None:
    _, text = section("web", passed=False, figures=("a: 1", "b: 2"), unsteady=("tests/x.py::y",))
    assert text == (
        "web\n\nWhat it is for. **Failed** in 61 s, 2026-11-29 at commit abc.\n\n"
        "Passed at the second try only: `tests/x.py::y`.\n\n- a: 1\n- b: 2"
    )


def test_a_run_replaces_its_own_suites_alone() -> None:
    first = report.merged("", [section("unit"), section("web", figures=("old: 1",))], ORDER)
    second = report.merged(first, [section("web", figures=("new: 2",)), section("c")], ORDER)
    assert second == report.HEAD + "".join(
        f"\n## {text}\n" for _, text in (section("c"), section("unit"), section("web", figures=("new: 2",)))
    )


def test_what_is_no_suite_any_more_goes() -> None:
    assert report.merged(report.merged("", [section("unit")], ORDER), [], ("c",)) == report.HEAD
