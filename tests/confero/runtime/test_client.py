"""Calls to another service: what is repeated, what is not, how long it takes at most, and which error comes out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import structlog
from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from confero.clock import FakeClock
from confero.errors import LocalError, Refused, Unavailable
from confero.runtime import client as module
from confero.runtime.client import ServiceClient
from confero.runtime.http import Listener, Route, caller, read_model, reply
from confero.runtime.logging import bind_context

from .rig import SECRET, Rig, rig


class Thing(BaseModel):
    n: int = 1


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_S", 0.001)


@contextlib.asynccontextmanager
async def calls(url: str, **options: Any) -> AsyncIterator[ServiceClient]:
    made = ServiceClient("notifier", "mcu", url, secret=SECRET, clock=FakeClock(), **options)
    try:
        yield made
    finally:
        await made.close()


class Server:
    """Answers each request with the next of ``answers``, the last one for ever; keeps what it was asked."""

    def __init__(self, *answers: Callable[[web.Request], Any]) -> None:
        self.answers = list(answers)
        self.seen: list[web.Request] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        made = answer(request)
        response: web.StreamResponse = await made if asyncio.iscoroutine(made) else made
        return response

    def routes(self) -> list[Route]:
        return [Route(method, "/v1/x", self.handle) for method in ("GET", "POST", "PUT", "DELETE")]


def status(code: int, **options: Any) -> Callable[[web.Request], web.Response]:
    return lambda request: web.Response(status=code, **options)


def cut(request: web.Request) -> web.Response:
    """The connection ends without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def fine(request: web.Request) -> web.Response:
    return reply(Thing(n=7))


