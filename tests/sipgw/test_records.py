"""Calls' records: the newest revision arrives, also after the application server was away, and after a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from confero.errors import Refused, Unavailable
from confero.models.sip import SipCallRecord, SipCallRecords
from confero.runtime.tasks import spawn
from confero.sipgw.records import Records

from ..support.waiting import until


class Keeper:
    def __init__(self) -> None:
        self.away = False
        self.refuses: set[str] = set()
        self.got: list[tuple[str, int]] = []
        self.tries = 0

    async def record(self, records: SipCallRecords) -> None:
        self.tries += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("away")
        if self.refuses & {record.id for record in records.records}:
            raise Refused("no", status=422)
        self.got += [(record.id, record.revision) for record in records.records]


def record(id: str, revision: int = 1) -> SipCallRecord:
    return SipCallRecord(id=id, revision=revision, direction="in", from_uri="sip:a@b", to_uri="sip:c@d", started_at=1.0)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "sipgw" / "records"


def there(spool: Path) -> bool:
    return spool.exists()


def put(spool: Path, text: str) -> None:
    spool.parent.mkdir(parents=True)
    spool.write_text(text)


async def test_only_the_newest_revision_goes(spool: Path) -> None:
    keeper = Keeper()
    records = Records(keeper, spool)
    records.add(record("a"))
    records.add(record("b"))
    records.add(record("a", 2))
    task = spawn(records.run(), name="records")
    await until(lambda: len(records) == 0)
    assert sorted(keeper.got) == [("a", 2), ("b", 1)]
    records.add(record("a", 3))
    await until(lambda: len(records) == 0)
    task.cancel()
    assert keeper.got[-1] == ("a", 3) and not there(spool)


async def test_they_wait_on_disk_while_nobody_takes_them(spool: Path) -> None:
    keeper = Keeper()
    keeper.away = True
    records = Records(keeper, spool, jitter=lambda: 0.0)
    task = spawn(records.run(), name="records")
    records.add(record("a"))
    await until(lambda: spool.exists() and keeper.tries, "the spool")
    task.cancel()  # as a crash would, too
    keeper.away = False
    later = Records(keeper, spool)
    later.add(record("b"))
    task = spawn(later.run(), name="records")
    await until(lambda: len(later) == 0 and not spool.exists(), "all of them")
    task.cancel()
    assert sorted(keeper.got) == [("a", 1), ("b", 1)]


async def test_a_later_revision_than_the_spooled_one_counts(spool: Path) -> None:
    first = Records(Keeper(), spool)
    first.add(record("a"))
    await first.save()
    keeper = Keeper()
    later = Records(keeper, spool)
    later.add(record("a", 2))
    task = spawn(later.run(), name="records")
    await until(lambda: len(later) == 0)
    task.cancel()
    assert keeper.got == [("a", 2)]


async def test_what_is_refused_is_given_up(spool: Path) -> None:
    keeper = Keeper()
    keeper.refuses = {"bad"}
    records = Records(keeper, spool)
    records.add(record("bad"))
    records.add(record("good"))
    task = spawn(records.run(), name="records")
    await until(lambda: len(records) == 0)
    task.cancel()
    assert keeper.got == [("good", 1)] and records.dropped == 1


async def test_the_oldest_goes_when_too_many_wait(spool: Path) -> None:
    records = Records(Keeper(), spool, limit=3)
    for number in range(10):
        records.add(record(f"c{number}"))
    assert len(records) == 3 and records.dropped == 7


async def test_a_spool_that_makes_no_sense(spool: Path) -> None:
    put(spool, 'nonsense\n{"id": 7}\n' + record("a").model_dump_json() + "\n" + record("b").model_dump_json()[:40])
    keeper = Keeper()
    records = Records(keeper, spool)
    task = spawn(records.run(), name="records")
    await until(lambda: keeper.got == [("a", 1)] and not spool.exists())
    task.cancel()
