"""Call records: in order, kept while the application server is away, bounded."""

from __future__ import annotations

import asyncio

import pytest

from confero import models
from confero.errors import Refused, Unavailable
from confero.mcu.records import Records

from ..support.waiting import until


class Keeper:
    def __init__(self) -> None:
        self.got: list[str] = []
        self.failure: Exception | None = None
        self.tries = 0
        self.calls = 0

    async def record(self, records: models.LegRecords) -> None:
        self.tries += 1
        if self.failure is not None:
            raise self.failure
        self.got += [record.participant for record in records.records]
        self.calls += 1


def record(participant: str) -> models.LegRecord:
    return models.LegRecord(
        at=1.0,
        mcu="m",
        boot="b",
        room="r",
        participant=participant,
        display_name=participant,
        kind="rtp",
        event="joined",
    )


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confero.mcu.backoff.FIRST_S", 0.001)
    monkeypatch.setattr("confero.mcu.backoff.LONGEST_S", 0.005)
    monkeypatch.setattr("confero.mcu.records.PAUSE_S", 0.0)


async def test_in_order_and_kept_while_it_is_away() -> None:
    keeper = Keeper()
    records = Records(keeper)
    task = asyncio.get_running_loop().create_task(records.run())
    keeper.failure = Unavailable("away")
    for name in "abc":
        records.add(record(name))
    await until(lambda: keeper.tries > 2)
    assert records.settled
    keeper.failure = None
    await until(lambda: keeper.got == ["a", "b", "c"])
    records.add(record("d"))
    assert not records.settled
    await until(lambda: keeper.got[-1] == "d" and records.settled)
    task.cancel()


async def test_the_oldest_is_dropped() -> None:
    keeper = Keeper()
    records = Records(keeper, limit=3)
    for name in "abcde":
        records.add(record(name))
    assert records.dropped == 2
    task = asyncio.get_running_loop().create_task(records.run())
    await until(lambda: keeper.got == ["c", "d", "e"])
    task.cancel()


async def test_a_refused_record_is_not_repeated() -> None:
    keeper = Keeper()
    records = Records(keeper)
    keeper.failure = Refused("no")
    records.add(record("a"))
    task = asyncio.get_running_loop().create_task(records.run())
    await until(lambda: keeper.tries == 1)
    keeper.failure = None
    records.add(record("b"))
    await until(lambda: keeper.got == ["b"])
    task.cancel()


async def test_a_record_dropped_while_it_is_being_sent() -> None:
    keeper = Keeper()
    records = Records(keeper, limit=1)
    keeper.failure = Unavailable("away")
    records.add(record("a"))
    task = asyncio.get_running_loop().create_task(records.run())
    await until(lambda: keeper.tries)
    records.add(record("b"))
    keeper.failure = None
    await until(lambda: keeper.got == ["b"])
    task.cancel()


async def test_a_burst_goes_in_few_calls() -> None:
    keeper = Keeper()
    records = Records(keeper)
    names = [f"p{number}" for number in range(models.TOLD_AT_ONCE + 10)]
    for name in names:
        records.add(record(name))
    task = asyncio.get_running_loop().create_task(records.run())
    await until(lambda: keeper.got == names)
    assert keeper.calls == 2
    task.cancel()
