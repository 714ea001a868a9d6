"""An application server that starts while its database is away: it is open, says so, loses nothing that it is told, and goes on
by itself once the database is there.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from confero.appserver import waiting
from confero.errors import LocalError, Unavailable
from confero.models import LegRecords
from confero.runtime.tasks import spawn

from ..support.waiting import until
from .mariadb import MariaDb, free_port
from .site import Site
from .test_handover import PAGE, Door

DATABASE = "confero_waiting"
BACK_WITHIN_S = 10.0
FREE = {"/api/v1/openapi.json", "/events", "/events/stream", "/events/poll", "/events/sessions/{listening}", "/sip"}
"""Documented routes that need no database."""


class Late:
    """A site that is started in the background, on ports that are known before."""

    def __init__(self, site: Site, mariadb: MariaDb) -> None:
        self.site = site
        self._mariadb = mariadb
        self.starting: asyncio.Task[None]

    async def open(self, **settings: Any) -> None:
        """Begin, and return once it listens."""
        url = SecretStr(self._mariadb.url(DATABASE))
        self.starting = spawn(self.site.start(database_url=url, **settings), name="start", logged=False)
        await until(lambda: hasattr(self.site, "app") and self.site.app.doors.public, "it listens", 20)
        await until(lambda: self.site.app.doors.handed or not settings.get("handover_dir"), "it can be handed some")

    async def until_started(self) -> None:
        """All migrations are part of it."""
        await asyncio.wait_for(self.starting, BACK_WITHIN_S)

    async def ready(self) -> int:
        async with self.site.http.get(self.site.internal_url + "/ready") as response:
            return response.status

    async def ask(self, method: str, path: str) -> tuple[int, str, int]:
        """Of the public port: status, problem's code, Retry-After."""
        async with self.site.http.request(method, self.site.url + path, json={}, ssl=self.site.trust) as response:
            told = await response.json() if response.content_type == "application/problem+json" else {}
            code = told.get("type", "").rpartition(":")[2]
            return response.status, code, int(response.headers.get("Retry-After", 0))


@pytest.fixture
async def late(mariadb: MariaDb, tmp_path: Path) -> AsyncIterator[Late]:
    """Its database is empty."""
    made = mariadb.sql(f"DROP DATABASE IF EXISTS {DATABASE}; CREATE DATABASE {DATABASE}")
    assert made.returncode == 0, made.stderr
    site = Site(tmp_path)
    site._ports = (free_port(), free_port())
    late = Late(site, mariadb)
    yield late
    if hasattr(late, "starting"):
        late.starting.cancel()
        await asyncio.wait([late.starting])
    await site.stop()


async def test_it_is_open_says_so_and_goes_on_by_itself(late: Late, mariadb: MariaDb) -> None:
    mariadb.kill()
    try:
        await late.open()
        await serves_what_it_has(late)
        await refuses_what_it_has_not(late)
        with pytest.raises(Unavailable) as caught:  # and no Refused, after which they would be thrown away
            await late.site.tell("mcu", "POST", "records", LegRecords(records=[]))
        assert caught.value.code == "database-down"
        await asyncio.sleep(1.1)
        assert not late.starting.done() and await late.ready() == 503
    finally:
        await asyncio.to_thread(mariadb.run)
    back_at = time.monotonic()
    await late.until_started()
    assert (await late.ask("GET", "/api/v1/rooms/lobby"))[0] == 200 and await late.ready() == 200
    assert time.monotonic() - back_at < BACK_WITHIN_S
    await late.site.mcu.register(late.site.internal_url)
    await late.site.join()


async def serves_what_it_has(late: Late) -> None:
    for path in ("/", "/r/lobby", "/static/js/main.js", "/favicon.ico", "/api/v1/openapi.json"):
        assert (await late.ask("GET", path))[0] == 200, path
    assert (await late.ask("POST", "/events/poll"))[1] == "notifier-down", "which is asked, though it is not there"
    async with late.site.http.get(late.site.internal_url + "/health") as response:
        assert response.status == 200
    assert await late.ready() == 503


async def refuses_what_it_has_not(late: Late) -> None:
    """With what a server says that runs while its database is away."""
    held = [route for route in late.site.app.site.routes if route.documented and route.path not in FREE]
    assert len(held) > 50
    for route in held:
        status, code, wait_s = await late.ask(route.method, re.sub(r"{[^}]*}", "x", route.path))
        assert (status, code) == (503, "database-down") and 1 <= wait_s <= 5, (route.method, route.path, status, code)


