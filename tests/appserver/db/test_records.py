"""Records as they are read, exported and forgotten."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from confero.appserver.db.engine import Database
from confero.appserver.db.historytables import meetings, stay_legs, stays
from confero.appserver.db.models import leg_records
from confero.appserver.db.records import SqlRecords
from confero.appserver.db.repositories import SqlStore
from confero.appserver.db.siptables import sip_calls
from confero.appserver.history.exports import COLUMNS, as_csv, as_json
from confero.appserver.history.relations import MeetingRelations
from confero.appserver.history.retention import forget
from confero.appserver.history.store import Mark, Wanted
from confero.appserver.rights.actors import ANYONE, Actor
from confero.appserver.rooms.entities import Person, Room
from confero.models import LegRecord, Quality

T = 1_800_000_000.0
EVERYBODY = Wanted(None)
GOOD = Quality(loss=0.015, jitter_ms=2.5, delay_ms=60.0, mos=4.2)


@pytest.fixture
def records(database: Database) -> SqlRecords:
    return SqlRecords(database)


@pytest.fixture
async def history(store: SqlStore) -> SqlStore:
    """Two rooms, one of them Olga's, in which Ann was with an account; one meeting a minute in turn."""
    for room, owner in (("lobby", None), ("olgas", "u_olga")):
        await store.add_room(Room(room, room.title(), 100, created_at=T, used_at=T, owner=owner), 100)
    await store.admit(Person("ann", "lobby", "Ann", created_at=T, user="u_ann"), await _room(store, "lobby"), T)
    await visit(store, "ann", "lobby", 0)
    await visit(store, "bob", "olgas", 60, kind="rtp", name="=cmd|' /C calc'!A1")
    await visit(store, "carol", "olgas", 120, name='Ça "va", 会議\n')
    return store


async def _room(store: SqlStore, name: str) -> Room:
    found = await store.room(name)
    assert found is not None
    return found


async def visit(store: SqlStore, who: str, room: str, at: float, kind: Any = "webrtc", name: str = "") -> None:
    common: dict[str, Any] = {"mcu": "m1", "boot": "b1", "room": room, "participant": who, "kind": kind}
    common |= {"display_name": name or who.title(), "joined_at": T + at}
    joined = LegRecord(at=T + at, event="joined", **common)
    left = LegRecord(at=T + at + 30, event="left", reason="left", incoming=GOOD, outgoing=GOOD, codec="opus", **common)
    await store.add_records([joined, left])


async def rooms_of(records: SqlRecords, wanted: Wanted, before: Mark | None = None, limit: int = 99) -> list[str]:
    return [one.room for one in await records.meetings(wanted, before, limit)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (EVERYBODY, ["olgas", "olgas", "lobby"]),
        (Wanted("u_olga"), ["olgas", "olgas"]),
        (Wanted("u_ann"), ["lobby"]),
        (Wanted("u_nobody"), []),
        (replace(EVERYBODY, room="lobby"), ["lobby"]),
        (replace(EVERYBODY, after=T + 60), ["olgas"]),
        (replace(EVERYBODY, before=T + 60), ["lobby"]),
        (replace(EVERYBODY, who="ANN"), ["lobby"]),
        (replace(EVERYBODY, who="%"), []),
        (Wanted("u_olga", who="VA"), ["olgas"]),
    ],
)
async def test_whose_and_which(history: SqlStore, records: SqlRecords, wanted: Wanted, found: list[str]) -> None:
    assert await rooms_of(records, wanted) == found


async def test_pages_meet_without_gap_also_within_one_moment(history: SqlStore, records: SqlRecords) -> None:
    for number in range(5):
        await history.add_room(Room(f"r{number}", "R", 9, created_at=T, used_at=T), 100)
        await visit(history, f"p{number}", f"r{number}", 500)
    mark: Mark | None = None
    seen = []
    while found := await records.meetings(EVERYBODY, mark, 3):
        seen += [one.id for one in found]
        mark = found[-1].started_at, found[-1].id
    assert len(seen) == len(set(seen)) == 8


async def test_telephone_is_linked_to_its_call(history: SqlStore, records: SqlRecords, database: Database) -> None:
    call = {"id": "c1", "revision": 1, "direction": "in", "participant": "bob", "room": "olgas", "started_at": T}
    blank = dict.fromkeys(("from_uri", "to_uri", "trunk", "account", "reason"), "")

    async def work(connection: Any) -> None:
        await connection.execute(insert(sip_calls).values(**call, **blank, status=200, ladder=[], media=[]))

    await database.write(work)
    meeting = (await records.meetings(Wanted(None, who="calc"), None, 1))[0]
    (row,) = await records.stays(meeting.id, None, 10)
    assert (row.call, row.stay.participant, row.stay.sound.mos_in) == ("c1", "bob", pytest.approx(4.2))


