"""A pretended notifier and application server that keep what the MCU tells them."""

from __future__ import annotations

from aiohttp import web

from confero import models
from confero.clock import SystemClock
from confero.errors import Refused
from confero.runtime.http import HttpApp, Listener, Route, read_model, reply

from .fakes import SECRET


class Others:
    """``forget`` makes the application server know no MCU."""

    def __init__(self) -> None:
        self.published: list[models.Publish] = []
        self.started: list[models.McuStarted] = []
        self.registered: list[models.McuRegister] = []
        self.beats: list[models.McuHeartbeat] = []
        self.records: list[models.LegRecord] = []
        self.forget = False
        self._listeners: list[Listener] = []

    async def start(self) -> dict[str, str]:
        """Settings of an MCU that talks to them."""
        notifier = [
            Route("POST", "/internal/v1/publish", self._publish, "notifier:publish"),
            Route("POST", "/internal/v1/mcus/{mcu}/started", self._started, "notifier:mcus"),
        ]
        appserver = [
            Route("POST", "/internal/v1/mcus", self._register, "appserver:mcus"),
            Route("PUT", "/internal/v1/mcus/{mcu}/heartbeat", self._beat, "appserver:mcus"),
            Route("POST", "/internal/v1/records", self._record, "appserver:records"),
        ]
        urls = {}
        for name, routes in (("notifier", notifier), ("appserver", appserver)):
            app = HttpApp(name, routes, secret=SECRET, clock=SystemClock(), max_body=1 << 20)
            self._listeners.append(await Listener.start(app.app, "127.0.0.1", 0))
            urls[f"{name}_url"] = self._listeners[-1].url
        return urls

    async def stop(self) -> None:
        for listener in self._listeners:
            await listener.close()

    def events(self, kind: type[models.Reply]) -> list[models.Reply]:
        return [event for publish in self.published for event in publish.events if isinstance(event, kind)]

    def left(self, participant: str) -> list[str]:
        """Reasons, from the records."""
        return [r.reason for r in self.records if r.participant == participant and r.event == "left"]

    async def _publish(self, request: web.Request) -> web.Response:
        self.published.append(await read_model(request, models.Publish))
        return reply(None)

    async def _started(self, request: web.Request) -> web.Response:
        self.started.append(await read_model(request, models.McuStarted))
        return reply(None)

    async def _register(self, request: web.Request) -> web.Response:
        self.registered.append(await read_model(request, models.McuRegister))
        self.forget = False
        return reply(None)

    async def _beat(self, request: web.Request) -> web.Response:
        if self.forget:
            raise Refused("unknown", status=404, code="mcu-unknown")
        self.beats.append(await read_model(request, models.McuHeartbeat))
        return reply(None)

    async def _record(self, request: web.Request) -> web.Response:
        self.records += (await read_model(request, models.LegRecords)).records
        return reply(None)
