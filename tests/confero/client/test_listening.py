"""Events through broken connections: each once, in order; what the server is told on coming back; and when it is over."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from confero.appserver.api.examples import EXAMPLES
from confero.client import Client, NotAllowed, SignInNeeded
from confero.client.places import Places
from confero.models import JoinReply
from confero.models.signalling import Position, UserWelcome
from confero.runtime.http import Listener
from confero.runtime.problems import problem, respond

TOPIC = "user:u1"


def welcome(seq: int = 0, *, resumed: bool = False) -> dict[str, Any]:
    topics = [{"topic": TOPIC, "epoch": "ep_1", "seq": seq}]
    return {"type": "welcome", "session": "ses_1", "topics": topics, "resumed": resumed, "user": "u1"}


def changed(seq: int, topic: str = TOPIC) -> dict[str, Any]:
    return {"topic": topic, "seq": seq, "type": "changed", "what": "rooms"}


def farewell(code: int) -> dict[str, Any]:
    return {"type": "close", "code": code, "reason": "r"}


class Notifier:
    """Tells each connection what it was told to, or refuses it with a status."""

    def __init__(self) -> None:
        self.connections: list[list[Any] | int] = []
        self.openings: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.made = 0

    async def stream(self, request: web.Request) -> web.StreamResponse:
        self.openings.append(await request.json())
        self.tokens.append(request.headers["Authorization"])
        told = self.connections.pop(0)
        if isinstance(told, int):
            return respond(problem(told, "token-expired" if told == 401 else "refused"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for message in told:
            text = message if isinstance(message, str) else json.dumps(message)
            await response.write(f": beat\n\ndata: {text}\n\n".encode())
        return response

    async def token(self, request: web.Request) -> web.Response:
        self.made += 1
        return web.json_response({"token": f"t{self.made}", "expires_at": 1.0})


@pytest.fixture
async def notifier() -> AsyncIterator[tuple[Notifier, Client]]:
    made = Notifier()
    app = web.Application()
    app.router.add_post("/events/stream", made.stream)
    app.router.add_post("/api/v1/me/events", made.token)
    listener = await Listener.start(app, "127.0.0.1", 0)
    async with Client(f"http://127.0.0.1:{listener.port}", key="ck_1") as client:
        client._to.jitter = lambda: -1.0
        yield made, client
    await listener.close()


async def test_each_event_comes_once_through_broken_connections(notifier: tuple[Notifier, Client]) -> None:
    server, client = notifier
    server.connections = [
        [welcome(4), changed(5), changed(5), changed(3), changed(9, "user:other"), "{}", {"type": "news", "id": 1}],
        [welcome(5, resumed=True), changed(6), farewell(1012)],
        503,
        [welcome(6, resumed=True), {**changed(7), "type": "of a later version"}, changed(8), farewell(4403)],
    ]
    kinds = [event.type async for event in client.events()]
    assert kinds == ["welcome", "changed", "welcome", "changed", "welcome", "changed"]
    seen = [opening.get("seen", [{}])[0].get("seq") for opening in server.openings]
    assert seen == [None, 5, 6, 6] and server.openings[1]["resume"] == "ses_1"
    assert server.tokens == [f"Bearer t{number}" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize("code", [1000, 4403, 4409])
async def test_what_is_over_ends(notifier: tuple[Notifier, Client], code: int) -> None:
    server, client = notifier
    server.connections = [[welcome(), farewell(code)]]
    assert [event.type async for event in client.events()] == ["welcome"]


@pytest.mark.parametrize("ending", [401, [welcome(), farewell(4401)]])
async def test_a_token_that_has_run_out(notifier: tuple[Notifier, Client], ending: Any) -> None:
    """An account gets another one; whoever has a seat has to join again."""
    server, client = notifier
    server.connections = [ending, [welcome(), farewell(1000)], ending]
    assert [event.type async for event in client.events()][-1] == "welcome"
    seat = client.seat(JoinReply.model_validate(EXAMPLES[JoinReply]))
    with pytest.raises(SignInNeeded):
        [event async for event in seat.events()]


async def test_a_refusal_is_told(notifier: tuple[Notifier, Client]) -> None:
    server, client = notifier
    server.connections = [403]
    with pytest.raises(NotAllowed):
        [event async for event in client.events()]


def test_after_a_gap_the_next_connection_begins_anew() -> None:
    places = Places()
    places.welcomed(
        UserWelcome(session="s", topics=[Position(topic=TOPIC, epoch="e", seq=1)], resumed=False, user="u1")
    )
    assert places.is_new(TOPIC, 2) and places.opening().resume == "s"
    assert places.is_new(TOPIC, 4) and places.opening().resume is None
    assert places.is_new(TOPIC, 5) and not places.is_new("user:other", 1)
