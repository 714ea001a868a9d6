"""A topic: its events numbered in order, a window of the last of them, and the sessions that hear it. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from confero.models import Position

from .messages import Message, numbered

if TYPE_CHECKING:
    from .session import Session

ROOM = "room:"
"""Begins the topics of rooms."""


def room_topic(room: str) -> str:
    return f"{ROOM}{room}"


def participant_topic(participant: str) -> str:
    return f"participant:{participant}"


def user_topic(user: str) -> str:
    return f"user:{user}"


@dataclass(frozen=True)
class WindowLimits:
    """How much of a topic is kept for browsers that come back."""

    age_s: float = 40.0
    """Older events are dropped. Resume window plus the time in which a dead connection is noticed (two heartbeats)."""
    events: int = 1000
    """Twenty-five a second for the whole age."""
    size: int = 512 << 10
    """Bytes."""


class Kept(NamedTuple):
    """An event in the window."""

    order: int
    """Counts through all topics: what a session missed comes in the order in which it happened."""
    at: float
    message: Message


class Topic:
    """Numbers begin at 1 with the topic's ``epoch``, and have no gaps while it lasts."""

    __slots__ = ("_kept", "_limits", "_size", "epoch", "last", "name", "sessions")

    def __init__(self, name: str, epoch: str, limits: WindowLimits) -> None:
        self.name = name
        self.epoch = epoch
        self.last = 0
        """Number of the newest event; 0 before the first."""
        self.sessions: dict[str, Session] = {}
        self._kept: list[Kept] = []
        """Oldest first. A list, though it loses its head: most topics are a participant's own and stay empty, and an empty deque
        has room for 64 (0.7 kB); moving a thousand pointers is little beside telling anybody."""
        self._size = 0
        self._limits = limits

    @property
    def position(self) -> Position:
        """Where who enters now stands."""
        return self.at(self.last)

    def at(self, seq: int) -> Position:
        """A place in this topic."""
        return Position(topic=self.name, epoch=self.epoch, seq=seq)

    def add(self, order: int, body: bytes, now: float) -> Message:
        """The event under the next number; it is kept, and what is beyond the limits dropped."""
        self.last += 1
        message = Message(numbered(self.name, self.last, body))
        self._kept.append(Kept(order, now, message))
        self._size += len(message.json)
        self._forget(now)
        return message

    def _forget(self, now: float) -> None:
        """Drop what is too old, or too much."""
        kept, limits, gone = self._kept, self._limits, 0
        for one in kept:
            fits = len(kept) - gone <= limits.events and self._size <= limits.size
            if fits and now - one.at <= limits.age_s:
                break
            self._size -= len(one.message.json)
            gone += 1
        del kept[:gone]

    def since(self, seq: int) -> list[Kept] | None:
        """The events after ``seq``; None if one of them is gone or ``seq`` was never given out."""
        first = self.last - len(self._kept) + 1
        if not first - 1 <= seq <= self.last:
            return None
        return self._kept[seq + 1 - first :]


def in_order(missed: Iterable[list[Kept]]) -> list[Message]:
    """What was missed of several topics, as it happened."""
    return [kept.message for kept in sorted(kept for of_topic in missed for kept in of_topic)]
