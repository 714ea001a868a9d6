"""What somebody who asks is to a room: owner, member, host, or in it."""

from __future__ import annotations

from typing import Protocol

from confero.models import Role

from ..rights.actors import Actor
from ..rights.table import Relation
from .entities import Member, Room


class RelationStore(Protocol):
    """What is written about rooms."""

    async def room(self, room_id: str) -> Room | None: ...

    async def member(self, room_id: str, user: str) -> Member | None: ...


class RoomRelations:
    """Answers for the guard. What an account is by its own role is not asked here."""

    def __init__(self, store: RelationStore) -> None:
        self._store = store

    async def to_room(self, actor: Actor, room_id: str) -> frozenset[Relation]:
        """Nothing for a room that is not there. Raises Unavailable."""
        found = set[Relation]()
        if actor.participant is not None and actor.room == room_id and not actor.waiting:
            found |= {"participant", "room-host"} if actor.room_role == "host" else {"participant"}
        if actor.user is not None and actor.proof != "participant":  # a join token is for its room alone
            found |= await self._by_account(actor.user, room_id)
        return frozenset(found)

    async def membership(self, room_id: str, user: str | None) -> Role | None:
        """What an account was made in the room; None: it is no member. Raises Unavailable."""
        member = await self._store.member(room_id, user) if user is not None else None
        return member.role if member is not None else None

    async def _by_account(self, user: str, room_id: str) -> set[Relation]:
        room = await self._store.room(room_id)
        if room is not None and room.owner == user:
            return {"owner", "member", "room-host"}
        member = await self._store.member(room_id, user) if room is not None else None
        if member is None:
            return set()
        return {"member", "room-host"} if member.role == "host" else {"member"}
