"""The command as a process: it starts and ends cleanly, says what is wrong, and lives through having no files left."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from ..support.hellos import hello
from ..support.waiting import until
from .house import Service, ended

FILES = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "CONFERO_STATE_DIR": str(tmp_path),
        "CONFERO_EDGE_HTTPS_HOST": "127.0.0.1",
        "CONFERO_EDGE_HTTPS_PORT": str(free_port()),
        "CONFERO_EDGE_HTTP_PORT": str(free_port()),
    }


@asynccontextmanager
async def edge(env: dict[str, str], log: Path, files: int = 0) -> AsyncIterator[asyncio.subprocess.Process]:
    """Until the end of the block; its exit code must be 0 then. ``files``: how many it may open."""
    limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None
    with log.open("wb") as sink:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "confero.edge", env=env, stderr=sink, preexec_fn=limit
        )
    try:
        await ready(env)
        yield child
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await child.wait() == 0, f"see {log}"
        assert "Traceback" not in log.read_text()  # noqa: ASYNC240
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def ready(env: dict[str, str]) -> None:
    async with asyncio.timeout(20), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"http://127.0.0.1:{env['CONFERO_EDGE_HTTP_PORT']}/ready") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


def call(env: dict[str, str], data: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", int(env["CONFERO_EDGE_HTTPS_PORT"])), 5)
    if data:
        made.send(data)
    made.setblocking(False)
    return made


async def test_life(env: dict[str, str], tmp_path: Path) -> None:
    service = Service(tmp_path, "appserver")
    await service.start()
    async with edge(env, tmp_path / "log") as child:
        client = call(env, hello(["h2"]))
        connection, kind, _ = await service.take()
        assert kind == "https" and child.returncode is None
        silent = call(env)
    assert ended(silent) and not ended(client), "who was handed on stays"
    async with edge(env, tmp_path / "log2"):
        call(env, hello(["h2"])).close()
        again, _, _ = await service.take()
        again.close()
    connection.close()
    service.stop()


async def test_without_files_it_goes_on(env: dict[str, str], tmp_path: Path) -> None:
    """More connect than it has files for; it takes turns with them, and with whoever speaks at once."""
    service = Service(tmp_path, "appserver")
    await service.start()
    async with edge({**env, "CONFERO_EDGE_CLASSIFY_S": "1"}, tmp_path / "log", files=FILES):
        crowd = [call(env) for _ in range(3 * FILES)]
        client = call(env, hello(["h2"]))
        connection, kind, _ = await service.take()
        assert kind == "https"
        await until(lambda: all(map(ended, crowd)))
        connection.close()
        client.close()
        for each in crowd:
            each.close()
    service.stop()


async def test_an_address_in_use_is_said(env: dict[str, str]) -> None:
    taken = await asyncio.start_server(lambda r, w: None, "127.0.0.1", int(env["CONFERO_EDGE_HTTPS_PORT"]))
    async with taken:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "confero.edge", env=env, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(20):
            _, said = await child.communicate()
    assert child.returncode == 1
    assert b"cannot listen" in said and b"Traceback" not in said
