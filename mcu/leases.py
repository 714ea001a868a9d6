"""Owners of legs: whoever made legs in its own name says now and then that it is there, or they end."""

from __future__ import annotations

from collections.abc import Iterable

from confero.clock import Clock

from .rooms.participant import Participant
from .rooms.registry import Registry
from .rooms.room import Room


class Leases:
    """One time for each owner that has legs: owners without any are nothing to remember."""

    def __init__(self, registry: Registry, clock: Clock, seconds: float) -> None:
        self._registry = registry
        self._clock = clock
        self.seconds = seconds
        self._until: dict[str, float] = {}

    def begin(self, owner: str) -> None:
        """It has made a leg, so it is there."""
        if owner:
            self._until[owner] = self._clock.monotonic() + self.seconds

    def renew(self, owner: str) -> list[str]:
        """It is there; its legs."""
        legs = [participant.leg.id for participant, _ in self.of(owner)]
        if legs:
            self.begin(owner)
        return legs

    def of(self, owner: str) -> Iterable[tuple[Participant, Room]]:
        return [(p, room) for p, room in self._registry.participants() if owner and p.owner == owner]

    def expired(self) -> list[tuple[Participant, Room]]:
        """Legs whose owner has not been heard of for too long, each told once."""
        now = self._clock.monotonic()
        gone = [owner for owner, until in self._until.items() if now >= until]
        for owner in gone:
            del self._until[owner]
        return [found for owner in gone for found in self.of(owner)]
