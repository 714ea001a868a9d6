"""What can be set at a leg while it lasts: how it is heard, what it hears, where it is (``/v1/legs/{leg}``)."""

from __future__ import annotations

from aiohttp import web

from confero import models
from confero.runtime.http import Route, read_model, reply

from ..conference import Conference
from .legs import LEG, SCOPE, UNKNOWN

PAIR = LEG + "/hears/{talker}"
PATCH_SUMMARY = "Mute, held, role, deaf, gain, gate, suspended, aside, confirmed, signalling, another room"
PATCH_FAULTS = (
    *(UNKNOWN, "404 room-unknown", "409 room-full", "409 participant-exists"),
    *("409 other-media-thread", "409 not-for-browsers", "409 held"),
)
PAIR_SUMMARY = "How loud this leg hears that one"
PAIR_FAULTS = (UNKNOWN, "409 not-together")


class SettingsCalls:
    def __init__(self, conference: Conference) -> None:
        self._conference = conference

    def routes(self) -> list[Route]:
        patch, gain, who = models.LegPatch, models.PairGain, models.Participant
        return [
            Route("PATCH", LEG, self._patch, SCOPE, PATCH_SUMMARY, patch, who, errors=PATCH_FAULTS),
            Route("PUT", PAIR, self._pair, SCOPE, PAIR_SUMMARY, gain, None, 204, PAIR_FAULTS),
            Route("DELETE", PAIR, self._unpair, SCOPE, "As everybody does", status=204, errors=PAIR_FAULTS),
        ]

    async def _patch(self, request: web.Request) -> web.Response:
        patch = await read_model(request, models.LegPatch)
        return reply(self._conference.patch(request.match_info["leg"], patch))

    async def _pair(self, request: web.Request) -> web.Response:
        wish = await read_model(request, models.PairGain)
        self._conference.pair(request.match_info["leg"], request.match_info["talker"], wish)
        return reply(None)

    async def _unpair(self, request: web.Request) -> web.Response:
        self._conference.pair(request.match_info["leg"], request.match_info["talker"], None)
        return reply(None)
