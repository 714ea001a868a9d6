"""An application server and a notifier that know each other, and an MCU without media."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from confero.notifier.app import NotifierApp
from confero.notifier.config import NotifierConfig

from ...support.browser import Browser
from ..site import SECRET, Site

PATIENCE_S = 15.0


class Guest:
    """Somebody in a room: the join's reply, and a WebSocket."""

    def __init__(self, hall: Hall, joined: dict[str, Any], browser: Browser) -> None:
        self._hall = hall
        self.joined = joined
        self.browser = browser
        self.id: str = joined["participant"]
        self.token: str = joined["token"]
        self.room: str = joined["room"]["id"]

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Of the room's paths."""
        bearer = {"Authorization": f"Bearer {self.token}"}
        return await self._hall.site.call(method, f"/api/v1/rooms/{self.room}/{path}", body, bearer)

    async def offer(self) -> None:
        answer = await self.browser.ask("offer", sdp="v=0")
        assert answer["type"] == "answer", answer

    async def event(self, kind: str, good: Callable[[dict[str, Any]], bool] = lambda event: True) -> dict[str, Any]:
        while True:
            found = await self.browser.event(kind)
            if good(found):
                return found

    async def state(self, good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first meeting's state like that."""
        found: dict[str, Any] = (await self.event("meeting", lambda event: good(event["state"])))["state"]
        return found


class Hall:
    def __init__(self, state: Path) -> None:
        self._state = state
        self.site = Site(state / "appserver")
        self.notifier: NotifierApp
        self._port = 0

    async def start(self) -> None:
        await self.site.start(mcu_silence_s=60.0)
        await self.start_notifier()
        self.site._notifier_url = f"http://127.0.0.1:{self._port}"
        await self.restart_appserver()

    async def start_notifier(self) -> None:
        self.notifier = NotifierApp(
            NotifierConfig(
                http_port=self._port,
                appserver_url=self.site.internal_url,
                secret=SecretStr(SECRET.decode()),
                state_dir=self._state / "notifier",
            )
        )
        await self.notifier.start()
        assert self.notifier.listener is not None
        self._port = self.notifier.listener.port

    async def restart_appserver(self) -> None:
        """A process that knows what the database says."""
        await self.site.app.stop()
        await self.site.start_app(mcu_silence_s=60.0)  # this one's heart does not beat
        await self.site.mcu.register(self.site.internal_url)

    async def restart_notifier(self) -> None:
        await self.notifier.stop()
        await self.start_notifier()

    async def restart_mcu(self) -> None:
        await self.site.mcu.stop()
        await self.site.mcu.start()
        await self.site.mcu.register(self.site.internal_url)
        await self.site.mcu.tell_started(f"http://127.0.0.1:{self._port}")

    async def room(self, **settings: Any) -> str:
        """Its host's PIN is 4321."""
        status, made = await self.site.call("POST", "/api/v1/rooms", {"host_pin": "4321", **settings})
        assert status == 201, made
        room: str = made["id"]
        return room

    async def guest(self, room: str, name: str = "Guest", **more: Any) -> Guest:
        return await self.seat(await self.site.join(name, room, **more))

    async def host(self, room: str, name: str = "Host") -> Guest:
        return await self.guest(room, name, pin="4321")

    async def seat(self, joined: dict[str, Any]) -> Guest:
        browser = Browser(self.site.http, f"http://127.0.0.1:{self._port}")
        await browser.hello(joined["token"])
        return Guest(self, joined, browser)

    async def until(self, good: Callable[[], bool], what: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not good():  # noqa: ASYNC110 - other services change it
                await asyncio.sleep(0.02)

    def heard(self, guest: Guest) -> Any:
        """As the MCU has them; None: not there."""
        return next((one for one in self.site.mcu.roster(guest.room) if one.id == guest.id), None)

    async def stop(self) -> None:
        await self.notifier.stop()
        await self.site.stop()


@pytest.fixture
async def hall(tmp_path: Path, used_state: Path) -> AsyncIterator[Hall]:
    shutil.copytree(used_state, tmp_path / "appserver")
    (tmp_path / "notifier").mkdir()
    hall = Hall(tmp_path)
    await hall.start()
    yield hall
    await hall.stop()
