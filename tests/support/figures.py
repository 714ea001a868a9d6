"""Figures of tests, for the report of `./test long`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FIGURES = Path(__file__).resolve().parents[2] / "var" / "figures"


@pytest.fixture
def record_figure() -> Callable[[str, str], None]:
    """Keeps one line under a name; ``./test long`` puts all of them into docs/test-report.md."""

    def record(name: str, text: str) -> None:
        FIGURES.mkdir(parents=True, exist_ok=True)
        (FIGURES / f"{name}.txt").write_text(text + "\n")

    return record
