"""Both servers in one process and a pretended MCU: what a browser does, from the page to the answer, and through restarts."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from confero.models import LegRecord, LegRecords, Publish, SpeakersEvent
from confero.notifier.app import NotifierApp
from confero.notifier.config import NotifierConfig

from ..support.browser import Browser
from ..support.fake_mcu import FakeMcu
from ..support.waiting import until
from .mariadb import free_port
from .site import SECRET, Site


class House:
    """Application server, notifier and MCU, each of which can be stopped and started."""

    def __init__(self, folder: Path, resume_window_s: float) -> None:
        self._folder = folder
        self._resume_window_s = resume_window_s
        self._notifier_port = free_port()
        self.site = Site(folder, f"http://127.0.0.1:{self._notifier_port}")
        self.notifier: NotifierApp

    async def start(self, **settings: Any) -> None:
        await self.site.start(**settings)
        await self.start_notifier()
        await self.site.mcu.register(self.site.internal_url)

    async def start_notifier(self) -> None:
        config = NotifierConfig(
            http_port=self._notifier_port,
            appserver_url=self.site.internal_url,
            secret=SecretStr(SECRET.decode()),
            state_dir=self._folder,
            resume_window_s=self._resume_window_s,
        )
        self.notifier = NotifierApp(config)
        await self.notifier.start()

    @property
    def notifier_url(self) -> str:
        return f"http://127.0.0.1:{self._notifier_port}"

    async def stop(self) -> None:
        await self.notifier.stop()
        await self.site.stop()

    def browser(self) -> Browser:
        return Browser(self.site.http, self.site.url, self.site.trust)

    async def enter(self, name: str) -> Browser:
        """Everything a page does: join, hello, offer."""
        reply = await self.site.join(name)
        browser = self.browser()
        browser.token = reply["token"]
        await browser.hello(reply["token"])
        answer = await browser.ask("offer", sdp="v=0")
        assert answer["type"] == "answer"
        return browser

    async def count(self) -> int:
        number: int = (await self.site.call("GET", "/api/v1/rooms/lobby"))[1]["participants"]
        return number


@pytest.fixture(params=[15.0])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path, request.param)
    await house.start()
    yield house
    await house.stop()


async def test_two_people_meet(house: House) -> None:
    alice, bob = await house.enter("Alice"), await house.enter("Bob")
    assert sorted(p.display_name for p in house.site.mcu.roster("lobby")) == ["Alice", "Bob"]
    await house.site.mcu.publish(house.notifier_url, Publish(room="lobby", events=[SpeakersEvent(speakers=[])]))
    assert (await alice.event("speakers"))["seq"] == (await bob.event("speakers"))["seq"] == 1
    assert (await alice.ask("mute", muted=True))["type"] == "ok"
    assert await house.count() == 2
    assert (await alice.ask("leave"))["type"] == "ok"
    assert await alice.close_code() == 1000
    assert [p.display_name for p in house.site.mcu.roster("lobby")] == ["Bob"]


async def test_foreign_page(house: House) -> None:
    browser = house.browser()
    browser.origin = "https://evil.example"
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await browser.connect()
    assert caught.value.status == 403


@pytest.mark.parametrize("token", ["forged", "a.b", "x" * 4096])
async def test_forged_token(house: House, token: str) -> None:
    browser = house.browser()
    await browser.connect()
    await browser.send({"type": "hello", "token": token})
    assert await browser.close_code() == 4401


async def test_notifier_restarts(house: House) -> None:
    alice = await house.enter("Alice")
    leg = house.site.mcu.roster("lobby")[0].leg
    await house.notifier.stop()
    assert await alice.close_code() in (1012, 4503)
    await house.start_notifier()
    welcome = await alice.hello(alice.token, resume=True)
    assert not welcome["resumed"]
    assert [entry["leg"] for entry in welcome["roster"]] == [leg]
    assert (await alice.ask("offer", sdp="v=0", leg=leg))["type"] == "answer"


async def test_application_server_restarts(house: House) -> None:
    alice = await house.enter("Alice")
    await house.site.app.stop()
    assert await alice.close_code() in (1012, 1006)
    await house.site.start_app()
    welcome = await alice.hello(alice.token, resume=True)
    assert welcome["resumed"]
    assert (await alice.ask("mute", muted=False))["type"] == "ok"
    assert (await house.site.join("Alice", previous_token=alice.token))["participant"] == welcome["participant"]


async def test_mcu_restarts(house: House) -> None:
    alice = await house.enter("Alice")
    mcu = house.site.mcu
    await mcu.stop()
    assert (await alice.ask("offer", sdp="v=0"))["problem"]["status"] == 503
    await mcu.start()
    await mcu.register(house.site.internal_url)
    await mcu.tell_started(house.notifier_url)
    assert (await alice.event("renegotiate"))["reason"] == "media-server-started"
    assert (await alice.ask("offer", sdp="v=0"))["type"] == "answer"


async def test_lost_mcu_is_replaced_by_a_spare_one(house: House) -> None:
    alice = await house.enter("Alice")
    spare = FakeMcu(secret=SECRET, mcu="mcu-2")
    await spare.start()
    try:
        await until(lambda: house.notifier.hub.of_participant(house.site.mcu.roster("lobby")[0].id))
        farm = house.site.app.farm
        farm._mcus["mcu-1"].seen_at -= 60  # as if it had been silent for so long
        await spare.register(house.site.internal_url)
        assert (await alice.event("renegotiate"))["reason"] == "moved"
        assert (await alice.ask("offer", sdp="v=0"))["type"] == "answer"
        assert [p.display_name for p in spare.roster("lobby")] == ["Alice"]
    finally:
        await spare.stop()


@pytest.mark.parametrize("house", [0.5], indirect=True, ids=["resume window of 0.5 s"])
async def test_nothing_is_left_of_a_browser_that_vanished(house: House) -> None:
    alice = await house.enter("Alice")
    person = house.site.mcu.roster("lobby")[0].id
    mcu = house.site.mcu
    record = {"mcu": mcu.id, "boot": mcu.boot, "room": "lobby", "participant": person, "display_name": "Alice"}
    joined = LegRecord(at=time.time(), kind="webrtc", event="joined", **record)
    await house.site.tell("mcu", "POST", "records", LegRecords(records=[joined]))
    alice.vanish()
    await until(lambda: mcu.roster("lobby") == [])
    left = LegRecord(at=time.time(), kind="webrtc", event="left", reason="owner-gone", **record)
    await house.site.tell("mcu", "POST", "records", LegRecords(records=[left]))
    await until(lambda: len(house.notifier.hub) == 0)
    deadline = time.monotonic() + 5
    while await house.count():
        assert time.monotonic() < deadline
    assert (house.notifier.gate.count, house.site.app.events.count) == (0, 0)
