"""docs/test-report.md: a section for each suite that ``./test long`` has run; a later run replaces those of its own suites."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "test-report.md"
FIGURES = ROOT / "var" / "figures"
"""Tests leave one-line figures here (``name.txt``)."""
HEAD = """# The last long runs

Written by `./test long`: what the last run of each suite with larger numbers said. `./test long NAME` runs one.
"""
MARK = "\n## "


@dataclass(frozen=True)
class Section:
    """What a suite's run has to say. ``figures``: lines ``name: text``; ``unsteady``: tests that needed a second try."""

    suite: str
    what: str
    passed: bool
    seconds: float
    figures: tuple[str, ...] = ()
    unsteady: tuple[str, ...] = ()

    def text(self, where: str) -> str:
        """``where``: date, commit and machine."""
        verdict = "Passed" if self.passed else "**Failed**"
        lines = [
            f"{self.suite}\n",
            f"{self.what[0].upper()}{self.what[1:]}. {verdict} in {self.seconds:.0f} s, {where}.",
        ]
        if self.unsteady:
            lines.append(f"\nPassed at the second try only: {', '.join(f'`{name}`' for name in self.unsteady)}.")
        if self.figures:
            lines += ["", *(f"- {one}" for one in self.figures)]
        return "\n".join(lines)


def clear_figures() -> None:
    """Before a suite runs: what lies there is another run's."""
    for old in FIGURES.glob("*.txt"):
        old.unlink()
    FIGURES.mkdir(parents=True, exist_ok=True)


def figures() -> tuple[str, ...]:
    """What the tests have left since."""
    return tuple(f"{path.stem}: {path.read_text().strip()}" for path in sorted(FIGURES.glob("*.txt")))


def here() -> str:
    """Date, commit and machine of this run."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{datetime.date.today()} at commit {commit} ({machine})"


def merged(old: str, new: Iterable[tuple[str, str]], order: Iterable[str]) -> str:
    """The report ``old`` with the sections ``new`` (suite, text) in place of those of the same suites, in ``order``."""
    sections = {part.partition("\n")[0].strip(): part.rstrip() for part in old.split(MARK)[1:]} | dict(new)
    return HEAD + "".join(MARK + sections[name] + "\n" for name in order if name in sections)


def write(sections: Iterable[Section], order: Iterable[str]) -> None:
    """Puts them into the file."""
    where = here()
    old = REPORT.read_text() if REPORT.exists() else ""
    REPORT.write_text(merged(old, [(one.suite, one.text(where)) for one in sections], order))
