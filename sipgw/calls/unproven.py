"""Calls that were answered and have no ACK yet: bounded by source and by room, since the address of an INVITE may be forged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from confero.errors import Refused
from confero.ratelimit import source_of


class Unproven:
    """``enter`` before a leg is made, ``leave`` with the ACK or the call's end."""

    def __init__(self, limit: int, trusted: Callable[[str], bool] = lambda address: False) -> None:
        """``trusted``: whether an address is a trunk's, whose calls are not counted."""
        self._limit = limit
        self._trusted = trusted
        self._counts: Counter[str] = Counter()
        self._keys: dict[str, tuple[str, ...]] = {}
        """By the call."""

    def __len__(self) -> int:
        return len(self._keys)

    def enter(self, call: str, source: str, room: str) -> None:
        """Raises Refused ``too-many-unproven``."""
        if self._trusted(source) or call in self._keys:
            return
        keys = (f"source {source_of(source)}", f"room {room}")
        if any(self._counts[key] >= self._limit for key in keys):
            raise Refused("Too many calls wait for their ACK.", status=503, code="too-many-unproven")
        self._counts.update(keys)
        self._keys[call] = keys

    def leave(self, call: str) -> None:
        """Idempotent."""
        for key in self._keys.pop(call, ()):
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]
