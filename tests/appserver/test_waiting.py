"""An application server that starts while its database is away: it says so, loses nothing that it is told, and starts with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from confero.appserver import waiting
from confero.errors import LocalError, Unavailable
from confero.models import LegRecords
from confero.runtime.tasks import spawn

from .mariadb import MariaDb, free_port
from .site import Site

DATABASE = "confero_waiting"


@pytest.fixture
async def late(mariadb: MariaDb, tmp_path: Path) -> AsyncIterator[Site]:
    """On a port of its own, so that it answers on the same before and after."""
    assert mariadb.sql(f"CREATE DATABASE IF NOT EXISTS {DATABASE}").returncode == 0
    site = Site(tmp_path)
    site._ports = (0, free_port())
    yield site
    await site.stop()


async def status(site: Site, path: str) -> int:
    try:
        async with site.http.get(site.internal_url + path) as response:
            return response.status
    except aiohttp.ClientError:
        return 0


async def test_it_waits_and_says_so(late: Site, mariadb: MariaDb) -> None:
    mariadb.kill()
    try:
        starting = spawn(late.start(database_url=SecretStr(mariadb.url(DATABASE))), name="start", logged=False)
        async with asyncio.timeout(30):
            while not hasattr(late, "http") or await status(late, "/health") != 200:  # noqa: ASYNC110 - another's answer
                await asyncio.sleep(0.02)
        assert await status(late, "/ready") == 503
        with pytest.raises(Unavailable) as caught:  # and no Refused, after which they would be thrown away
            await late.tell("mcu", "POST", "records", LegRecords(records=[]))
        assert caught.value.code == "database-down"
        await asyncio.sleep(1.1)
        assert not starting.done()
    finally:
        await asyncio.to_thread(mariadb.run)
    await asyncio.wait_for(starting, 60)  # all migrations are part of it
    assert await status(late, "/ready") == 200


async def test_one_that_turns_us_away_is_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PAUSE_S", 0.0)
    tries = 0

    async def refused() -> None:
        nonlocal tries
        tries += 1
        raise Unavailable("Access denied", code="database-down" if tries == 5 else waiting.TURNED_AWAY)

    with pytest.raises(Unavailable, match="denied"):
        await waiting.wait_for_database(refused)
    assert tries == 5 + waiting.TRIES


async def test_tables_that_are_newer_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PAUSE_S", 0.0)

    async def newer() -> None:
        raise LocalError("another version")

    with pytest.raises(LocalError):
        await waiting.wait_for_database(newer)


async def test_a_wrong_password_is_known_as_such(mariadb: MariaDb, late: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PAUSE_S", 0.0)
    monkeypatch.setattr(waiting, "TRIES", 2)
    url = f"mysql://nobody:sesame@127.0.0.1:{mariadb.port}/{DATABASE}"
    with pytest.raises(Unavailable) as caught:
        await late.start(database_url=SecretStr(url))
    assert caught.value.code == waiting.TURNED_AWAY and "sesame" not in caught.value.detail
