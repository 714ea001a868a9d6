"""The shim under which aiosip is imported leaves Python as it was."""

from __future__ import annotations

import asyncio
import collections
import sys

import pytest

from confero.errors import LocalError
from confero.sipgw.compat import aiosip


def test_it_is_imported_and_nothing_stays_patched() -> None:
    before = [hasattr(module, name) for module, name, _ in aiosip.DROPPED]
    loaded = aiosip.load()
    assert loaded.Application and loaded.UDP
    assert [hasattr(module, name) for module, name, _ in aiosip.DROPPED] == before
    assert not hasattr(asyncio, "coroutine") and not hasattr(collections, "MutableMapping")


def test_without_it_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiosip", None)
    with pytest.raises(LocalError, match=r"confero\[aiosip\]"):
        aiosip.load()
    assert not hasattr(asyncio, "coroutine")
