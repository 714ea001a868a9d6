"""From one room to another with the same leg: only for phones, and only where one media thread serves both rooms."""

from __future__ import annotations

from confero.clock import Clock
from confero.errors import Refused
from confero.models import Seat

from . import reasons
from .news import News
from .pipeline.engine import MediaEngine
from .plays import Plays
from .rooms.participant import Participant
from .rooms.registry import Registry
from .rooms.room import Room
from .statistics import Statistics


class Moves:
    def __init__(
        self, engine: MediaEngine, registry: Registry, news: News, plays: Plays, clock: Clock, statistics: Statistics
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._news = news
        self._plays = plays
        self._clock = clock
        self._statistics = statistics

    def move(self, participant: Participant, old: Room, new: Room, seat: Seat | None = None) -> Room:
        """Its room from now on; with ``seat`` under another name: somebody has left the one, somebody else comes into the other.

        Raises Refused ``room-full``, ``participant-exists``, ``other-media-thread``, ``not-for-browsers``; then nothing has
        changed.
        """
        self._check(participant, old, new, seat.participant if seat else participant.id)
        if participant.leg.number:
            self._engine.move_leg(participant.leg.number, new.number)
        old.remove(participant, self._clock.monotonic())
        last = self._statistics.final(participant, old)
        renamed = seat is not None and seat.participant != participant.id
        self._news.left(old, participant, reasons.LEFT if renamed else reasons.MOVED, last)
        if seat is not None:
            participant.sits(seat)
        new.admit(participant)
        self._registry.add_leg(participant, new)
        participant.leg.moved(new.number)
        self._news.joined(new, participant)
        if participant.was_connected:
            self._tell_connected(participant, old, new, renamed=renamed)
        return new

    def _tell_connected(self, participant: Participant, old: Room, new: Room, *, renamed: bool) -> None:
        """It is heard who goes and who comes."""
        self._plays.announce(old, "exit")
        self._plays.announce(new, "entry")
        if renamed:
            self._news.connected(new, participant)

    def _check(self, participant: Participant, old: Room, new: Room, who: str) -> None:
        """Raises Refused. A leg that waits for its answer has no number yet, but its ports are on a thread already."""
        if participant.leg.kind == "webrtc":
            raise Refused(
                "A browser's session belongs to one room; join the other room from the page.",
                status=409,
                code="not-for-browsers",
            )
        if who in new.participants:
            raise Refused("The participant is in that room already.", status=409, code="participant-exists")
        new.check_place(who)
        if self._engine.thread_of(old.number) != self._engine.thread_of(new.number):
            raise Refused(
                "The rooms live on different media threads; join the other room afresh.",
                status=409,
                code="other-media-thread",
            )
