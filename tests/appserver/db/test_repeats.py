"""Keys of requests, on SQLite and on MariaDB: one of many has it, until it is over."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from confero.appserver.db.engine import Database
from confero.appserver.db.repeatstore import SqlRepeats
from confero.appserver.repeats import KEPT_S, MOST, STALE_S, Earlier, Told, ask_of

NOW = 1_800_000_000.0
ASK = ask_of("user u1", "k", "POST", "/api/v1/rooms", b"{}", NOW)
TOLD = Told(201, "application/json", "sealed")


async def test_a_key_is_claimed_once(database: Database) -> None:
    store = SqlRepeats(database)
    found = await asyncio.gather(*(store.claim(replace(ASK, at=NOW + number)) for number in range(8)))
    assert sorted(found, key=lambda one: one is not None) == [None, *[Earlier(ASK.fingerprint, None)] * 7]


async def test_the_answer_is_there_again_for_a_day(database: Database) -> None:
    store = SqlRepeats(database)
    assert await store.claim(ASK) is None
    await store.keep(ASK, TOLD)
    assert await store.claim(replace(ASK, at=NOW + KEPT_S - 1, fingerprint="other")) == Earlier(ASK.fingerprint, TOLD)
    assert await store.claim(replace(ASK, at=NOW + KEPT_S)) is None


async def test_what_made_nothing_may_be_tried_again(database: Database) -> None:
    store = SqlRepeats(database)
    assert await store.claim(ASK) is None
    await store.release(ASK)
    assert await store.claim(ASK) is None


async def test_a_request_whose_process_died_gives_its_key_back(database: Database) -> None:
    store, later = SqlRepeats(database), replace(ASK, at=NOW + STALE_S)
    assert await store.claim(ASK) is None
    assert await store.claim(replace(ASK, at=NOW + STALE_S - 1)) is not None
    assert await store.claim(later) is None
    # The first one was only slow: it neither answers for the second one nor takes its key away.
    await store.keep(ASK, TOLD)
    await store.release(ASK)
    assert await store.claim(replace(ASK, at=NOW + STALE_S + 1)) == Earlier(ASK.fingerprint, None)


async def test_keys_of_one_actor_are_bounded_and_old_ones_go(database: Database) -> None:
    store = SqlRepeats(database)
    asks = [ask_of("user u1", str(n), "POST", "/", b"", NOW + n / 1000) for n in range(MOST + 2)]
    for ask in asks:
        assert await store.claim(ask) is None
    assert await store.claim(asks[0]) is None, "forgotten"
    assert await store.claim(asks[-1]) is not None
    assert await store.forget(NOW + KEPT_S + MOST) == MOST
    assert await store.forget(NOW + KEPT_S + MOST) == 0
