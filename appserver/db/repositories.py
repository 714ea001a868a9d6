"""The store on SQL: each method is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import Boolean, ColumnElement, Double, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.models import LegRecord, McuRegister, SessionNotice

from ..rooms.entities import KnownMcu, Person, Room
from ..rooms.slugs import CALL_PREFIX
from . import history, told
from .conditions import live
from .doorstore import SqlDoors
from .meetingtables import chat_messages, meeting_states
from .models import mcus, participants, rooms
from .roomstore import SqlRooms
from .roomtables import invitations, room_members
from .siptables import sip_numbers
from .statements import insert_new

CHUNK = 500
"""Ids in one statement; SQLite takes 999 parameters in its oldest versions."""
KEPT = ("room", "display_name", "reserved_until")
"""What is written of somebody who is back."""
ANEW = ("admitted", *KEPT, "role", "user", "invitation")
"""What is written of somebody whom the rules have judged again."""
OF_ROOMS = (room_members, invitations, chat_messages)
"""Tables whose rows go with their room."""
WAITED_S = 3600.0
"""After this whoever waited in a lobby and has gone is forgotten."""
CALL_ROOM_S = 86_400.0
"""After its last use a room that was made for one call is deleted."""


_USED = update(rooms).where(rooms.c.id == bindparam("in_room")).values(used_at=bindparam("used"))
_OTHERS = (
    select(func.count())
    .select_from(participants)
    .where(
        participants.c.room == bindparam("in_room"),
        participants.c.id != bindparam("person"),
        participants.c.admitted == bindparam("inside"),
        live(bindparam("now", type_=Double)),
    )
)
"""Who takes places, or, with ``inside`` false, waits for one."""
_PERSON = insert_new(participants)
_AGAIN = (
    update(participants)
    .where(participants.c.id == bindparam("person"))
    .values({name: bindparam(f"now_{name}") for name in KEPT})
)
_ANEW = (
    update(participants)
    .where(participants.c.id == bindparam("person"))
    .ordered_values(
        # First, since MySQL assigns one after the other: who was let in meanwhile stays so, but in the same room only.
        (
            participants.c.admitted,
            (participants.c.admitted & (participants.c.room == bindparam("now_room")))
            | bindparam("now_admitted", type_=Boolean),
        ),
        *((participants.c[name], bindparam(f"now_{name}")) for name in ANEW[1:]),
    )
)
_INVITED = (
    update(invitations)
    .where(
        invitations.c.id == bindparam("by"),
        ~invitations.c.revoked,
        or_(invitations.c.expires_at.is_(None), invitations.c.expires_at > bindparam("now", type_=Double)),
        or_(invitations.c.max_uses.is_(None), invitations.c.uses < invitations.c.max_uses),
    )
    .values(uses=invitations.c.uses + 1)
)
"""What every join asks and writes, made once: to make a statement takes as long as to run it."""


class SqlStore(SqlRooms, SqlDoors):
    """Implements ``rooms.store.Store``, and what the other parts of ``rooms`` need kept."""

    # --- rooms ----------------------------------------------------------------------------------------------------

    async def place_room(self, room_id: str, expected: str | None, mcu: str) -> bool:
        was = rooms.c.mcu.is_(None) if expected is None else rooms.c.mcu == expected

        async def work(connection: AsyncConnection) -> bool:
            result = await connection.execute(update(rooms).where(rooms.c.id == room_id, was).values(mcu=mcu))
            return result.rowcount == 1

        return await self._db.write(work)

    async def busy_rooms(self, mcu: str) -> list[Room]:
        occupied = select(participants.c.room).where(participants.c.session.is_not(None), participants.c.admitted)
        query = select(rooms).where(rooms.c.mcu == mcu, rooms.c.id.in_(occupied)).order_by(rooms.c.id)
        return [Room(**row._mapping) for row in await self._db.rows(query)]

    # --- people ---------------------------------------------------------------------------------------------------

    async def admit(
        self,
        person: Person,
        room: Room,
        now: float,
        *,
        kept: bool = False,
        invitation: str | None = None,
        waiting: int = 0,
    ) -> int | Literal["full", "spent"]:
        others = {"in_room": room.id, "person": person.id, "now": now, "inside": person.admitted}

        async def work(connection: AsyncConnection) -> int | Literal["full", "spent"]:
            # Written first: the room's row is the lock under which places are counted (SQLite: the whole database is).
            await connection.execute(_USED, {"in_room": room.id, "used": room.used_at})
            taken = await connection.scalar(_OTHERS, others) or 0
            if taken >= (room.max_participants if person.admitted else waiting):
                return "full"
            if invitation is not None and not await _use(connection, invitation, now):
                return "spent"
            await _write_person(connection, person, kept)
            if person.admitted:
                return taken + 1
            return await connection.scalar(_OTHERS, others | {"inside": True}) or 0

        return await self._db.write(work)

    async def person(self, participant: str) -> Person | None:
        found = await self._db.rows(select(participants).where(participants.c.id == participant))
        return Person(**found[0]._mapping) if found else None

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
        occupied = select(participants.c.room).where(participants.c.session.is_not(None), participants.c.admitted)
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
            delete(participants).where(
                participants.c.created_at < now - WAITED_S, ~participants.c.admitted, ~live(now)
            ),
            delete(invitations).where(or_(invitations.c.expires_at < unused_before, _revoked(unused_before))),
            delete(rooms).where(
                ~rooms.c.permanent,
                or_(rooms.c.used_at < unused_before, for_calls & (rooms.c.used_at < now - CALL_ROOM_S)),
                rooms.c.id.not_in(occupied),
                rooms.c.id.not_in(select(sip_numbers.c.room)),
            ),
            *(delete(table).where(table.c.room.not_in(select(rooms.c.id))) for table in OF_ROOMS),
            delete(meeting_states).where(
                meeting_states.c.room.not_in(select(rooms.c.id)),
                meeting_states.c.tell_at.is_(None),  # whoever is in a deleted room is still to be sent away
            ),
        )

        async def work(connection: AsyncConnection) -> int:
            return sum([(await connection.execute(statement)).rowcount for statement in statements])

        return await self._db.write(work)


def _revoked(before: float) -> ColumnElement[bool]:
    """Invitations that were made before then and have been taken back."""
    return invitations.c.revoked & (invitations.c.created_at < before)


async def _use(connection: AsyncConnection, invitation: str, now: float) -> bool:
    """Count the invitation once more, if it is still good."""
    return (await connection.execute(_INVITED, {"by": invitation, "now": now})).rowcount == 1


async def _write_person(connection: AsyncConnection, person: Person, kept: bool) -> None:
    """Insert, or update what joining again may change."""
    if (await connection.execute(_PERSON, vars(person))).rowcount:
        return
    again = {f"now_{name}": getattr(person, name) for name in (KEPT if kept else ANEW)}
    await connection.execute(_AGAIN if kept else _ANEW, {"person": person.id, **again})


async def _set_legs(connection: AsyncConnection, people: list[str], mcu: str | None) -> None:
    for start in range(0, len(people), CHUNK):
        chunk = participants.c.id.in_(people[start : start + CHUNK])
        await connection.execute(update(participants).where(chunk).values(leg_mcu=mcu))
