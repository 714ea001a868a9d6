"""SIP's tables on both databases: rows come back as they went, versions count, and counters are exact however many ask at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from confero.appserver.db.engine import Database
from confero.appserver.db.migrate import downgrade, migrate
from confero.appserver.db.repositories import SqlStore
from confero.appserver.db.sipcalls import SqlCallStore
from confero.appserver.db.sipstore import SqlSipStore
from confero.appserver.rooms.entities import Person, Room
from confero.appserver.sip.entities import Account, Call, Number, Rule, Trunk
from confero.appserver.sip.limits import Charge, Limit
from confero.models import SessionNotice

NOW = 1_800_000_000.5
ACCOUNT = Account(None, "alice", "pbx", "Łucja 🎈", "sealed", NOW, call_out_patterns=["+49.", "112"], calls_per_hour=3)
TRUNK = Trunk("pbx", [{"uri": "sip:pbx.example", "priority": 5}], secret="sealed", sources=["192.0.2.0/24"])
RULE = Rule(None, 10, "in", "49X.", "room", target="{user}", note="Zürich")
NUMBER = Number("4711", "lobby", NOW, pin="hashed")
CALL = Call(
    *("call1", 1, "in", "sip:a@b", "sip:lobby@c", "pbx", "", "lobby", "p_1"),
    *(NOW, None, None, 0, "", [{"at": NOW, "sent": False, "peer": "192.0.2.1", "text": "INVITE"}], {"loss": 0.5}, None),
)


@pytest.fixture
def sip(database: Database) -> SqlSipStore:
    return SqlSipStore(database)


@pytest.fixture
def calls(database: Database) -> SqlCallStore:
    return SqlCallStore(database)


# --- rows ------------------------------------------------------------------------------------------------------------


async def test_rows_come_back_as_they_went(sip: SqlSipStore) -> None:
    account, rule = await sip.add(ACCOUNT, 9), await sip.add(RULE, 9)
    assert await sip.get(Account, account) == replace(ACCOUNT, id=int(account))
    assert await sip.get(Rule, rule) == replace(RULE, id=int(rule))
    assert [await sip.add(TRUNK, 9), await sip.add(NUMBER, 9)] == ["pbx", "4711"]
    assert (await sip.get(Trunk, "pbx"), await sip.get(Number, "4711")) == (TRUNK, NUMBER)
    assert await sip.account_of("alice", "pbx") == await sip.get(Account, account)
    assert await sip.enabled(Number) == [NUMBER]


async def test_what_has_to_be_unique(sip: SqlSipStore) -> None:
    for row in (ACCOUNT, TRUNK, NUMBER):
        await sip.add(row, 9)
    doubles = (ACCOUNT, TRUNK, NUMBER, replace(NUMBER, number="4712"), replace(NUMBER, room="other"))
    assert [await sip.add(row, 9) for row in doubles] == ["exists"] * 5
    assert await sip.add(replace(ACCOUNT, realm="other"), 1) == "full"
    assert isinstance(await sip.add(replace(ACCOUNT, realm="PBX"), 9), int)


async def test_one_of_many_takes_a_number(sip: SqlSipStore) -> None:
    made = await asyncio.gather(*(sip.add(replace(NUMBER, room=f"r{n}"), 99) for n in range(6)))
    assert sorted(map(str, made)) == ["4711"] + ["exists"] * 5


async def test_the_version_counts_changes_and_nothing_else(sip: SqlSipStore) -> None:
    start = await sip.version()
    key = await sip.add(ACCOUNT, 9)
    await sip.add(ACCOUNT, 9)
    assert await sip.change(Account, key, {"enabled": False})
    assert await sip.change(Account, key, {}) and not await sip.change(Account, 10**6, {"enabled": False})
    assert await sip.delete(Account, key) and not await sip.delete(Account, key)
    assert await sip.version() == start + 3


async def test_a_change_that_changes_nothing_finds_its_row(sip: SqlSipStore) -> None:
    key = await sip.add(ACCOUNT, 9)
    assert await sip.change(Account, key, {"display_name": ACCOUNT.display_name})


async def test_pages(sip: SqlSipStore) -> None:
    keys = [await sip.add(replace(ACCOUNT, user=f"u{n}"), 99) for n in range(5)]
    first = await sip.page(Account, None, 2)
    assert [row.id for row in first] == keys[:2]
    assert [row.id for row in await sip.page(Account, keys[1], 9)] == keys[2:]


async def test_only_what_is_enabled(sip: SqlSipStore) -> None:
    await sip.add(TRUNK, 9)
    await sip.add(replace(TRUNK, name="off", enabled=False), 9)
    assert [trunk.name for trunk in await sip.enabled(Trunk)] == ["pbx"]


async def test_who_is_present(sip: SqlSipStore, store: SqlStore) -> None:
    lobby = Room("lobby", "Lobby", 9, created_at=NOW, used_at=NOW)
    await store.add_room(lobby, 9)
    for key, name, connected in (
        ("p1", "Alice", True),
        ("p2", "ALICE", True),
        ("p3", "Alice", False),
        ("p4", "Łu", True),
    ):
        await store.admit(Person(key, "lobby", name, created_at=NOW, reserved_until=NOW + 30), lobby, NOW)
        if connected:
            await store.note_sessions(
                [SessionNotice(kind="connected", session=f"s{key}", participant=key, room="lobby", at=NOW)]
            )
    assert [one.participant for one in await sip.present("alice", 9)] == ["p1", "p2"]
    assert [one.participant for one in await sip.present("Łu", 9)] == ["p4"]
    assert len(await sip.present("alice", 1)) == 1 and await sip.present("%", 9) == []


@pytest.mark.parametrize(
    "odd", ["", "'; DROP TABLE sip_accounts; --", "\x00", "%", "_", "🎈" * 64, "x" * 5000, "\\", "İ"]
)
async def test_odd_texts_find_nothing_and_harm_nothing(sip: SqlSipStore, odd: str) -> None:
    key = await sip.add(ACCOUNT, 9)
    assert await sip.account_of(odd, "pbx") is None and await sip.account_of("alice", odd) is None
    assert (await sip.accounts_named(odd), await sip.present(odd, 9)) == ([], [])
    assert (await sip.get(Number, odd), await sip.get(Trunk, odd)) == (None, None)
    assert await sip.get(Account, key) is not None


async def test_rooms_with_a_number_are_kept_and_rooms_of_calls_are_not(sip: SqlSipStore, store: SqlStore) -> None:
    for name in ("lobby", "old", "call_x", "callsx"):
        await store.add_room(Room(name, name, 9, created_at=NOW, used_at=NOW), 9)
    await sip.add(NUMBER, 9)
    week = 7 * 86_400
    await store.forget(people_before=NOW, unused_before=NOW - week, now=NOW + week)
    assert [bool(await store.room(name)) for name in ("lobby", "old", "call_x", "callsx")] == [True, True, False, True]
    await store.forget(people_before=NOW, unused_before=NOW + week, now=NOW + week)
    assert [bool(await store.room(name)) for name in ("lobby", "old", "callsx")] == [True, False, False]


# --- calls -----------------------------------------------------------------------------------------------------------


async def test_a_record_is_replaced_by_later_ones_only(calls: SqlCallStore) -> None:
    await calls.record([CALL])
    await calls.record([replace(CALL, status=500)])
    ended = replace(CALL, revision=3, ended_at=NOW + 60, status=200, mos=4.4)
    await calls.record([ended, replace(CALL, revision=2, status=180)])
    assert await calls.call("call1") == ended


async def test_calls_by_page_the_latest_first(calls: SqlCallStore) -> None:
    for n in range(5):
        await calls.record([replace(CALL, id=f"c{n}", started_at=NOW + n // 2)])
    pages: list[str] = []
    mark: tuple[float, str] | None = None
    while page := await calls.calls(mark, 2):
        pages += [call.id for call in page]
        mark = (page[-1].started_at, page[-1].id)
    assert pages == ["c4", "c3", "c2", "c1", "c0"]


async def test_calls_out_are_counted_exactly(calls: SqlCallStore) -> None:
    """Twenty at once of which seven are allowed: seven pass."""
    passed = await asyncio.gather(*(calls.count_call("alice", 5, 7) for _ in range(20)))
    assert sum(passed) == 7
    assert await calls.count_call("alice", 6, 7) and await calls.count_call("bob", 5, 7)
    assert not await calls.count_call("nobody", 5, 0)


# --- tries -----------------------------------------------------------------------------------------------------------

THREE = Limit(free=3, first_s=30, longest_s=3600)


async def test_tries_at_once_cannot_pass_together(calls: SqlCallStore) -> None:
    outcomes = await asyncio.gather(*(calls.charge([Charge("a", THREE), Charge("b", THREE)], NOW) for _ in range(12)))
    assert sum(wait == 0 for wait, _ in outcomes) == 3
    assert {wait for wait, _ in outcomes} == {0, 30}
    assert (await calls.charge([Charge("a", THREE)], NOW + 31))[0] == 0


async def test_keys_in_any_order_do_not_lock_each_other_out(calls: SqlCallStore) -> None:
    many = Limit(free=99, first_s=1, longest_s=1)
    pairs = [[Charge("a", many), Charge("b", many)], [Charge("b", many), Charge("a", many)]]
    await asyncio.gather(*(calls.charge(pairs[n % 2], NOW) for n in range(10)))
    assert [await calls.failures(key) for key in "ab"] == [10, 10]


async def test_if_one_has_to_wait_none_is_charged(calls: SqlCallStore) -> None:
    once = Limit(free=1, first_s=30, longest_s=30)
    await calls.charge([Charge("a", once)], NOW)
    wait_s, charged = await calls.charge([Charge("a", once), Charge("b", once)], NOW)
    assert (wait_s, charged, await calls.failures("b")) == (30, [], 0)


async def test_a_refund_leaves_nothing(calls: SqlCallStore) -> None:
    once = Limit(free=1, first_s=30, longest_s=30)
    _, charged = await calls.charge([Charge("a", once)], NOW)
    await calls.refund(charged)
    assert (await calls.charge([Charge("a", once)], NOW))[0] == 0


async def test_a_refund_keeps_the_failures_of_others(calls: SqlCallStore) -> None:
    _, mine = await calls.charge([Charge("a", THREE)], NOW)
    await calls.charge([Charge("a", THREE)], NOW)
    await calls.charge([Charge("a", THREE)], NOW)
    await calls.refund(mine)
    assert await calls.failures("a") == 2
    assert (await calls.charge([Charge("a", THREE)], NOW))[0] == 30  # their wait stays


async def test_what_counts_no_more_is_forgotten(calls: SqlCallStore) -> None:
    await calls.record([CALL])
    await calls.count_call("alice", int(NOW // 3600), 5)
    await calls.charge([Charge("a", THREE)], NOW)
    assert await calls.forget(calls_before=NOW, now=NOW + 1) == 0
    assert await calls.forget(calls_before=NOW + 1, now=NOW + 5 * 3600) == 3


# --- migration -------------------------------------------------------------------------------------------------------


async def test_the_first_rules_stand_in_the_table_once(empty: Database) -> None:
    await migrate(empty)
    sip = SqlSipStore(empty)
    rules = await sip.enabled(Rule)
    assert [(r.position, r.direction, r.source, r.pattern, r.action, r.target) for r in rules] == [
        (1000, "in", "any", ".", "room", "{user}"),
        (1010, "in", "account", ".", "user", "{user}"),
    ]
    assert await sip.version() == 1
    for one in rules:
        assert one.id is not None and await sip.delete(Rule, one.id)
    await migrate(empty)
    assert await sip.enabled(Rule) == []


async def test_down_and_up_again(empty: Database) -> None:
    await migrate(empty)

    await downgrade(empty, "0003")
    assert await empty.value(text("SELECT version_num FROM alembic_version")) == "0003"
    assert await empty.value(text("SELECT COUNT(*) FROM rooms")) == 0
    await migrate(empty)
    assert len(await SqlSipStore(empty).enabled(Rule)) == 2
