"""The secret file under many hands at once, and after a crash."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from confero.secretfile import read_or_make


def test_threads_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(read_or_make, [tmp_path / "secret"] * 64))
    assert len(found) == 1


def test_two_files_differ(tmp_path: Path) -> None:
    assert read_or_make(tmp_path / "a") != read_or_make(tmp_path / "b")


def test_what_a_crash_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret.new").write_text("half")
    assert len(read_or_make(tmp_path / "secret")) == 43
    assert not (tmp_path / "secret.new").exists()


def test_an_empty_file_is_not_taken_for_a_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(0o600)
    with pytest.raises(ValueError, match="fewer than 32"):
        read_or_make(tmp_path / "secret")
