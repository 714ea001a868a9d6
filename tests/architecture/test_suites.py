"""The runner of the suites: a second try is for a few that have failed, and never for a run that was not finished."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import json, os, sys
from tools.suites import BIN, run_command
unsteady = []
passed = run_command((str(BIN / "pytest"), "-q", sys.argv[1]), {**os.environ, "TMPDIR": sys.argv[2]}, unsteady)
print(json.dumps([passed, unsteady]))
"""
SECOND = """
from pathlib import Path
MARK = Path(__file__).with_name("tried")
def test_one():
    tried = MARK.exists()
    MARK.touch()
    assert tried
"""
ALWAYS = "def test_one():\n    assert False\n"
BREAKS = """
def pytest_runtest_logreport(report):
    if "test_two" in report.nodeid:
        raise RuntimeError("pytest itself fails, when one test has and others have not run")
"""
TWO = f"{SECOND}def test_two():\n    pass\ndef test_three():\n    assert False\n"


@pytest.fixture
def place() -> Iterator[Path]:
    """Within the project, where the runner's tests are."""
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="suites-", dir=ROOT / "var") as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    ("source", "conftest", "passed", "unsteady"),
    [
        ("def test_one():\n    pass\n", "", True, 0),
        (SECOND, "", True, 1),
        (ALWAYS, "", False, 0),
        (TWO, BREAKS, False, 0),
    ],
    ids=["passes", "second try", "fails", "not finished"],
)
def test_what_counts_as_passed(source: str, conftest: str, passed: bool, unsteady: int, place: Path) -> None:
    (place / "test_made.py").write_text(source)
    (place / "conftest.py").write_text(conftest)
    (place / "t").mkdir()
    command = [sys.executable, "-c", RUN, str(place / "test_made.py"), str(place / "t")]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=ROOT, env=clean, check=True, capture_output=True, text=True)
    found, names = json.loads(done.stdout.splitlines()[-1])
    assert (found, len(names)) == (passed, unsteady), done.stdout
