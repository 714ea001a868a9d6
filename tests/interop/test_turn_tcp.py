"""TCP allocations (RFC 6062) with coturn's own client as judge: pairs of them, of which one connects to the other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from confero.protocols.stun import Method

from ..support.opennet import host, open_network
from ..turn.house import House

HERE = host(1)
LOST = re.compile(r"Total lost packets (\d+)")
SENT = re.compile(r"tot_send_msgs=(\d+)")
CLIENTS, MESSAGES = 4, 25
PATIENCE_S = 90.0
"""The client waits 35 s of its own accord before it sends over TCP."""


@pytest.fixture
def network() -> Iterator[None]:
    with open_network():
        yield


@pytest.fixture
async def house(network: None, tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    await made.start(bind=[HERE], tcp_allocations=True)
    yield made
    await made.stop()


async def judge(house: House, *how: str) -> None:
    """``how``: further options of the client."""
    name, password = house.credentials()
    command = (
        *("turnutils_uclient", "-T", *how, "-u", name, "-w", password, "-p", str(house.port("tcp"))),
        *("-m", str(CLIENTS), "-n", str(MESSAGES), "-l", "170", "-z", "5", HERE),
    )
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(PATIENCE_S):
        said = (await process.communicate())[0].decode(errors="replace")
    assert process.returncode == 0, said[-2000:]
    assert LOST.findall(said)[-1:] == ["0"] and int(SENT.findall(said)[-1]) >= CLIENTS * MESSAGES, said[-2000:]


async def test_uclient_loses_nothing_over_tcp_and_tls(house: House) -> None:
    await asyncio.gather(judge(house), judge(house, "-S"))
    assert house.app.server.replies[Method.CONNECTION_BIND, 0] >= 2 * CLIENTS
