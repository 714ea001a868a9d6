"""coturn's own client as judge: allocations, pairs of ports and Send indications over UDP, TCP and TLS, and nothing lost."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator

import pytest

from confero.models.turn import TurnTransport

from .house import PEER, SERVER, House

PORT = 21_500 + os.getpid() % 5000
"""Of its own for each process of a parallel run: two echoes at one port would share what comes."""
CLIENTS, MESSAGES = 4, 25
LOST = re.compile(r"Total lost packets (\d+)")
SENT = re.compile(r"tot_send_msgs=(\d+)")
OVER: dict[TurnTransport, tuple[str, ...]] = {"udp": (), "tcp": ("-t",), "tls": ("-t", "-S")}
WAYS = {"pairs": (), "without RTCP": ("-c",), "unfragmented": ("-c", "-g")}
"""Send indications always: uclient draws channels from 0x4000-0x7FFF as RFC 5766 had them, most of which RFC 8656 refuses."""


@pytest.fixture
async def peer() -> AsyncIterator[None]:
    """coturn's echo."""
    command = ("turnutils_peer", "-L", PEER, "-p", str(PORT))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    yield
    process.terminate()
    await process.wait()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("via", OVER)
async def test_uclient_loses_nothing(house: House, peer: None, via: TurnTransport, way: str) -> None:
    name, password = house.credentials()
    command = (
        *("turnutils_uclient", *OVER[via], "-s", *WAYS[way], "-u", name, "-w", password, "-p", str(house.port(via))),
        *("-e", PEER, "-r", str(PORT), "-m", str(CLIENTS), "-n", str(MESSAGES), "-l", "170", "-z", "5", SERVER),
    )
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        said = (await process.communicate())[0].decode(errors="replace")
    assert process.returncode == 0, said[-2000:]
    # With RTCP each client has a pair of ports: an allocation with EVEN-PORT and one with the other's token.
    assert LOST.findall(said)[-1:] == ["0"] and int(SENT.findall(said)[-1]) == CLIENTS * MESSAGES, said[-2000:]
    assert await house.metric("to_peer_packets", transport=via) >= CLIENTS * MESSAGES
