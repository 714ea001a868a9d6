"""aiosip 0.2.0 on Python 3.11 and later: what it imports and Python has dropped is there while it is imported, and no longer.

The gateway does not use it (docs/dependencies.md says why). It is an optional extra, ``confero[aiosip]``, for programs
that are written for it, and a peer in tests.
"""

from __future__ import annotations

import asyncio
import collections
import collections.abc
import importlib
import types
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from confero.errors import LocalError

DROPPED: tuple[tuple[Any, str, Any], ...] = (
    (asyncio, "coroutine", types.coroutine),
    (collections, "MutableMapping", collections.abc.MutableMapping),
    (collections, "Mapping", collections.abc.Mapping),
)
"""Where, by which name, and what stands for it: generator coroutines went with 3.11, the aliases with 3.10."""


def load() -> ModuleType:
    """The package ``aiosip``, whose ``Application`` wants an event loop. Raises LocalError if it is not installed."""
    try:
        with _as_it_was():
            return importlib.import_module("aiosip")
    except ImportError as error:
        raise LocalError(f"aiosip cannot be imported ({error}): pip install 'confero[aiosip]'") from error


def repaired_dialog() -> type[Any]:
    """For ``Application.start_dialog(dialog=...)``.

    aiosip's own Dialog sends a request that was challenged again under the branch of the first, which every server of RFC 3261
    takes for a repetition (section 8.1.1.7); this one gives it a branch of its own.
    """
    base: type[Any] = importlib.import_module("aiosip.dialog").Dialog

    class Repaired(base):  # type: ignore[misc]
        def send_message(self, method: str, *args: Any, headers: Any = None, **kwargs: Any) -> Any:
            if method != "ACK" and headers is not None:
                headers.pop("Via", None)
            return super().send_message(method, *args, headers=headers, **kwargs)

    return Repaired


@contextmanager
def _as_it_was() -> Iterator[None]:
    added = [(module, name) for module, name, _ in DROPPED if not hasattr(module, name)]
    for module, name, value in DROPPED:
        if (module, name) in added:
            setattr(module, name, value)
    try:
        yield
    finally:
        for module, name in added:
            delattr(module, name)
