"""The WebSocket over a real socket: who may open one, and what is answered to hello."""

from __future__ import annotations

import time

import aiohttp
import pytest

from confero.errors import Refused
from confero.models import Participant
from confero.tokens import service_token

from ..support.waiting import until
from .conftest import Stack, StackMaker
from .fakes import SECRET

# --- entry ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "http://127.0.0.1.evil.example", "https://127.0.0.1"]
)
async def test_foreign_origin_is_refused_before_the_upgrade(stack: Stack, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await stack.browser().connect(headers=headers)
    assert caught.value.status == 403


async def test_forwarded_origin_needs_the_application_servers_token(stack: Stack) -> None:
    forwarded = {"Origin": "https://meet.example", "Host": "meet.example", "X-Forwarded-Proto": "https"}
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await stack.browser().connect(headers=forwarded)
    token = service_token("appserver", "notifier", secret=SECRET, now=time.time())
    browser = stack.browser()
    await browser.connect(headers={**forwarded, "Authorization": f"Bearer {token}"})
    await browser.ws.close()


@pytest.mark.parametrize("query", ["?token=x", "?x"])
async def test_query_is_refused(stack: Stack, query: str) -> None:
    async with stack.http.get(f"{stack.url}/events{query}", headers={"Origin": stack.url}) as response:
        assert response.status == 400
        assert (await response.json())["type"] == "urn:confero:problem:query-not-allowed"


async def test_plain_get_is_told_to_upgrade(stack: Stack) -> None:
    async with stack.http.get(f"{stack.url}/events", headers={"Origin": stack.url}) as response:
        assert response.status == 426


async def test_wrong_method(stack: Stack) -> None:
    async with stack.http.post(f"{stack.url}/events", headers={"Origin": stack.url}) as response:
        assert response.status == 405


async def test_too_many_from_one_address(make_stack: StackMaker) -> None:
    stack = await make_stack(max_connections_per_source=2)
    browsers = [await stack.join("a"), await stack.join("b")]
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await stack.browser().connect()
    assert caught.value.status == 429
    await browsers[0].ws.close()
    await until(lambda: stack.notifier.gate.count == 1)
    await stack.join("c")


async def test_too_many_in_all(make_stack: StackMaker) -> None:
    stack = await make_stack(max_connections=1)
    held = await stack.join("a")
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await stack.browser().connect()
    assert caught.value.status == 429
    assert not held.ws.closed


# --- hello ---------------------------------------------------------------------------------------------------------


async def test_welcome_carries_the_roster(stack: Stack) -> None:
    bob = await stack.join("bob")
    answer = await bob.ask("offer", sdp="v=0")
    alice = stack.browser()
    welcome = await alice.hello(stack.token("alice"))
    assert welcome["roster"] == [
        Participant(id="bob", display_name="Bob", kind="webrtc", leg=answer["leg"]).model_dump()
    ]
    assert (welcome["resumed"], [place["seq"] for place in welcome["topics"]]) == (False, [0, 0])
    assert (welcome["participant"], welcome["room"], welcome["room_name"]) == ("alice", "lobby", "Lobby")


async def test_welcome_of_a_room_that_the_mcu_does_not_know(stack: Stack) -> None:
    welcome = await stack.browser().hello(stack.token())
    assert welcome["roster"] == []


async def test_welcome_while_the_mcu_is_away(stack: Stack) -> None:
    await stack.mcu.stop()
    welcome = await stack.browser().hello(stack.token())
    assert welcome["roster"] == []


async def test_connected_notice(stack: Stack) -> None:
    alice = await stack.join()
    await until(lambda: stack.appserver.kinds("alice") == ["connected"])
    notice = stack.appserver.notices[0][1]
    assert (notice.session, notice.room, notice.notifier) == (alice.session_id, "lobby", "notifier")


async def test_no_hello_in_time(make_stack: StackMaker) -> None:
    stack = await make_stack(hello_timeout_s=0.05)
    browser = stack.browser()
    await browser.connect()
    assert await browser.close_code() == 4401


async def test_pings_do_not_replace_hello(make_stack: StackMaker) -> None:
    stack = await make_stack(hello_timeout_s=0.2)
    browser = stack.browser()
    await browser.connect()
    for _ in range(3):
        await browser.ws.ping()
    assert await browser.close_code() == 4401


async def test_something_else_before_hello(stack: Stack) -> None:
    browser = stack.browser()
    await browser.connect()
    await browser.send({"type": "ping", "id": 1})
    assert await browser.close_code() == 4401


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Refused("forged", status=401, code="token-invalid"), 4401),
        (Refused("expired", status=401, code="token-expired"), 4401),
        (Refused("removed", status=403, code="removed"), 4403),
        (Refused("room is gone", status=404, code="room-unknown"), 4403),
    ],
)
async def test_refused_tokens(stack: Stack, answer: Refused, code: int) -> None:
    stack.appserver.grants["bad"] = answer
    browser = stack.browser()
    await browser.connect()
    await browser.send({"type": "hello", "token": "bad"})
    assert await browser.close_code() == code
    assert len(stack.notifier.hub) == 0


async def test_application_server_away(stack: Stack) -> None:
    await stack.appserver.stop()
    browser = stack.browser()
    await browser.connect()
    await browser.send({"type": "hello", "token": stack.token()})
    assert await browser.close_code() == 4503
