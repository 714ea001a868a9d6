"""Each decision has a number of its own, in its name and in its heading, and what links to one leads somewhere."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))


def test_numbers_are_taken_once() -> None:
    taken = Counter(path.name[:3] for path in DECISIONS)
    assert DECISIONS and [number for number, times in taken.items() if times > 1] == []


def test_headings_have_the_number_of_the_file() -> None:
    found = {path.name: re.match(r"# (\d+)\. \S", path.read_text(encoding="utf-8")) for path in DECISIONS}
    assert [name for name, head in found.items() if head is None or int(head[1]) != int(name[:3])] == []


def test_links_to_decisions_lead_somewhere() -> None:
    pages = [
        *DOCS.rglob("*.md"),
        DOCS.parent / "README.md",
        DOCS.parent / "CHANGELOG.md",
        DOCS.parent / "ARCHITECTURE.md",
    ]
    links = [
        (page, link) for page in pages for link in re.findall(r"\]\(([^)#\s]*decisions/[^)#\s]+)", page.read_text())
    ]
    assert links and [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []
