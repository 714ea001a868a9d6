"""Which ports may be bound: capability, the kernel's threshold, and machines that tell neither."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from confero.lowports import lowest_permitted


def case(folder: Path, capabilities: str | None, threshold: str | None) -> int:
    first_free, status = folder / "first", folder / "status"
    if threshold is not None:
        first_free.write_text(threshold)
    if capabilities is not None:
        status.write_text(f"Name:\tpython\nCapInh:\t0\nCapEff:\t{capabilities}\n")
    return lowest_permitted(first_free, status)


def test_with_the_capability_all_ports_are_permitted(tmp_path: Path) -> None:
    assert case(tmp_path, "0000000000000400", "1024\n") == 1
    assert case(tmp_path, "000001ffffffffff", "1024\n") == 1


def test_root_without_the_capability_may_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert case(tmp_path, "00000000a80421fb", "1024\n") == 1024


def test_the_threshold_of_the_kernel(tmp_path: Path) -> None:
    assert case(tmp_path, "0", "80\n") == 80
    assert case(tmp_path, "0", "0\n") == 0


def test_elsewhere_it_is_a_matter_of_being_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert case(tmp_path, None, None) == 1
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert case(tmp_path, None, None) == 1024
    assert case(tmp_path, "garbage", "garbage") == 1024