async def text_of(pieces: Any) -> str:
    return b"".join([piece async for piece in pieces]).decode()


async def test_csv_is_what_spreadsheets_read_and_no_program(history: SqlStore, records: SqlRecords) -> None:
    text = await text_of(as_csv(records, EVERYBODY))
    assert text.startswith(",".join(COLUMNS) + "\r\n")
    carol, bob, ann = csv.DictReader(io.StringIO(text, newline=""))
    assert carol["name"] == 'Ça "va", 会議\n'
    assert bob["name"] == "'=cmd|' /C calc'!A1"
    assert (ann["user"], ann["seconds"], ann["loss_in"], ann["jitter_out_ms"]) == ("u_ann", "30.0", "0.01500", "2.50")
    assert ann["joined"] == "2027-01-15T08:00:00.000+00:00"


async def test_json_has_everybody(history: SqlStore, records: SqlRecords) -> None:
    found = json.loads(await text_of(as_json(records, EVERYBODY)))
    assert [[stay["participant"] for stay in one["stays"]] for one in found] == [["carol"], ["bob"], ["ann"]]
    assert json.loads(await text_of(as_json(records, Wanted("u_nobody")))) == []


async def test_export_of_many_comes_in_bounded_pieces(history: SqlStore, records: SqlRecords) -> None:
    """More people than are read at once, in one meeting: none is lost or told twice, and no piece is large."""
    many = [
        LegRecord(
            *(),
            at=T + 900,
            joined_at=T + 900,
            mcu="m1",
            boot="b1",
            room="lobby",
            event="joined",
            participant=f"x{number:04}",
            display_name="X",
            kind="webrtc",
        )
        for number in range(600)
    ]
    for start in range(0, len(many), 200):
        await history.add_records(many[start : start + 200])
    pieces = [piece async for piece in as_csv(records, replace(EVERYBODY, room="lobby"))]
    rows = list(csv.DictReader(io.StringIO(b"".join(pieces).decode(), newline="")))
    assert len({row["participant"] for row in rows}) == len(rows) == 601
    assert max(map(len, pieces)) < 500 * 200


@pytest.mark.parametrize(
    ("actor", "relations"),
    [
        (Actor("session", user="u_olga"), {"owner"}),
        (Actor("session", user="u_bob"), set()),
        (Actor("participant", user="u_olga", participant="p"), set()),
        (ANYONE, set()),
    ],
)
async def test_what_one_is_to_a_record(
    history: SqlStore, records: SqlRecords, actor: Actor, relations: set[str]
) -> None:
    meeting = (await records.meetings(Wanted(None, room="olgas"), None, 1))[0]
    assert await MeetingRelations(records).to_meeting(actor, meeting.id) == relations


async def test_who_was_there_is_a_member(history: SqlStore, records: SqlRecords) -> None:
    meeting = (await records.meetings(Wanted(None, room="lobby"), None, 1))[0]
    ann = Actor("key", user="u_ann")
    assert await MeetingRelations(records).to_meeting(ann, meeting.id) == {"member"}
    assert await MeetingRelations(records).to_meeting(ann, "unknown") == set()


async def left_over(database: Database) -> list[int]:
    tables = (meetings, stays, stay_legs, leg_records)
    return [await database.value(select(func.count()).select_from(table)) for table in tables]


async def test_deleted_with_everything_that_names_its_people(
    history: SqlStore, records: SqlRecords, database: Database
) -> None:
    meeting = (await records.meetings(Wanted(None, room="lobby"), None, 1))[0]
    assert await records.delete(meeting.id) == "deleted"
    assert await left_over(database) == [2, 2, 2, 4]
    assert await records.delete(meeting.id) == "unknown"


async def test_meeting_that_goes_on_is_not_deleted(history: SqlStore, records: SqlRecords) -> None:
    told = {"at": T + 900, "mcu": "m1", "boot": "b1", "room": "lobby", "participant": "dora", "display_name": "Dora"}
    await history.add_records([LegRecord(event="joined", kind="webrtc", **told)])
    (going,) = await records.going(T + 901, 10)
    assert (going.meeting.room, going.here, going.waiting, going.mcu) == ("lobby", 1, 0, "")
    assert await records.delete(going.meeting.id) == "goes-on"


async def test_retention_takes_the_old_in_pieces_and_leaves_the_rest(
    history: SqlStore, records: SqlRecords, database: Database
) -> None:
    pauses = []

    async def pause() -> None:
        pauses.append(await left_over(database))

    for number in range(3):
        await visit(history, f"q{number}", "lobby", 1000 + 60 * number)
    assert await forget(records, T + 1000 + 60 * 2, pause, piece=2) == 5 * 3 + 5 * 2
    assert await left_over(database) == [1, 1, 1, 2]
    assert [left[0] for left in pauses] == [4, 2, 1]
