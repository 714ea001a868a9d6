"""The store on SQL: each method is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import BindParameter, ColumnElement, Double, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.models import LegRecord, McuRegister, SessionNotice

from ..rooms.entities import KnownMcu, Person, Room
from ..rooms.slugs import CALL_PREFIX
from ..rooms.store import Added
from . import history, told
from .engine import Database
from .models import leg_records, mcus, participants, rooms
from .roomtables import invitations, room_members
from .siptables import sip_numbers
from .statements import insert_new

CHUNK = 500
"""Ids in one statement; SQLite takes 999 parameters in its oldest versions."""
CALL_ROOM_S = 86_400.0
"""After its last use a room that was made for one call is deleted."""


def live(now: float | BindParameter[float]) -> ColumnElement[bool]:
    """``Person.is_live`` as a condition."""
    row = participants.c
    return or_(row.session.is_not(None), row.leg_mcu.is_not(None), row.reserved_until > now)


_ROOM = select(rooms).where(rooms.c.id == bindparam("in_room"))
_USED = update(rooms).where(rooms.c.id == bindparam("in_room")).values(used_at=bindparam("used"))
_OTHERS = (
    select(func.count())
    .select_from(participants)
    .where(
        participants.c.room == bindparam("in_room"),
        participants.c.id != bindparam("person"),
        live(bindparam("now", type_=Double)),
    )
)
_PERSON = insert_new(participants)
_AGAIN = (
    update(participants)
    .where(participants.c.id == bindparam("person"))
    .values({name: bindparam(f"now_{name}") for name in ("room", "display_name", "reserved_until")})
)
"""What every join asks and writes, made once: to make a statement takes as long as to run it."""


class SqlStore:
    """Implements ``rooms.store.Store``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- rooms ----------------------------------------------------------------------------------------------------

    async def add_room(self, room: Room, limit: int) -> Added:
        async def work(connection: AsyncConnection) -> Added:
            if await connection.scalar(select(rooms.c.id).where(rooms.c.id == room.id)):
                return "exists"
            if (await connection.scalar(select(func.count()).select_from(rooms)) or 0) >= limit:
                return "full"
            added = await connection.execute(insert_new(rooms).values(**asdict(room)))
            return "added" if added.rowcount == 1 else "exists"

        return await self._db.write(work)

    async def room(self, room_id: str) -> Room | None:
        found = await self._db.rows(_ROOM, {"in_room": room_id})
        return Room(**found[0]._mapping) if found else None

    async def place_room(self, room_id: str, expected: str | None, mcu: str) -> bool:
        was = rooms.c.mcu.is_(None) if expected is None else rooms.c.mcu == expected

        async def work(connection: AsyncConnection) -> bool:
            result = await connection.execute(update(rooms).where(rooms.c.id == room_id, was).values(mcu=mcu))
            return result.rowcount == 1

        return await self._db.write(work)

    async def busy_rooms(self, mcu: str) -> list[Room]:
        occupied = select(participants.c.room).where(participants.c.session.is_not(None))
        query = select(rooms).where(rooms.c.mcu == mcu, rooms.c.id.in_(occupied)).order_by(rooms.c.id)
        return [Room(**row._mapping) for row in await self._db.rows(query)]

    # --- people ---------------------------------------------------------------------------------------------------

    async def admit(self, person: Person, room: Room, now: float) -> int | None:
        others = {"in_room": room.id, "person": person.id, "now": now}

        async def work(connection: AsyncConnection) -> int | None:
            # Written first: the room's row is the lock under which places are counted (SQLite: the whole database is).
            await connection.execute(_USED, {"in_room": room.id, "used": room.used_at})
            taken = await connection.scalar(_OTHERS, others) or 0
            if taken >= room.max_participants:
                return None
            await _write_person(connection, person)
            return taken + 1

        return await self._db.write(work)

    async def person(self, participant: str) -> Person | None:
        found = await self._db.rows(select(participants).where(participants.c.id == participant))
        return Person(**found[0]._mapping) if found else None

    async def live_count(self, room_id: str, now: float) -> int:
        query = select(func.count()).select_from(participants).where(participants.c.room == room_id, live(now))
        return await self._db.value(query) or 0

    # --- presence -------------------------------------------------------------------------------------------------

    async def note_sessions(self, notices: Sequence[SessionNotice]) -> None:
        async def work(connection: AsyncConnection) -> None:
            await told.note_sessions(connection, notices)

        await self._db.write(work)

    async def keep_sessions(self, notifier: str, sessions: frozenset[str], reserved_until: float) -> int:
        held = select(participants.c.session).where(
            participants.c.notifier == notifier, participants.c.session.is_not(None)
        )

        async def work(connection: AsyncConnection) -> int:
            gone = [session for session in (await connection.scalars(held)) if session not in sessions]
            closing = {"session": None, "notifier": None, "reserved_until": reserved_until}
            for start in range(0, len(gone), CHUNK):
                chunk = participants.c.session.in_(gone[start : start + CHUNK])
                await connection.execute(update(participants).where(chunk).values(**closing))
            if gone:
                await history.settle(connection)
            return len(gone)

        return await self._db.write(work)

    async def add_records(self, records: Sequence[LegRecord]) -> int:
        async def work(connection: AsyncConnection) -> int:
            return await told.add_records(connection, records)

        return await self._db.write(work)

    async def mcu_registered(self, body: McuRegister, now: float) -> int:
        values = {"boot": body.boot, "url": body.url, "capacity": body.capacity, "registered_at": now}
        there = frozenset(body.participants)

        async def work(connection: AsyncConnection) -> int:
            await connection.execute(delete(mcus).where(mcus.c.id == body.id))
            await connection.execute(insert(mcus).values(id=body.id, **values))
            held = select(participants.c.id).where(participants.c.leg_mcu == body.id)
            gone = [participant for participant in (await connection.scalars(held)) if participant not in there]
            await _set_legs(connection, gone, None)
            await _set_legs(connection, body.participants, body.id)
            await history.mcu_there(connection, body, there, now)
            return len(gone)

        return await self._db.write(work)

    async def mcu_lost(self, mcu: str, at: float) -> int:
        async def work(connection: AsyncConnection) -> int:
            await connection.execute(delete(mcus).where(mcus.c.id == mcu))
            result = await connection.execute(
                update(participants).where(participants.c.leg_mcu == mcu).values(leg_mcu=None)
            )
            await history.mcu_lost(connection, mcu, at)
            return result.rowcount

        return await self._db.write(work)

    async def used_mcus(self) -> set[str]:
        occupied = select(participants.c.room).where(participants.c.session.is_not(None))
        of_legs = select(participants.c.leg_mcu).where(participants.c.leg_mcu.is_not(None))
        of_rooms = select(rooms.c.mcu).where(rooms.c.mcu.is_not(None), rooms.c.id.in_(occupied))
        return {row[0] for row in await self._db.rows(of_legs.union(of_rooms))}

    async def known_mcus(self) -> list[KnownMcu]:
        query = select(mcus.c.id, mcus.c.boot, mcus.c.url, mcus.c.capacity)
        return [KnownMcu(**row._mapping) for row in await self._db.rows(query)]

    # --- housekeeping ---------------------------------------------------------------------------------------------

    async def forget(self, *, people_before: float, unused_before: float, now: float) -> int:
        occupied = select(participants.c.room).where(live(now))
        for_calls = rooms.c.id.startswith(CALL_PREFIX, autoescape=True)
        statements = (
            delete(participants).where(participants.c.created_at < people_before, ~live(now)),
            delete(leg_records).where(leg_records.c.at < unused_before),
            delete(rooms).where(
                ~rooms.c.permanent,
                or_(rooms.c.used_at < unused_before, for_calls & (rooms.c.used_at < now - CALL_ROOM_S)),
                rooms.c.id.not_in(occupied),
                rooms.c.id.not_in(select(sip_numbers.c.room)),
            ),
            *(delete(table).where(table.c.room.not_in(select(rooms.c.id))) for table in (room_members, invitations)),
        )

        async def work(connection: AsyncConnection) -> int:
            return sum([(await connection.execute(statement)).rowcount for statement in statements])

        return await self._db.write(work)


async def _write_person(connection: AsyncConnection, person: Person) -> None:
    """Insert, or update what joining again may change."""
    if (await connection.execute(_PERSON, vars(person))).rowcount:
        return
    again = {f"now_{name}": getattr(person, name) for name in ("room", "display_name", "reserved_until")}
    await connection.execute(_AGAIN, {"person": person.id, **again})


async def _set_legs(connection: AsyncConnection, people: list[str], mcu: str | None) -> None:
    for start in range(0, len(people), CHUNK):
        chunk = participants.c.id.in_(people[start : start + CHUNK])
        await connection.execute(update(participants).where(chunk).values(leg_mcu=mcu))
