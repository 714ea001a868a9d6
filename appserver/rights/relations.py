"""What an actor is to what is asked for: by itself, to the room or the record that the path names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .actors import Actor
from .table import Relation

NONE: frozenset[Relation] = frozenset()


class ToRooms(Protocol):
    """Of rooms. Raises Unavailable."""

    async def to_room(self, actor: Actor, room_id: str) -> frozenset[Relation]: ...


class ToMeetings(Protocol):
    """Of records. Raises Unavailable."""

    async def to_meeting(self, actor: Actor, meeting_id: str) -> frozenset[Relation]: ...


class Relations:
    """All of it, by the parameters of a route's path."""

    def __init__(self, rooms: ToRooms, meetings: ToMeetings | None = None) -> None:
        self._rooms = rooms
        self._meetings = meetings

    async def of(self, actor: Actor, named: Mapping[str, str]) -> frozenset[Relation]:
        """``named``: the path's parameters by name. Raises Unavailable."""
        found = by_itself(actor)
        if "room" in named:
            found |= await self._rooms.to_room(actor, named["room"])
        if "meeting" in named and self._meetings is not None:
            found |= await self._meetings.to_meeting(actor, named["meeting"])
        if "room" not in named and actor.participant is not None and not actor.waiting:
            found |= {"participant"}
        return found


def by_itself(actor: Actor) -> frozenset[Relation]:
    """Whatever it is about."""
    found: set[Relation] = {"anyone"}
    if actor.proof in ("session", "key"):
        found.add("user")
    if actor.proof != "participant" and actor.role in ("moderator", "admin"):
        found.add(actor.role)
    return frozenset(found)