async def hang(request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


async def test_a_call_carries_body_token_and_request_id() -> None:
    async def add(request: web.Request) -> web.StreamResponse:
        thing = await read_model(request, Thing)
        return web.json_response({"n": thing.n + 1, "who": caller(request), "id": request.headers["X-Request-Id"]})

    class Answer(BaseModel):
        n: int
        who: str
        id: str

    async with rig(Route("POST", "/v1/x", add, "mcu:rooms")) as it, calls(it.listener.url + "/") as client:
        first = await client.call("POST", "/v1/x", body=Thing(n=4), reply=Answer)
        assert (first.n, first.who) == (5, "notifier") and first.id.startswith("req_")
        with structlog.contextvars.bound_contextvars():
            bind_context(request_id="req_outer")
            assert (await client.call("POST", "/v1/x", body=Thing(), reply=Answer)).id == "req_outer"


async def test_a_token_is_shown_again_for_a_few_seconds() -> None:
    server, clock = Server(fine), FakeClock()
    async with rig(*server.routes()) as it:
        client = ServiceClient("notifier", "mcu", it.listener.url, secret=SECRET, clock=clock)
        for seconds in (0, 4, 2, -1, -600):
            clock.advance(seconds) if seconds >= 0 else setattr(clock, "_wall", clock.wall() + seconds)
            await client.call("GET", "/v1/x")
        await client.close()
    tokens = [request.headers["Authorization"] for request in server.seen]
    assert tokens[0] == tokens[1] != tokens[2] and len(set(tokens)) == 4  # also where the wall clock was set back


async def test_replies_can_be_models_adapters_or_nothing() -> None:
    server = Server(fine, lambda request: reply([Thing(n=1), Thing(n=2)]), status(204))
    async with rig(*server.routes()) as it, calls(it.listener.url) as client:
        assert (await client.call("GET", "/v1/x", reply=Thing)).n == 7
        assert await client.call("GET", "/v1/x", reply=TypeAdapter(list[Thing])) == [Thing(n=1), Thing(n=2)]
        await client.call("DELETE", "/v1/x")


async def test_connections_are_used_again() -> None:
    server = Server(fine)
    async with rig(*server.routes()) as it, calls(it.listener.url) as client:
        for _ in range(5):
            await client.call("GET", "/v1/x", reply=Thing)
        assert len({request.transport for request in server.seen}) == 1


@pytest.mark.parametrize(
    ("method", "idempotent", "failure", "tries"),
    [
        ("PUT", None, status(503), 3),
        ("DELETE", None, status(502), 3),
        ("GET", None, status(500), 1),
        ("POST", None, cut, 1),
        ("POST", None, status(503), 1),
        ("POST", True, cut, 3),
        ("GET", False, status(503), 1),
    ],
)
async def test_what_is_repeated(method: str, idempotent: bool | None, failure: Any, tries: int) -> None:
    server = Server(failure)
    async with rig(*server.routes()) as it, calls(it.listener.url) as client:
        with pytest.raises(Unavailable):
            await client.call(method, "/v1/x", idempotent=idempotent)
        assert len(server.seen) == tries


async def test_a_cut_connection_is_repeated_for_methods_that_bear_it() -> None:
    server = Server(cut)
    async with rig(*server.routes()) as it, calls(it.listener.url) as client:
        with pytest.raises(Unavailable, match="mcu gave no answer"):
            await client.call("GET", "/v1/x")
        assert len(server.seen) in (3, 6), "aiohttp adds a try of its own to each of ours"


async def test_a_later_try_may_succeed() -> None:
    server = Server(cut, status(503), fine)
    async with rig(*server.routes()) as it, calls(it.listener.url) as client:
        assert (await client.call("GET", "/v1/x", reply=Thing)).n == 7


async def test_a_refused_connection_is_tried_again_for_every_method(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent, so nothing can happen twice: a service that is being restarted is met a moment later."""
    monkeypatch.setattr(module, "BACKOFF_S", 0.4)
    server = Server(fine)
    made = Rig(server.routes())
    probe = await Listener.start(Rig([]).app.app, "127.0.0.1", 0)
    port = probe.port
    await probe.close()
    async with calls(f"http://127.0.0.1:{port}", retries=6, jitter=lambda: 1.0) as client:
        call = asyncio.ensure_future(client.call("POST", "/v1/x", reply=Thing))  # noqa: TID251 - awaited below
        await asyncio.sleep(0)
        made.listener = await Listener.start(made.app.app, "127.0.0.1", port)
        assert (await call).n == 7 and len(server.seen) == 1
    await made.listener.close()


async def test_nobody_there() -> None:
    async with rig() as it:
        url = it.listener.url
    async with calls(url) as client:
        with pytest.raises(Unavailable, match="mcu is not reachable"):
            await client.call("GET", "/v1/x")
    async with calls("http://nobody.invalid") as client:
        with pytest.raises(Unavailable, match="mcu is not reachable"):
            await client.call("GET", "/v1/x", timeout_s=5)


async def test_the_time_out_is_for_all_tries_together() -> None:
    server = Server(cut, hang)
    async with rig(*server.routes()) as it, calls(it.listener.url, timeout_s=0.2) as client:
        begun = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable, match=r"mcu did not answer within 0.2 s"):
            await client.call("GET", "/v1/x")
        assert asyncio.get_running_loop().time() - begun < 2
        await it.listener.close()


async def test_waits_grow_and_are_scattered(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await real(0)

    server = Server(status(503))
    monkeypatch.setattr(module, "BACKOFF_S", 0.1)
    jitter = iter([1.0, 0.5, 0.25])
    async with rig(*server.routes()) as it, calls(it.listener.url, retries=3, jitter=lambda: next(jitter)) as client:
        monkeypatch.setattr(module.asyncio, "sleep", sleep)
        with pytest.raises(Unavailable):
            await client.call("GET", "/v1/x")
    assert [wait for wait in waits if wait] == pytest.approx([0.1, 0.1, 0.1])


async def test_a_refusal_keeps_its_words() -> None:
    async def full(request: web.Request) -> web.StreamResponse:
        raise Refused("the room is full", status=409, code="room-full")

    async with rig(Route("GET", "/v1/x", full)) as it, calls(it.listener.url) as client:
        with pytest.raises(Refused) as caught:
            await client.call("GET", "/v1/x")
        assert (caught.value.detail, caught.value.status, caught.value.code) == ("the room is full", 409, "room-full")


async def test_the_code_of_a_server_error_is_kept() -> None:
    async def draining(request: web.Request) -> web.StreamResponse:
        raise Unavailable("the media server is draining", code="draining")

    async with rig(Route("POST", "/v1/x", draining)) as it, calls(it.listener.url) as client:
        with pytest.raises(Unavailable) as caught:
            await client.call("POST", "/v1/x")
        assert (caught.value.detail, caught.value.code) == ("the media server is draining", "draining")


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (status(404, text="<html>"), Refused, "refused"),
        (status(500, text="{}"), Unavailable, "unavailable"),
        (status(302, headers={"Location": "http://127.0.0.1:1/"}), Unavailable, "bad-reply"),
        (status(200, text="<html>"), Unavailable, "bad-reply"),
        (status(200, text='{"n": "x"}'), Unavailable, "bad-reply"),
        (status(200, body=b"x" * 5000), Unavailable, "unavailable"),
    ],
)
async def test_answers_that_make_no_sense(answer: Any, error: type[Exception], code: str) -> None:
    server = Server(answer)
    async with rig(*server.routes()) as it, calls(it.listener.url, max_reply=4000) as client:
        with pytest.raises(error) as caught:
            await client.call("GET", "/v1/x", reply=Thing)
        assert caught.value.code == code and len(server.seen) == 1  # type: ignore[attr-defined]


async def test_another_protocol_on_that_port() -> None:
    async def noise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xffSSH-2.0\r\n" * 100)
        writer.close()

    server = await asyncio.start_server(noise, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with calls(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(Unavailable):
            await client.call("GET", "/v1/x")
    server.close()


async def test_a_closed_client_says_so() -> None:
    async with calls("http://127.0.0.1:1") as client:
        await client.close()
        with pytest.raises(LocalError, match="closed"):
            await client.call("GET", "/v1/x")
        await client.close()


async def test_a_cancelled_call_is_cancelled() -> None:
    server = Server(hang)
    async with rig(*server.routes()) as it, calls(it.listener.url) as client:
        task = asyncio.ensure_future(client.call("GET", "/v1/x"))  # noqa: TID251 - awaited below
        async with asyncio.timeout(5):
            while not server.seen:  # noqa: ASYNC110 - the server has no event to wait for
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await it.listener.close()