async def test_one_that_says_nothing_is_as_good_as_away(late: Late, mariadb: MariaDb) -> None:
    """It takes connections, by the kernel."""
    mariadb.freeze()
    try:
        await late.open()
        assert (await late.ask("GET", "/"))[0] == 200
        assert (await late.ask("GET", "/api/v1/rooms/lobby"))[:2] == (503, "database-down")
        await asyncio.sleep(4)
        assert not late.starting.done()
    finally:
        mariadb.thaw()
    await late.until_started()
    assert (await late.ask("GET", "/api/v1/rooms/lobby"))[0] == 200


async def test_what_a_front_door_hands_over_is_served_meanwhile(late: Late, mariadb: MariaDb, tmp_path: Path) -> None:
    mariadb.kill()
    try:
        await late.open(handover_dir=tmp_path / "handover")
        door = Door(tmp_path / "handover")
        client = await door.connect()
        client.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=client, ssl=late.site.trust, server_hostname="localhost")
        writer.write(PAGE)
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        door.close()
    finally:
        await asyncio.to_thread(mariadb.run)
    await late.until_started()


async def test_it_can_be_stopped_while_it_waits(late: Late, mariadb: MariaDb) -> None:
    mariadb.kill()
    try:
        await late.open()
        late.starting.cancel()
        await asyncio.wait([late.starting])
        await late.site.app.drain()
        await late.site.app.stop()
        with pytest.raises(aiohttp.ClientConnectionError):
            await late.ask("GET", "/")
    finally:
        await asyncio.to_thread(mariadb.run)


# --- when it is opened, and how long it is waited for -----------------------------------------------------------------


class Script:
    """What each try meets, in turn; None: it is there."""

    def __init__(self, *faults: Exception | None, seconds: float = 0.0) -> None:
        self._faults = list(faults)
        self._seconds = seconds
        self.tries = 0
        self.opened_after: list[int] = []
        """How many tries had ended when the doors were opened."""

    async def prepare(self) -> None:
        await asyncio.sleep(self._seconds)
        fault = self._faults[min(self.tries, len(self._faults) - 1)]
        self.tries += 1
        if fault is not None:
            raise fault

    async def listen(self) -> None:
        self.opened_after.append(self.tries)

    async def run(self) -> None:
        await waiting.wait_for_database(self.prepare, self.listen)


AWAY = Unavailable("nobody there")
REFUSED = Unavailable("Access denied", code=waiting.TURNED_AWAY)


@pytest.fixture(autouse=True)
def hurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "late" not in request.fixturenames:
        monkeypatch.setattr(waiting, "PAUSE_S", 0.0)
        monkeypatch.setattr(waiting, "HEAD_START_S", 0.1)


async def test_nobody_is_refused_by_a_start_that_is_quick() -> None:
    """Those who come meanwhile are kept by the front door."""
    script = Script(None)
    await script.run()
    assert (script.tries, script.opened_after) == (1, [])


async def test_the_doors_are_opened_once_when_it_is_away() -> None:
    script = Script(AWAY, AWAY, AWAY, None)
    await script.run()
    assert (script.tries, script.opened_after) == (4, [1])


async def test_a_long_migration_keeps_no_doors_shut() -> None:
    script = Script(None, seconds=0.3)
    await script.run()
    assert (script.tries, script.opened_after) == (1, [0])


async def test_one_that_turns_us_away_is_given_up_in_the_end() -> None:
    script = Script(*[REFUSED] * 5, AWAY, REFUSED)
    with pytest.raises(Unavailable, match="denied"):
        await script.run()
    assert script.tries == 6 + waiting.TRIES and script.opened_after == [1]


@pytest.mark.parametrize("before", [[], [AWAY]])
async def test_tables_that_are_newer_are_not_waited_for(before: list[Exception]) -> None:
    script = Script(*before, LocalError("another version"))
    with pytest.raises(LocalError):
        await script.run()
    assert len(script.opened_after) == len(before)


async def test_a_wrong_password_is_known_as_such(mariadb: MariaDb, late: Late, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PAUSE_S", 0.0)
    monkeypatch.setattr(waiting, "TRIES", 2)
    url = f"mysql://nobody:sesame@127.0.0.1:{mariadb.port}/{DATABASE}"
    with pytest.raises(Unavailable) as caught:
        await late.site.start(database_url=SecretStr(url))
    assert caught.value.code == waiting.TURNED_AWAY and "sesame" not in caught.value.detail
