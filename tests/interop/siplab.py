"""What tests of SIP with other programs share: the administrator's calls, the gateway's figures, sipp."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from confero.clock import SystemClock
from confero.lab.stack import Stack
from confero.tokens import service_token

START_S = 15.0


@contextlib.asynccontextmanager
async def started(stack: Stack) -> AsyncIterator[Stack]:
    """Stopped whatever happens, so that nobody finds its addresses taken; no service has written a traceback."""
    await stack.start()
    try:
        yield stack
    finally:
        await stack.stop()
    assert "Traceback" not in stack.output, stack.output[-6000:]


class Admin:
    """``/api/v1/sip`` as its administrator."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._token = (stack.state_dir / "admin-token").read_text().strip()

    async def add(self, rows: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._ask("POST", rows, body, 201)

    async def change(self, rows: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._ask("PATCH", f"{rows}/{key}", body, 200)

    async def remove(self, rows: str, key: str) -> None:
        await self._ask("DELETE", f"{rows}/{key}", None, 204)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None, status: int) -> dict[str, Any]:
        url = f"{self._stack.url('appserver', 'https')}/api/v1/sip/{path}"
        headers = {"Authorization": f"Bearer {self._token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.request(method, url, json=body, ssl=self._stack.tls()) as response,
        ):
            text = await response.text()
            assert response.status == status, text
            found: dict[str, Any] = await response.json() if text else {}
            return found


async def trunk_state(stack: Stack, name: str) -> dict[str, Any]:
    """How the gateway has it; empty if it has none of this name."""
    token = service_token("lab", "sipgw", secret=stack.secret, now=SystemClock().wall())
    url = f"{stack.url('sipgw')}/v1/trunks"
    async with aiohttp.ClientSession() as http, http.get(url, headers={"Authorization": f"Bearer {token}"}) as response:
        items: list[dict[str, Any]] = (await response.json())["items"]
    return next((one for one in items if one["name"] == name), {})


async def figure(stack: Stack, name: str) -> float:
    """One of the gateway's metrics."""
    async with aiohttp.ClientSession() as http, http.get(f"{stack.url('sipgw')}/metrics") as response:
        lines = (await response.text()).splitlines()
    return float(next(line.split()[1] for line in lines if line.split(" ")[0] == f"confero_{name}"))


async def becomes(look: Callable[[], Awaitable[object]], what: str, seconds: float = START_S) -> None:
    """Returns when ``look`` finds something; AssertionError after ``seconds``."""
    until = asyncio.get_running_loop().time() + seconds
    while not await look():
        assert asyncio.get_running_loop().time() < until, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.05)


async def known(stack: Stack, name: str, value: float) -> None:
    """Until one of its metrics is that: the gateway follows the tables within a second."""

    async def look() -> bool:
        return await figure(stack, name) == value

    await becomes(look, f"{name} is {value}")


async def sipp(*arguments: str, seconds: float = 20.0, folder: Path | None = None) -> tuple[int, str]:
    """Runs sipp to its end, in ``folder``: its exit code and its last words."""
    command = shutil.which("sipp")
    assert command is not None, "sipp is missing (Debian: sip-tester)"
    process = await asyncio.create_subprocess_exec(
        command, *arguments, "-nostdin", "-timeout", f"{seconds:.0f}", "-timeout_error",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=folder,
    )  # fmt: skip
    async with asyncio.timeout(seconds + 5):
        output, _ = await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")[-3000:]
