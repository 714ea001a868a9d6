"""An application server on free ports, and a visitor's way to it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import BaseModel, SecretStr

from confero.appserver.app import AppserverApp
from confero.appserver.config import AppserverConfig
from confero.clock import SystemClock
from confero.runtime.client import ServiceClient

from ..support.fake_mcu import FakeMcu
from .migrated import give_tables

SECRET = b"a secret of the appserver's tests 12"


class Site:
    """The application server; ``notifier_url`` is whoever plays the notifier."""

    def __init__(self, state_dir: Path, notifier_url: str = "http://127.0.0.1:9") -> None:
        self._state_dir = state_dir
        self._notifier_url = notifier_url
        self._ports = (0, 0)
        self.app: AppserverApp
        self.http: aiohttp.ClientSession
        self.mcu = FakeMcu(secret=SECRET)

    async def start(self, **settings: Any) -> None:
        self.http = aiohttp.ClientSession()
        await self.mcu.start()
        await self.start_app(**settings)

    async def start_app(self, **settings: Any) -> None:
        values: dict[str, Any] = {"https_host": "127.0.0.1", "https_port": self._ports[0], "http_port": self._ports[1]}
        values |= {"passwords_memory_kib": 64, "passwords_passes": 1}  # hashes as cheap as they can be
        config = AppserverConfig(
            state_dir=self._state_dir,
            secret=SecretStr(SECRET.decode()),
            notifier_url=self._notifier_url,
            **(values | settings),
        )
        await give_tables(config.state_dir / "confero.db")
        self.app = AppserverApp(config)
        try:
            await self.app.start()
        except BaseException:
            await self.app.stop()
            raise
        assert self.app.internal is not None
        self._ports = (self.app.doors.public[0].port, self.app.internal.port)

    async def stop(self) -> None:
        await self.app.stop()
        await self.mcu.stop()
        await self.http.close()

    @property
    def url(self) -> str:
        return f"https://localhost:{self._ports[0]}"

    @property
    def internal_url(self) -> str:
        return f"http://127.0.0.1:{self._ports[1]}"

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """The same for all calls: for another one a client opens another connection, and keeps the old one for a while."""
        return ssl.create_default_context(cafile=str(self._state_dir / "tls" / "ca.pem"))

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and JSON of a public call."""
        given = dict(headers or {})
        data: str | bytes | None = None
        if body is not None:
            given.setdefault("Content-Type", "application/json")
            data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        async with self.http.request(method, self.url + path, data=data, headers=given, ssl=self.trust) as response:
            text = await response.text()
            return response.status, json.loads(text) if "json" in response.content_type else text

    async def join(self, name: str = "Alice", room: str = "lobby", **more: Any) -> dict[str, Any]:
        status, reply = await self.call("POST", f"/api/v1/rooms/{room}/join", {"display_name": name, **more})
        assert status == 200, reply
        assert isinstance(reply, dict)
        return reply

    async def tell(self, caller: str, method: str, path: str, body: BaseModel, reply: Any = None) -> Any:
        """A call of another service."""
        client = ServiceClient(caller, "appserver", self.internal_url, secret=SECRET, clock=SystemClock())
        try:
            return await client.call(method, f"/internal/v1/{path}", body=body, reply=reply)
        finally:
            await client.close()
