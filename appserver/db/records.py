"""Records of meetings as they are read, exported and forgotten; each method is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..history.entities import Going, Meeting, Sound, Stay, StayRow
from ..history.store import Mark, Wanted
from .conditions import waits
from .engine import Database
from .history import SOUND
from .historytables import meetings, stay_legs, stays
from .models import leg_records, participants, rooms
from .siptables import sip_calls

NOTES = 10
"""Notes of legs that are deleted with each meeting."""


class SqlRecords:
    """Implements ``history.store.RecordStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def meetings(self, wanted: Wanted, before: Mark | None, limit: int) -> list[Meeting]:
        row = meetings.c
        query = select(meetings).where(*_conditions(wanted)).order_by(row.started_at.desc(), row.id.desc()).limit(limit)
        if before is not None:
            at, id = before
            query = query.where(or_(row.started_at < at, and_(row.started_at == at, row.id < id)))
        return [Meeting(**found._mapping) for found in await self._db.rows(query)]

    async def meeting(self, meeting_id: str) -> Meeting | None:
        found = await self._db.rows(select(meetings).where(meetings.c.id == meeting_id))
        return Meeting(**found[0]._mapping) if found else None

    async def stays(self, meeting_id: str, after: StayRow | None, limit: int) -> list[StayRow]:
        row = stays.c
        query = select(stays).where(row.meeting == meeting_id).order_by(row.joined_at, row.id).limit(limit)
        if after is not None:
            at = after.stay.joined_at
            query = query.where(or_(row.joined_at > at, and_(row.joined_at == at, row.id > after.row)))
        found = await self._db.rows(query)
        calls = await self._calls([one.participant for one in found if one.kind == "rtp"])
        return [StayRow(one.id, _stay(one), calls.get(one.participant)) for one in found]

    async def _calls(self, phones: list[str]) -> dict[str, str]:
        """The SIP calls by which these participants came."""
        if not phones:
            return {}
        row = sip_calls.c
        found = await self._db.rows(select(row.participant, row.id).where(row.participant.in_(phones)))
        return {one.participant: one.id for one in found}

    async def was_there(self, meeting_id: str, user: str) -> bool:
        return bool(
            await self._db.value(select(stays.c.id).where(stays.c.meeting == meeting_id, stays.c.user == user).limit(1))
        )

    async def going(self, now: float, limit: int) -> Sequence[Going]:
        row, people = meetings.c, participants.c
        here = (
            select(func.count()).where(stays.c.meeting == row.id, stays.c.left_at.is_(None)).scalar_subquery()
        ).label("here")
        waiting = select(func.count()).where(people.room == row.room, waits(now)).scalar_subquery().label("waiting")
        query: Select[Any] = (
            select(meetings, rooms.c.mcu.label("mcu"), here, waiting)
            .join(rooms, rooms.c.id == row.room, isouter=True)
            .where(row.ended_at.is_(None))
            .order_by(row.started_at, row.id)
            .limit(limit)
        )
        return [_going(one) for one in await self._db.rows(query)]

    # --- forgetting -----------------------------------------------------------------------------------------------

    async def delete(self, meeting_id: str) -> Literal["deleted", "goes-on", "unknown"]:
        async def work(connection: AsyncConnection) -> Literal["deleted", "goes-on", "unknown"]:
            query = select(meetings).where(meetings.c.id == meeting_id).with_for_update()
            found = (await connection.execute(query)).first()
            if found is None:
                return "unknown"
            if found.ended_at is None:
                return "goes-on"
            there = select(stays.c.participant).where(stays.c.meeting == meeting_id)
            notes = leg_records.c.participant.in_(there), leg_records.c.room == found.room
            await connection.execute(delete(leg_records).where(*notes))
            await _delete(connection, [meeting_id])
            return "deleted"

        return await self._db.write(work)

    async def forget_some(self, before: float, limit: int) -> int:
        over = select(meetings.c.id).where(meetings.c.ended_at < before).order_by(meetings.c.ended_at).limit(limit)
        note = leg_records.c
        told = select(note.id).where(note.at < before).order_by(note.at).limit(NOTES * limit)

        async def work(connection: AsyncConnection) -> int:
            rows = await _delete(connection, list(await connection.scalars(over)))
            if old := list(await connection.scalars(told)):
                for start in range(0, len(old), 500):
                    rows += (
                        await connection.execute(delete(leg_records).where(note.id.in_(old[start : start + 500])))
                    ).rowcount
            return rows

        return await self._db.write(work)


async def _delete(connection: AsyncConnection, ids: list[str]) -> int:
    """Meetings with all that is of them; how many rows."""
    if not ids:
        return 0
    mine = (stay_legs.c.meeting, stays.c.meeting, meetings.c.id)
    return sum([(await connection.execute(delete(one.table).where(one.in_(ids)))).rowcount for one in mine])


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    row = meetings.c
    found: list[ColumnElement[bool]] = []
    if wanted.user is not None:
        there = select(stays.c.meeting).where(stays.c.user == wanted.user)
        found.append(row.id.in_(there.union(select(row.id).where(row.owner == wanted.user))))  # each by its index
    if wanted.room is not None:
        found.append(row.room == wanted.room)
    if wanted.after is not None:
        found.append(row.started_at > wanted.after)
    if wanted.before is not None:
        found.append(row.started_at < wanted.before)
    if wanted.who:
        named = func.lower(stays.c.display_name).contains(wanted.who.lower(), autoescape=True)
        found.append(select(stays.c.id).where(stays.c.meeting == row.id, named).exists())
    return found


def _stay(row: Row[Any]) -> Stay:
    values = dict(row._mapping)
    del values["id"]
    return Stay(
        **{name: values[name] for name in values if name not in SOUND}, sound=Sound(*(values[n] for n in SOUND))
    )


def _going(row: Row[Any]) -> Going:
    values = dict(row._mapping)
    mcu, here, waiting = (values.pop(name) for name in ("mcu", "here", "waiting"))
    return Going(Meeting(**values), mcu or "", here, waiting)
