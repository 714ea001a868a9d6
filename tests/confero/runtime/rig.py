"""An app on a port of its own, and raw ways to talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import pytest

from confero.clock import FakeClock
from confero.runtime.http import HttpApp, Listener, Route
from confero.tokens import service_token

SECRET = b"s" * 32


class Rig:
    """``MCU`` service on loopback, its clock in the test's hand."""

    def __init__(self, routes: Sequence[Route], **options: Any) -> None:
        self.clock = FakeClock()
        self.app = HttpApp("mcu", routes, secret=SECRET, clock=self.clock, **options)
        self.listener: Listener
        self.http: aiohttp.ClientSession

    def token(self, caller: str = "notifier", audience: str = "mcu", *, age: float = 0) -> dict[str, str]:
        token = service_token(caller, audience, secret=SECRET, now=self.clock.wall() - age)
        return {"Authorization": f"Bearer {token}"}

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any, aiohttp.ClientResponse]:
        """Status, JSON body (or text), response."""
        async with self.http.request(method, self.listener.url + path, **options) as response:
            is_json = response.content_type.endswith("json")
            return (
                response.status,
                await response.json(content_type=None) if is_json else await response.text(),
                response,
            )

    async def raw(self, data: bytes, *, seconds: float = 10) -> bytes:
        """Everything that the server says to these bytes until it closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.listener.port)
        try:
            async with asyncio.timeout(seconds):
                writer.write(data)
                with contextlib.suppress(ConnectionError):
                    return await reader.read()
                return b""
        finally:
            writer.close()

    async def metric(self, name: str, **labels: str) -> float | None:
        return self.app.metrics.registry.get_sample_value(name, labels)


@contextlib.asynccontextmanager
async def rig(*routes: Route, **options: Any) -> AsyncIterator[Rig]:
    made = Rig(routes, **options)
    made.listener = await Listener.start(made.app.app, "127.0.0.1", 0, shutdown_s=0.1)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as made.http:
            yield made
    finally:
        await made.listener.close()


def logged(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[dict[str, Any]]:
    """Our structured records from this level on."""
    return [r.msg for r in caplog.records if isinstance(r.msg, dict) and r.levelno >= level]
