"""Application server, notifier, MCU and SIP gateway in this process on loopback, as they are: nothing is pretended."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from confero.mcu.app import McuApp
from confero.notifier.app import NotifierApp
from confero.notifier.config import NotifierConfig
from confero.sipgw.app import SipgwApp
from confero.sipgw.config import SipgwConfig

from ..appserver.site import SECRET, Site
from ..mcu.rig import config
from ..support.waiting import until
from .house import free_port


class Manor:
    """``start`` it, ``stop`` it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._notifier_port, self._control, self._sip = free_port(), free_port(), free_port()
        self.site = Site(folder, f"http://127.0.0.1:{self._notifier_port}")
        self._secret = SecretStr(SECRET.decode())
        self.notifier: NotifierApp
        self.mcu: McuApp
        self.gateway: SipgwApp

    async def start(self) -> None:
        common: dict[str, Any] = {"secret": self._secret, "drain_s": 0.1}
        await self.site.start(sipgw_url=f"http://127.0.0.1:{self._control}", drain_s=0.1)
        urls: dict[str, Any] = {"appserver_url": self.site.internal_url}
        notifier = NotifierConfig(http_port=self._notifier_port, state_dir=self._folder / "n", **common, **urls)
        self.notifier = NotifierApp(notifier)
        await self.notifier.start()
        urls["notifier_url"] = f"http://127.0.0.1:{self._notifier_port}"
        self.mcu = McuApp(config(self._folder / "m", **(common | urls)))
        await self.mcu.start()
        gateway = SipgwConfig(
            http_port=self._control, sip_bind=["127.0.0.1"], sip_port=self._sip, sips_port=0,
            state_dir=self._folder, max_late_s=3600.0, **common, **urls,
        )  # fmt: skip
        self.gateway = SipgwApp(gateway)
        await self.gateway.start()
        await until(lambda: len(self.site.app.farm), "the media server is known")

    @property
    def sip(self) -> tuple[str, int]:
        return "127.0.0.1", self._sip

    async def administer(self, method: str, path: str, body: Any = None) -> Any:
        """By the administrator's token. Its reply."""
        token = (self._folder / "admin-token").read_text().strip()
        status, reply = await self.site.call(method, f"/api/v1/{path}", body, {"Authorization": f"Bearer {token}"})
        assert status < 300, (status, reply)
        return reply

    def inside(self, room: str) -> dict[str, Any]:
        """Who is connected there, by name."""
        found = self.mcu.conference.registry.find_room(room)
        people = [] if found is None else found.participants.values()
        return {one.id: one for one in people if one.state == "connected"}

    async def until_waiting(self, room: str, count: int) -> None:
        """So many are in the room's lobby."""
        async with asyncio.timeout(15):
            while len((await self.administer("GET", f"rooms/{room}/lobby"))["items"]) != count:  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        await self.gateway.stop()
        await self.mcu.stop()
        await self.notifier.stop()
        await self.site.stop()
