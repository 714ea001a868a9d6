"""Meetings on SQL: a rule is shown what is written, and what it makes of that is written; each method is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.errors import Refused

from ..meeting import rules
from ..meeting.rules import Rule
from ..meeting.state import Attendee, Meeting, Outcome, Scene
from ..meeting.store import Whom
from .conditions import inside, waits
from .engine import Database
from .meetingtables import meeting_states
from .models import participants, rooms
from .statements import insert_new

ATTENDEE = [field.name for field in fields(Attendee)]
ROOM = ("locked", "lobby", "speak")
"""What of a meeting stands in the room's own row."""
STATE = ("version", "started_at", "ending", "spotlight")
RECENT_S = 60.0
"""So long somebody who was removed may still have a leg of which nothing is written yet."""
AT_ONCE = 100
"""Rooms that are told of again, or concluded, in one look."""


class SqlMeetings:
    """Implements ``meeting.store.MeetingStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def scene(self, room: str, now: float, whom: Whom = ()) -> Scene | None:
        async def work(connection: AsyncConnection) -> Scene | None:
            return await _scene(connection, room, now, whom)

        return await self._db.write(work)

    async def change(self, room: str, now: float, rule: Rule, whom: Whom = (), *, due: float) -> Outcome | None:
        async def work(connection: AsyncConnection) -> Outcome | None:
            before = await _scene(connection, room, now, whom)
            return None if before is None else await _written(connection, before, rule(before), due)

        return await self._db.write(work)

    async def end(self, room: str, now: float, *, due: float) -> Sequence[str] | None:
        row = participants.c
        freed = update(participants).where(row.room == room).values(reserved_until=0.0)
        waiting = select(row.id).where(row.room == room, waits(now)).order_by(row.created_at, row.id)

        async def work(connection: AsyncConnection) -> Sequence[str] | None:
            before = await _scene(connection, room, now, ())
            if before is None:
                return None
            found = list(await connection.scalars(waiting))
            await _written(connection, before, rules.ended(before), due)
            await connection.execute(freed)
            return found

        return await self._db.write(work)

    async def end_told(self, room: str) -> None:
        await self._set(room, ending=False)

    async def move(
        self, room: str, participant: str, target: str, now: float, *, due: float, until: float
    ) -> Outcome | None:
        there = update(participants).where(participants.c.id == participant)
        place = {"room": target, "reserved_until": until, "admitted": True}

        async def work(connection: AsyncConnection) -> Outcome | None:
            await _lock(
                connection, sorted({room, target})
            )  # in one order, so that two moves do not wait for each other
            before = await _scene(connection, room, now, [participant])
            if before is None:
                return None
            after = rules.moved(before, participant)
            await _check_place(connection, target, now)
            written = await _written(connection, before, after, due)
            await connection.execute(there.values(**place))
            return written

        return await self._db.write(work)

    # --- what is still to be told, and what is over ---------------------------------------------------------------

    async def due(self, now: float) -> Sequence[tuple[str, int]]:
        row = meeting_states.c
        query = select(row.room, row.version).where(row.tell_at <= now).order_by(row.tell_at).limit(AT_ONCE)
        return [(found.room, found.version) for found in await self._db.rows(query)]

    async def told(self, room: str, version: int) -> None:
        await self._set(room, meeting_states.c.version == version, tell_at=None)

    async def homes(self, room: str) -> Sequence[str]:
        row = participants.c
        found = await self._db.rows(select(row.leg_mcu).where(row.room == room, row.leg_mcu.is_not(None)).distinct())
        return [one.leg_mcu for one in found]

    async def forget(self, room: str) -> None:
        gone = delete(meeting_states).where(meeting_states.c.room == room, ~exists().where(rooms.c.id == room))
        await self._db.write(lambda connection: connection.execute(gone))

    async def _set(self, room: str, only: ColumnElement[bool] | None = None, **values: object) -> None:
        one = update(meeting_states).where(meeting_states.c.room == room, true() if only is None else only)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(one.values(**values))

        await self._db.write(work)

    async def outcasts(self, room: str, now: float) -> Sequence[str]:
        row = participants.c
        there = or_(row.session.is_not(None), row.leg_mcu.is_not(None), row.removed_at > now - RECENT_S)
        found = await self._db.rows(select(row.id).where(row.room == room, row.removed_at.is_not(None), there))
        return [one.id for one in found]

    async def deserted(self, now: float) -> Sequence[str]:
        row = meeting_states.c
        somebody = exists().where(participants.c.room == row.room, inside(now))
        query = select(row.room).where(row.started_at.is_not(None), ~somebody).limit(AT_ONCE)
        return [found.room for found in await self._db.rows(query)]

    async def conclude(self, room: str, now: float) -> None:
        row = participants.c
        everybody = update(participants).where(row.room == room)
        guests = everybody.where(row.role == "guest")

        async def work(connection: AsyncConnection) -> None:
            before = await _scene(connection, room, now, "everybody")
            if before is None or before.people:
                return
            await _written(connection, before, rules.over(before), None)
            await connection.execute(everybody.values(hand_at=None, may_speak=False, removed_at=None))
            guarded = select(or_(rooms.c.lobby, rooms.c.host_first)).where(rooms.c.id == room)
            if await connection.scalar(guarded):
                await connection.execute(guests.values(admitted=False))

        await self._db.write(work)


async def _lock(connection: AsyncConnection, room_ids: Sequence[str]) -> None:
    """In the order in which joins do: the room's row comes first."""
    for id in room_ids:
        await connection.scalar(select(rooms.c.id).where(rooms.c.id == id).with_for_update())


