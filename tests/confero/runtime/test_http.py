"""The HTTP side of a service: probes, ids, errors, authentication, metrics and what garbage costs."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import ssl
from random import Random
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp import web
from openapi_spec_validator import validate
from pydantic import BaseModel, Field, TypeAdapter

from confero.clock import FakeClock
from confero.errors import LocalError, Refused, RemoteError, Unavailable
from confero.runtime import bodies, http, listener
from confero.runtime.http import HttpApp, Listener, Route, caller, read_model, read_query, reply

from .rig import SECRET, logged, rig

pytestmark = pytest.mark.filterwarnings("error")


class Body(BaseModel):
    name: str = Field(max_length=8)
    n: int = 0


class Query(BaseModel):
    seconds: int = Field(default=1, ge=1, le=60)
    point: str = "in"


async def echo(request: web.Request) -> web.StreamResponse:
    return reply(await read_model(request, Body))


async def nothing(request: web.Request) -> web.StreamResponse:
    return reply(None)


async def who(request: web.Request) -> web.StreamResponse:
    return web.json_response({"caller": caller(request)})


def raises(error: BaseException) -> Route:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise error

    return Route("GET", "/fail", handler)


ECHO = Route("POST", "/v1/echo", echo, body=Body, reply=Body)
WHO = Route("GET", "/v1/who/{room}", who, "mcu:rooms")


def code_of(body: Any) -> str:
    assert set(body) >= {"type", "title", "status", "instance"}
    return str(body["type"]).removeprefix("urn:confero:problem:")


# --- probes ------------------------------------------------------------------------------------------------------------


async def test_health_and_readiness() -> None:
    async with rig() as it:
        assert (await it.ask("GET", "/health"))[:2] == (200, {"status": "ok"})
        assert (await it.ask("GET", "/ready"))[:2] == (503, {"status": "not-ready", "checks": {"started": False}})
        it.app.set_ready(True)
        assert (await it.ask("GET", "/ready"))[:2] == (200, {"status": "ready", "checks": {"started": True}})


async def test_each_check_must_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CHECK_S", 0.05)

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    async def fine() -> bool:
        return True

    def broken() -> bool:
        raise OSError("gone")

    async with rig() as it:
        it.app.set_ready(True)
        for name, check in {"plain": lambda: True, "async": fine, "hangs": hangs, "broken": broken}.items():
            it.app.add_check(name, check)
        status, body, _ = await it.ask("GET", "/ready")
        assert status == 503
        assert body["checks"] == {"started": True, "plain": True, "async": True, "hangs": False, "broken": False}


async def test_a_public_app_has_no_probes() -> None:
    async with rig(probes=False) as it:
        for path in ("/health", "/ready", "/metrics"):
            assert (await it.ask("GET", path))[0] == 404


# --- ids and heads -----------------------------------------------------------------------------------------------------


async def test_a_good_request_id_is_kept_and_another_replaced() -> None:
    async with rig(raises(Refused("no"))) as it:
        for given, kept in [("abc-1.2_X", True), ("a" * 64, True), ("a" * 65, False), ("a b", False), ("", False)]:
            _, body, response = await it.ask("GET", "/fail", headers={"X-Request-Id": given})
            assert (response.headers["X-Request-Id"] == given) is kept
            assert body["instance"] == response.headers["X-Request-Id"]


async def test_no_answer_says_what_software_it_is() -> None:
    async with rig(ECHO) as it:
        for path in ("/health", "/nope"):
            _, _, response = await it.ask("GET", path)
            assert "Server" not in response.headers
        for garbage in (b"\x16\x03\x01 tls", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nBad Header\r\n\r\n"):
            answer = await it.raw(garbage + b"\r\n\r\n")
            assert answer.split()[1] == b"400" and b"aiohttp" not in answer.lower() and b"python" not in answer.lower()


# --- errors --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refused("the room is full", status=409, code="room-full"), 409, "room-full"),
        (RemoteError("bad sdp", status=422, code="sdp-invalid"), 422, "sdp-invalid"),
        (Unavailable("no media server", code="no-media-server"), 503, "no-media-server"),
        (web.HTTPNotFound(), 404, "not-found"),
        (web.HTTPConflict(), 409, "http-409"),
    ],
)
async def test_errors_made_on_purpose_keep_their_words(error: Exception, status: int, code: str) -> None:
    async with rig(raises(error)) as it:
        got, body, response = await it.ask("GET", "/fail")
        assert (got, body["status"], code_of(body)) == (status, status, code)
        assert response.content_type == "application/problem+json"
        assert body.get("detail", "") == getattr(error, "detail", getattr(error, "reason", ""))


@pytest.mark.parametrize(
    "error", [KeyError("secret detail"), LocalError("our bug"), TimeoutError(), RecursionError("x")]
)
async def test_the_unexpected_is_500_without_detail_and_logged_with_trace(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig(raises(error)) as it:
        status, body, response = await it.ask("GET", "/fail")
        assert (status, code_of(body)) == (500, "internal")
        assert "detail" not in body and "secret" not in json.dumps(body)
    (record,) = logged(caplog, logging.WARNING)
    assert record["event"] == "request failed" and record["exc_info"] is error
    assert record["request_id"] == response.headers["X-Request-Id"]


async def test_a_service_that_is_down_is_one_line_without_trace(caplog: pytest.LogCaptureFixture) -> None:
    async with rig(raises(Unavailable("mcu did not answer"))) as it:
        await it.ask("GET", "/fail")
    (record,) = logged(caplog, logging.WARNING)
    assert record["reason"] == "mcu did not answer" and "exc_info" not in record


@pytest.mark.parametrize("kind", [Refused, Unavailable])
async def test_when_to_come_again_is_told_in_whole_seconds(kind: type[Refused] | type[Unavailable]) -> None:
    async with rig(raises(kind("later", retry_after_s=1.2))) as it:
        _, _, response = await it.ask("GET", "/fail")
        assert response.headers["Retry-After"] == "2"
    async with rig(raises(kind("maybe"))) as it:
        _, _, response = await it.ask("GET", "/fail")
        assert "Retry-After" not in response.headers


async def test_unknown_paths_and_methods() -> None:
    async with rig(ECHO) as it:
        status, body, _ = await it.ask("GET", "/v1/other")
        assert (status, code_of(body)) == (404, "not-found")
        status, body, response = await it.ask("DELETE", "/v1/echo")
        assert (status, code_of(body), response.headers["Allow"]) == (405, "method-not-allowed", "POST")


async def test_redirects_pass() -> None:
    async with rig(raises(web.HTTPFound("/elsewhere"))) as it:
        status, _, response = await it.ask("GET", "/fail", allow_redirects=False)
        assert (status, response.headers["Location"]) == (302, "/elsewhere")
        assert "X-Request-Id" in response.headers


async def test_an_error_after_the_head_cuts_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        raise KeyError("midway")

    async def socket_(request: web.Request) -> web.StreamResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        raise KeyError("midway")

    async with rig(Route("GET", "/half", half), Route("GET", "/ws", socket_)) as it:
        with pytest.raises(aiohttp.ClientPayloadError):
            await it.ask("GET", "/half")
        async with it.http.ws_connect(it.listener.url + "/ws") as ws:
            assert (await ws.receive(5)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert (await it.ask("GET", "/health"))[0] == 200
    assert [record["event"] for record in logged(caplog, logging.WARNING)] == ["request failed"] * 2


# --- bodies ----------------------------------------------------------------------------------------------------------------

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("data", "headers", "status", "code"),
    [
        (b'{"name": "x"}', JSON, 200, ""),
        (b'{"name": "x"}', {"Content-Type": "application/vnd.x+json; charset=utf-8"}, 200, ""),
        (b'{"name": "x"}', {"Content-Type": "text/plain"}, 415, "content-type"),
        (b'{"name": "x"}', {"Content-Type": "image/svg+json"}, 415, "content-type"),
        (b"", JSON, 400, "not-json"),
        (b"{", JSON, 400, "not-json"),
        (b"\xff\xfe", JSON, 400, "not-json"),
        (b"[" * 10_000, JSON, 400, "not-json"),
        (b'{"name": "\\ud800"}', JSON, 400, "not-json"),
        (b"[1]", JSON, 422, "invalid-body"),
        (b"{}", JSON, 422, "invalid-body"),
        (b'{"name": 7}', JSON, 422, "invalid-body"),
        (b'{"name": "123456789"}', JSON, 422, "invalid-body"),
        (b'{"name": "' + b"x" * 100_000 + b'"}', JSON, 413, "body-too-large"),
    ],
)
async def test_bodies(data: bytes, headers: dict[str, str], status: int, code: str) -> None:
    async with rig(ECHO) as it:
        got, body, _ = await it.ask("POST", "/v1/echo", data=data, headers=headers)
        assert got == status
        assert body == {"name": "x", "n": 0} if status == 200 else code_of(body) == code


async def test_a_body_of_unknown_length_is_bounded_too() -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 1000

    async with rig(ECHO, max_body=5000) as it:
        status, body, _ = await it.ask("POST", "/v1/echo", data=endless(), headers=JSON)
        assert (status, code_of(body)) == (413, "body-too-large")


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.05)
    monkeypatch.setattr(listener, "LINGER_S", 0.05)
    async with rig(ECHO) as it:
        head = b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"
        answer = await it.raw(head)
        assert answer.startswith(b"HTTP/1.1 408") and b"urn:confero:problem:too-slow" in answer


async def test_the_faults_of_a_body_are_listed_without_its_values() -> None:
    async with rig(ECHO) as it:
        _, body, _ = await it.ask("POST", "/v1/echo", json={"name": ["swordfish"], "n": "swordfish"})
        assert [error["loc"] for error in body["errors"]] == ["name", "n"]
        assert "swordfish" not in json.dumps(body)


class Item(BaseModel):
    n: int


async def test_the_list_of_faults_is_bounded() -> None:
    items = TypeAdapter(list[Item])

    async def many(request: web.Request) -> web.StreamResponse:
        return reply(await read_model(request, items))

    faulty = json.dumps([{"n" * 5000: "x"}] * 500).encode()
    async with rig(Route("POST", "/", many, body=items), max_body=1 << 22) as it:
        _, body, _ = await it.ask("POST", "/", data=io.BytesIO(faulty), headers=JSON)
        assert len(body["errors"]) == 20 and len(json.dumps(body)) < 10_000
        assert (await it.ask("POST", "/", json=[{"n": 1}, {"n": 2}]))[1] == [{"n": 1}, {"n": 2}]


async def test_queries() -> None:
    async def ask(request: web.Request) -> web.StreamResponse:
        return reply(read_query(request, Query))

    async with rig(Route("GET", "/", ask, query=Query)) as it:
        assert (await it.ask("GET", "/?seconds=5"))[1] == {"seconds": 5, "point": "in"}
        status, body, _ = await it.ask("GET", "/?seconds=600")
        assert (status, code_of(body), body["errors"][0]["loc"]) == (422, "invalid-body", "seconds")


async def test_an_empty_answer() -> None:
    async with rig(Route("GET", "/", nothing)) as it:
        status, text, _ = await it.ask("GET", "/")
        assert (status, text) == (204, "")


# --- authentication --------------------------------------------------------------------------------------------------------


async def test_a_scope_lets_only_those_in_that_the_table_names() -> None:
    async with rig(WHO) as it:
        assert (await it.ask("GET", "/v1/who/r", headers=it.token("notifier")))[:2] == (200, {"caller": "notifier"})
        status, body, _ = await it.ask("GET", "/v1/who/r", headers=it.token("appserver"))
        assert (status, code_of(body)) == (403, "not-allowed")


async def test_no_or_a_bad_token_is_401_and_names_the_scheme() -> None:
    async with rig(WHO) as it:
        token = it.token()["Authorization"].removeprefix("Bearer ")
        bad = ["", "Bearer", "Bearer ", f"Basic {token}", f"Bearer {token[:-1]}", "Bearer é".encode().decode("latin-1")]
        for header in bad:
            status, body, response = await it.ask("GET", "/v1/who/r", headers={"Authorization": header})
            assert (status, code_of(body)) == (401, "token-invalid")
            assert response.headers["WWW-Authenticate"] == "Bearer"
        for headers, code in [
            (it.token(audience="notifier"), "token-invalid"),
            (it.token(age=120), "token-expired"),
            ({}, "token-invalid"),
        ]:
            status, body, _ = await it.ask("GET", "/v1/who/r", headers=headers)
            assert (status, code_of(body)) == (401, code)
        assert (await it.ask("GET", "/v1/who/r", headers={"Authorization": f"bearer {token}"}))[0] == 200


async def test_a_token_that_is_known_ends_when_it_should() -> None:
    async with rig(WHO) as it:
        headers = it.token()
        for seconds, status in ((0, 200), (69, 200), (1, 401)):  # a minute, and the leeway
            it.clock.advance(seconds)
            assert (await it.ask("GET", "/v1/who/r", headers=headers))[0] == status


async def test_the_token_is_looked_at_before_the_body() -> None:
    route = Route("POST", "/v1/echo", echo, "mcu:rooms", body=Body)
    async with rig(route) as it:
        status, _, _ = await it.ask("POST", "/v1/echo", data=b"{", headers=JSON)
        assert status == 401


def test_a_scope_that_nobody_knows_is_a_bug() -> None:
    with pytest.raises(LocalError, match="mcu:romms"):
        HttpApp("mcu", [Route("GET", "/", nothing, "mcu:romms")], secret=SECRET, clock=FakeClock())


# --- metrics -----------------------------------------------------------------------------------------------------------------


async def test_requests_are_counted_by_template_and_status() -> None:
    async with rig(WHO, ECHO) as it:
        for room in ("a", "b"):
            await it.ask("GET", f"/v1/who/{room}", headers=it.token())
        await it.ask("GET", "/v1/who/c")
        await it.ask("GET", "/no/such/path")
        await it.ask("PROPFIND", "/no/such/path")
        count = "confero_http_requests_total"
        assert await it.metric(count, method="GET", route="/v1/who/{room}", status="200") == 2
        assert await it.metric(count, method="GET", route="/v1/who/{room}", status="401") == 1
        assert await it.metric(count, method="GET", route="unmatched", status="404") == 1
        assert await it.metric(count, method="other", route="unmatched", status="404") == 1
        assert await it.metric("confero_http_request_seconds_count", method="GET", route="/v1/who/{room}") == 3
        assert await it.metric("confero_http_requests_in_flight") == 0


async def test_the_exposition() -> None:
    async with rig(ECHO) as it:
        it.app.metrics.counter("things", "Things seen", ["kind"]).labels("a").inc()
        status, text, response = await it.ask("GET", "/metrics")
        assert status == 200 and response.headers["Content-Type"].startswith("text/plain; version=")
        assert 'confero_things_total{kind="a"} 1.0' in text
        assert "process_resident_memory_bytes" in text and "confero_loop_lag_seconds" in text


async def test_two_apps_of_one_service_share_metrics() -> None:
    async with rig(ECHO) as inner, rig(ECHO, metrics=inner.app.metrics, probes=False) as outer:
        await inner.ask("POST", "/v1/echo", json={"name": "x"})
        await outer.ask("POST", "/v1/echo", json={"name": "x"})
        name = "confero_http_requests_total"
        assert await inner.metric(name, method="POST", route="/v1/echo", status="200") == 2


# --- listener ------------------------------------------------------------------------------------------------------------------


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


# --- description ---------------------------------------------------------------------------------------------------------------


def test_the_description_is_valid_openapi_and_says_what_the_routes_say() -> None:
    routes = [
        Route(
            "POST",
            r"/v1/rooms/{room:[a-z]{1,9}}/legs",
            echo,
            "mcu:rooms",
            "Adds a leg",
            Body,
            Body,
            201,
            ("404 room-unknown", "409 room-full"),
        ),
        Route("GET", "/v1/rooms", nothing, reply=list[Body], query=Query),
        Route("GET", "/v1/legs/{leg}/tap", nothing, reply_type="audio/wav"),
        Route("DELETE", "/v1/rooms", nothing, status=204),
        Route("GET", "/hidden", nothing, documented=False),
    ]
    document = HttpApp("mcu", routes, secret=SECRET, clock=FakeClock(), title="MCU").openapi()
    validate(document)
    assert document["openapi"].startswith("3.1") and document["info"]["title"] == "MCU"
    assert set(document["paths"]) == {"/v1/rooms/{room}/legs", "/v1/rooms", "/v1/legs/{leg}/tap"}
    add = document["paths"]["/v1/rooms/{room}/legs"]["post"]
    assert add["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Body"}
    assert set(add["responses"]) == {"201", "400", "401", "403", "404", "408", "409", "413", "415", "422", "default"}
    name = add["responses"]["404"]["$ref"].removeprefix("#/components/responses/")
    unknown = document["components"]["responses"][name]
    assert unknown["description"] == "Problem `room-unknown`"
    [content] = unknown["content"].values()
    assert content["schema"]["allOf"][1] == {"properties": {"type": {"enum": ["urn:confero:problem:room-unknown"]}}}
    assert add["security"] == [{"service": []}] and "notifier" in add["description"]
    assert [parameter["name"] for parameter in add["parameters"]] == ["room"]
    listing = document["paths"]["/v1/rooms"]["get"]
    assert [(p["name"], p["in"], p["required"]) for p in listing["parameters"]] == [
        ("seconds", "query", False),
        ("point", "query", False),
    ]
    assert listing["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array"
    assert "security" not in listing and set(document["paths"]["/v1/rooms"]) == {"get", "delete"}
    tap = document["paths"]["/v1/legs/{leg}/tap"]["get"]["responses"]["200"]
    assert tap["content"] == {"audio/wav": {}}
    assert set(document["components"]["securitySchemes"]) == {"service"}
    ids = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(set(ids)) == len(ids)
