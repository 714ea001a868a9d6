"""Who is in each room, kept up by the events that pass: a welcome costs neither a question to the MCU nor new text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from confero.errors import ConferoError, Unavailable
from confero.models import Participant
from confero.runtime.tasks import TaskBag

from .messages import array
from .wire import Change, LeftSeen, ParticipantSeen, RosterSeen, read_person

MISSED = 2000
"""Changes that may pass while the MCU is asked; of more, its answer is given out and not kept."""
QUESTIONS = 1000
"""Rooms that may be asked for at once."""


class MediaServer(Protocol):
    """What of an MCU is needed here; ``url`` says which. Raises Refused or Unavailable."""

    async def roster(self, url: str, room: str) -> list[Participant]: ...


class Roster:
    """The people of one room, each as JSON: made once, or as it came."""

    def __init__(self, people: Iterable[bytes]) -> None:
        """Each of them a Participant as JSON. Raises wire.Malformed."""
        self._people: dict[str, tuple[str, bytes]] = {}
        self._text: bytes | None = None
        self._replace(people)

    def leg_of(self, participant: str) -> str | None:
        """The participant's leg."""
        return self._people.get(participant, (None, b""))[0]

    @property
    def text(self) -> bytes:
        """A JSON array of Participant, in the order of joining."""
        if self._text is None:
            self._text = array([line for _, line in self._people.values()])
        return self._text

    def apply(self, change: Change) -> None:
        """What has happened since. Said twice, or about what is known already, it changes nothing. Raises wire.Malformed."""
        self._text = None
        match change:
            case RosterSeen():
                self._replace(bytes(line) for line in change.participants)
            case ParticipantSeen():
                self._put(bytes(change.participant))
            case LeftSeen():
                self._people.pop(change.participant, None)

    def drop_leg(self, participant: str, leg: str) -> None:
        """The MCU says that this leg is no more."""
        if self.leg_of(participant) == leg:
            del self._people[participant]
            self._text = None

    def _replace(self, people: Iterable[bytes]) -> None:
        self._people.clear()
        for line in people:
            self._put(line)

    def _put(self, line: bytes) -> None:
        person = read_person(line)
        self._people[person.id] = person.leg, line


@dataclass(eq=False)
class _Question:
    """An MCU is being asked for a room's roster, on behalf of all who want it."""

    changes: list[Change] = field(default_factory=list)
    """What has passed meanwhile. The answer may be older or newer than these: put on top, they make it true in either case,
    because the MCU tells of every change, and as it stands when it tells."""


class Rosters:
    """Of the rooms whose events come here. ``of`` gives one, asking for it at most once at a time."""

    def __init__(self, media: MediaServer) -> None:
        self._media = media
        self._known: dict[str, Roster] = {}
        self._questions: dict[str, tuple[_Question, asyncio.Task[Roster | ConferoError]]] = {}
        self._homes: dict[str, str] = {}
        self._tasks = TaskBag(limit=QUESTIONS)

    async def of(self, url: str, room: str) -> Roster:
        """Kept up while the room's events come here. Raises Refused ``room-unknown`` or Unavailable."""
        known = self._known.get(room)
        if known is not None:
            return known
        _, task = self._questions.get(room) or self._ask(url, room)
        answer = await asyncio.shield(task)  # who gives up waiting leaves the answer to the others
        if isinstance(answer, ConferoError):
            raise answer
        return answer

    def _ask(self, url: str, room: str) -> tuple[_Question, asyncio.Task[Roster | ConferoError]]:
        if len(self._tasks) >= QUESTIONS:
            raise Unavailable("rosters of too many rooms are being asked for")
        question = _Question()
        task = self._tasks.spawn(self._answer(question, url, room), name=f"roster of {room}")
        self._questions[room] = question, task
        return question, task

    async def _answer(self, question: _Question, url: str, room: str) -> Roster | ConferoError:
        try:
            people = await self._media.roster(url, room)
            roster = Roster(person.model_dump_json().encode() for person in people)
        except ConferoError as error:
            self._close(question, room)
            return error
        for change in question.changes:
            roster.apply(change)
        if self._close(question, room):
            self._known[room] = roster
        return roster

    def _close(self, question: _Question, room: str) -> bool:
        """False if the room was forgotten meanwhile."""
        if self._questions.get(room, (None, None))[0] is not question:
            return False
        del self._questions[room]
        return True

    def apply(self, room: str, change: Change) -> None:
        """An event of the room passes."""
        asked = self._questions.get(room)
        if asked is not None:
            asked[0].changes.append(change)
            if len(asked[0].changes) > MISSED:
                del self._questions[room]
        known = self._known.get(room)
        if known is not None:
            known.apply(change)
        elif isinstance(change, RosterSeen):
            self._known[room] = Roster(bytes(line) for line in change.participants)

    def placed(self, room: str, url: str) -> None:
        """The room, whose events come here, lives there: what is known of it at another MCU is worth nothing."""
        if self._homes.get(room, url) != url:
            self.forget(room)
        self._homes[room] = url

    def forget(self, room: str) -> None:
        """Its events do not come here any more, or tell of another MCU from now on."""
        self._known.pop(room, None)
        self._questions.pop(room, None)
        self._homes.pop(room, None)

    def forget_all(self) -> None:
        """An MCU has started afresh."""
        self._known.clear()
        self._questions.clear()

    async def close(self) -> None:
        """Nobody waits any more."""
        await self._tasks.close()
