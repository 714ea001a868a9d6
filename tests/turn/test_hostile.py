"""Noise over UDP and TCP, half messages and silence: the server stays, and whoever talks meanwhile does not notice."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from pathlib import Path

import pytest

from confero.protocols.stun import Method

from ..support.waiting import until
from .house import SERVER, House

MESSAGES, CONNECTIONS = 20_000, 200
COOKIE = 0x2112A442


def noise(rng: random.Random) -> bytes:
    """Any bytes, or a head of STUN or ChannelData with any bytes behind it, whose length may be a lie."""
    body = rng.randbytes(rng.choice((0, 4, 20, 100, 1400)))
    length = rng.choice((len(body) - len(body) % 4, len(body), 65_535, rng.randrange(65_536)))
    kind = rng.randrange(4)
    if kind == 0:
        return body
    if kind == 1:
        return struct.pack("!HH", rng.randrange(0x4000, 0x8000), length) + body
    method = rng.choice([*Method, rng.randrange(0x4000)]) & 0x3FFF
    return struct.pack("!HHI", method, length, COOKIE) + rng.randbytes(12) + body


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


async def test_noise_over_tcp_changes_nothing_and_ends(house: House) -> None:
    echo, talk = await house.echo(), await house.allocate("tcp")
    rng = random.Random(6062)
    for index in range(CONNECTIONS):
        _, writer = await asyncio.open_connection(SERVER, house.app.tcp_port)
        for _ in range(20):
            writer.write(noise(rng))
        assert await talk.ask(echo, b"%d" % index) == b"echo %d" % index
        if rng.random() < 0.5:
            with contextlib.suppress(OSError):  # hung up already
                writer.write_eof()
        writer.close()
    assert house.app.server.allocations == 1
    await talk.close()
    await until(lambda: not house.app.server.allocations, "the allocation's end")


@pytest.mark.parametrize("cut", [1, 4, 19, 27])
async def test_a_request_in_pieces_is_answered(house: House, cut: int) -> None:
    request = struct.pack("!HHI12sHH4s", 1, 8, COOKIE, b"twelve bytes", 0x8022, 4, b"abcd")
    reader, writer = await asyncio.open_connection(SERVER, house.app.tcp_port)
    writer.write(request[:cut])
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.write(request[cut:])
    assert (await asyncio.wait_for(reader.readexactly(20), 5))[:2] == b"\x01\x01"
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
