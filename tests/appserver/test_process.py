"""Both commands as processes: they start, log no secret at the finest level, and end cleanly on SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from ..support.browser import Browser
from ..support.fake_mcu import FakeMcu
from .mariadb import free_port

SECRET = "canary-secret-0123456789-0123456789"
PREVIOUS = "canary-previous-token"


@asynccontextmanager
async def process(service: str, env: dict[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service until the end of the block; its exit code must be 0 then."""
    with log.open("wb") as sink:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"confero.{service}", env={**os.environ, **env}, stdout=sink, stderr=sink
        )
    try:
        yield child
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await child.wait() == 0, f"see {log}"
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def ready(http: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(40):
        while True:
            try:
                async with http.get(f"{url}/ready") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    https, http, notifier = free_port(), free_port(), free_port()
    return {
        "CONFERO_STATE_DIR": str(tmp_path),
        "CONFERO_SECRET": SECRET,
        "CONFERO_LOG_LEVEL": "debug",
        "CONFERO_APPSERVER_HTTPS_HOST": "127.0.0.1",
        "CONFERO_APPSERVER_HTTPS_PORT": str(https),
        "CONFERO_APPSERVER_HTTP_PORT": str(http),
        "CONFERO_APPSERVER_NOTIFIER_URL": f"http://127.0.0.1:{notifier}",
        "CONFERO_NOTIFIER_HTTP_PORT": str(notifier),
        "CONFERO_NOTIFIER_APPSERVER_URL": f"http://127.0.0.1:{http}",
    }


async def test_life_of_both_processes(env: dict[str, str], tmp_path: Path) -> None:
    logs = [tmp_path / "appserver.log", tmp_path / "notifier.log"]
    page = f"https://localhost:{env['CONFERO_APPSERVER_HTTPS_PORT']}"
    mcu = FakeMcu(secret=SECRET.encode())
    await mcu.start()
    async with (
        aiohttp.ClientSession() as http,
        process("appserver", env, logs[0]),
        process("notifier", env, logs[1]),
    ):
        await ready(http, env["CONFERO_NOTIFIER_APPSERVER_URL"])
        await ready(http, env["CONFERO_APPSERVER_NOTIFIER_URL"])
        await mcu.register(env["CONFERO_NOTIFIER_APPSERVER_URL"])
        trust = ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.pem"))
        url = f"{page}/api/v1/rooms/lobby/join"
        async with http.post(url, json={"display_name": "A", "previous_token": PREVIOUS}, ssl=trust) as response:
            assert response.status == 401
        async with http.post(url, json={"display_name": 'Eve\n{"level":"error"}'}, ssl=trust) as response:
            token = (await response.json())["token"]
        browser = Browser(http, page, trust)
        await browser.hello(token)
        assert (await browser.ask("offer", sdp="v=0\r\na=ice-pwd:canary-password\r\n"))["type"] == "answer"
        async with http.get(f"{page}/events?token={PREVIOUS}", ssl=trust) as response:
            assert response.status == 400
        await browser.ws.close()
    await mcu.stop()
    written = "".join(log.read_text() for log in logs)
    assert "session entered" in written
    for secret in (SECRET, PREVIOUS, token, "canary-password", "Traceback"):
        assert secret not in written


async def test_wrong_configuration_is_said_at_once(tmp_path: Path) -> None:
    wrong = {
        "CONFERO_STATE_DIR": str(tmp_path),
        "CONFERO_APPSERVER_PUBLIC_URL": "nonsense",
        "CONFERO_APPSERVER_HTTP_PORT": "x",
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "confero.appserver", env={**os.environ, **wrong}, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        _, said = await child.communicate()
    assert child.returncode == 2
    assert b"public_url" in said
    assert b"http_port" in said


async def test_address_in_use_is_said(env: dict[str, str]) -> None:
    taken = await asyncio.start_server(lambda r, w: None, "127.0.0.1", int(env["CONFERO_APPSERVER_HTTPS_PORT"]))
    async with taken:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "confero.appserver", env={**os.environ, **env}, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(40):
            _, said = await child.communicate()
    assert child.returncode == 1
    assert b"cannot listen" in said
    assert b"Traceback" not in said


@pytest.mark.parametrize("url", ["postgresql://u:canary-password@h/d", "mysql:// :canary-password", "canary-password"])
async def test_database_of_nobody_is_said(env: dict[str, str], url: str) -> None:
    wrong = {**env, "CONFERO_APPSERVER_DATABASE_URL": url}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "confero.appserver", env={**os.environ, **wrong}, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(40):
        _, said = await child.communicate()
    assert child.returncode == 2
    assert b"database_url" in said
    assert b"canary-password" not in said
    assert b"Traceback" not in said
