"""The public REST API of calls: telephones called from the page, and calls that the page is offered."""

from __future__ import annotations

from aiohttp import web

from confero.models import TokenGrant
from confero.models.calls import CallDigits, CallEnd, CallInfo, CallOut, RingAnswer
from confero.models.joining import SiteInfo
from confero.ratelimit import RateLimiter
from confero.runtime.http import Route, read_model, reply
from confero.tokens import TokenInvalid

from ..rooms.reception import Reception
from ..sip.switchboard import Switchboard
from .limiting import limited

CALLS = "/api/v1/rooms/{room}/calls"
CALL = CALLS + "/{call}"
WHO = ("401 token-invalid", "401 token-expired")
UNKNOWN = "404 call-unknown"
MAKE_FAULTS = (
    *WHO, "403 call-out-refused", "429 call-out-limit", "404 not-found", "409 room-full", "422 address-invalid",
    "429 too-many-requests", "503 gateway-busy", "503 unavailable",
)  # fmt: skip
OWN_FAULTS = (*WHO, UNKNOWN, "403 not-yours", "503 unavailable")


class CallsApi:
    """Who asks is known by the join token, as bearer token."""

    def __init__(self, reception: Reception, switchboard: Switchboard, tries: RateLimiter) -> None:
        """``tries``: to call out, of one source address."""
        self._tries = tries
        self._reception = reception
        self._switchboard = switchboard

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/api/v1/site", self.site, rule="site.read",
                summary="What the page may offer", reply=SiteInfo),
            Route(
                "POST", CALLS, limited(self._tries, self.make), rule="calls.make",
                summary="Call a number or SIP address into the room",
                body=CallOut, reply=CallInfo, status=201, errors=MAKE_FAULTS,
            ),
            Route(
                "GET", CALL, self.get, rule="calls.read",
                summary="A telephone in the room, by its call's id or its own as a participant",
                reply=CallInfo, errors=(*WHO, UNKNOWN, "503 unavailable"),
            ),
            Route(
                "DELETE", CALL, self.end, rule="calls.change",
                summary="Hang up, as whoever has called or as a host",
                status=204, errors=OWN_FAULTS,
            ),
            Route(
                "POST", f"{CALL}/end", self.end_with, rule="calls.change",
                summary="Hang up, and tell the telephone's side something",
                body=CallEnd, status=204, errors=OWN_FAULTS,
            ),
            Route(
                "POST", f"{CALL}/digits", self.digits, rule="calls.change",
                summary="Keys for the telephone",
                body=CallDigits, status=204, errors=(*OWN_FAULTS, "409 no-media", "409 no-events"),
            ),
            Route(
                "POST", "/api/v1/calls/{call}/answer", self.answer, rule="calls.answer",
                summary="Accept or decline a call that rings",
                body=RingAnswer, status=204, errors=(*WHO, UNKNOWN, "409 call-over", "503 unavailable"),
            ),
        ]  # fmt: skip

    async def site(self, request: web.Request) -> web.Response:
        return reply(SiteInfo(calls_out=await self._switchboard.may_call_out("guest")))

    async def make(self, request: web.Request) -> web.Response:
        grant = await self._grant(request)
        return reply(await self._switchboard.call_out(grant, await read_model(request, CallOut)), status=201)

    async def get(self, request: web.Request) -> web.Response:
        return reply(await self._switchboard.info(await self._grant(request), request.match_info["call"]))

    async def end(self, request: web.Request) -> web.Response:
        await self._switchboard.end(await self._grant(request), request.match_info["call"])
        return reply(None)

    async def end_with(self, request: web.Request) -> web.Response:
        grant = await self._grant(request)
        await self._switchboard.end(grant, request.match_info["call"], await read_model(request, CallEnd))
        return reply(None)

    async def digits(self, request: web.Request) -> web.Response:
        grant = await self._grant(request)
        await self._switchboard.digits(grant, request.match_info["call"], await read_model(request, CallDigits))
        return reply(None)

    async def answer(self, request: web.Request) -> web.Response:
        grant = await self._grant(request)
        await self._switchboard.answer(grant, request.match_info["call"], await read_model(request, RingAnswer))
        return reply(None)

    async def _grant(self, request: web.Request) -> TokenGrant:
        """Raises TokenInvalid, TokenExpired and what ``Reception.check`` refuses; before the body is read."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise TokenInvalid("the join token is needed")
        grant = await self._reception.check(token.strip())
        if request.match_info.get("room", grant.room) != grant.room:
            raise TokenInvalid("the token is for another room")
        return grant
