"""News for the notification server: per room only what is newest, in one call, never in the way of media.

What waits for a room is a set of facts, not a list of events: which participants changed, who left, who speaks. They are
written out when they are sent, from what is true then. So a slow or absent notifier costs a bounded amount of memory and
sees the truth when it is back.

The whole roster goes to everybody only when details cannot tell: for a room that is new here (people may remember it from
another MCU, or from before a restart), and after details were given up. Who joins has it from the notifier, which keeps it.
"""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import dataclass, field
from typing import Protocol

from confero import models
from confero.errors import ConferoError, Refused
from confero.runtime.logging import get_logger

from .backoff import Backoff
from .rooms.room import Room

log = get_logger(__name__)

NOTES = 50
"""Notes that may wait for one room; of more the oldest go."""
DETAILS = 200
"""Changes and departures that may wait for one room; beyond them the roster alone tells. ``Publish`` takes 256 events."""
ROOMS = 4096
"""Rooms that may wait; of more the one that waits longest is dropped and counted."""
PAUSE_S = 0.05
"""Between two rounds: a burst of joins becomes one call, and nobody sees the delay."""
BUSY_PAUSE_S = 0.2
"""After a round with more than ``MANY`` events: who joins is mostly connected by the next one, and is told of once."""
MANY = 8


class Notifier(Protocol):
    """Takes news. Raises Refused, Unavailable."""

    async def publish(self, publish: models.Publish) -> None: ...


@dataclass
class _Waiting:
    room: Room
    left: dict[str, str] = field(default_factory=dict)
    changed: dict[str, None] = field(default_factory=dict)
    renegotiate: dict[str, str] = field(default_factory=dict)
    roster: bool = False
    speakers: list[models.ActiveSpeaker] | None = None
    notes: list[tuple[str | None, models.RoomEvent]] = field(default_factory=list)
    """What happened and is over: for one participant, or for all."""

    def trim(self) -> bool:
        """True if details had to go: the roster makes up for them."""
        if len(self.left) + len(self.changed) <= DETAILS:
            return False
        self.left.clear()
        self.changed.clear()
        self.roster = True
        return True

    def events(self) -> list[models.RoomEvent]:
        """In the order in which a reader understands them: who left, who changed, everybody, who speaks."""
        here = self.room.participants
        events: list[models.RoomEvent] = [
            models.LeftEvent(participant=id, reason=reason) for id, reason in self.left.items() if id not in here
        ]
        events += [models.ParticipantEvent(participant=here[id].view()) for id in self.changed if id in here]
        if self.roster:
            events.append(models.RosterEvent(participants=[p.view() for p in here.values()]))
        if self.speakers is not None:
            events.append(models.SpeakersEvent(speakers=[s for s in self.speakers if s.participant in here]))
        return events + [event for participant, event in self.notes if participant is None]

    def personal(self) -> list[tuple[str, models.RoomEvent]]:
        """What one participant alone is told. Who is here again by now needs no word to offer afresh."""
        here = self.room.participants
        events = [(id, event) for id, event in self.notes if id is not None and id in here]
        lost = [(id, reason) for id, reason in self.renegotiate.items() if id not in here]
        return events + [(id, models.RenegotiateEvent(reason=reason)) for id, reason in lost]

    def told(self, participant: str) -> None:
        """What it alone is told has been."""
        self.renegotiate.pop(participant, None)
        self.notes = [note for note in self.notes if note[0] != participant]


