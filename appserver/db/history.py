"""Records of meetings, written in the transaction that notes what they are made from: legs first, then their stays and meetings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnCollection,
    ColumnElement,
    Row,
    Table,
    bindparam,
    delete,
    distinct,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.ids import new_id
from confero.models import LegRecord, McuRegister

from ..history.entities import Leg, Meeting, Sound, Stay
from ..history.legs import begun, lost, merged, told
from ..history.stays import AGAIN_S, by_participant, ended, meeting_for, overlapping, stay_of
from .historytables import meetings, stay_legs, stays
from .models import participants, rooms
from .statements import insert_new

CHUNK = 500
"""Ids in one statement; SQLite takes 999 parameters in its oldest versions."""
SETTLED_S = 30.0
"""A record takes no longer, mostly; a later one puts right what was supposed."""
EARLIER = 20
"""Of a room's meetings, so many of the latest may still be told of."""
SOUND = tuple(field.name for field in fields(Sound))
CHANGES = ("started_at", "ended_at", "reason", "participants", "most", "mos")
"""What of a meeting may become another."""
Key = tuple[str, str, float, str]


def _by_key(table: Table, key: Sequence[str]) -> Any:
    """An update of everything but the key, its parameters with ``told_`` before their names."""
    told_by: dict[str, BindParameter[Any]] = {
        column.name: bindparam(f"told_{column.name}") for column in table.c if column.name not in (*key, "id")
    }
    return update(table).where(*(table.c[name] == bindparam(f"told_{name}") for name in key)).values(told_by)


_USERS = select(participants.c.id, participants.c.user)
_LEG = insert_new(stay_legs)
_LEG_AGAIN = _by_key(stay_legs, ("participant", "room", "joined_at", "boot"))
_STAY = insert_new(stays)
_STAY_AGAIN = _by_key(stays, ("meeting", "participant"))
_MEETING_AGAIN = (
    update(meetings)
    .where(meetings.c.id == bindparam("told_id"))
    .values({name: bindparam(f"told_{name}") for name in CHANGES})
)


async def note_records(connection: AsyncConnection, records: Sequence[LegRecord]) -> None:
    """What the records tell of legs in rooms that are known, or of legs that are. Once more changes nothing."""
    places = await _rooms(connection, sorted({record.room for record in records}))
    known = await _legs(connection, stay_legs.c.participant, {record.participant for record in records})
    before = {leg.key: leg for leg in known}
    after = _fold(records, before, places)
    news = [leg for key, leg in after.items() if leg != before.get(key)]
    if not news:
        return
    fresh = [leg for leg in news if not leg.meeting]
    placed = await _give_meetings(connection, await _with_users(connection, fresh), places, known)
    await _write_legs(connection, placed, [leg for leg in news if leg.meeting])
    await _retell(connection, [*placed, *(leg for leg in news if leg.meeting)])


async def mcu_lost(connection: AsyncConnection, mcu: str, at: float) -> None:
    """Its legs were lost at this time."""
    await _close(connection, await _open_legs(connection, mcu), at)


async def mcu_there(connection: AsyncConnection, body: McuRegister, people: frozenset[str], now: float) -> None:
    """Legs of an earlier process are lost, and so are those of whom this one does not name, but for the latest: word of them may be
    on its way."""
    open_legs = await _open_legs(connection, body.id)
    earlier = [leg for leg in open_legs if leg.boot != body.boot]
    gone = [leg for leg in open_legs if leg.boot == body.boot and leg.participant not in people]
    await _close(connection, [*earlier, *(leg for leg in gone if leg.joined_at < now - SETTLED_S)], now)


async def _open_legs(connection: AsyncConnection, mcu: str) -> list[Leg]:
    query = select(stay_legs).where(stay_legs.c.mcu == mcu, stay_legs.c.left_at.is_(None))
    return [_leg(row) for row in await connection.execute(query)]


async def _close(connection: AsyncConnection, legs: Sequence[Leg], at: float) -> None:
    if legs:
        closed = [lost(leg, at) for leg in legs]
        await _write_legs(connection, [], closed)
        await _retell(connection, closed)


async def settle(connection: AsyncConnection, of_rooms: Iterable[str] | None = None) -> None:
    """End the meetings in which nobody is any more, by leg or session; ``of_rooms``: of these, None: of all."""
    for chunk in [None] if of_rooms is None else list(_chunks(sorted(set(of_rooms)))):
        there = true() if chunk is None else meetings.c.room.in_(chunk)
        over = select(meetings).where(meetings.c.ended_at.is_(None), there, ~_heard(), ~_connected())
        for row in (await connection.execute(over)).all():
            await _end(connection, Meeting(**row._mapping))


