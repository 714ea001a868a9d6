"""The style sheets: no class that nothing has, none that two files give different meanings, no file beyond reading."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "appserver" / "static"
SHEETS = sorted((STATIC / "css").glob("*.css"))
LONGEST = 400
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
RULE = re.compile(r"([^{}]+)\{[^{}]*\}")
CLASS = re.compile(r"\.([a-zA-Z][\w-]*)")
MADE = ("hue-", "tag-", "toast-", "alert-", "button-", "linkmark-", "table-bar-", "table-wave-")
"""Beginnings of classes whose end is put together by a script."""


def selectors(path: Path) -> list[str]:
    text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    lists = (match[1].rsplit(";", 1)[-1].strip() for match in RULE.finditer(text))
    return [one.strip() for listed in lists for one in re.split(r",(?![^(]*\))", listed) if not listed.startswith("@")]


def test_every_class_is_used() -> None:
    words = set()
    for path in [*(STATIC / "js").rglob("*.js"), STATIC / "index.html"]:
        words |= set(re.findall(r"[\w-]+", path.read_text(encoding="utf-8")))
    styled = {name for path in SHEETS for selector in selectors(path) for name in CLASS.findall(selector)}
    assert len(styled) > 200
    assert sorted(name for name in styled - words if not name.startswith(MADE)) == []


def test_a_class_has_one_home() -> None:
    """A rule for a class alone (``.switch {``) stands in one file: two components with one name break each other."""
    homes = defaultdict(set)
    for path in SHEETS:
        for selector in selectors(path):
            if re.fullmatch(r"\.[\w-]+", selector):
                homes[selector].add(path.name)
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_sheets_are_short_and_all_are_linked() -> None:
    index = (STATIC / "index.html").read_text(encoding="utf-8")
    assert sorted(re.findall(r'href="/static/css/([\w-]+\.css)"', index)) == [path.name for path in SHEETS]
    long = {path.name for path in SHEETS if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST}
    assert long == set()
