"""Retention: old records go in small pieces, so that nobody waits for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .store import RecordStore

PIECE = 100
"""Meetings, and ten times as many notes of legs, in one transaction."""


async def forget(store: RecordStore, before: float, pause: Callable[[], Awaitable[None]], piece: int = PIECE) -> int:
    """Everything from before this time; between two pieces others have their turn. How many rows. Raises Unavailable."""
    rows = 0
    while some := await store.forget_some(before, piece):
        rows += some
        await pause()
    return rows
