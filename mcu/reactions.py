"""What follows from what legs and the engine say: states in the roster, and ends. Who asks for nothing is not answered."""

from __future__ import annotations

from collections.abc import Callable

from confero import models
from confero.clock import Clock
from confero.errors import Refused
from confero.media import Event, EventType
from confero.runtime.logging import get_logger

from . import reasons
from .digits import Digits
from .news import News
from .plays import Plays
from .rooms.participant import Participant, State
from .rooms.registry import Registry
from .rooms.room import Room

log = get_logger(__name__)


class Reactions:
    """A ``LegOwner``. ``end`` is the conference's."""

    def __init__(
        self,
        registry: Registry,
        news: News,
        end: Callable[[Participant, Room, str], None],
        plays: Plays,
        digits: Digits,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._news = news
        self._end = end
        self._plays = plays
        self._digits = digits
        self._clock = clock

    # -- what legs say (LegOwner) --

    def connected(self, leg: str) -> None:
        self._set_state(leg, "connected")

    def disconnected(self, leg: str) -> None:
        self._set_state(leg, "disconnected")

    def failed(self, leg: str, reason: str) -> None:
        found = self._find(leg)
        if found is not None:
            self._end(*found, reason)

    def renumbered(self, leg: str, old: int) -> None:
        found = self._find(leg)
        if found is not None:
            self._registry.add_leg(*found)
            self._digits.again(found[0])

    def _set_state(self, leg: str, state: State) -> None:
        found = self._find(leg)
        if found is None or found[0].state == state:
            return
        participant, room = found
        participant.state = state
        log.debug("leg state", room=room.id, leg=leg, state=state)
        if state == "connected" and not participant.was_connected:
            participant.was_connected = True
            self._plays.announce(room, "entry")
            self._news.connected(room, participant)
        self._news.changed(room, participant)

    def _find(self, leg: str) -> tuple[Participant, Room] | None:
        try:
            return self._registry.leg(leg)
        except Refused:
            return None

    # -- what the engine says --

    def handle(self, event: Event) -> None:
        """One event of the engine. Those of legs that are gone are nobody's."""
        if event.type is EventType.RELEASED:
            self._released(event)
        elif event.type is EventType.SPEAKERS:
            self._speakers(event)
        elif event.type is EventType.PLAYED:
            self._played(event.value)
        elif event.type is EventType.DIGIT:
            self._digit(event)
        elif event.type is EventType.OVERRUN:
            log.warning("engine events were lost", count=event.value)  # each leg's tick finds out what matters
        elif (found := self._registry.leg_of_number(event.leg)) is not None:
            found[0].leg.handle(event)

    def _released(self, event: Event) -> None:
        found = self._registry.leg_of_number(event.leg) if event.leg else None
        if event.leg:
            self._registry.forget_number(event.leg)
        if found is not None and found[0].leg.number == event.leg:
            log.error("the engine refused a leg", leg=found[0].leg.id, errno=event.value)
            self._end(*found, reasons.REMOVED)

    def _played(self, number: int) -> None:
        place = self._plays.ended(number)
        room = self._registry.find_room(place[0]) if place else None
        if place is None or room is None:
            return
        found = self._find(place[1]) if place[1] else None
        if found is not None or not place[1]:
            self._news.played(found[1] if found else room, found[0] if found else None, number)

    def _digit(self, event: Event) -> None:
        found = self._registry.leg_of_number(event.leg)
        if found is None:
            return
        participant, room = found
        self._digits.add(participant, event.text, event.value, event.in_band, self._clock.wall())
        self._news.digit(room, participant, event.text, event.value)

    def _speakers(self, event: Event) -> None:
        room = self._registry.room_of_number(event.room)
        if room is None:
            return
        speakers = []
        for speaker in event.speakers:
            found = self._registry.leg_of_number(speaker.leg)
            if found is not None:
                speakers.append(models.ActiveSpeaker(participant=found[0].id, level=min(127, speaker.level)))
        self._news.speakers(room, speakers)
