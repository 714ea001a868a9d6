"""The database server is killed, or says nothing, while people make rooms: nothing that was acknowledged is lost, nothing is done
twice, and everything goes on by itself.

An outage of 2 s; ``CONFERO_TEST_LONG=1``: of 60 s, and silence with the time-outs that installations have.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from confero.appserver.db.connections import Limits
from confero.runtime.tasks import spawn

from ...support.waiting import until
from ..conftest import SiteMaker
from ..mariadb import MariaDb
from ..site import Site

LONG = bool(int(os.environ.get("CONFERO_TEST_LONG", "0") or 0))
AWAY_S = 60.0 if LONG else 2.0
BACK_WITHIN_S = 10.0
WRITERS = 6


class Writers:
    """Make rooms one after another, each under a name that was never used before, and note the answers."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.acknowledged: dict[str, str] = {}
        """Names, by the ids that were answered."""
        self.refused: list[str] = []
        """Codes."""
        self._stopping = False
        self._tasks = [spawn(self._write(number), name="writer") for number in range(WRITERS)]

    async def _write(self, number: int) -> None:
        count = 0
        while not self._stopping:
            count += 1
            name = f"{number}-{count}"
            status, answer = await self._site.call("POST", "/api/v1/rooms", {"name": name})
            if status == 201:
                self.acknowledged[answer["id"]] = name
            else:
                assert status == 503, answer
                self.refused.append(answer["type"].rpartition(":")[2])
                await asyncio.sleep(0.05)

    async def more(self, count: int, seconds: float) -> None:
        """Until so many more rooms are made."""
        enough = len(self.acknowledged) + count
        await until(lambda: len(self.acknowledged) >= enough, "rooms are made", seconds)

    async def stop(self) -> None:
        """Raises what one of them has met other than 201 and 503."""
        self._stopping = True
        await asyncio.gather(*self._tasks)


@pytest.fixture
async def busy(make_site: SiteMaker, mariadb: MariaDb) -> AsyncIterator[Site]:
    """On MariaDB, with an MCU that lives."""
    assert mariadb.sql("CREATE DATABASE IF NOT EXISTS confero_outage").returncode == 0
    url = SecretStr(mariadb.url("confero_outage"))
    site: Site = await make_site(database_url=url, room_creations_per_minute=1e6)
    assert mariadb.sql("DELETE FROM confero_outage.rooms WHERE name LIKE '%-%'").returncode == 0
    async with site.mcu.living(site.internal_url):
        yield site


async def readiness(site: Site) -> tuple[int, Any]:
    async with site.http.get(site.internal_url + "/ready") as response:
        return response.status, (await response.json())["checks"]["database"]


async def is_healthy(site: Site) -> bool:
    async with site.http.get(site.internal_url + "/health") as response:
        return response.status == 200


async def is_told_when_to_come_again(site: Site) -> None:
    async with site.http.get(site.url + "/api/v1/rooms/lobby", ssl=site.trust) as response:
        assert (response.status, response.content_type) == (503, "application/problem+json")
        assert (await response.json(content_type=None))["type"] == "urn:confero:problem:database-down"
        assert 1 <= int(response.headers["Retry-After"]) <= 5


def rooms(mariadb: MariaDb) -> dict[str, str]:
    """Names by ids, of those that the writers have made."""
    found = mariadb.sql("SELECT id, name FROM confero_outage.rooms WHERE name LIKE '%-%'")
    assert found.returncode == 0, found.stderr
    return dict(line.split("\t") for line in found.stdout.decode().splitlines())


async def check(writers: Writers, mariadb: MariaDb) -> None:
    await writers.stop()
    there = rooms(mariadb)
    assert writers.acknowledged.items() <= there.items(), "acknowledged and lost"
    assert len(set(there.values())) == len(there), "made twice"
    # Making a room is two transactions: each writer may have got as far as the second when the server went.
    assert len(there) - len(writers.acknowledged) <= writers.refused.count("database-unsure") + WRITERS


async def test_killed_under_writers(busy: Site, mariadb: MariaDb) -> None:
    """Its own crash recovery has to give back what it has promised; the MCU with its rooms is nobody's loss meanwhile."""
    writers = Writers(busy)
    await writers.more(20, 20)
    mariadb.kill()
    try:
        await until(lambda: writers.refused, "refusals")
        assert await readiness(busy) == (503, False) and await is_healthy(busy)
        await is_told_when_to_come_again(busy)
        await asyncio.sleep(AWAY_S)
        assert len(writers.refused) > WRITERS * AWAY_S, "they are not kept waiting"
    finally:
        await asyncio.to_thread(mariadb.run)
    back_at = time.monotonic()
    await writers.more(1, BACK_WITHIN_S)
    assert time.monotonic() - back_at < BACK_WITHIN_S
    await writers.more(20, 20)
    assert await readiness(busy) == (200, True)
    assert len(busy.app.farm) == 1 and not busy.mcu.calls
    await check(writers, mariadb)


async def test_frozen_under_writers(busy: Site, mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections and says nothing."""
    limits = Limits() if LONG else Limits(timeout_s=1.0)
    monkeypatch.setattr(busy.app.database.server, "limits", limits)
    writers = Writers(busy)
    await writers.more(20, 20)
    mariadb.freeze()
    try:
        await until(lambda: busy.app.database.server.is_away, "the breaker", 4 * limits.timeout_s)
        count = len(writers.refused)
        await asyncio.sleep(AWAY_S / 2)
        assert len(writers.refused) > count + WRITERS and await is_healthy(busy)
    finally:
        mariadb.thaw()
    await writers.more(20, BACK_WITHIN_S)
    assert len(busy.app.farm) == 1
    await check(writers, mariadb)
