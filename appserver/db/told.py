"""What notifiers and MCUs tell, many at once: as few statements for a burst of joins as for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.models import LegRecord, SessionNotice

from ..rooms.entities import Person
from . import history
from .models import leg_records, participants, rooms
from .statements import insert_new

STAYS = frozenset({"replaced", "moved"})
"""Reasons of a leg that ended because the participant has another one, or because it went on in another room."""

_ROW = participants.c
_KEPT = {column.name for column in leg_records.c}
_CONNECTED = (
    update(participants)
    .where(_ROW.id == bindparam("told_participant"), _ROW.room == bindparam("told_room"))
    .values(session=bindparam("told_session"), notifier=bindparam("told_notifier"))
)
_DISCONNECTED = (
    update(participants)
    .where(_ROW.id == bindparam("told_participant"), _ROW.session == bindparam("told_session"))
    .values(session=None, notifier=None, reserved_until=0.0)
)
_CAME = (
    update(participants)
    .where(_ROW.id == bindparam("told_participant"))
    .values(room=bindparam("told_room"), leg_mcu=bindparam("told_mcu"))
)
_WENT = (
    update(participants)
    .where(_ROW.id == bindparam("told_participant"), _ROW.leg_mcu == bindparam("told_mcu"))
    .values(leg_mcu=None)
)

_HUNG_UP = delete(participants).where(
    _ROW.id == bindparam("told_participant"), _ROW.leg_mcu == bindparam("told_mcu"), _ROW.kind == "rtp"
)
"""A telephone whose call has ended comes back as somebody else: its row would only be counted with those of its room."""


async def note_sessions(connection: AsyncConnection, notices: Sequence[SessionNotice]) -> None:
    """A statement for each run of one kind."""
    for kind, run in groupby(notices, key=attrgetter("kind")):
        statement, names = (
            (_CONNECTED, ("participant", "room", "session", "notifier"))
            if kind == "connected"
            else (_DISCONNECTED, ("participant", "session"))
        )
        rows = [{f"told_{name}": getattr(notice, name) for name in names} for notice in run]
        await connection.execute(statement, rows)
    if gone := {notice.room for notice in notices if notice.kind == "disconnected"}:
        await history.settle(connection, gone)


async def add_records(connection: AsyncConnection, records: Sequence[LegRecord]) -> int:
    """Keeps those that are news, and writes what they say of legs; how many were."""
    news = await _news(connection, records)
    if not news:
        return 0
    await connection.execute(insert_new(leg_records), [record.model_dump(include=_KEPT) for record in news])
    await history.note_records(connection, news)
    for group in _groups(news):
        await _apply(connection, group)
    return len(news)


def _key(record: LegRecord) -> tuple[str, str, float, str]:
    """As the table's unique constraint has it."""
    return record.participant, record.event, record.at, record.boot


async def _news(connection: AsyncConnection, records: Sequence[LegRecord]) -> list[LegRecord]:
    row = leg_records.c
    people = {record.participant for record in records}
    found = await connection.execute(
        select(row.participant, row.event, row.at, row.boot).where(row.participant.in_(people))
    )
    known = {tuple(key) for key in found}
    news = []
    for record in records:
        if _key(record) not in known:
            known.add(_key(record))
            news.append(record)
    return news


def _meaning(record: LegRecord) -> tuple[str, str, str]:
    """What a record says of the participant's leg: two that say the same can be written as one."""
    return ("went", "", record.mcu) if record.event == "left" else ("came", record.room, record.mcu)


def _groups(records: Iterable[LegRecord]) -> Iterator[dict[str, LegRecord]]:
    """By participant, in their order; a new group where a participant's leg is told something else than the group says."""
    group: dict[str, LegRecord] = {}
    for record in records:
        if record.event == "left" and record.reason in STAYS:
            continue
        earlier = group.get(record.participant)
        if earlier is not None and _meaning(earlier) != _meaning(record):
            yield group
            group = {}
        group.setdefault(record.participant, record)
    if group:
        yield group


async def _apply(connection: AsyncConnection, group: dict[str, LegRecord]) -> None:
    """Everybody in a group is there once: the order of statements is free."""
    went = [record for record in group.values() if record.event == "left"]
    if over := [record for record in went if record.reason == "left"]:
        await connection.execute(_HUNG_UP, [{"told_participant": r.participant, "told_mcu": r.mcu} for r in over])
    if went:
        await connection.execute(_WENT, [{"told_participant": r.participant, "told_mcu": r.mcu} for r in went])
    came = await _of_known_rooms(connection, [record for record in group.values() if record.event != "left"])
    if came:
        await _add_visitors(connection, came)
        rows = [{"told_participant": r.participant, "told_room": r.room, "told_mcu": r.mcu} for r in came]
        await connection.execute(_CAME, rows)


async def _of_known_rooms(connection: AsyncConnection, records: list[LegRecord]) -> list[LegRecord]:
    """Without those of rooms of the MCU alone, such as the lab's."""
    wanted = {record.room for record in records}
    if not wanted:
        return []
    known = set(await connection.scalars(select(rooms.c.id).where(rooms.c.id.in_(wanted))))
    return [record for record in records if record.room in known]


async def _add_visitors(connection: AsyncConnection, records: list[LegRecord]) -> None:
    """People who came without a token, by telephone, get their row here."""
    wanted = {record.participant for record in records}
    known = set(await connection.scalars(select(participants.c.id).where(participants.c.id.in_(wanted))))
    visitors = [
        Person(r.participant, r.room, r.display_name, created_at=r.at, kind=r.kind)
        for r in records
        if r.participant not in known
    ]
    if visitors:
        await connection.execute(insert_new(participants), [vars(visitor) for visitor in visitors])