class Feed:
    """``run`` it as a task."""

    def __init__(self, notifier: Notifier, backoff: Backoff | None = None) -> None:
        self._notifier = notifier
        self._backoff = backoff or Backoff("notifier")
        self._waiting: dict[str, _Waiting] = {}
        self._complete: weakref.WeakSet[Room] = weakref.WeakSet()
        """Rooms whose roster was told, and every change since."""
        self._news = asyncio.Event()
        self._told = 0
        """Events of the last round."""
        self.dropped = 0
        """Details and rooms given up because too much waited."""

    # -- what happened --

    def joined(self, room: Room, participant: str) -> None:
        waiting = self._of(room)
        waiting.left.pop(participant, None)
        waiting.changed[participant] = None
        self._note(waiting)

    def changed(self, room: Room, participant: str) -> None:
        waiting = self._of(room)
        waiting.changed[participant] = None
        self._note(waiting)

    def left(self, room: Room, participant: str, reason: str) -> None:
        waiting = self._of(room)
        waiting.changed.pop(participant, None)
        waiting.left[participant] = reason
        self._note(waiting)

    def renegotiate(self, room: Room, participant: str, reason: str) -> None:
        """For this participant alone: its media is lost, a fresh offer is welcome."""
        waiting = self._of(room)
        if len(waiting.renegotiate) < DETAILS:
            waiting.renegotiate[participant] = reason
        else:
            self.dropped += 1
        self._note(waiting)

    def note(self, room: Room, participant: str | None, event: models.RoomEvent) -> None:
        """For this participant alone, or for all in the room."""
        waiting = self._of(room)
        waiting.notes.append((participant, event))
        if len(waiting.notes) > NOTES:
            del waiting.notes[0]
            self.dropped += 1
        self._note(waiting)

    def speakers(self, room: Room, speakers: list[models.ActiveSpeaker]) -> None:
        waiting = self._of(room)
        waiting.speakers = speakers
        self._note(waiting)

    def _of(self, room: Room) -> _Waiting:
        found = self._waiting.get(room.id)
        if found is None or found.room is not room:
            if len(self._waiting) >= ROOMS:
                self._complete.discard(self._waiting.pop(next(iter(self._waiting))).room)
                self.dropped += 1
            found = self._waiting[room.id] = _Waiting(room, roster=room not in self._complete)
        return found

    def _note(self, waiting: _Waiting) -> None:
        if waiting.trim():
            self.dropped += 1
        self._news.set()

    # -- telling it --

    @property
    def settled(self) -> bool:
        """Nothing waits, or the notifier is away so that waiting is in vain."""
        return not self._waiting or self._backoff.down

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(BUSY_PAUSE_S if self._told > MANY else PAUSE_S)
            await self.flush()

    async def flush(self) -> None:
        """Tells what waits, room by room; what cannot be told now goes on waiting."""
        self._told = 0
        for id in list(self._waiting):
            waiting = self._waiting.pop(id, None)
            if waiting is not None and not await self._tell(waiting):
                self._put_back(waiting)
                return

    async def _tell(self, waiting: _Waiting) -> bool:
        """False if the notifier is away; waits a while then."""
        self._complete.add(waiting.room)  # what happens from now on waits for the next call
        try:
            if events := waiting.events():
                self._told += len(events)
                await self._notifier.publish(models.Publish(room=waiting.room.id, events=events))
            for participant, event in waiting.personal():
                await self._notifier.publish(
                    models.Publish(room=waiting.room.id, participant=participant, events=[event])
                )
                waiting.told(participant)
        except Refused as error:
            self._complete.discard(waiting.room)
            log.warning("the notifier refused news", room=waiting.room.id, code=error.code, detail=error.detail)
        except ConferoError as error:
            self._put_back(waiting)
            await asyncio.sleep(self._backoff.failed(str(error)))
            self._news.set()
            return False
        self._backoff.succeeded()
        return True

    def _put_back(self, old: _Waiting) -> None:
        """What was not told, under what has happened since."""
        new = self._waiting.get(old.room.id)
        if new is old:
            return
        if new is None or new.room is not old.room:
            self._waiting.setdefault(old.room.id, old)
            return
        new.left = old.left | new.left
        new.changed = old.changed | new.changed
        new.renegotiate = old.renegotiate | new.renegotiate
        new.notes = (old.notes + new.notes)[-NOTES:]
        new.roster = new.roster or old.roster
        new.speakers = old.speakers if new.speakers is None else new.speakers
        self._note(new)
