"""Records of meetings from what MCUs and notifiers tell: in any order, more than once, with anybody lost on the way."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any, Literal

import pytest
from sqlalchemy import Table, delete, select

from confero.appserver.db.engine import Database
from confero.appserver.db.historytables import meetings, stay_legs, stays
from confero.appserver.db.models import rooms
from confero.appserver.db.repositories import SqlStore
from confero.appserver.rooms.entities import Person, Room
from confero.models import LegRecord, McuRegister, Quality, SessionNotice

T = 1_800_000_000.0
ROOM = Room("lobby", "Lobby", 100, created_at=T, used_at=T)
GOOD = Quality(loss=0.0, jitter_ms=2.0, delay_ms=60.0, mos=4.2)
BAD = Quality(loss=0.2, jitter_ms=20.0, delay_ms=60.0, mos=2.2)


def record(
    who: str, event: Literal["joined", "connected", "left"], at: float, joined: float | None = None, **more: Any
) -> LegRecord:
    """``at``, ``joined``: seconds after T."""
    values: dict[str, Any] = {"mcu": "m1", "boot": "b1", "room": "lobby", "kind": "webrtc", "display_name": who.title()}
    begun = at if joined is None else joined
    return LegRecord(at=T + at, participant=who, event=event, joined_at=T + begun, **(values | more))


def visit(who: str, joined: float, left: float, reason: str = "left", **more: Any) -> list[LegRecord]:
    """All that an MCU tells of one leg."""
    packets = int(50 * (left - joined))
    last = {
        "reason": reason,
        "stats": {"rx_packets": packets, "tx_packets": packets},
        "incoming": GOOD,
        "outgoing": GOOD,
    }
    media = {"codec": "opus", "security": "dtls"}
    return [
        record(who, "joined", joined, **more),
        record(who, "connected", joined + 0.5, joined, **(media | more)),
        record(who, "left", left, joined, **(media | last | more)),
    ]


@pytest.fixture
async def lobby(store: SqlStore) -> SqlStore:
    assert await store.add_room(ROOM, 100) == "added"
    return store


async def all_of(database: Database, table: Table) -> list[dict[str, Any]]:
    order = {"meetings": meetings.c.started_at, "stays": stays.c.joined_at}.get(table.name, stay_legs.c.joined_at)
    return [dict(row._mapping) for row in await database.rows(select(table).order_by(order))]


async def only(database: Database, table: Table) -> dict[str, Any]:
    found = await all_of(database, table)
    assert len(found) == 1, found
    return found[0]


async def connect(store: SqlStore, who: str, kind: Literal["connected", "disconnected"] = "connected") -> None:
    notice = SessionNotice(kind=kind, session=f"s-{who}", participant=who, room="lobby", at=T, notifier="n1")
    await store.note_sessions([notice])


async def test_first_in_to_last_out(lobby: SqlStore, database: Database) -> None:
    await lobby.add_records([*visit("alice", 0, 100)[:2]])
    going = await only(database, meetings)
    assert (going["started_at"], going["ended_at"], going["participants"], going["most"]) == (T, None, 1, 1)
    await lobby.add_records(visit("bob", 10, 60))
    assert (await only(database, meetings))["most"] == 1  # bob had gone when word of him came: made good at the end
    await lobby.add_records(visit("alice", 0, 100)[2:])
    over = await only(database, meetings)
    assert (over["ended_at"], over["reason"], over["participants"], over["most"]) == (T + 100, "empty", 2, 2)
    assert over["room_name"] == "Lobby" and over["mos"] == pytest.approx(4.2)
    alice, bob = await all_of(database, stays)
    assert (alice["joined_at"], alice["left_at"], alice["reason"], alice["codec"], alice["security"]) == (
        T,
        T + 100,
        "left",
        "opus",
        "dtls",
    )
    assert (bob["display_name"], bob["mos_in"], bob["loss_out"]) == ("Bob", pytest.approx(4.2), 0.0)


async def test_who_comes_again_by_their_account_is_one_person(lobby: SqlStore, database: Database) -> None:
    for who in ("desk", "phone", "desk-again"):
        await lobby.admit(Person(who, "lobby", "Ada", created_at=T, user="u_ada"), ROOM, T)
    await lobby.add_records([*visit("desk", 0, 5), *visit("phone", 1, 90)[:2], *visit("desk-again", 6, 90)[:2]])
    await lobby.add_records(visit("guest", 7, 90)[:2])
    going = await only(database, meetings)
    assert (going["ended_at"], going["participants"], going["most"]) == (None, 2, 2)
    for who, joined in (("phone", 1), ("desk-again", 6), ("guest", 7)):
        await lobby.add_records(visit(who, joined, 90)[2:])
    over = await only(database, meetings)
    assert (over["ended_at"], over["participants"], over["most"]) == (T + 90, 2, 2)
    assert len(await all_of(database, stays)) == 4


async def test_next_meeting_in_the_same_room(lobby: SqlStore, database: Database) -> None:
    await lobby.add_records(visit("alice", 0, 100))
    await lobby.add_records(visit("bob", 101, 200))
    assert [(m["started_at"] - T, m["ended_at"] - T) for m in await all_of(database, meetings)] == [
        (0, 100),
        (101, 200),
    ]


STORY = [
    *visit("alice", 0, 50, "ice-timeout"),
    *visit("alice", 52, 300),
    *visit("bob", 5, 290, mcu="m1"),
    *visit("carol", 20, 250, kind="rtp"),
    *visit("dave", 280, 310),
]


def facts(rows: list[dict[str, Any]]) -> list[Any]:
    return [{name: value for name, value in row.items() if name not in ("id", "meeting")} for row in rows]


@pytest.mark.parametrize("seed", range(3))
async def test_order_and_repetition_change_nothing(lobby: SqlStore, database: Database, seed: int) -> None:
    """The same end, however the news comes: shuffled, in batches, each told twice, the server restarted between."""
    await lobby.add_records(STORY)
    expected = facts(await all_of(database, meetings)), facts(await all_of(database, stays))
    assert expected[0][0]["most"] == 3
    for table in (meetings, stays, stay_legs):
        await _empty(database, table)
    await _forget_records(database)
    news = [*STORY, *STORY]
    random.Random(seed).shuffle(news)
    while news:
        store = SqlStore(database)
        batch = [news.pop() for _ in range(min(len(news), 4))]
        await store.add_records(batch)
        await _forget_records(
            database
        )  # so that what is told again is taken up again: nothing rests on the dedup alone
    found = facts(await all_of(database, meetings)), facts(await all_of(database, stays))
    assert found == expected


async def _empty(database: Database, table: Table) -> None:
    async def work(connection: Any) -> None:
        await connection.execute(delete(table))

    await database.write(work)


async def _forget_records(database: Database) -> None:
    from confero.appserver.db.models import leg_records

    await _empty(database, leg_records)


async def test_reconnected_leg_is_one_stay(lobby: SqlStore, database: Database) -> None:
    first = visit("alice", 0, 10, "replaced")
    await lobby.add_records([*first[:2], record("alice", "joined", 10), first[2]])
    await lobby.add_records([record("alice", "left", 30, 10, reason="left", stats={"rx_packets": 1000}, incoming=BAD)])
    stay = await only(database, stays)
    assert (stay["joined_at"] - T, stay["left_at"] - T) == (0, 30)
    assert stay["loss_in"] == pytest.approx(0.2 * 1000 / 1500)
    assert (await only(database, meetings))["most"] == 1


async def test_browser_that_lost_its_media_keeps_its_meeting(lobby: SqlStore, database: Database) -> None:
    """Its session is there: when it offers again, the same meeting goes on; when that ends too, the meeting does."""
    await lobby.admit(Person("alice", "lobby", "Alice", created_at=T, user="u_1"), ROOM, T)
    await connect(lobby, "alice")
    await lobby.add_records(visit("alice", 0, 10, "ice-timeout"))
    assert (await only(database, meetings))["ended_at"] is None
    await lobby.add_records(visit("alice", 200, 210, "ice-timeout"))
    await connect(lobby, "alice", "disconnected")
    over = await only(database, meetings)
    assert (over["ended_at"], over["participants"]) == (T + 210, 1)
    assert (await only(database, stays))["user"] == "u_1"


async def test_session_that_a_snapshot_closes_ends_the_meeting(lobby: SqlStore, database: Database) -> None:
    await lobby.admit(Person("alice", "lobby", "Alice", created_at=T), ROOM, T)
    await connect(lobby, "alice")
    await lobby.add_records(visit("alice", 0, 10, "ice-timeout"))
    await lobby.keep_sessions("n1", frozenset(), T + 60)
    assert (await only(database, meetings))["ended_at"] == T + 10


async def test_who_waits_in_the_lobby_holds_no_meeting(lobby: SqlStore, database: Database) -> None:
    await lobby.admit(Person("wendy", "lobby", "Wendy", created_at=T, admitted=False), ROOM, T)
    await connect(lobby, "wendy")
    await lobby.add_records(visit("alice", 0, 10))
    assert (await only(database, meetings))["ended_at"] == T + 10


async def test_lost_mcu(lobby: SqlStore, database: Database) -> None:
    await lobby.add_records(visit("alice", 0, 100)[:2])
    await lobby.mcu_lost("m1", T + 40)
    over = await only(database, meetings)
    assert (over["ended_at"], over["reason"]) == (T + 40, "lost")
    assert (await only(database, stays))["reason"] == "lost"


async def test_mcu_that_was_only_silent_puts_right_what_was_supposed(lobby: SqlStore, database: Database) -> None:
    await lobby.add_records(visit("alice", 0, 100)[:2])
    await lobby.mcu_lost("m1", T + 40)
    await lobby.add_records(visit("alice", 0, 100)[2:])
    over = await only(database, meetings)
    assert (over["ended_at"], over["reason"]) == (T + 100, "empty")


async def test_other_people_of_a_lost_mcu_meet_again_elsewhere(lobby: SqlStore, database: Database) -> None:
    for who in ("alice", "bob"):
        await lobby.admit(Person(who, "lobby", who.title(), created_at=T), ROOM, T)
        await connect(lobby, who)
        await lobby.add_records(visit(who, 0, 100)[:2])
    await lobby.mcu_lost("m1", T + 40)
    for who in ("alice", "bob"):
        await lobby.add_records(visit(who, 45, 90, mcu="m2", boot="b9"))
        await connect(lobby, who, "disconnected")
    over = await only(database, meetings)
    assert (over["participants"], over["most"], over["ended_at"], over["reason"]) == (2, 2, T + 90, "empty")


async def test_restarted_mcu_has_lost_its_legs(lobby: SqlStore, database: Database) -> None:
    await lobby.add_records(visit("alice", 0, 100)[:2])
    await lobby.mcu_registered(McuRegister(id="m1", boot="b2", url="http://m1", capacity=9), T + 20)
    assert (await only(database, stays))["left_at"] == T + 20


async def test_leg_that_a_registration_does_not_name(lobby: SqlStore, database: Database) -> None:
    """A moment after it joined, word of it may have crossed the registration; a minute later it is gone."""
    await lobby.add_records(visit("alice", 0, 100)[:2])
    again = McuRegister(id="m1", boot="b1", url="http://m1", capacity=9)
    await lobby.mcu_registered(again, T + 5)
    assert (await only(database, stays))["left_at"] is None
    await lobby.mcu_registered(again.model_copy(update={"participants": ["alice"]}), T + 65)
    assert (await only(database, stays))["left_at"] is None
    await lobby.mcu_registered(again, T + 125)
    assert (await only(database, stays))["reason"] == "lost"


async def test_move_to_another_room(lobby: SqlStore, database: Database) -> None:
    await lobby.add_room(replace(ROOM, id="other", name="Other"), 100)
    await lobby.add_records(visit("carol", 0, 50, "moved", kind="rtp"))
    await lobby.add_records(visit("carol", 50, 80, "bye", kind="rtp", room="other"))
    found = [(m["room"], m["started_at"] - T, m["ended_at"] - T) for m in await all_of(database, meetings)]
    assert found == [("lobby", 0, 50), ("other", 50, 80)]


async def test_rooms_that_are_not_ours_have_no_records(lobby: SqlStore, database: Database) -> None:
    await lobby.add_records(visit("robot", 0, 50, room="of-the-lab"))
    assert await all_of(database, meetings) == []


async def test_room_deleted_while_people_are_in_it(lobby: SqlStore, database: Database) -> None:
    await lobby.add_records(visit("alice", 0, 50)[:2])
    await _empty(database, rooms)
    await lobby.add_records(visit("alice", 0, 50, "room-closed")[2:])
    over = await only(database, meetings)
    assert (over["ended_at"], over["reason"]) == (T + 50, "ended")


async def test_old_mcu_that_does_not_tell_when_a_leg_joined(lobby: SqlStore, database: Database) -> None:
    told = [one.model_copy(update={"joined_at": None}) for one in visit("alice", 0, 50)]
    for one in told:
        await lobby.add_records([one])
    over = await only(database, meetings)
    assert (over["started_at"], over["ended_at"]) == (T, T + 50)


async def test_burst_of_joins_is_one_meeting(lobby: SqlStore, database: Database) -> None:
    everybody = [record(f"p{n:03}", "joined", n / 100) for n in range(256)]
    await lobby.add_records(everybody)
    going = await only(database, meetings)
    assert (going["participants"], going["most"], going["started_at"]) == (256, 256, T)


async def test_media_servers_that_tell_at_once_make_one_meeting(lobby: SqlStore, database: Database) -> None:
    """A room has moved: both tell of it in the same moment, and a notifier besides. Nobody begins a second meeting."""
    stores = [SqlStore(database) for _ in range(8)]
    news = [visit(f"p{n}", n / 10, 50 + n, mcu=f"m{n % 2}", boot=f"b{n % 2}") for n in range(8)]
    for part in (slice(0, 1), slice(1, 3)):
        told = [store.add_records(legs[part]) for store, legs in zip(stores, news, strict=True)]
        await asyncio.gather(*told, connect(lobby, "nobody"), connect(lobby, "nobody", "disconnected"))
    over = await only(database, meetings)
    assert (over["participants"], over["most"], over["started_at"], over["ended_at"]) == (8, 8, T, T + 57)
