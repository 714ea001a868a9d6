"""Rooms on SQL: made, found, listed, changed, deleted; each method is one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..rooms.catalogue import Added, Listed, Search
from ..rooms.entities import Room
from .conditions import inside
from .engine import Database
from .meetingtables import chat_messages, meeting_states
from .models import participants, rooms
from .roomtables import invitations, room_members
from .siptables import sip_numbers
from .statements import insert_new

_ROOM = select(rooms).where(rooms.c.id == bindparam("in_room"))
"""What every join asks, made once: to make a statement takes as long as to run it."""


class SqlRooms:
    """Implements ``rooms.catalogue.RoomStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add_room(self, room: Room, limit: int, own_limit: int | None = None) -> Added:
        owned = select(func.count()).select_from(rooms).where(rooms.c.owner == room.owner)

        async def work(connection: AsyncConnection) -> Added:
            if await connection.scalar(select(rooms.c.id).where(rooms.c.id == room.id)):
                return "exists"
            if (await connection.scalar(select(func.count()).select_from(rooms)) or 0) >= limit:
                return "full"
            if own_limit is not None and room.owner is not None and (await connection.scalar(owned) or 0) >= own_limit:
                return "too-many"
            added = await connection.execute(insert_new(rooms).values(**asdict(room)))
            return "added" if added.rowcount == 1 else "exists"

        return await self._db.write(work)

    async def room(self, room_id: str) -> Room | None:
        found = await self._db.rows(_ROOM, {"in_room": room_id})
        return Room(**found[0]._mapping) if found else None

    async def live_count(self, room_id: str, now: float) -> int:
        query = select(func.count()).select_from(participants).where(participants.c.room == room_id, inside(now))
        return await self._db.value(query) or 0

    async def change_room(self, room_id: str, values: Mapping[str, Any]) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            # MySQL counts rows that differ, not rows that match: ask for the row itself.
            if not await connection.scalar(select(rooms.c.id).where(rooms.c.id == room_id).with_for_update()):
                return False
            await connection.execute(update(rooms).where(rooms.c.id == room_id).values(**values))
            state = meeting_states.c
            changed = {"version": state.version + 1, "tell_at": 0.0}  # whoever is in the room is to know
            await connection.execute(update(meeting_states).where(state.room == room_id).values(**changed))
            return True

        return await self._db.write(work)

    async def delete_room(self, room_id: str) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            gone = await connection.execute(delete(rooms).where(rooms.c.id == room_id))
            for table in (room_members, invitations, chat_messages):
                await connection.execute(delete(table).where(table.c.room == room_id))
            # What is left of it is that its people are to be sent away: ``MeetingStore.forget`` takes that too.
            left = meeting_states.c.room == room_id
            await connection.execute(update(meeting_states).where(left).values(ending=True, tell_at=0.0))
            waiting = delete(participants).where(participants.c.room == room_id, ~participants.c.admitted)
            await connection.execute(waiting)
            return gone.rowcount == 1

        return await self._db.write(work)

    async def number_of(self, room_id: str) -> str | None:
        found = await self._db.value(select(sip_numbers.c.number).where(sip_numbers.c.room == room_id))
        return None if found is None else str(found)

    # --- lists ----------------------------------------------------------------------------------------------------

    async def search_rooms(self, search: Search, now: float) -> Sequence[Listed]:
        found = await self._db.rows(_search(search))
        people = await self._people([row.id for row in found], now)
        return [_listed(row._asdict(), people.get(row.id, 0)) for row in found]

    async def _people(self, room_ids: list[str], now: float) -> dict[str, int]:
        row = participants.c
        query = (
            select(row.room, func.count().label("people")).where(row.room.in_(room_ids), inside(now)).group_by(row.room)
        )
        found = await self._db.rows(query) if room_ids else []
        return {one.room: one.people for one in found}


def _search(search: Search) -> Select[Any]:
    row = rooms.c
    mine = (room_members.c.room == row.id) & (room_members.c.user == search.asking)
    query = (
        select(rooms, sip_numbers.c.number, room_members.c.role.label("membership"))
        .select_from(rooms.outerjoin(room_members, mine).outerjoin(sip_numbers, sip_numbers.c.room == row.id))
        .order_by(row.used_at.desc(), row.id.desc())
        .limit(search.limit)
    )
    if search.user is not None:
        joined = select(room_members.c.room).where(room_members.c.user == search.user)
        query = query.where(or_(row.owner == search.user, row.id.in_(joined)))
    if search.text:
        # SQLite lowers ASCII letters only; a name as it stands is found in any case.
        lowered, found = search.text.lower(), func.lower(row.name)
        query = query.where(
            or_(
                found.contains(lowered, autoescape=True),
                row.name.contains(search.text, autoescape=True),
                row.id.contains(lowered, autoescape=True),
            )
        )
    if search.before is not None:
        at, last = search.before
        query = query.where(or_(row.used_at < at, (row.used_at == at) & (row.id < last)))
    return query


def _listed(values: dict[str, Any], people: int) -> Listed:
    number, membership = values.pop("number"), values.pop("membership")
    return Listed(Room(**values), people, number, membership)