def _heard() -> ColumnElement[bool]:
    """Somebody has a leg in the meeting."""
    return select(stay_legs.c.id).where(stay_legs.c.meeting == meetings.c.id, stay_legs.c.left_at.is_(None)).exists()


def _connected() -> ColumnElement[bool]:
    """A browser is in the room that was let in, with or without a leg just now."""
    row = participants.c
    return select(row.id).where(row.room == meetings.c.room, row.session.is_not(None), row.admitted).exists()


# --- what is known -------------------------------------------------------------------------------------------------


async def _rooms(connection: AsyncConnection, wanted: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Name and owner of those that there are; locked, so that a room's meetings change one after the other."""
    query = select(rooms.c.id, rooms.c.name, rooms.c.owner).where(rooms.c.id.in_(wanted)).order_by(rooms.c.id)
    return {id: (name, owner) for id, name, owner in await connection.execute(query.with_for_update())}


async def _legs(connection: AsyncConnection, column: ColumnElement[str], wanted: Iterable[str]) -> list[Leg]:
    found: list[Leg] = []
    for chunk in _chunks(sorted(wanted)):
        found += [_leg(row) for row in await connection.execute(select(stay_legs).where(column.in_(chunk)))]
    return found


def _leg(row: Row[Any]) -> Leg:
    values = dict(row._mapping)
    del values["id"]
    return Leg(**{name: values[name] for name in values if name not in SOUND}, sound=Sound(*(values[n] for n in SOUND)))


def _fold(
    records: Sequence[LegRecord], before: dict[Key, Leg], places: dict[str, tuple[str, str | None]]
) -> dict[Key, Leg]:
    """The legs with what the records tell of them; those of rooms of an MCU alone, such as the lab's, are nobody's."""
    after = dict(before)
    for record in records:
        joined_at = begun(record, after.values())
        if joined_at is None:
            continue
        news = told(record, joined_at)
        if news.key in after:
            after[news.key] = merged(after[news.key], news)
        elif record.room in places:
            after[news.key] = news
    return after


async def _with_users(connection: AsyncConnection, legs: Sequence[Leg]) -> list[Leg]:
    """With the accounts that their participants joined with."""
    row = participants.c
    found: dict[str, str | None] = {}
    for chunk in _chunks(sorted({leg.participant for leg in legs})):
        found |= {one.id: one.user for one in await connection.execute(_USERS.where(row.id.in_(chunk)))}
    return [replace(leg, user=found.get(leg.participant)) for leg in legs]


# --- which meeting -------------------------------------------------------------------------------------------------


async def _give_meetings(
    connection: AsyncConnection, legs: list[Leg], places: dict[str, tuple[str, str | None]], known: list[Leg]
) -> list[Leg]:
    """The legs, in the order of their beginnings, each with its meeting: one that there is, or one that it begins."""
    given: list[Leg] = []
    there = await _candidates(connection, legs)
    for leg in sorted(legs, key=lambda one: one.joined_at):
        mine = {one.meeting for one in [*known, *given] if one.participant == leg.participant}
        candidates = there.setdefault(leg.room, [])
        meeting = meeting_for(leg, candidates, mine.__contains__)
        if meeting is None:
            name, owner = places[leg.room]
            meeting = Meeting(new_id("mt"), leg.room, name, owner, leg.joined_at)
            candidates.append(meeting)
            await connection.execute(insert(meetings).values(**asdict(meeting)))
        given.append(replace(leg, meeting=meeting.id))
    return given


async def _candidates(connection: AsyncConnection, legs: Sequence[Leg]) -> dict[str, list[Meeting]]:
    """Meetings of the legs' rooms that go on, or went on when the first of them began."""
    found: dict[str, list[Meeting]] = {}
    row = meetings.c
    for room in sorted({leg.room for leg in legs}):
        since = min(leg.joined_at for leg in legs if leg.room == room) - AGAIN_S
        query = select(meetings).where(row.room == room, or_(row.ended_at.is_(None), row.ended_at >= since))
        rows = await connection.execute(query.order_by(row.started_at.desc()).limit(EARLIER))
        found[room] = [Meeting(**one._mapping) for one in rows]
    return found


# --- writing -------------------------------------------------------------------------------------------------------


async def _write_legs(connection: AsyncConnection, fresh: Sequence[Leg], changed: Sequence[Leg]) -> None:
    if fresh:
        await connection.execute(_LEG, [_flat(leg) for leg in fresh])
    if changed:
        await connection.execute(_LEG_AGAIN, [_told(_flat(leg)) for leg in changed])


def _flat(value: Leg | Stay) -> dict[str, Any]:
    row = vars(value) | vars(value.sound)
    del row["sound"]
    return row


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {f"told_{name}": value for name, value in row.items()}


async def _retell(connection: AsyncConnection, news: Sequence[Leg]) -> None:
    """Stays and meetings anew from their legs."""
    pairs = {(leg.meeting, leg.participant) for leg in news}
    legs = await _legs(connection, stay_legs.c.participant, {participant for _, participant in pairs})
    found: dict[tuple[str, str], list[Leg]] = {}
    for leg in legs:
        found.setdefault((leg.meeting, leg.participant), []).append(leg)
    await _write_stays(connection, [stay_of(found[pair]) for pair in sorted(pairs)])
    for meeting in sorted({meeting for meeting, _ in pairs}):
        await _recount(connection, meeting)


async def _write_stays(connection: AsyncConnection, made: Sequence[Stay]) -> None:
    rows = [_flat(stay) for stay in made]
    await connection.execute(_STAY, rows)
    await connection.execute(_STAY_AGAIN, [_told(row) for row in rows])


async def _recount(connection: AsyncConnection, meeting_id: str) -> None:
    """Numbers of a meeting that goes on; the end of one in which nobody is any more; one of those that turn out to be the same."""
    row = (await connection.execute(select(meetings).where(meetings.c.id == meeting_id))).first()
    if row is None:
        return  # another one of this round has taken it in
    meeting = await _renumber(connection, Meeting(**row._mapping))
    same = meetings.c.room == meeting.room, meetings.c.id != meeting.id
    late = or_(meetings.c.ended_at.is_(None), meetings.c.ended_at > meeting.started_at)
    rows = await connection.execute(select(meetings).where(*same, late).limit(EARLIER))
    for other in overlapping(meeting, [Meeting(**one._mapping) for one in rows]):
        await _take_in(connection, meeting, other)
        await _recount(connection, meeting.id)
        return


async def _take_in(connection: AsyncConnection, meeting: Meeting, other: Meeting) -> None:
    """The other's legs are this one's."""
    theirs = stay_legs.c.meeting == other.id
    await connection.execute(update(stay_legs).where(theirs).values(meeting=meeting.id))
    await connection.execute(delete(stays).where(stays.c.meeting == other.id))
    await connection.execute(delete(meetings).where(meetings.c.id == other.id))
    legs = await _legs(connection, stay_legs.c.meeting, [meeting.id])
    await _write_stays(connection, [stay_of(mine) for mine in by_participant(legs).values()])


async def _renumber(connection: AsyncConnection, meeting: Meeting) -> Meeting:
    meeting_id = meeting.id
    legs = stay_legs.c
    mine = legs.meeting == meeting_id
    here = await connection.scalar(select(_people(legs)).where(mine, legs.left_at.is_(None)))
    held = await connection.scalar(select(_connected()).select_from(meetings).where(meetings.c.id == meeting_id))
    if not here and not held:
        return await _end(connection, meeting)
    people = await connection.scalar(select(_people(stays.c)).where(stays.c.meeting == meeting_id))
    began = await connection.scalar(select(func.min(legs.joined_at)).where(mine))
    most = max(meeting.most, here or 0)
    now = replace(meeting, started_at=began, ended_at=None, reason="", participants=people or 0, most=most, mos=None)
    return await _write_meeting(connection, now)


def _people(of: ColumnCollection[str, Any]) -> ColumnElement[int]:
    """As ``history.stays.person_of``."""
    return func.count(distinct(func.coalesce(of.user, of.participant)))


async def _end(connection: AsyncConnection, meeting: Meeting) -> Meeting:
    legs = await _legs(connection, stay_legs.c.meeting, [meeting.id])
    return await _write_meeting(connection, ended(meeting, legs))


async def _write_meeting(connection: AsyncConnection, meeting: Meeting) -> Meeting:
    await connection.execute(_MEETING_AGAIN, _told({name: getattr(meeting, name) for name in ("id", *CHANGES)}))
    return meeting


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
