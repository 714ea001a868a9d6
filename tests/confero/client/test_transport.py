"""What the client does when things go wrong: errors by kind, further tries where they do no harm, bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from confero.client import Client, Conflict, InvalidRequest, NoAnswer, NotAllowed, NotFound, ServerFault, SignInNeeded
from confero.client import TooManyRequests as Busy
from confero.client.errors import ApiError
from confero.client.transport import MAX_REPLY, Patience
from confero.errors import LocalError
from confero.models.accounts import SignIn
from confero.models.joining import RoomCreate, RoomPatch, RoomQuery
from confero.runtime.http import Listener
from confero.runtime.problems import problem, respond

ROOM = {"id": "r1", "name": "R", "max_participants": 5, "participants": 0, "join_url": "https://x/r/r1"}
DETAIL = ROOM | {"created_at": 1.0, "used_at": 2.0}


class Server:
    """Gives the answers that it was told, one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "break":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if isinstance(answer, int | tuple):
            status, code, wait = answer if isinstance(answer, tuple) else (answer, "code", 0)
            return respond(
                problem(status, code, "Why.", request_id="req_1"), {"Retry-After": str(wait)} if wait else {}
            )
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="application/json")
        return web.json_response(answer, status=201 if request.method == "POST" else 200)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    listener = await Listener.start(app, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listener.port}"  # type: ignore[attr-defined]
    yield made
    await listener.close()


def client(server: Server, key: str = "ck_1", **patience: Any) -> Client:
    made = Client(server.url, key=key, patience=Patience(**patience))  # type: ignore[attr-defined]
    made._to.jitter = lambda: 0.0
    return made


KINDS = {
    400: InvalidRequest, 401: SignInNeeded, 403: NotAllowed, 404: NotFound, 409: Conflict, 422: InvalidRequest, 429: Busy,
    500: ServerFault,
}  # fmt: skip


@pytest.mark.parametrize(("status", "kind"), KINDS.items())
async def test_refusals_are_errors_of_their_kind(server: Server, status: int, kind: type[ApiError]) -> None:
    server.answers = [(status, "some-code", 40)]
    async with client(server) as one:
        with pytest.raises(kind) as caught:
            await one.rooms.get("r1")
    error = caught.value
    assert (error.status, error.code, error.detail, error.retry_after_s) == (status, "some-code", "Why.", 40.0)
    assert error.request_id == "req_1" and len(server.requests) == 1


@pytest.mark.parametrize("fault", [503, 502, "break", (429, "too-many-requests", 0)])
async def test_what_changes_nothing_is_tried_again(server: Server, fault: Any) -> None:
    server.answers = [fault, fault, ROOM]
    async with client(server) as one:
        assert (await one.rooms.get("r1")).name == "R"
    assert len(server.requests) == 3


async def test_a_post_is_tried_again_under_its_key_and_never_without(server: Server) -> None:
    server.answers = ["break", (409, "request-in-progress", 0), DETAIL]
    async with client(server) as one:
        assert (await one.rooms.create(RoomCreate(name="R"))).id == "r1"
    keys = [headers.get("Idempotency-Key") for _, _, headers, _ in server.requests]
    assert len(keys) == 3 and len(set(keys)) == 1 and keys[0]
    server.requests.clear()
    server.answers = ["break", DETAIL]
    async with client(server, key="") as nobody:
        with pytest.raises(NoAnswer):
            await nobody.rooms.create(RoomCreate(name="R"))
    assert len(server.requests) == 1 and "Idempotency-Key" not in server.requests[0][2]


@pytest.mark.parametrize("answer", [503, "break"])
async def test_a_patch_is_sent_once(server: Server, answer: Any) -> None:
    server.answers = [answer, DETAIL]
    async with client(server) as one:
        with pytest.raises(ServerFault):
            await one.rooms.change("r1", RoomPatch(lobby=True))
    assert len(server.requests) == 1


async def test_what_nobody_knows_is_for_people(server: Server) -> None:
    server.answers = [(503, "database-unsure", 0)]
    async with client(server) as one:
        with pytest.raises(ServerFault):
            await one.rooms.create(RoomCreate())
    assert len(server.requests) == 1


async def test_tries_and_waits_are_bounded(server: Server) -> None:
    server.answers = [503]
    async with client(server, tries=2) as one:
        with pytest.raises(ServerFault):
            await one.rooms.delete("r1")
    assert len(server.requests) == 2


async def test_a_server_that_is_not_there() -> None:
    async with Client("http://127.0.0.1:9", patience=Patience(tries=1)) as one:
        with pytest.raises(NoAnswer) as caught:
            await one.site()
    assert (caught.value.code, caught.value.status) == ("unreachable", 0)
    with pytest.raises(LocalError):
        await one.site()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"id": 1}', b" " * (MAX_REPLY + 1)])
async def test_answers_that_are_none(server: Server, body: bytes) -> None:
    server.answers = [body]
    async with client(server, tries=1) as one:
        with pytest.raises(NoAnswer) as caught:
            await one.rooms.get("r1")
    assert caught.value.code == "bad-reply"


async def test_what_is_sent_is_what_was_given(server: Server) -> None:
    """Fields that stay are left out, secrets are in clear, odd names are quoted, of a query what says something."""
    server.answers = [DETAIL]
    async with client(server) as one:
        await one.rooms.change("../a b/é", RoomPatch(pin="", lobby=False))
    assert server.requests[-1][1] == "/api/v1/rooms/..%2Fa%20b%2F%C3%A9"
    assert server.requests[-1][3] == b'{"pin":"","lobby":false}'
    assert server.requests[-1][2]["Authorization"] == "Bearer ck_1"
    server.answers = [{"items": [], "next": None}]
    async with client(server) as one:
        assert [room async for room in one.rooms.all(RoomQuery(everyone=True, search="a&b"))] == []
    assert server.requests[-1][1] == "/api/v1/rooms?everyone=true&search=a%26b"
    server.answers = [{"csrf": "proof"}]
    async with client(server, key="") as one:
        await one.session.sign_in(SignIn.model_validate({"login": "ada", "password": "copper river"}))
    assert server.requests[-1][3] == b'{"login":"ada","password":"copper river"}'


async def test_lists_are_read_page_by_page(server: Server) -> None:
    server.answers = [{"items": [DETAIL, DETAIL], "next": "m1"}, {"items": [DETAIL], "next": None}]
    async with client(server) as one:
        assert len([room async for room in one.rooms.all(RoomQuery(limit=2))]) == 3
    assert [path for _, path, _, _ in server.requests] == ["/api/v1/rooms?limit=2", "/api/v1/rooms?limit=2&page=m1"]
