"""The control API (docs/wire.md), each subject with its own module. Thin: each handler asks the conference and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from confero.runtime.http import Route

from ..conference import Conference
from ..pipeline.engine import MediaEngine
from .digits import DigitCalls
from .legs import LegCalls
from .owners import OwnerCalls
from .plays import LegPlayCalls, RoomPlayCalls
from .rooms import RoomCalls
from .settings import SettingsCalls
from .taps import TapCalls

__all__ = ["ControlApi"]


class ControlApi:
    """All calls over one conference, each subject's with its own class."""

    def __init__(
        self, conference: Conference, engine: MediaEngine, describe: Callable[[], dict[str, Any]], boot: str = ""
    ) -> None:
        """``describe`` gives the OpenAPI document."""
        self._describe = describe
        self._subjects = (
            RoomCalls(conference),
            LegCalls(conference, boot),
            OwnerCalls(conference, boot),
            SettingsCalls(conference),
            RoomPlayCalls(conference),
            LegPlayCalls(conference),
            DigitCalls(conference),
            TapCalls(conference, engine),
        )

    def routes(self) -> list[Route]:
        calls = [route for subject in self._subjects for route in subject.routes()]
        return [*calls, Route("GET", "/v1/openapi.json", self._openapi, documented=False)]

    async def _openapi(self, request: web.Request) -> web.Response:
        return web.json_response(self._describe())
