"""Whom changes concern, on SQL."""

from __future__ import annotations

from sqlalchemy import select, union

from .engine import Database
from .models import rooms
from .roomtables import room_members


class SqlAudience:
    """Implements ``news.herald.Audience``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of_room(self, room: str) -> set[str]:
        owner = select(rooms.c.owner.label("user")).where(rooms.c.id == room, rooms.c.owner.is_not(None))
        members = select(room_members.c.user).where(room_members.c.room == room)
        return {row.user for row in await self._db.rows(union(owner, members))}

    async def of_user(self, user: str) -> set[str]:
        owned = select(rooms.c.id.label("room")).where(rooms.c.owner == user)
        joined = select(room_members.c.room).where(room_members.c.user == user)
        shared = union(owned, joined).subquery()
        owners = select(rooms.c.owner.label("user")).where(
            rooms.c.id.in_(select(shared.c.room)), rooms.c.owner.is_not(None)
        )
        members = select(room_members.c.user).where(room_members.c.room.in_(select(shared.c.room)))
        return {row.user for row in await self._db.rows(union(owners, members))} - {user}
