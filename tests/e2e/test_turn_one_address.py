"""All services on one address: TURN over TCP and TLS comes through the front door, and relays to media alone, to no service."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aioice.stun import TransactionFailed
from aioice.turn import create_turn_endpoint

from confero.lab.members import RtpMember
from confero.lab.members.chromium import Chromium
from confero.lab.stack import Stack
from confero.models.turn import TurnTransport
from confero.ports import find, reserved
from confero.protocols.turn import issue
from confero.tokens import turn_secret

from ..turn.house import Receiver
from .relayed import ROOM, hear_each_other, page_over, phone_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOST = "127.0.53.1"
SETTINGS = {
    "CONFERO_APPSERVER_ICE_POLICY": "relay",
    "CONFERO_APPSERVER_TURN_TRANSPORTS": "tls",
    "CONFERO_APPSERVER_TURNS_TRUSTED": "true",
}
SHUT = (*sorted(reserved()), 22, 80, 2131, 4999, 15_001, 49_152)
WAYS: list[TurnTransport] = ["udp", "tcp", "tls"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phone(stack: Stack) -> AsyncIterator[RtpMember]:
    async with phone_at(stack, HOST) as made:
        yield made


async def allocate(stack: Stack, via: TurnTransport) -> Any:
    """aioice's client with an allocation."""
    name, password = issue(turn_secret(stack.secret), "p_lab", time.time() + 600)
    place = (HOST, find("turn", "udp").number if via == "udp" else stack.port("edge", "https"))
    tls = stack.tls() if via == "tls" else None
    return (
        await create_turn_endpoint(Receiver, place, name, password, ssl=tls, transport="udp" if via == "udp" else "tcp")
    )[0]


async def media_is_reached(inner: Any) -> None:
    """Once the media server has registered, and the TURN server has heard of it at its next beat."""
    for _ in range(50):
        with contextlib.suppress(TransactionFailed):
            return await inner.channel_bind(0x4800, (HOST, 5000))
        await asyncio.sleep(0.2)
    raise AssertionError("media is not reached")


@pytest.mark.parametrize("via", WAYS)
async def test_no_service_is_reached_through_the_relay(stack: Stack, via: TurnTransport) -> None:
    transport = await allocate(stack, via)
    inner = transport._TurnTransport__inner_protocol
    for index, port in enumerate(SHUT):
        for host in (HOST, "127.0.0.1"):
            with pytest.raises(TransactionFailed) as caught:
                await inner.channel_bind(0x4000 + index, (host, port))
            assert caught.value.response.attributes["ERROR-CODE"][0] == 403, (host, port)
    await media_is_reached(inner)
    transport.close()


async def test_a_browser_comes_in_by_tls_on_the_pages_own_port(stack: Stack, phone: RtpMember) -> None:
    async with page_over(stack) as ada:
        await hear_each_other(ada, phone)


async def test_pages_are_served_to_those_who_name_no_protocol(stack: Stack) -> None:
    """TLS without ALPN goes to the TURN server; what turns out to be HTTP inside goes on to the application server."""
    context = stack.tls()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    reader, writer = await asyncio.open_connection(HOST, stack.port("edge", "https"), ssl=context)
    writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    assert answer.startswith(b"HTTP/1.1 200") and b"<html" in answer
    writer.close()


async def test_the_page_outlives_the_turn_server(stack: Stack) -> None:
    stack.kill("turn")
    async with Chromium(None) as browser:
        await browser.goto(f"{stack.page_url}/r/{ROOM}")
        assert await browser.evaluate("document.title")
    await stack.wait_ready()
    transport = await allocate(stack, "tcp")
    transport.close()
