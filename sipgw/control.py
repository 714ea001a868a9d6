"""The control port's calls and trunks (2133, /v1), for the application server."""

from __future__ import annotations

from aiohttp import web

from confero.models.calls import CallDigits, CallEnd, CallInfo, SipCallOut, SipRingAnswer
from confero.models.sip import SipMove
from confero.models.siptrunks import SipTrunkStates
from confero.runtime.http import Route, read_model, reply

from .calls.desk import Desk
from .trunks.farm import Trunks

SCOPE = "sipgw:calls"
CALL = "/v1/calls/{call}"
UNKNOWN = "404 call-unknown"
MOVE_FAULTS = (UNKNOWN, "409 no-media")
MAKE_FAULTS = ("404 not-found", "409 call-exists", "422 address-invalid", "422 place-missing", "503 gateway-busy")


class CallsApi:
    """Thin: ``Desk`` does it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        made, digits, answered = "Calls a telephone into a room", "Keys for the telephone", "What a browser's user says"
        ended, moved = "Hangs up; 204 also says that it is being done", "Brings the call into another room"
        return [
            Route("POST", "/v1/calls", self._make, SCOPE, made, SipCallOut, CallInfo, 201, MAKE_FAULTS),
            Route("GET", "/v1/calls", self._list, SCOPE, "All running calls", reply=list[CallInfo]),
            Route("GET", CALL, self._get, SCOPE, "A running call", reply=CallInfo, errors=(UNKNOWN,)),
            Route("DELETE", CALL, self._end, SCOPE, ended, status=204, errors=(UNKNOWN,)),
            Route("POST", f"{CALL}/end", self._end_with, SCOPE, ended, CallEnd, status=204, errors=(UNKNOWN,)),
            Route("POST", f"{CALL}/digits", self._key, SCOPE, digits, CallDigits, status=204, errors=(UNKNOWN,)),
            Route("PUT", f"{CALL}/place", self._move, SCOPE, moved, SipMove, status=204, errors=MOVE_FAULTS),
            Route(
                "POST", f"{CALL}/answer", self._answer, SCOPE, answered, SipRingAnswer, status=204,
                errors=(UNKNOWN, "409 call-over"),
            ),
        ]  # fmt: skip

    async def _make(self, request: web.Request) -> web.Response:
        return reply(await self._desk.call_out(await read_model(request, SipCallOut)), status=201)

    async def _list(self, request: web.Request) -> web.Response:
        return reply(self._desk.calls())

    async def _get(self, request: web.Request) -> web.Response:
        return reply(self._desk.call(request.match_info["call"]))

    async def _end(self, request: web.Request) -> web.Response:
        self._desk.end(request.match_info["call"])
        return reply(None)

    async def _end_with(self, request: web.Request) -> web.Response:
        self._desk.end(request.match_info["call"], await read_model(request, CallEnd))
        return reply(None)

    async def _key(self, request: web.Request) -> web.Response:
        await self._desk.digits(request.match_info["call"], await read_model(request, CallDigits))
        return reply(None)

    async def _move(self, request: web.Request) -> web.Response:
        self._desk.move(request.match_info["call"], (await read_model(request, SipMove)).place)
        return reply(None)

    async def _answer(self, request: web.Request) -> web.Response:
        self._desk.answer(request.match_info["call"], await read_model(request, SipRingAnswer))
        return reply(None)


class TrunksApi:
    """How the trunks are."""

    def __init__(self, trunks: Trunks) -> None:
        self._trunks = trunks

    def routes(self) -> list[Route]:
        summary = "The trunks, their registrations and servers"
        return [Route("GET", "/v1/trunks", self._list, "sipgw:trunks", summary, reply=SipTrunkStates)]

    async def _list(self, request: web.Request) -> web.Response:
        return reply(SipTrunkStates(items=self._trunks.states()))
