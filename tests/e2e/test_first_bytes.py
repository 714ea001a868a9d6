"""What browsers really send first, to a page and to a TURN server, is what the front door takes it for; cut at each byte too."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from confero.lab.members.chromium import Chromium
from confero.lab.members.firefox import Firefox
from confero.protocols.sniff import Kind, More, Sniffed, sniff

from .listening import tone

CAUGHT_WITHIN_S = 20.0
LISTENING = (
    "navigator.mediaDevices.getUserMedia({audio: true}).then((stream) => { window.__stream = stream; return 1; })"
)
"""A page that may not listen does not use the loopback interface."""
RELAYED = """(() => { window.__peer = new RTCPeerConnection({iceTransportPolicy: "relay",
  iceServers: [{urls: %s, username: "u", credential: "p"}]}); window.__peer.createDataChannel("x");
  return window.__peer.setLocalDescription().then(() => 1); })()"""


class Catcher:
    """Listens, keeps what each connection says first, and answers nothing."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self._came = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(2):
                while isinstance(sniff(data), More) and (more := await reader.read(65_536)):
                    data += more
        writer.close()
        if data:
            self.said.append(data)
            self._came.set()

    async def first(self) -> bytes:
        async with asyncio.timeout(CAUGHT_WITHIN_S):
            await self._came.wait()
        return self.said[0]


@pytest.fixture
async def empty_page() -> AsyncIterator[str]:
    """Its URL; on loopback a page may listen without TLS."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>empty</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@contextlib.asynccontextmanager
async def catching() -> AsyncIterator[tuple[Catcher, int]]:
    """A catcher and its port."""
    catcher = Catcher()
    server = await asyncio.start_server(catcher.serve, "127.0.0.1", 0)
    async with server:
        yield catcher, server.sockets[0].getsockname()[1]


async def said_to(browser: Any, scheme: str) -> bytes:
    """The first bytes to an ``https`` page, or a server of ``turn`` or ``turns`` over TCP."""
    async with catching() as (catcher, port):
        if scheme == "https":
            with contextlib.suppress(Exception):  # there is no page behind it
                await browser.goto(f"https://127.0.0.1:{port}/")
        else:
            await browser.evaluate(RELAYED % json.dumps(f"{scheme}:localhost:{port}?transport=tcp"))
        return await catcher.first()


@pytest.mark.parametrize("make", [lambda: Chromium(tone(433.0)), Firefox], ids=["chromium", "firefox"])
async def test_browsers(make: Any, empty_page: str) -> None:
    async with make() as browser:
        await browser.goto(empty_page)
        await browser.evaluate(LISTENING)
        for scheme, kind in (("turn", Kind.TURN), ("turns", Kind.TLS), ("https", Kind.HTTPS)):
            data = await said_to(browser, scheme)
            found = sniff(data)
            assert isinstance(found, Sniffed) and found.kind is kind, (scheme, found, data[:100])
            assert all(isinstance(answer, More) or answer == found for answer in map(sniff, cuts(data)))
            if found.hello is not None:
                assert ("http/1.1" in found.hello.alpn) == (scheme == "https"), found.hello


def cuts(data: bytes) -> list[bytes]:
    return [data[:at] for at in range(len(data))]
