"""Streams, polls and requests on their way through the public port, against a scripted notifier."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from confero.appserver.passing import PROXY
from confero.runtime.http import Listener
from confero.tokens import check_service_token

from ..support.waiting import until
from .conftest import SiteMaker
from .site import SECRET, Site


class ScriptedNotifier:
    """Answers a stream piece by piece, as ``pieces`` brings them, and anything else with what it was asked."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self.gone = 0
        self.free = asyncio.Event()
        self.free.set()
        self.listener: Listener

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/events/stream", self._stream)
        app.router.add_route("*", "/events/poll", self._echo)
        app.router.add_route("*", "/events/sessions/{session}", self._echo)
        self.listener = await Listener.start(app, "127.0.0.1", 0, shutdown_s=0.1)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        try:
            while piece := await self.pieces.get():
                await response.write(piece)
        except ConnectionError:
            self.gone += 1
        return response

    async def _echo(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        self.bodies.append(await request.read())
        await self.free.wait()
        headers = {"Retry-After": "7", "Set-Cookie": "never=passed", "Cache-Control": "no-store"}
        return web.Response(status=429, body=b"what the notifier says", headers=headers)


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


def given(site: Site) -> dict[str, str]:
    return {"Origin": site.url, "Authorization": "Bearer a-join-token", "Cookie": "__Host-confero=never-passed"}


async def test_pieces_come_as_they_are_sent(site: Site, notifier: ScriptedNotifier) -> None:
    sent = site.http.post(site.url + "/events/stream", json={}, headers=given(site), ssl=site.trust)
    async with asyncio.timeout(10), sent as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert response.headers["X-Accel-Buffering"] == "no"
        for piece in (b"data: one\n\n", b":\n\n", b"data: two\n\n"):
            notifier.pieces.put_nowait(piece)
            assert await response.content.readany() == piece
        notifier.pieces.put_nowait(b"")
        assert await response.content.read() == b""


async def test_what_the_notifier_is_told_and_what_comes_back(site: Site, notifier: ScriptedNotifier) -> None:
    url = site.url + "/events/sessions/ses_1"
    async with site.http.post(url, data=b'{"type":"ping"}', headers=given(site), ssl=site.trust) as response:
        assert (response.status, await response.read()) == (429, b"what the notifier says")
        assert response.headers["Retry-After"] == "7"
        assert "Set-Cookie" not in response.headers
    (asked,) = notifier.requests
    assert notifier.bodies == [b'{"type":"ping"}']
    assert asked.headers["Authorization"] == "Bearer a-join-token"
    assert (asked.headers["Origin"], asked.headers["X-Forwarded-Proto"]) == (site.url, "https")
    assert asked.headers["X-Forwarded-For"] == "127.0.0.1"
    assert "Cookie" not in asked.headers
    caller = check_service_token(asked.headers[PROXY], audience="notifier", secret=SECRET, now=time.time())
    assert caller == "appserver"


async def test_a_browser_cannot_say_what_the_proxy_says(site: Site, notifier: ScriptedNotifier) -> None:
    forged = {**given(site), PROXY: "forged", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http"}
    async with site.http.post(site.url + "/events/poll", json={}, headers=forged, ssl=site.trust):
        pass
    (asked,) = notifier.requests
    assert asked.headers.getall(PROXY) != ["forged"]
    assert (asked.headers["X-Forwarded-For"], asked.headers["X-Forwarded-Proto"]) == ("127.0.0.1", "https")


async def test_a_browser_that_goes_ends_it_at_the_notifier_too(site: Site, notifier: ScriptedNotifier) -> None:
    sent = site.http.post(site.url + "/events/stream", json={}, headers=given(site), ssl=site.trust)
    async with sent as response:
        notifier.pieces.put_nowait(b"data: one\n\n")
        await response.content.readany()
        response.close()

    def noticed() -> bool:
        notifier.pieces.put_nowait(b"data: more\n\n")
        return notifier.gone == 1

    await until(noticed)


async def test_a_query_is_refused_and_an_absent_notifier_said(
    site: Site, notifier: ScriptedNotifier, caplog: pytest.LogCaptureFixture
) -> None:
    async with site.http.post(
        site.url + "/events/poll?token=x", json={}, headers=given(site), ssl=site.trust
    ) as response:
        assert (await response.json())["type"] == "urn:confero:problem:query-not-allowed"
    await notifier.listener.close()
    async with site.http.post(site.url + "/events/poll", json={}, headers=given(site), ssl=site.trust) as response:
        assert (response.status, (await response.json())["type"]) == (503, "urn:confero:problem:notifier-down")
    assert "service not reached" in caplog.text and "task failed" not in caplog.text


async def test_an_answer_that_breaks_off_is_seen_to_break_off(site: Site, notifier: ScriptedNotifier) -> None:
    sent = site.http.post(site.url + "/events/stream", json={}, headers=given(site), ssl=site.trust)
    async with sent as response:
        notifier.pieces.put_nowait(b"data: one\n\n")
        await response.content.readany()
        transport = notifier.requests[0].transport
        assert transport is not None
        transport.abort()
        with pytest.raises(aiohttp.ClientError):
            await response.content.read()


async def test_a_poll_that_waits_is_cut_by_a_restart(site: Site, notifier: ScriptedNotifier) -> None:
    notifier.free.clear()
    sent = site.http.post(site.url + "/events/poll", json={}, headers=given(site), ssl=site.trust)
    waiting = asyncio.ensure_future(sent)  # noqa: TID251 - a test's own
    await until(lambda: notifier.bodies)
    site.app.passing.drain()
    async with await waiting as response:
        assert (response.status, (await response.json())["type"]) == (503, "urn:confero:problem:notifier-down")
    await until(lambda: notifier.requests[0].transport is None or notifier.requests[0].transport.is_closing())


async def test_a_poll_whose_browser_has_gone_ends_at_the_notifier_too(site: Site, notifier: ScriptedNotifier) -> None:
    notifier.free.clear()
    sent = site.http.post(site.url + "/events/poll", json={}, headers=given(site), ssl=site.trust)
    waiting = asyncio.ensure_future(sent)  # noqa: TID251 - a test's own
    await until(lambda: notifier.bodies)
    waiting.cancel()
    await until(lambda: notifier.requests[0].transport is None or notifier.requests[0].transport.is_closing())
