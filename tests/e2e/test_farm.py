"""Two media servers: one is drained, the other is killed; people go on talking, and the record of their meeting is one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from confero.lab.members.chromium import Chromium
from confero.lab.page import Page
from confero.lab.stack import Stack

from .listening import hears, tone

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 55
SECOND = f"127.0.{NETWORK}.31"
ROOM = "lobby"
ADA_HZ, GRACE_HZ = 433.0, 719.0
NOTICED_WITHIN_S = 5.0
BACK_WITHIN_S = 12.0
"""From the kill: the loss is noticed, the page is told, ICE and DTLS stand anew."""


class Second:
    """Another MCU beside the stack's, which nobody starts again."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self.process: asyncio.subprocess.Process

    async def start(self) -> None:
        settings = {
            "SECRET": self._stack.secret.decode().strip(),
            "ID": "second",
            "STATE_DIR": str(self._folder),
            "HTTP_HOST": SECOND,
            "MEDIA_BIND": SECOND,
            "APPSERVER_URL": self._stack.url("appserver"),
            "NOTIFIER_URL": self._stack.url("notifier"),
        }
        environment = {f"CONFERO_MCU_{name}": value for name, value in settings.items()}
        environment["CONFERO_SECRET"] = environment.pop("CONFERO_MCU_SECRET")
        command = (sys.executable, "-m", "confero.mcu")
        self.process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment})

    async def kill(self) -> None:
        """As a machine that loses its power. Idempotent."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


class Administrator:
    """Who looks after the farm, with the token of the installation."""

    def __init__(self, stack: Stack) -> None:
        token = (stack.state_dir / "admin-token").read_text().strip()
        connector = aiohttp.TCPConnector(ssl=stack.tls())
        self.http = aiohttp.ClientSession(connector=connector, headers={"Authorization": f"Bearer {token}"})
        self._url = f"{stack.page_url}/api/v1"

    async def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        async with self.http.request(method, f"{self._url}/{path}", json=body) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def states(self) -> dict[str, str]:
        return {one["id"]: one["state"] for one in (await self.ask("mcus"))["items"]}

    async def until(self, mcu: str, state: str, seconds: float) -> float:
        """Seconds until the media server was so."""
        begun = time.monotonic()
        async with asyncio.timeout(seconds):
            while (await self.states()).get(mcu) != state:  # noqa: ASYNC110 - said by another process
                await asyncio.sleep(0.05)
        return time.monotonic() - begun


@pytest_asyncio.fixture(loop_scope="module")
async def farm(stack: Stack, tmp_path: Path) -> AsyncIterator[tuple[Administrator, Second]]:
    second, administrator = Second(stack, tmp_path / "second"), Administrator(stack)
    await second.start()
    try:
        yield administrator, second
    finally:
        await second.kill()
        await administrator.http.close()


async def both_hear(ada: Page, grace: Page) -> bool:
    return all(await asyncio.gather(hears(ada, GRACE_HZ), hears(grace, ADA_HZ)))


async def until_both_hear(ada: Page, grace: Page, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not await both_hear(ada, grace):
            pass


async def test_a_killed_media_server_is_noticed_and_people_hear_each_other_on_another_one(
    stack: Stack, farm: tuple[Administrator, Second]
) -> None:
    administrator, second = farm
    await administrator.until("second", "up", 20)
    (first,) = set(await administrator.states()) - {"second"}
    await administrator.ask(f"mcus/{first}", "PATCH", {"draining": True})
    async with contextlib.AsyncExitStack() as cleanup:
        browsers = [cleanup.enter_async_context(Chromium(tone(hertz))) for hertz in (ADA_HZ, GRACE_HZ)]
        pages = [Page(browser, stack.page_url) for browser in await asyncio.gather(*browsers)]
        for page, name in zip(pages, ("Ada", "Grace"), strict=True):
            await page.join(ROOM, name)
        await until_both_hear(*pages, 15)
        assert [room["mcu"] for room in (await administrator.ask("live"))["items"]] == ["second"]
        await administrator.ask(f"mcus/{first}", "PATCH", {"draining": False})
        killed_at = time.monotonic()
        await second.kill()
        noticed_s = await administrator.until("second", "lost", 10)
        await until_both_hear(*pages, 20)
        assert noticed_s <= NOTICED_WITHIN_S
        assert time.monotonic() - killed_at <= BACK_WITHIN_S
        assert [room["mcu"] for room in (await administrator.ask("live"))["items"]] == [first]
        for page in pages:
            await page.leave()
    await one_meeting_is_recorded(administrator)


async def one_meeting_is_recorded(administrator: Administrator) -> None:
    """Two people, each with one stay of two legs, though no media server was there all the time."""
    async with asyncio.timeout(20):
        while (await administrator.ask("live"))["items"]:  # noqa: ASYNC110 - said by another process
            await asyncio.sleep(0.1)
    (meeting,) = (await administrator.ask("meetings?everyone=true"))["items"]
    assert (meeting["participants"], meeting["most"], meeting["reason"]) == (2, 2, "empty")
    stays = (await administrator.ask(f"meetings/{meeting['id']}"))["stays"]
    assert [stay["display_name"] for stay in stays] == ["Ada", "Grace"]
    for stay in stays:
        assert stay["codec"] == "opus" and stay["security"] == "dtls"
        assert min(stay["mos_in"], stay["mos_out"]) > 3
        assert stay["loss_in"] < 0.05
