"""Noise over UDP and TCP, half messages and silence: the server stays, and whoever talks meanwhile does not notice.

``CONFERO_TEST_LONG=1``: 100,000 messages each way.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import struct
from pathlib import Path

import pytest

from confero.protocols.stun import Method

from ..support.waiting import until
from .caller import Caller
from .house import SERVER, House

LONG = bool(int(os.environ.get("CONFERO_TEST_LONG", "0") or 0))
MESSAGES, CONNECTIONS = (100_000, 5000) if LONG else (20_000, 200)
OF_EACH = 20
"""Messages of a connection."""
COOKIE = 0x2112A442


def noise(rng: random.Random) -> bytes:
    """Any bytes, or a head of STUN or ChannelData with any bytes behind it, whose length may be a lie."""
    body = rng.randbytes(rng.choice((0, 4, 20, 100, 1400)))
    length = rng.choice((len(body), len(body) + 1, 65_535, rng.randrange(65_536)))
    return body if rng.randrange(4) == 0 else headed(rng, length, body)


def framed(rng: random.Random) -> bytes:
    """A head that tells the truth: on a stream the next message is found behind it."""
    body = rng.randbytes(rng.choice((0, 4, 20, 100, 1400)))
    return headed(rng, len(body), body)


def headed(rng: random.Random, length: int, body: bytes) -> bytes:
    if rng.randrange(3) == 0:
        return struct.pack("!HH", rng.randrange(0x4000, 0x8000), length) + body
    method = rng.choice([*Method, rng.randrange(0x4000)]) & 0x3FFF
    return struct.pack("!HHI", method, length, COOKIE) + rng.randbytes(12) + body


@pytest.mark.timeout(600)
async def test_noise_over_udp_changes_nothing(house: House) -> None:
    echo, talk = await house.echo(), await house.allocate()
    rng = random.Random(8656)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.connect((SERVER, house.app.udp_port))
        for index in range(MESSAGES):
            there.send(noise(rng))
            if index % 50 == 0:
                assert await talk.ask(echo, b"%d" % index) == b"echo %d" % index
    assert house.app.server.allocations == 1
    assert await house.metric("drops", reason="malformed") > 0


@pytest.mark.timeout(600)
async def test_noise_over_tcp_changes_nothing_and_ends(house: House) -> None:
    """Each message comes in two pieces, the last of a connection may be anything."""
    echo, talk = await house.echo(), await house.allocate("tcp")
    rng = random.Random(6062)
    for index in range(CONNECTIONS):
        _, writer = await asyncio.open_connection(SERVER, house.app.tcp_port)
        for number in range(OF_EACH):
            said = framed(rng) if number < OF_EACH - 1 else noise(rng)
            cut = rng.randrange(len(said) + 1)
            for piece in (said[:cut], said[cut:]):
                writer.write(piece)
        assert await talk.ask(echo, b"%d" % index) == b"echo %d" % index
        if rng.random() < 0.5:
            with contextlib.suppress(OSError):  # hung up already
                writer.write_eof()
        writer.close()
    assert house.app.server.allocations == 1
    await talk.close()
    await until(lambda: not house.app.server.allocations, "the allocation's end")


async def test_a_call_in_single_bytes_is_a_call(house: House) -> None:
    """Each message, of whatever kind, is split at each of its bytes: requests with credentials, an indication, ChannelData."""
    echo, here = await house.echo(), socket.create_connection((SERVER, house.app.tcp_port))
    here.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    caller = Caller(here, *house.credentials(), pieces=1)
    client = caller.client
    await caller.ask(client.allocate)
    await caller.ask(lambda now: client.create_permission(now, echo.address))
    client.send(echo.address, b"by an indication")
    assert (await caller.heard()).data == b"echo by an indication"
    await caller.ask(lambda now: client.bind_channel(now, 0x4000, echo.address))
    for size in range(8):
        client.send_on(0x4000, bytes(size))
        assert (await caller.heard()).data == b"echo " + bytes(size)
    await caller.ask(lambda now: client.refresh(now, 0))
    caller.close()


async def test_a_request_in_two_pieces_is_answered(house: House) -> None:
    """Cut at each of its bytes, all of them on one connection."""
    request = struct.pack("!HHI12sHH4s", 1, 8, COOKIE, b"twelve bytes", 0x8022, 4, b"abcd")
    reader, writer = await asyncio.open_connection(SERVER, house.app.tcp_port)
    for cut in range(1, len(request)):
        writer.write(request[:cut])
        await asyncio.sleep(0.02)
        writer.write(request[cut:])
        head = await asyncio.wait_for(reader.readexactly(20), 5)
        assert head[:2] == b"\x01\x01", cut
        await reader.readexactly(int.from_bytes(head[2:4]))
    writer.close()


async def test_allocations_that_come_and_go_leave_no_socket_and_no_port(house: House) -> None:
    async def one() -> None:
        await (await house.allocate()).close()

    await one()
    await until(lambda: not house.app.server.allocations, "the first's end")
    before = len(house.app.ports), _descriptors()
    for _ in range(10):
        await asyncio.gather(*(one() for _ in range(20)))
    await until(lambda: not house.app.server.allocations, "the allocations' end")
    await until(lambda: (len(house.app.ports), _descriptors()) <= before, "as it was before")


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
