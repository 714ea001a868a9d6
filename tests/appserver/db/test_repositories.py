"""The store: what it keeps, what it refuses, and that two cannot have the same thing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Literal

import pytest
from sqlalchemy import func, select

from confero.appserver.db.engine import Database
from confero.appserver.db.models import leg_records, participants, rooms
from confero.appserver.db.repositories import SqlStore
from confero.appserver.rooms.entities import KnownMcu, Person, Room
from confero.models import LegRecord, McuRegister, SessionNotice

NOW = 1_800_000_000.5
NoticeKind = Literal["connected", "disconnected"]
ROOM = Room("lobby", "Lobby", 2, created_at=NOW, used_at=NOW)


def person(name: str, room: str = "lobby", **changes: Any) -> Person:
    values: dict[str, Any] = {"created_at": NOW, "reserved_until": NOW + 30}
    return Person(name, room, name.title(), **(values | changes))


def notice(
    name: str, session: str, room: str = "lobby", notifier: str = "n1", kind: NoticeKind = "connected"
) -> SessionNotice:
    return SessionNotice(kind=kind, session=session, participant=name, room=room, at=NOW, notifier=notifier)


def record(name: str, event: Any, **changes: Any) -> LegRecord:
    values: dict[str, Any] = {
        "at": NOW,
        "mcu": "m1",
        "boot": "b1",
        "room": "lobby",
        "participant": name,
        "display_name": name.title(),
        "kind": "webrtc",
        "event": event,
    }
    return LegRecord(**(values | changes))


def registration(*people: str, mcu: str = "m1", boot: str = "b1") -> McuRegister:
    return McuRegister(id=mcu, boot=boot, url="http://m1", capacity=100, participants=list(people))


@pytest.fixture
async def lobby(store: SqlStore) -> SqlStore:
    assert await store.add_room(ROOM, 100) == "added"
    return store


async def rows(database: Database, table: Any) -> int:
    return await database.value(select(func.count()).select_from(table)) or 0


# --- rooms -----------------------------------------------------------------------------------------------------------


async def test_room_comes_back_as_it_went(store: SqlStore) -> None:
    room = Room("Lobby_1", "Сафе 🎧 会議", 2000, created_at=NOW, used_at=NOW + 0.25, permanent=True, mcu="m1")
    assert await store.add_room(room, 10) == "added"
    assert await store.room("Lobby_1") == room


async def test_ids_differ_by_case(lobby: SqlStore) -> None:
    assert await lobby.room("LOBBY") is None
    assert await lobby.add_room(replace(ROOM, id="LOBBY"), 100) == "added"


async def test_room_that_exists_stays(lobby: SqlStore) -> None:
    assert await lobby.add_room(replace(ROOM, name="Other"), 100) == "exists"
    assert await lobby.room("lobby") == ROOM


async def test_too_many_rooms(lobby: SqlStore) -> None:
    assert await lobby.add_room(replace(ROOM, id="second"), 1) == "full"
    assert await lobby.add_room(ROOM, 1) == "exists"


async def test_placing_is_compare_and_set(lobby: SqlStore) -> None:
    assert await lobby.place_room("lobby", None, "m1")
    assert not await lobby.place_room("lobby", None, "m2")
    assert await lobby.place_room("lobby", "m1", "m2")
    assert not await lobby.place_room("unknown", None, "m1")
    room = await lobby.room("lobby")
    assert room is not None
    assert room.mcu == "m2"


async def test_placed_at_once_by_many(lobby: SqlStore) -> None:
    outcomes = await asyncio.gather(*(lobby.place_room("lobby", None, f"m{n}") for n in range(8)))
    assert sum(outcomes) == 1


async def test_busy_rooms(lobby: SqlStore) -> None:
    await lobby.place_room("lobby", None, "m1")
    await lobby.admit(person("alice"), ROOM, NOW)
    assert await lobby.busy_rooms("m1") == []
    await lobby.note_sessions([notice("alice", "s1")])
    assert [room.id for room in await lobby.busy_rooms("m1")] == ["lobby"]
    assert await lobby.busy_rooms("m2") == []


# --- people ----------------------------------------------------------------------------------------------------------


async def test_person_comes_back_as_they_went(lobby: SqlStore) -> None:
    someone = replace(person("alice"), display_name="Łucja 🎈")
    assert await lobby.admit(someone, ROOM, NOW)
    assert await lobby.person("alice") == someone
    assert await lobby.person("bob") is None


async def test_full_room(lobby: SqlStore) -> None:
    assert await lobby.admit(person("alice"), ROOM, NOW) == 1
    assert await lobby.admit(person("bob"), ROOM, NOW) == 2
    assert await lobby.admit(person("carol"), ROOM, NOW) == "full"
    assert await lobby.person("carol") is None
    assert await lobby.admit(person("alice"), ROOM, NOW) == 2  # has a place already


async def test_a_place_is_free_again_when_nobody_came(lobby: SqlStore) -> None:
    await lobby.admit(person("alice"), ROOM, NOW)
    await lobby.admit(person("bob"), ROOM, NOW)
    assert await lobby.admit(person("carol", reserved_until=NOW + 61), ROOM, NOW + 31)
    assert await lobby.live_count("lobby", NOW + 31) == 1


async def test_the_last_place_is_given_once(lobby: SqlStore) -> None:
    await lobby.admit(person("alice"), ROOM, NOW)
    outcomes = await asyncio.gather(*(lobby.admit(person(f"p{n}"), ROOM, NOW) for n in range(8)))
    assert sorted(outcomes, key=str) == [2] + ["full"] * 7
    assert await lobby.live_count("lobby", NOW) == 2


async def test_joining_again_keeps_session_and_leg(lobby: SqlStore) -> None:
    await lobby.admit(person("alice"), ROOM, NOW)
    await lobby.note_sessions([notice("alice", "s1")])
    await lobby.add_records([record("alice", "joined")])
    await lobby.admit(replace(person("alice"), display_name="Alicia", reserved_until=NOW + 99), ROOM, NOW)
    found = await lobby.person("alice")
    assert found is not None
    assert (found.display_name, found.reserved_until) == ("Alicia", NOW + 99)
    assert (found.session, found.leg_mcu) == ("s1", "m1")


# --- presence --------------------------------------------------------------------------------------------------------


async def test_session_comes_and_goes(lobby: SqlStore) -> None:
    await lobby.admit(person("alice"), ROOM, NOW)
    await lobby.note_sessions([notice("alice", "s1")])
    assert await lobby.live_count("lobby", NOW + 999) == 1
    await lobby.note_sessions([notice("alice", "s1", kind="disconnected")])
    assert await lobby.live_count("lobby", NOW) == 0


async def test_late_end_of_an_earlier_session(lobby: SqlStore) -> None:
    await lobby.admit(person("alice"), ROOM, NOW)
    await lobby.note_sessions([notice("alice", "s1")])
    await lobby.note_sessions([notice("alice", "s2")])
    await lobby.note_sessions([notice("alice", "s1", kind="disconnected")])
    found = await lobby.person("alice")
    assert found is not None
    assert found.session == "s2"


async def test_session_of_somebody_unknown(lobby: SqlStore) -> None:
    await lobby.note_sessions([notice("nobody", "s1")])
    await lobby.note_sessions([notice("alice", "s1", room="elsewhere")])
    assert await lobby.live_count("lobby", NOW) == 0


async def test_snapshot_closes_what_is_not_in_it(lobby: SqlStore) -> None:
    for name in ("alice", "bob"):
        await lobby.admit(person(name, reserved_until=0.0), ROOM, NOW)
        await lobby.note_sessions([notice(name, f"s-{name}")])
    await lobby.admit(person("carol", "other", reserved_until=0.0), replace(ROOM, id="other"), NOW)
    await lobby.note_sessions([notice("carol", "s-carol", "other", notifier="n2")])
    assert await lobby.keep_sessions("n1", frozenset({"s-alice"}), NOW + 30) == 1
    assert await lobby.live_count("lobby", NOW) == 2
    assert await lobby.live_count("lobby", NOW + 31) == 1
    assert await lobby.live_count("other", NOW + 31) == 1
    assert await lobby.keep_sessions("n1", frozenset({"s-alice"}), NOW + 30) == 0


async def test_snapshot_of_very_many(lobby: SqlStore) -> None:
    room = replace(ROOM, max_participants=2000)
    for number in range(60):
        await lobby.admit(person(f"p{number}"), room, NOW)
        await lobby.note_sessions([notice(f"p{number}", f"s{number}")])
    listed = frozenset(f"x{number}" for number in range(20_000))
    assert await lobby.keep_sessions("n1", listed, NOW) == 60


async def test_leg_of_a_record(lobby: SqlStore, database: Database) -> None:
    await lobby.admit(person("alice", reserved_until=0.0), ROOM, NOW)
    assert await lobby.add_records([record("alice", "joined")])
    assert await lobby.live_count("lobby", NOW) == 1
    assert await lobby.add_records([record("alice", "left", at=NOW + 5, reason="left", stats={"packets": 7})])
    assert await lobby.live_count("lobby", NOW) == 0
    kept = await database.rows(select(leg_records).order_by(leg_records.c.at))
    assert [row.event for row in kept] == ["joined", "left"]
    assert kept[1].stats == {"packets": 7}


async def test_record_told_twice(lobby: SqlStore, database: Database) -> None:
    await lobby.admit(person("alice", reserved_until=0.0), ROOM, NOW)
    assert await lobby.add_records([record("alice", "joined")])
    assert await lobby.add_records([record("alice", "left", at=NOW + 1)])
    assert not await lobby.add_records([record("alice", "joined")])
    assert await lobby.live_count("lobby", NOW) == 0
    assert await rows(database, leg_records) == 2


async def test_replaced_leg_leaves_the_participant_live(lobby: SqlStore) -> None:
    await lobby.admit(person("alice", reserved_until=0.0), ROOM, NOW)
    await lobby.add_records([record("alice", "joined")])
    await lobby.add_records([record("alice", "joined", at=NOW + 1)])
    await lobby.add_records([record("alice", "left", at=NOW + 2, reason="replaced")])
    assert await lobby.live_count("lobby", NOW) == 1


async def test_moved_leg_takes_its_participant_along(lobby: SqlStore) -> None:
    other = replace(ROOM, id="other")
    await lobby.add_room(other, 100)
    await lobby.admit(person("alice", reserved_until=0.0), ROOM, NOW)
    await lobby.add_records([record("alice", "joined")])
    await lobby.add_records([record("alice", "joined", at=NOW + 1, room="other")])
    await lobby.add_records([record("alice", "left", at=NOW + 1, reason="moved")])
    assert [await lobby.live_count(name, NOW) for name in ("lobby", "other")] == [0, 1]
    assert await lobby.admit(person("alice"), ROOM, NOW)
    assert [await lobby.live_count(name, NOW) for name in ("lobby", "other")] == [1, 0]


async def test_end_of_a_leg_on_an_mcu_that_was_left(lobby: SqlStore) -> None:
    await lobby.admit(person("alice", reserved_until=0.0), ROOM, NOW)
    await lobby.add_records([record("alice", "joined", mcu="m1")])
    await lobby.add_records([record("alice", "joined", mcu="m2", at=NOW + 1)])
    await lobby.add_records([record("alice", "left", mcu="m1", at=NOW + 2)])
    assert await lobby.live_count("lobby", NOW) == 1


async def test_telephone_gets_a_row(lobby: SqlStore) -> None:
    await lobby.add_records([record("phone", "joined", kind="rtp")])
    found = await lobby.person("phone")
    assert found is not None
    assert (found.kind, found.room, found.leg_mcu) == ("rtp", "lobby", "m1")
    await lobby.add_records([record("phone", "left", kind="rtp", at=NOW + 1)])
    assert await lobby.live_count("lobby", NOW) == 0


async def test_telephone_that_hangs_up_leaves_no_row(lobby: SqlStore) -> None:
    """Its place is free at once, though it was kept for a while; one whose leg was lost may come again."""
    for name in ("phone", "lost"):
        await lobby.admit(person(name, kind="rtp", reserved_until=NOW + 30), ROOM, NOW)
        await lobby.add_records([record(name, "joined", kind="rtp")])
    await lobby.add_records(
        [
            record("phone", "left", kind="rtp", at=NOW + 1, reason="left"),
            record("lost", "left", kind="rtp", at=NOW + 1, reason="draining"),
        ]
    )
    assert await lobby.person("phone") is None and await lobby.person("lost")
    assert await lobby.live_count("lobby", NOW + 1) == 1


async def test_many_records_say_what_they_would_one_by_one(lobby: SqlStore, database: Database) -> None:
    """Among them one told before, one told twice, and legs that end and begin again within the same call."""
    await lobby.add_room(replace(ROOM, id="other", max_participants=9), 100)
    for name in ("alice", "bob"):
        await lobby.admit(person(name, reserved_until=0.0), ROOM, NOW)
    await lobby.add_records([record("alice", "joined")])
    told = [
        record("alice", "joined"),
        record("alice", "connected", at=NOW + 1),
        record("bob", "joined", at=NOW + 2),
        record("bob", "left", at=NOW + 3, reason="left"),
        record("phone", "joined", kind="rtp", at=NOW + 4, room="other"),
        record("bob", "joined", at=NOW + 5),
        record("bob", "joined", at=NOW + 5),
        record("alice", "left", at=NOW + 6, reason="left"),
        record("alice", "left", at=NOW + 7, reason="replaced"),
        record("stranger", "joined", at=NOW + 8, room="of-the-lab"),
        record("visitor", "joined", kind="rtp", at=NOW + 9, room="other"),
        record("visitor", "left", kind="rtp", at=NOW + 10, room="other", reason="bye"),
    ]
    assert await lobby.add_records(told) == len(told) - 2
    people = {name: await lobby.person(name) for name in ("alice", "bob", "phone", "stranger", "visitor")}
    legs = {name: found and (found.room, found.leg_mcu) for name, found in people.items()}
    assert legs == {
        "alice": ("lobby", None),
        "bob": ("lobby", "m1"),
        "phone": ("other", "m1"),
        "stranger": None,
        "visitor": ("other", None),
    }
    assert await rows(database, leg_records) == len(told) - 1
    assert await lobby.add_records(told) == 0
    assert await lobby.add_records([]) == 0


async def test_many_notices_in_their_order(lobby: SqlStore) -> None:
    for name in ("alice", "bob"):
        await lobby.admit(person(name), ROOM, NOW)
    await lobby.note_sessions(
        [
            notice("alice", "s1"),
            notice("bob", "s2"),
            notice("bob", "s2", kind="disconnected"),
            notice("alice", "s3"),
            notice("alice", "s1", kind="disconnected"),
            notice("nobody", "s4"),
        ]
    )
    alice, bob = await lobby.person("alice"), await lobby.person("bob")
    assert alice is not None
    assert bob is not None
    assert (alice.session, alice.notifier, bob.session, bob.reserved_until) == ("s3", "n1", None, 0.0)


async def test_record_of_an_unknown_room_is_only_kept(lobby: SqlStore, database: Database) -> None:
    assert await lobby.add_records([record("phone", "joined", room="lab-room")])
    assert await lobby.person("phone") is None
    assert await rows(database, leg_records) == 1


async def test_registration_closes_who_is_not_listed(lobby: SqlStore) -> None:
    await lobby.mcu_registered(registration(), NOW)
    for name in ("alice", "bob"):
        await lobby.admit(person(name, reserved_until=0.0), ROOM, NOW)
    await lobby.add_records([record("alice", "joined")])
    assert await lobby.mcu_registered(registration("bob", boot="b2"), NOW) == 1
    alice, bob = await lobby.person("alice"), await lobby.person("bob")
    assert alice is not None
    assert bob is not None
    assert (alice.leg_mcu, bob.leg_mcu) == (None, "m1")
    assert await lobby.known_mcus() == [KnownMcu("m1", "b2", "http://m1", 100)]


async def test_registration_with_very_many(lobby: SqlStore) -> None:
    people = [f"p{number}" for number in range(10_000)]
    assert await lobby.mcu_registered(registration(*people), NOW) == 0


async def test_used_mcus(lobby: SqlStore) -> None:
    assert await lobby.used_mcus() == set()
    await lobby.place_room("lobby", None, "of the room")
    await lobby.admit(person("alice"), ROOM, NOW)
    assert await lobby.used_mcus() == set()
    await lobby.note_sessions([notice("alice", "s1")])
    await lobby.add_records([record("alice", "joined", mcu="of-the-leg")])
    assert await lobby.used_mcus() == {"of the room", "of-the-leg"}


async def test_lost_mcu(lobby: SqlStore) -> None:
    await lobby.mcu_registered(registration(), NOW)
    await lobby.admit(person("alice", reserved_until=0.0), ROOM, NOW)
    await lobby.add_records([record("alice", "joined")])
    assert await lobby.mcu_lost("m1", NOW) == 1
    assert await lobby.live_count("lobby", NOW) == 0
    assert await lobby.known_mcus() == []


# --- housekeeping ----------------------------------------------------------------------------------------------------


async def test_forget(lobby: SqlStore, database: Database) -> None:
    day = 86_400
    await lobby.add_room(replace(ROOM, id="used", used_at=NOW + 80 * day), 100)
    await lobby.add_room(replace(ROOM, id="kept", permanent=True), 100)
    await lobby.add_room(replace(ROOM, id="occupied"), 100)
    await lobby.admit(person("alice"), ROOM, NOW)
    await lobby.admit(person("bob", "occupied"), replace(ROOM, id="occupied"), NOW)
    await lobby.note_sessions([notice("bob", "s1", "occupied")])
    later = NOW + 91 * day
    assert await lobby.forget(people_before=later - day, unused_before=later - 90 * day, now=later) >= 2
    assert [await lobby.room(name) is not None for name in ("lobby", "used", "kept", "occupied")] == [
        False,
        True,
        True,
        True,
    ]
    assert await rows(database, participants) == 1
    assert await rows(database, rooms) == 3
