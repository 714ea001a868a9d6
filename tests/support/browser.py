"""A browser as far as the events WebSocket sees one."""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp

TIMEOUT_S = 15.0


class Browser:
    """One WebSocket; events and replies are told apart as a page would."""

    def __init__(self, session: aiohttp.ClientSession, url: str, trust: ssl.SSLContext | None = None) -> None:
        self._http = session
        self._trust = trust
        self.url = url
        self.token = ""
        self.origin = url
        self.ws: aiohttp.ClientWebSocketResponse
        self.events: list[dict[str, Any]] = []
        self.session_id = ""
        self.seen: dict[str, dict[str, Any]] = {}
        """The last event of each topic, as a position."""
        self._ids = itertools.count(1)

    async def connect(self, headers: Mapping[str, str] | None = None, **options: Any) -> None:
        given = {"Origin": self.origin} if headers is None else headers
        if self._trust is not None:
            options["ssl"] = self._trust
        self.ws = await self._http.ws_connect(f"{self.url}/events", headers=given, **options)

    async def hello(self, token: str, *, resume: bool = False) -> dict[str, Any]:
        """Connect and say hello; the welcome."""
        await self.connect()
        message: dict[str, Any] = {"type": "hello", "token": token}
        if resume:
            message |= {"resume": self.session_id, "seen": list(self.seen.values())}
        await self.send(message)
        welcome = await self.receive()
        assert welcome["type"] == "welcome", welcome
        self.session_id = welcome["session"]
        self.seen = {place["topic"]: place for place in welcome["topics"]}
        return welcome

    async def send(self, message: Mapping[str, Any]) -> None:
        await self.ws.send_str(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """The next message; AssertionError if the socket closes instead."""
        message = await self.ws.receive(timeout=TIMEOUT_S)
        assert message.type is aiohttp.WSMsgType.TEXT, (message.type, self.ws.close_code)
        found: dict[str, Any] = json.loads(message.data)
        if "topic" in found:
            place = self.seen[found["topic"]]
            assert found["seq"] == place["seq"] + 1, "a gap"
            place["seq"] = found["seq"]
        return found

    async def event(self, kind: str) -> dict[str, Any]:
        """The next event of this kind; others before it are kept in ``events``."""
        while True:
            found = await self.receive()
            self.events.append(found)
            if found["type"] == kind:
                return found

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a request and return its reply; events that come before go to ``events``."""
        number = next(self._ids)
        await self.send({"type": kind, "id": number, **fields})
        while True:
            found = await self.receive()
            if found.get("id") == number:
                return found
            self.events.append(found)

    async def close_code(self) -> int | None:
        """Read to the end; the code with which the other side closed."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while not self.ws.closed:
                    await self.ws.receive()
        except ConnectionError:  # aiohttp could not answer a ping any more
            return 1006
        return self.ws.close_code

    def vanish(self) -> None:
        """The network is gone: the connection ends without a word."""
        transport = self.ws.get_extra_info("socket")
        assert transport is not None
        self.ws._response.connection.transport.abort()  # type: ignore[union-attr]