async def _scene(connection: AsyncConnection, room: str, now: float, whom: Whom) -> Scene | None:
    await _lock(connection, [room])
    state = meeting_states.c.room
    # Not inserted for nothing: that would share the row's lock, and two who share it wait for each other to write.
    if await connection.scalar(select(state).where(state == room).with_for_update()) is None:
        await connection.execute(insert_new(meeting_states).values(room=room))
    columns = [rooms.c.id.label("room"), *(rooms.c[name] for name in ROOM), *(meeting_states.c[name] for name in STATE)]
    joined = rooms.join(meeting_states, meeting_states.c.room == rooms.c.id)
    found = (await connection.execute(select(*columns).select_from(joined).where(rooms.c.id == room))).first()
    if found is None:
        return None
    rows = (await connection.execute(_people(room, now, whom))).all()
    people = {one.id: Attendee(**one._mapping) for one in rows}
    waiting = select(func.count()).select_from(participants).where(participants.c.room == room, waits(now))
    return Scene(Meeting(**found._mapping), people, await connection.scalar(waiting) or 0)


def _people(room: str, now: float, whom: Whom) -> Select[Any]:
    row = participants.c
    query = select(*(row[name] for name in ATTENDEE)).where(row.room == room, inside(now), row.removed_at.is_(None))
    if isinstance(whom, str):
        return query
    named: Collection[str] = whom
    return query.where(or_(row.role == "host", row.hand_at.is_not(None), row.may_speak, row.id.in_(list(named))))


async def _written(connection: AsyncConnection, before: Scene, outcome: Outcome, due: float | None) -> Outcome:
    """The outcome with its version."""
    after = outcome.scene
    if after == before:
        return outcome
    meeting = Meeting(**{**asdict(after.meeting), "version": before.meeting.version + 1})
    room = meeting.room
    in_room = {name: getattr(meeting, name) for name in ROOM}
    state = {name: getattr(meeting, name) for name in STATE}
    await connection.execute(update(rooms).where(rooms.c.id == room).values(**in_room))
    await connection.execute(update(meeting_states).where(meeting_states.c.room == room).values(**state, tell_at=due))
    for one in after.people.values():
        if one != before.people.get(one.id):
            await _write_person(connection, one)
    return Outcome(Scene(meeting, after.people, after.waiting), outcome.orders)


async def _write_person(connection: AsyncConnection, one: Attendee) -> None:
    values: dict[str, object] = {name: getattr(one, name) for name in ("role", "may_speak", "hand_at", "removed_at")}
    if one.removed_at is not None:
        values["reserved_until"] = 0.0
    await connection.execute(update(participants).where(participants.c.id == one.id).values(**values))


async def _check_place(connection: AsyncConnection, room: str, now: float) -> None:
    """Raises Refused 404 ``room-unknown``, 409 ``room-full``."""
    places = await connection.scalar(select(rooms.c.max_participants).where(rooms.c.id == room))
    if places is None:
        raise Refused("There is no such room.", status=404, code="room-unknown")
    taken = select(func.count()).select_from(participants).where(participants.c.room == room, inside(now))
    if (await connection.scalar(taken) or 0) >= places:
        raise Refused("The other room is full.", status=409, code="room-full")
