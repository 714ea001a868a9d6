"""Hands of those who come by telephone: they have no token, the SIP gateway asks for them (80, /internal/v1/sip/hands)."""

from __future__ import annotations

from aiohttp import web

from confero.models.sip import SipHand, SipHandReply
from confero.runtime.http import Route, read_model, reply

from ..meeting.desk import MeetingDesk
from ..meeting.limits import SpeechLimits

SCOPE = "appserver:sip"
FAULTS = ("404 room-unknown", "404 participant-unknown", "429 too-many-requests")


class PhoneHands:
    """Within the limits that pages have."""

    def __init__(self, desk: MeetingDesk, limits: SpeechLimits) -> None:
        self._desk = desk
        self._limits = limits

    def routes(self) -> list[Route]:
        summary, path = "A caller's hand goes up, or down if it was up", "/internal/v1/sip/hands"
        return [Route("POST", path, self._turn, SCOPE, summary, SipHand, SipHandReply, errors=FAULTS)]

    async def _turn(self, request: web.Request) -> web.Response:
        wish = await read_model(request, SipHand)
        self._limits.take("hand", wish.room, wish.participant)
        return reply(SipHandReply(raised=await self._desk.hand(wish.room, wish.participant, raised=None)))
