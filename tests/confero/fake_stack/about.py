"""A service that tells how it is configured."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from aiohttp import web

from confero.clock import SystemClock
from confero.config import ServiceConfig, service_secret
from confero.runtime.http import HttpApp, Listener, Route


class AboutApp:
    """``GET /about``: all settings, and the process id."""

    def __init__(self, name: str, config: Any) -> None:
        self.name = name
        self.config = config
        routes = [Route("GET", "/about", self.about)]
        self.http = HttpApp(name, routes, secret=service_secret(config), clock=SystemClock())
        self.listener: Listener | None = None

    async def about(self, request: web.Request) -> web.Response:
        config: ServiceConfig = self.config
        return web.json_response({"pid": str(os.getpid()), **{name: str(value) for name, value in config}})

    async def start(self) -> None:
        self.listener = await Listener.start(self.http.app, self.config.http_host, self.config.http_port)
        self.http.set_ready(True)

    async def drain(self) -> None:
        self.http.set_ready(False)
        if getattr(self.config, "slow", False):
            await asyncio.Event().wait()

    async def stop(self) -> None:
        if self.listener is not None:
            await self.listener.close()
