"""Thousands of allocations that come and go, at a server in a process of its own: its memory and its files are what they were.

300 at once, four times; ``CONFERO_TEST_LONG=1``: 2,000 at once, ten times. The clients are the benchmark's (native/bench).
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ..support.figures import record_figure
from ..support.waiting import until
from .process import Running, credentials, turn_process

__all__ = ["record_figure"]

LONG = bool(int(os.environ.get("CONFERO_TEST_LONG", "0") or 0))
AT_ONCE, ROUNDS = (2000, 10) if LONG else (300, 4)
SOURCES = 200
"""Addresses of clients: what one of them may ask without credentials is counted."""
SERVER, PORT = "127.0.77.21", 14_059
MORE = 2 << 20
"""Bytes that a process may have grown by: 110 of each allocation of the long run, which takes 4 kB while it is there. Rings have a
place for all that there may be and are touched as they go round (72 bytes an allocation), so no more are allowed than come."""
NATIVE = Path(__file__).resolve().parents[2] / "native"
PROGRAM = "build/plain/bench/bench_turn"
SETTINGS = {
    "bind": SERVER,
    "udp_port": PORT,
    "tcp_listen": "false",
    "threads": 2,
    "reach": "127.0.0.1:20001-65535",
    "max_allocations": AT_ONCE,
    "max_allocations_per_user": AT_ONCE,
    "max_connections": 64,
}


@pytest.fixture(scope="module")
def program() -> Path:
    subprocess.run(["make", "-s", "-C", str(NATIVE), PROGRAM], check=True)
    return NATIVE / PROGRAM


async def come_and_go(program: Path, server: Running) -> int:
    """All of them allocate and bind a channel, then give back what they have; kB by which the server grew meanwhile."""
    name, password = credentials()
    options = {"pid": server.pid, "host": SERVER, "port": PORT, "user": name, "password": password}
    options |= {"sources": SOURCES, "flows": AT_ONCE, "seconds": 0}
    words = [word for option, value in options.items() for word in (f"--{option}", str(value))]
    process = await asyncio.create_subprocess_exec(
        str(program), *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    found = json.loads(said)
    return int(found["resident_after_kb"]) - int(found["resident_before_kb"])


@pytest.mark.timeout(300)
async def test_memory_and_files_are_what_they_were(
    program: Path, tmp_path: Path, record_figure: Callable[[str, str], None]
) -> None:
    async with turn_process(tmp_path, **SETTINGS) as server:
        idle = server.descriptors
        grown = await come_and_go(program, server)
        await until(lambda: server.descriptors <= idle, "the first ones' end")
        before = server.resident
        for _ in range(ROUNDS - 1):
            await come_and_go(program, server)
            await until(lambda: server.descriptors <= idle, "their end")
        more = server.resident - before
        assert grown > AT_ONCE and more < MORE
    text = f"{ROUNDS * AT_ONCE} allocations came and went, {AT_ONCE} at once: {more / 1024:.0f} kB more than after the first"
    record_figure("turn-churn", text)
