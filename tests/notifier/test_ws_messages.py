"""What a bad client may send over its WebSocket: it is closed, with a code that says why, and nobody else minds."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from ..support.waiting import until
from .conftest import Stack

MALFORMED: list[Any] = [
    "",
    "no json",
    "{}",
    "[]",
    "null",
    '{"type":"nonsense","id":1}',
    '{"type":"publish","room":"lobby","events":[]}',
    '{"type":"offer","id":1}',
    '{"type":"offer","id":1,"sdp":""}',
    '{"type":"offer","id":"one","sdp":"v=0"}',
    '{"type":"offer","id":1,"sdp":"v=0","leg":"../../rooms"}',
    '{"type":"mute","id":1,"muted":true,"participant":"bob"}',
    '{"type":"hello","token":"again"}',
    "[" * 10_000,
    json.dumps({"type": "offer", "id": 1, "sdp": "x" * 100_000}),
    '{"type":"ping","id":' + "1" * 5000 + "}",
]


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: text[:40])
async def test_malformed_messages(stack: Stack, text: str) -> None:
    alice, bob = await stack.join("alice"), await stack.join("bob")
    await alice.ws.send_str(text)
    assert await alice.close_code() == 4400
    assert (await bob.ask("ping"))["type"] == "ok"


async def test_malformed_hello(stack: Stack) -> None:
    browser = stack.browser()
    await browser.connect()
    await browser.ws.send_str("no json")
    assert await browser.close_code() == 4400


async def test_binary_messages(stack: Stack) -> None:
    alice = await stack.join()
    await alice.ws.send_bytes(b"\x00\x01")
    assert await alice.close_code() == 4400


async def test_frames_beyond_any_message(stack: Stack) -> None:
    alice = await stack.join()
    await alice.ws.send_str("x" * 1_000_000)
    assert await alice.close_code() in (
        1009,
        1006,
    )  # a reset may overtake the close frame, since what was sent is not read
    await until(lambda: stack.notifier.gate.count == 0)


async def test_invalid_utf8(stack: Stack) -> None:
    alice = await stack.join()
    await alice.ws.send_frame(b"\xff\xfe", aiohttp.WSMsgType.TEXT)
    assert await alice.close_code() == 1007


async def test_flood_of_messages(stack: Stack) -> None:
    alice, bob = await stack.join("alice"), await stack.join("bob")
    for number in range(200):
        await alice.send({"type": "ping", "id": number})
    assert await alice.close_code() == 4429
    assert (await bob.ask("ping"))["type"] == "ok"


async def test_flood_of_pings(stack: Stack) -> None:
    alice = await stack.join("alice")
    for _ in range(200):
        await alice.ws.ping()
    assert await alice.close_code() == 4429


async def test_too_many_requests_while_the_mcu_is_slow(stack: Stack) -> None:
    alice = await stack.join("alice")
    stack.mcu.hold = asyncio.Event()
    for number in range(20):
        await alice.send({"type": "offer", "id": number, "sdp": "v=0"})
    assert await alice.close_code() == 4429
    stack.mcu.hold.set()
