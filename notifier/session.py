"""A session: one browser's place in a room, which hears its topics and outlives its connection. No I/O.

It subscribes to two *topics*: its room and its participant. A *sink* is the connection that it writes to while it has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from confero.ids import new_id
from confero.models import Position, TokenGrant
from confero.ratelimit import TokenBucket

from .messages import Message
from .topics import Kept, Topic, in_order, participant_topic, room_topic
from .wire import Place


class Sink(Protocol):
    """The connection of a session. Neither call waits."""

    def send(self, message: Message) -> None: ...

    def close(self, code: int, reason: str) -> None:
        """Send what is queued, then close. Later calls of either kind do nothing."""
        ...


def topics_of(grant: TokenGrant) -> tuple[str, ...]:
    """What a session with this grant is to hear: its room and its participant; in the lobby its participant alone."""
    own = participant_topic(grant.participant)
    return (own,) if grant.waiting else (room_topic(grant.room), own)


class Session:
    """One browser in one room; made by ``Hub.open``."""

    __slots__ = ("budget", "detached_at", "grant", "id", "informed", "leg", "muted", "seen", "sink", "token", "topics")

    def __init__(self, grant: TokenGrant, token: str, topics: tuple[Topic, ...]) -> None:
        self.id = new_id("ses")
        self.grant = grant
        self.token = token
        self.topics = topics
        """The last is its participant's."""
        self.seen = [topic.last for topic in topics]
        """What of each topic its browser knows when it is greeted."""
        self.leg: str | None = None
        """Its media leg as far as is known; the MCU's word is the truth."""
        self.muted = False
        """As asked for here, or ordered by a host: a leg that is lost comes again so."""
        self.informed = True
        """False if its welcome had no roster because the MCU did not answer."""
        self.budget: TokenBucket | None = None
        """Of its requests over HTTP, once there is one."""
        self.sink: Sink | None = None
        self.detached_at: float | None = None

    def __repr__(self) -> str:
        return f"<Session {self.id} of {self.grant.participant} in {self.grant.room}>"

    @property
    def positions(self) -> list[Position]:
        """Where its browser stands when it is greeted."""
        return [topic.at(seq) for topic, seq in zip(self.topics, self.seen, strict=True)]

    def find(self, seen: Sequence[Place]) -> list[int] | None:
        """The numbers of these places in its topics' order; None if one is missing, or of another epoch."""
        known = {(place.topic, place.epoch): place.seq for place in seen}
        numbers = [known.get((topic.name, topic.epoch)) for topic in self.topics]
        found = [number for number in numbers if number is not None]
        return found if len(found) == len(numbers) else None

    def missed(self, seen: Sequence[int], limit: int) -> list[Message] | None:
        """The events after these, as they happened; None if they are not all kept, or more than ``limit`` bytes."""
        parts: list[list[Kept]] = []
        for topic, seq in zip(self.topics, seen, strict=True):
            part = topic.since(seq)
            if part is None:
                return None
            parts.append(part)
        messages = in_order(parts)
        return messages if sum(len(message.json) for message in messages) <= limit else None
