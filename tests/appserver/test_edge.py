"""The events WebSocket on its way through, against a scripted notifier."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from confero.appserver import edge
from confero.runtime.http import Listener
from confero.tokens import check_service_token

from ..support.waiting import until
from .conftest import SiteMaker
from .site import SECRET, Site

Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


class ScriptedNotifier:
    """Does ``talk`` with each socket; ``refuse`` is a status that it answers instead of the upgrade."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.refuse = 0
        self.talk: Talk = echo
        self.listener: Listener

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/events", self._serve)
        self.listener = await Listener.start(app, "127.0.0.1", 0, shutdown_s=0.1)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if self.refuse:
            return web.Response(status=self.refuse)
        ws = web.WebSocketResponse(autoping=False, max_msg_size=1 << 21, timeout=1.0)
        await ws.prepare(request)
        self.sockets.append(ws)
        await self.talk(ws)
        return ws


async def echo(ws: web.WebSocketResponse) -> None:
    async for message in ws:
        if message.type is WSMsgType.TEXT:
            await ws.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await ws.send_bytes(message.data)
        elif message.type is WSMsgType.PING:
            await ws.pong(message.data)


@pytest.fixture
async def notifier() -> AsyncIterator[ScriptedNotifier]:
    notifier = ScriptedNotifier()
    await notifier.start()
    yield notifier
    await notifier.listener.close()


@pytest.fixture
async def site(make_site: SiteMaker, notifier: ScriptedNotifier) -> Site:
    made: Site = await make_site(notifier.listener.url)
    return made


async def connect(site: Site, **options: Any) -> aiohttp.ClientWebSocketResponse:
    headers = options.pop("headers", {"Origin": site.url})
    return await site.http.ws_connect(site.url + "/events", headers=headers, ssl=site.trust, **options)


