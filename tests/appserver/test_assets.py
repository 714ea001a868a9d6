"""The table of files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from confero.appserver import assets
from confero.appserver.assets import Assets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    (root / "js").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html>")
    (root / "js" / "main.js").write_text("export {}")
    (root / "js" / "types.d.ts").write_text("secret")
    (tmp_path / "outside.html").write_text("outside")
    (root / "link.html").symlink_to(tmp_path / "outside.html")
    return root


def test_known_types_are_found(folder: Path) -> None:
    found = Assets(folder).find("js/main.js")
    assert found is not None
    assert (found.body, found.content_type) == (b"export {}", "text/javascript; charset=utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "nothing.js",
        "js",
        "js/",
        "js/types.d.ts",
        "../outside.html",
        "js/../index.html",
        "/index.html",
        "link.html",
        "\0",
    ],
)
def test_everything_else_is_not(folder: Path, name: str) -> None:
    assert Assets(folder).find(name) is None


def test_tag_follows_the_content(folder: Path) -> None:
    served = Assets(folder)
    first = served.find("index.html")
    assert served.find("index.html") is first
    (folder / "index.html").write_text("<!doctype html>2")
    second = served.find("index.html")
    assert first is not None
    assert second is not None
    assert first.etag != second.etag
    assert second.body.endswith(b"2")


def test_removed_file(folder: Path) -> None:
    served = Assets(folder)
    served.find("index.html")
    (folder / "index.html").unlink()
    assert served.find("index.html") is None


def test_new_files_are_looked_for_now_and_then(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Assets(folder)
    (folder / "new.js").write_text("")
    assert served.find("new.js") is None
    monkeypatch.setattr(assets, "RESCAN_S", -1.0)
    assert served.find("new.js") is not None


def test_too_large_a_file(folder: Path) -> None:
    with (folder / "large.js").open("wb") as file:
        os.truncate(file.fileno(), assets.MAX_FILE + 1)
    assert Assets(folder).find("large.js") is None
