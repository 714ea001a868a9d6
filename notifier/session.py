"""A session: one browser, which hears its topics and outlives its connection. No I/O.

In a room it subscribes to two *topics*, its room and its participant; outside to its user. A *sink* is the connection that it
writes to while it has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from confero.ids import new_id
from confero.models import Position, TokenGrant, UserGrant
from confero.ratelimit import TokenBucket

from .messages import Message
from .topics import Kept, Topic, in_order, participant_topic, room_topic, user_topic
from .wire import Place


class Sink(Protocol):
    """The connection of a session. Neither call waits."""

    def send(self, message: Message) -> None: ...

    def close(self, code: int, reason: str) -> None:
        """Send what is queued, then close. Later calls of either kind do nothing."""
        ...


Grant = TokenGrant | UserGrant
"""What a token allows: a place in a room, or to hear what concerns an account."""


def topics_of(grant: Grant) -> tuple[str, ...]:
    """What a session with this grant is to hear: its room and its participant; in the lobby its participant alone; or its user."""
    if isinstance(grant, UserGrant):
        return (user_topic(grant.user),)
    own = participant_topic(grant.participant)
    return (own,) if grant.waiting else (room_topic(grant.room), own)


class Session:
    """One browser; made by ``Hub.open`` as one of those below."""

    __slots__ = ("budget", "detached_at", "expires", "id", "seen", "sink", "token", "topics")

    def __init__(self, grant: Grant, token: str, topics: tuple[Topic, ...]) -> None:
        self.id = new_id("ses")
        self.token = token
        self.expires = grant.expires
        """Of the token, Unix time. The session goes on."""
        self.topics = topics
        """The last is its own."""
        self.seen = [topic.last for topic in topics]
        """What of each topic its browser knows when it is greeted."""
        self.budget: TokenBucket | None = None
        """Of its requests over HTTP, once there is one."""
        self.sink: Sink | None = None
        self.detached_at: float | None = None

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

    def renew(self, grant: Grant, token: str) -> None:
        """Its browser is back, perhaps with a newer token."""
        self.token, self.expires = token, grant.expires


class RoomSession(Session):
    """A participant's, in a room or its lobby."""

    __slots__ = ("grant", "informed", "leg", "muted")

    def __init__(self, grant: TokenGrant, token: str, topics: tuple[Topic, ...]) -> None:
        super().__init__(grant, token, topics)
        self.grant = grant
        self.leg: str | None = None
        """Its media leg as far as is known; the MCU's word is the truth."""
        self.muted = False
        """As asked for here, or ordered by a host: a leg that is lost comes again so."""
        self.informed = True
        """False if its welcome had no roster because the MCU did not answer."""

    def __repr__(self) -> str:
        return f"<RoomSession {self.id} of {self.grant.participant} in {self.grant.room}>"

    def renew(self, grant: Grant, token: str) -> None:
        """As above. Where the room lives changes by ``Hub.place`` alone, which tells everyone."""
        super().renew(grant, token)
        assert isinstance(grant, TokenGrant)
        self.grant = grant.model_copy(update={"mcu": self.grant.mcu, "mcu_url": self.grant.mcu_url})


class UserSession(Session):
    """Of somebody who is signed in, outside of rooms. One user may have some."""

    __slots__ = ("grant",)

    def __init__(self, grant: UserGrant, token: str, topics: tuple[Topic, ...]) -> None:
        super().__init__(grant, token, topics)
        self.grant = grant

    def __repr__(self) -> str:
        return f"<UserSession {self.id} of {self.grant.user}>"