async def close_code(ws: aiohttp.ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(10):
        while not ws.closed:
            await ws.receive()
    return ws.close_code


async def test_messages_pass_both_ways(site: Site) -> None:
    ws = await connect(site, max_msg_size=1 << 21)
    await ws.send_str("hello ✓")
    assert await ws.receive_str(timeout=5) == "hello ✓"
    await ws.send_bytes(b"\x00\xff")
    assert await ws.receive_bytes(timeout=5) == b"\x00\xff"
    large = "x" * edge.MAX_UPWARDS
    await ws.send_str(large)
    assert await ws.receive_str(timeout=5) == large
    await ws.close()


async def test_a_large_roster_comes_down(site: Site, notifier: ScriptedNotifier) -> None:
    large = "x" * 900_000

    async def talk(ws: web.WebSocketResponse) -> None:
        await ws.send_str(large)
        await ws.receive()

    notifier.talk = talk
    ws = await connect(site, max_msg_size=1 << 21)
    assert await ws.receive_str(timeout=5) == large
    await ws.close()


async def test_pings_pass_through_to_the_other_end(site: Site, notifier: ScriptedNotifier) -> None:
    ws = await connect(site, autoping=False)
    await ws.ping(b"one")
    answer = await ws.receive(timeout=5)
    assert (answer.type, answer.data) == (WSMsgType.PONG, b"one")
    await notifier.sockets[0].ping(b"two")
    asked = await ws.receive(timeout=5)
    assert (asked.type, asked.data) == (WSMsgType.PING, b"two")
    await ws.close()


async def test_what_the_notifier_is_told(site: Site, notifier: ScriptedNotifier) -> None:
    forged = {
        "Origin": "https://evil.example",
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Proto": "gopher",
        "Authorization": "Bearer forged",
        "Cookie": "a=b",
        "X-Request-Id": "abc",
    }
    ws = await connect(site, headers=forged)
    headers = notifier.requests[0].headers
    assert headers["Origin"] == "https://evil.example"  # the notifier judges
    assert headers["Host"] == site.url.removeprefix("https://")
    assert headers.getall("X-Forwarded-For") == ["127.0.0.1"]
    assert headers.getall("X-Forwarded-Proto") == ["https"]
    assert headers["X-Request-Id"] == "abc"
    assert "Cookie" not in headers
    token = headers["Authorization"].removeprefix("Bearer ")
    assert check_service_token(token, audience="notifier", secret=SECRET, now=time.time()) == "appserver"
    await ws.close()


@pytest.mark.parametrize(("code", "reason"), [(4401, "token-expired"), (4403, "room-unknown"), (1000, ""), (4503, "x")])
async def test_close_of_the_notifier_is_kept(site: Site, notifier: ScriptedNotifier, code: int, reason: str) -> None:
    async def close(ws: web.WebSocketResponse) -> None:
        await ws.close(code=code, message=reason.encode())

    notifier.talk = close
    ws = await connect(site)
    message = await ws.receive(timeout=5)
    assert (message.type, message.data, message.extra or "") == (WSMsgType.CLOSE, code, reason)


@pytest.mark.parametrize(("sent", "seen"), [(1000, 1000), (4000, 4000), (1001, 1001)])
async def test_close_of_the_browser_is_kept(site: Site, notifier: ScriptedNotifier, sent: int, seen: int) -> None:
    ws = await connect(site)
    await ws.close(code=sent)
    await until(lambda: notifier.sockets[0].closed)
    assert notifier.sockets[0].close_code == seen


async def test_vanished_browser(site: Site, notifier: ScriptedNotifier) -> None:
    ws = await connect(site)
    connection = ws._response.connection
    assert connection is not None
    assert connection.transport is not None
    connection.transport.abort()
    await until(lambda: notifier.sockets[0].closed)
    assert notifier.sockets[0].close_code == 1001
    await until(lambda: site.app.events.count == 0)


async def test_killed_notifier(site: Site, notifier: ScriptedNotifier) -> None:
    ws = await connect(site)
    transport = notifier.requests[0].transport
    assert transport is not None
    transport.abort()
    assert await close_code(ws) == 4503


async def test_absent_notifier(site: Site, notifier: ScriptedNotifier) -> None:
    await notifier.listener.close()
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await connect(site)
    assert caught.value.status == 503
    assert (await site.call("GET", "/api/v1/rooms/lobby"))[0] == 200


@pytest.mark.parametrize(("refused", "seen"), [(403, 403), (429, 429), (400, 400), (500, 503), (503, 503)])
async def test_refusal_comes_before_the_upgrade(
    site: Site, notifier: ScriptedNotifier, refused: int, seen: int
) -> None:
    notifier.refuse = refused
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await connect(site)
    assert caught.value.status == seen
    assert site.app.events.count == 0


async def test_token_in_the_url_goes_nowhere(site: Site, notifier: ScriptedNotifier) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await site.http.ws_connect(site.url + "/events?token=secret", headers={"Origin": site.url}, ssl=site.trust)
    assert caught.value.status == 400
    assert notifier.requests == []


async def test_plain_get(site: Site, notifier: ScriptedNotifier) -> None:
    assert (await site.call("GET", "/events"))[0] == 426
    assert notifier.requests == []


async def test_limit(make_site: SiteMaker, notifier: ScriptedNotifier) -> None:
    site = await make_site(notifier.listener.url, max_websockets=2)
    sockets = [await connect(site), await connect(site)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await connect(site)
    assert caught.value.status == 429
    await sockets[0].close()
    await until(lambda: site.app.events.count == 1)
    await (await connect(site)).close()
    await sockets[1].close()


async def test_too_large_a_message(site: Site, notifier: ScriptedNotifier) -> None:
    ws = await connect(site)
    await ws.send_str("x" * (edge.MAX_MESSAGE + 1))
    assert await close_code(ws) in (1009, 1006)  # a reset may overtake the close frame, since what was sent is not read
    await until(lambda: notifier.sockets[0].closed)
    await until(lambda: site.app.events.count == 0)


async def test_what_the_notifier_would_not_take_is_refused_before_it_gets_there(
    site: Site, notifier: ScriptedNotifier
) -> None:
    ws = await connect(site)
    await ws.send_str("x" * (edge.MAX_UPWARDS + 1))
    assert await close_code(ws) == 1009
    await until(lambda: notifier.sockets[0].closed)
    assert notifier.sockets[0].close_code == 1001


async def test_slow_browser_holds_the_notifier_back_and_is_cut_off(
    site: Site, notifier: ScriptedNotifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody reads is not collected here: the notifier's own sending stops, and its bounded queue decides."""
    monkeypatch.setattr(edge, "SEND_S", 0.5)
    monkeypatch.setattr(edge, "CLOSE_S", 0.2)
    sent = 0

    async def flood(ws: web.WebSocketResponse) -> None:
        nonlocal sent
        try:
            while True:
                await ws.send_str("x" * 100_000)
                sent += 1
        except ConnectionError:
            return

    notifier.talk = flood
    ws = await connect(site)
    await until(lambda: site.app.events.count == 0)
    assert sent < 300  # the buffers of four sockets, not more
    assert not ws.closed


async def test_drain_tells_browsers(site: Site) -> None:
    ws = await connect(site)
    await site.app.drain()
    assert await close_code(ws) == 1012
