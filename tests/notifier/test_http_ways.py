"""Events without a WebSocket: streams and polls over real sockets, requests beside them, and who may come so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from confero.models import ClosedEvent, Participant, ParticipantEvent, Publish, SpeakersEvent

from ..support.waiting import until
from .conftest import Stack, StackMaker

SPEAKERS = SpeakersEvent(speakers=[])
TOKEN_OF_ALICE = "token-of-alice-for-lobby"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Listening:
    """A stream as a page reads it by ``fetch``."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.seen: dict[str, dict[str, Any]] = {}
        self.session = ""

    async def next(self) -> dict[str, Any]:
        """The next event's data; comments are passed over."""
        async with asyncio.timeout(10):
            while True:
                line = await self.response.content.readline()
                assert line, "the stream has ended"
                if line.startswith(b"data: "):
                    return self._noted(json.loads(line[6:]))

    def _noted(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["type"] == "welcome":
            self.session = message["session"]
            self.seen = {place["topic"]: place for place in message["topics"]}
        elif "topic" in message:
            assert message["seq"] == self.seen[message["topic"]]["seq"] + 1
            self.seen[message["topic"]]["seq"] = message["seq"]
        return message

    @property
    def opening(self) -> dict[str, Any]:
        return {"resume": self.session or None, "seen": list(self.seen.values())}


@asynccontextmanager
async def listening(stack: Stack, token: str, opening: dict[str, Any] | None = None) -> AsyncIterator[Listening]:
    async with stack.http.post(f"{stack.url}/events/stream", json=opening or {}, headers=bearer(token)) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        yield Listening(response)


async def post(stack: Stack, path: str, body: Any, token: str = "", **headers: str) -> tuple[int, Any]:
    given = {**(bearer(token) if token else {}), **headers}
    async with stack.http.post(f"{stack.url}{path}", json=body, headers=given) as response:
        return response.status, await response.json(content_type=None)


async def poll(stack: Stack, token: str, state: Listening | None = None, wait_s: float = 5.0) -> list[dict[str, Any]]:
    opening = {**(state.opening if state is not None else {}), "wait_s": wait_s}
    status, answer = await post(stack, "/events/poll", opening, token)
    assert status == 200, answer
    messages: list[dict[str, Any]] = answer["messages"]
    if state is not None:
        for message in messages:
            state._noted(message)
    return messages


async def tell(stack: Stack, *events: Any, participant: str | None = None) -> None:
    await stack.mcu.publish(stack.url, Publish(room="lobby", participant=participant, events=list(events)))


# --- streams ----------------------------------------------------------------------------------------------------------


async def test_a_stream_begins_with_the_welcome_and_goes_on_with_events(stack: Stack) -> None:
    async with listening(stack, stack.token()) as alice:
        welcome = await alice.next()
        assert (welcome["type"], welcome["participant"], welcome["resumed"]) == ("welcome", "alice", False)
        await tell(stack, SPEAKERS, SPEAKERS)
        assert [(await alice.next())["type"] for _ in range(2)] == ["speakers", "speakers"]


async def test_a_stream_resumes_where_it_was(stack: Stack) -> None:
    token = stack.token()
    async with listening(stack, token) as alice:
        await alice.next()
        await tell(stack, SPEAKERS)
        await alice.next()
    session = stack.notifier.hub.of_participant("alice")
    assert session is not None
    await until(lambda: session.sink is None)
    await tell(stack, SPEAKERS, SPEAKERS)
    async with listening(stack, token, alice.opening) as again:
        welcome = await again.next()
        assert (welcome["resumed"], welcome["session"]) == (True, alice.session)
        assert [(await again.next())["seq"] for _ in range(2)] == [2, 3]
    await until(lambda: stack.appserver.kinds("alice") == ["connected"])


async def test_who_cannot_go_on_is_told_to_start_anew(stack: Stack) -> None:
    async with listening(stack, stack.token()) as alice:
        await alice.next()
        wrong = {"resume": alice.session, "seen": [{**place, "epoch": "e9"} for place in alice.seen.values()]}
    async with listening(stack, TOKEN_OF_ALICE, wrong) as again:
        welcome = await again.next()
        assert not welcome["resumed"]
        assert welcome["session"] != alice.session


async def test_a_websocket_goes_on_where_a_stream_was(stack: Stack) -> None:
    async with listening(stack, stack.token()) as alice:
        await alice.next()
        browser = stack.browser()
        browser.session_id, browser.seen = alice.session, alice.seen
        assert (await browser.hello(TOKEN_OF_ALICE, resume=True))["resumed"]
        assert await alice.next() == {"type": "close", "code": 4409, "reason": "another connection of this participant"}


async def test_a_stream_is_closed_with_the_reason(stack: Stack) -> None:
    async with listening(stack, stack.token()) as alice:
        await alice.next()
        await tell(stack, ClosedEvent(reason="removed"), participant="alice")
        assert (await alice.next())["type"] == "closed"
        assert (await alice.next())["code"] == 4403
        assert (await alice.response.content.read()).strip() == b""
    await until(lambda: stack.notifier.gate.count == 0)


async def test_a_restart_is_told_to_streams_and_polls(stack: Stack) -> None:
    state = Listening(None)  # type: ignore[arg-type]
    async with listening(stack, stack.token("alice")) as alice:
        await alice.next()
        await poll(stack, stack.token("bob"), state)
        waiting = asyncio.ensure_future(poll(stack, stack.token("bob"), state))  # noqa: TID251 - a test's own
        await until(lambda: len(stack.notifier.shared.open) == 2)
        await stack.notifier.drain()
        assert (await alice.next())["code"] == 1012
        assert [message["code"] for message in await waiting] == [1012]


async def test_a_stream_that_nobody_reads_is_closed_and_comes_back(make_stack: StackMaker) -> None:
    stack = await make_stack(queue_bytes=1 << 19)
    big = ParticipantEvent(participant=Participant(id="x", display_name="y" * 50_000, kind="rtp", leg="l"))
    async with listening(stack, stack.token()) as alice:
        while stack.notifier.gate.count:
            await tell(stack, *[big] * 10)
    registry = stack.notifier.http.metrics.registry
    assert registry.get_sample_value("confero_websocket_closes_total", {"code": "4429"}) == 1
    assert alice.session == ""
    async with listening(stack, TOKEN_OF_ALICE) as again:
        assert (await again.next())["type"] == "welcome"


async def test_comments_keep_a_stream_awake(make_stack: StackMaker) -> None:
    stack = await make_stack(ping_interval_s=0.05)
    async with listening(stack, stack.token()) as alice:
        await alice.next()
        assert b":\n" in [await alice.response.content.readline() for _ in range(3)]


# --- polls ------------------------------------------------------------------------------------------------------------


async def test_polls_get_every_event_once_and_in_order(stack: Stack) -> None:
    token, state = stack.token(), Listening(None)  # type: ignore[arg-type]
    (welcome,) = await poll(stack, token, state)
    assert welcome["type"] == "welcome"
    seen: list[int] = []

    async def publish() -> None:
        for _ in range(20):
            await tell(stack, SPEAKERS)
            await asyncio.sleep(0.01)

    telling = asyncio.ensure_future(publish())  # noqa: TID251 - a test's own
    while len(seen) < 20:
        messages = await poll(stack, token, state)
        assert [message["type"] for message in messages] == ["speakers"] * len(messages)
        seen += [message["seq"] for message in messages]
    await telling
    assert seen == list(range(1, 21))
    assert stack.appserver.kinds("alice").count("connected") <= 1


async def test_a_poll_waits_and_then_says_that_there_was_nothing(stack: Stack) -> None:
    token, state = stack.token(), Listening(None)  # type: ignore[arg-type]
    await poll(stack, token, state)
    assert await poll(stack, token, state, wait_s=0.1) == []


async def test_whoever_was_away_is_greeted_if_it_asks_for_that(stack: Stack) -> None:
    token, state = stack.token(), Listening(None)  # type: ignore[arg-type]
    await poll(stack, token, state)
    await tell(stack, SPEAKERS)
    status, answer = await post(stack, "/events/poll", {**state.opening, "greet": True}, token)
    assert (status, [message["type"] for message in answer["messages"]]) == (200, ["welcome", "speakers"])
    assert answer["messages"][0]["resumed"]


async def test_polls_go_on_while_the_application_server_is_away(stack: Stack) -> None:
    token, state = stack.token(), Listening(None)  # type: ignore[arg-type]
    await poll(stack, token, state)
    await stack.appserver.stop()
    await tell(stack, SPEAKERS)
    assert [message["type"] for message in await poll(stack, token, state)] == ["speakers"]


async def test_a_poll_whose_reader_has_gone_gives_its_place_back(stack: Stack) -> None:
    token, state = stack.token(), Listening(None)  # type: ignore[arg-type]
    await poll(stack, token, state)
    waiting = asyncio.ensure_future(poll(stack, token, state, wait_s=25))  # noqa: TID251 - a test's own
    await until(lambda: stack.notifier.gate.count == 1)
    waiting.cancel()
    await until(lambda: stack.notifier.gate.count == 0)


# --- requests ---------------------------------------------------------------------------------------------------------


async def test_requests_are_answered_in_their_reply(stack: Stack) -> None:
    async with listening(stack, stack.token()) as alice:
        await alice.next()
        path = f"/events/sessions/{alice.session}"
        status, answer = await post(stack, path, {"type": "offer", "id": 7, "sdp": "v=0"}, TOKEN_OF_ALICE)
        assert (status, answer["type"], answer["id"], answer["sdp"]) == (200, "answer", 7, "answer")
        assert (await post(stack, path, {"type": "mute", "id": 8, "muted": True}, TOKEN_OF_ALICE))[1] == {
            "type": "ok",
            "id": 8,
        }
        assert stack.mcu.legs[answer["leg"]][1].muted
        assert (await post(stack, path, {"type": "leave", "id": 9}, TOKEN_OF_ALICE))[1]["type"] == "ok"
        assert (await alice.next())["code"] == 1000
        assert (await post(stack, path, {"type": "ping", "id": 1}, TOKEN_OF_ALICE))[0] == 404
    assert stack.mcu.legs == {}


async def test_requests_need_the_sessions_own_token(stack: Stack) -> None:
    async with listening(stack, stack.token()) as alice:
        await alice.next()
        ping = {"type": "ping", "id": 1}
        for session, token, status in (
            (alice.session, stack.token("mallory"), 404),
            (alice.session, "", 401),
            ("ses_unknown", TOKEN_OF_ALICE, 404),
            ("..", TOKEN_OF_ALICE, 404),
        ):
            assert (await post(stack, f"/events/sessions/{session}", ping, token))[0] == status


@pytest.mark.parametrize(
    "body", ["nonsense", {}, {"type": "hello", "token": "t"}, {"type": "ping", "id": 1, "more": 1}]
)
async def test_malformed_requests(stack: Stack, body: Any) -> None:
    async with listening(stack, stack.token()) as alice:
        await alice.next()
        status, answer = await post(stack, f"/events/sessions/{alice.session}", body, TOKEN_OF_ALICE)
        assert (status, answer["type"]) == (422, "urn:confero:problem:invalid-body")


async def test_too_many_requests(make_stack: StackMaker) -> None:
    stack = await make_stack(message_burst=5, messages_per_s=0.1)
    async with listening(stack, stack.token()) as alice:
        await alice.next()
        path = f"/events/sessions/{alice.session}"
        found = [(await post(stack, path, {"type": "ping", "id": n}, TOKEN_OF_ALICE))[0] for n in range(6)]
        assert found == [200, 200, 200, 200, 429, 429]


# --- entry ------------------------------------------------------------------------------------------------------------

WAYS = ("/events/stream", "/events/poll")


@pytest.mark.parametrize("path", WAYS)
async def test_who_may_not_come(stack: Stack, path: str) -> None:
    token = stack.token()
    assert (await post(stack, path, {}))[0] == 401
    assert (await post(stack, path, {}, "forged"))[0] == 401
    assert (await post(stack, f"{path}?token={token}", {}, token))[1]["type"] == "urn:confero:problem:query-not-allowed"
    assert (await post(stack, path, {}, token, Origin="https://evil.example"))[1][
        "type"
    ] == "urn:confero:problem:origin-refused"
    assert (await post(stack, path, {"more": 1}, token))[0] == 422
    assert (await post(stack, path, {"seen": [{}] * 9}, token))[0] == 422
    assert len(stack.notifier.hub) == 0


async def test_a_page_of_an_allowed_origin_may_read_the_answer(make_stack: StackMaker) -> None:
    portal = "https://portal.example"
    stack = await make_stack(allowed_origins=[portal])
    asked = {"Origin": portal, "Access-Control-Request-Method": "POST"}
    async with stack.http.options(f"{stack.url}/events/poll", headers=asked) as response:
        assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (204, portal)
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    given = {"Origin": portal, **bearer(stack.token())}
    async with stack.http.post(f"{stack.url}/events/poll", json={}, headers=given) as response:
        assert (response.headers["Access-Control-Allow-Origin"], response.headers["Vary"]) == (portal, "Origin")
    asked["Origin"] = "https://evil.example"
    async with stack.http.options(f"{stack.url}/events/poll", headers=asked) as response:
        assert response.status == 403


async def test_places_are_counted_as_those_of_websockets(make_stack: StackMaker) -> None:
    stack = await make_stack(max_connections_per_source=1)
    async with listening(stack, stack.token()) as alice:
        await alice.next()
        assert (await post(stack, "/events/poll", {}, stack.token("bob")))[0] == 429
