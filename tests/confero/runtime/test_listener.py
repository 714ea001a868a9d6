"""A listening socket: what garbage, too many connections and half-open handshakes cost, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from random import Random

import aiohttp
import pytest
import trustme
from aiohttp import web

from confero.clock import FakeClock
from confero.errors import LocalError
from confero.runtime import listener
from confero.runtime.http import HttpApp, Listener, Route, reply

from .rig import SECRET, logged, rig
from .routes import ECHO

pytestmark = pytest.mark.filterwarnings("error")


async def test_garbage_costs_one_line_without_trace(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with rig(ECHO) as it:
        for garbage in (
            b"\x00" * 100,
            b"GET\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"\x16\x03\x01\x02\x00",
        ):
            caplog.clear()
            answer = await it.raw(garbage + b"\r\n\r\n")
            assert b"urn:confero:problem:bad-request" in answer
            (record,) = caplog.records
            assert record.levelno == logging.INFO and not record.exc_info
        assert (await it.ask("GET", "/health"))[0] == 200


async def test_random_garbage_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Invariant: whatever bytes come, they are answered with an error or the end, and others are served."""
    random = Random(1)
    starts = [
        b"",
        b"GET / HTTP/1.1\r\n",
        b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\x16\x03\x01",
    ]
    async with rig(ECHO) as it:
        for round_ in range(150):
            garbage = random.choice(starts) + random.randbytes(random.randrange(1, 400)) + b"\r\n\r\n"
            reader, writer = await asyncio.open_connection("127.0.0.1", it.listener.port)
            writer.write(garbage)
            writer.write_eof()
            with contextlib.suppress(ConnectionError):
                answer = await asyncio.wait_for(reader.read(), 10)
                assert answer == b"" or answer.split()[1] in (b"400", b"401", b"404", b"405", b"413", b"415"), (
                    round_,
                    garbage,
                )
            writer.close()
        assert (await it.ask("GET", "/health"))[0] == 200
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_caller_that_goes_away_midway_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    ended = asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65_536)
        finally:
            ended.set()

    async with rig(Route("GET", "/stream", stream)) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.listener.port)
        writer.write(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readexactly(1000)
        writer.transport.abort()
        await asyncio.wait_for(ended.wait(), 10)
    assert [record for record in caplog.records if record.levelno >= logging.INFO] == []


async def test_a_head_without_bound_is_refused() -> None:
    async with rig() as it:
        for head in (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nA: " + b"x" * 20_000 + b"\r\n"):
            assert (await it.raw(head + b"\r\n")).split()[1] == b"400"
        many = b"".join(b"H%d: x\r\n" % n for n in range(20_000))
        answer = await it.raw(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + many + b"\r\n")
        assert answer.split()[1] == b"400"


async def test_a_connection_without_a_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "IDLE_S", 0.1)
    async with rig() as it:
        assert await it.raw(b"", seconds=5) == b""
        assert await it.raw(b"GET /health HTTP/1.1\r\nHost:", seconds=5) == b""
        kept = await it.raw(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", seconds=5)
        assert kept.startswith(b"HTTP/1.1 200")


async def test_an_address_in_use_is_a_clear_error() -> None:
    async with rig() as it:
        with pytest.raises(LocalError, match=f"cannot listen on 127.0.0.1:{it.listener.port}: Address already in use"):
            app = HttpApp("mcu", [], secret=SECRET, clock=FakeClock())
            await Listener.start(app.app, "127.0.0.1", it.listener.port)


async def ask_health(port: int) -> bytes:
    """The answer on a connection of its own; empty if the server closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_connections_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    app = HttpApp("mcu", [], secret=SECRET, clock=FakeClock())
    made = await Listener.start(app.app, "127.0.0.1", 0, max_connections=2)
    try:
        held = [await asyncio.open_connection("127.0.0.1", made.port) for _ in range(2)]
        for _ in range(3):
            assert await ask_health(made.port) == b""
        held[0][1].close()
        async with asyncio.timeout(5):
            while not (answer := await ask_health(made.port)):
                assert answer == b"", "until the server has seen the end of the first"
        assert answer.startswith(b"HTTP/1.1 200")
        held[1][1].close()
    finally:
        await made.close()
    assert {record["event"] for record in logged(caplog)} == {"too many connections"}


async def test_connections_of_one_source_are_bounded() -> None:
    made = await Listener.start(
        HttpApp("mcu", [], secret=SECRET, clock=FakeClock()).app, "127.0.0.1", 0, max_per_source=2
    )
    try:
        held = [await asyncio.open_connection("127.0.0.1", made.port, local_addr=("127.0.0.2", 0)) for _ in range(3)]
        assert await asyncio.wait_for(ended(held[2][0]), 5)
        assert (await ask_health(made.port)).startswith(b"HTTP/1.1 200"), "another source"
        for _, writer in held:
            writer.close()
    finally:
        await made.close()


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the other side has closed without a word."""
    try:
        return await reader.read(1) == b""
    except ConnectionError:
        return True


def tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    return context


async def test_half_open_handshakes_count_and_give_their_place_back() -> None:
    app = HttpApp("mcu", [], secret=SECRET, clock=FakeClock()).app
    made = await Listener.start(app, "127.0.0.1", 0, tls_context(), max_connections=2)
    try:
        silent = await asyncio.open_connection("127.0.0.1", made.port)
        garbage = await asyncio.open_connection("127.0.0.1", made.port)
        third = await asyncio.open_connection("127.0.0.1", made.port)
        assert await asyncio.wait_for(ended(third[0]), 5)
        garbage[1].write(b"GET / HTTP/1.1\r\n\r\n")
        await asyncio.wait_for(garbage[0].read(), 5)
        silent[1].close()
        async with asyncio.timeout(5), aiohttp.ClientSession() as session:
            for _ in range(5):  # each one, with its handshake, takes a place and leaves it
                while True:
                    with contextlib.suppress(aiohttp.ClientConnectionError):
                        async with session.get(f"{made.url}/health", ssl=False) as response:
                            assert response.status == 200
                            break
                    await asyncio.sleep(0)
        for _, writer in (garbage, third):
            writer.close()
    finally:
        await made.close()


async def test_close_does_not_wait_for_half_open_handshakes() -> None:
    made = await Listener.start(HttpApp("mcu", [], secret=SECRET, clock=FakeClock()).app, "127.0.0.1", 0, tls_context())
    reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
    writer.write(b"\x16\x03\x01\x02\x00")
    await asyncio.wait_for(made.close(), 5)
    assert await asyncio.wait_for(ended(reader), 5)
    writer.close()


async def test_a_tls_handshake_that_stops_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HANDSHAKE_S", 0.1)
    made = await Listener.start(HttpApp("mcu", [], secret=SECRET, clock=FakeClock()).app, "127.0.0.1", 0, tls_context())
    try:
        assert made.url.startswith("https://")
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        writer.write(b"\x16\x03\x01\x02\x00")
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
    finally:
        await made.close()


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:"), ("localhost", "http://localhost:")]
)
async def test_urls(host: str, url: str) -> None:
    app = HttpApp("mcu", [], secret=SECRET, clock=FakeClock())
    made = await Listener.start(app.app, host, 0)
    try:
        assert made.url == f"{url}{made.port}" and made.port > 0
        async with aiohttp.ClientSession() as session, session.get(made.url + "/health") as response:
            assert response.status == 200
    finally:
        await made.close()


async def test_after_stop_accepting_running_requests_end_and_new_ones_do_not_come_in() -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        entered.set()
        await release.wait()
        return reply(None)

    async with rig(Route("GET", "/slow", slow)) as it:
        running = asyncio.ensure_future(it.ask("GET", "/slow"))  # noqa: TID251 - awaited below
        await asyncio.wait_for(entered.wait(), 5)
        await it.listener.stop_accepting()
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", it.listener.port)
        release.set()
        assert (await running)[0] == 204
        await it.listener.close()
        await it.listener.close()
