"""Legs: made, negotiated, counted, ended (``/v1/rooms/{room}/legs``, ``/v1/legs``)."""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from pydantic import TypeAdapter

from confero import models
from confero.runtime.http import Route, read_model, read_query, reply

from ..conference import Conference
from .query import Query

SCOPE = "mcu:legs"
LEG = "/v1/legs/{leg}"
LEG_CREATE: TypeAdapter[models.WebRtcLegCreate | models.RtpLegCreate] = TypeAdapter(models.LegCreate)
UNKNOWN = "404 leg-unknown"
SDP_FAULTS = ("422 sdp-invalid", "422 sdp-no-usable-media")
CREATE_SUMMARY = "A leg for a participant, in place of an earlier one"
CREATE_FAULTS = (
    *("404 room-unknown", "409 room-full", *SDP_FAULTS),
    *("503 no-ports", "503 draining", "503 mcu-full"),
)
OFFER_SUMMARY = "A re-offer; the reply names another leg if a fresh one was needed"
OFFER_FAULTS = (UNKNOWN, *SDP_FAULTS, "409 offer-pending")
ANSWER_FAULTS = (UNKNOWN, *SDP_FAULTS, "409 no-offer-pending")
ASK_SUMMARY = "An offer of ours on a leg that may be running; its answer is for PUT answer"
ASK_FAULTS = (UNKNOWN, "409 offer-pending", "409 not-for-browsers", "503 no-ports")
WITHDRAW_SUMMARY = "Our offer will not be answered: all stays as it was"
END_SUMMARY = "Ends the leg; its last counters"
WITHDRAW_FAULTS = (UNKNOWN, "409 no-offer-pending")


class EndQuery(Query):
    """DELETE /v1/legs/{leg}"""

    reason: Literal["left", "removed", "owner-gone", "bye"] = "removed"


class LegCalls:
    def __init__(self, conference: Conference, boot: str) -> None:
        self._conference = conference
        self._boot = boot

    def routes(self) -> list[Route]:
        path, sdp, leg = "/v1/rooms/{room}/legs", models.LegSdp, models.LegReply
        return [
            Route("POST", path, self._create, SCOPE, CREATE_SUMMARY, LEG_CREATE, leg, 201, CREATE_FAULTS),
            Route("PUT", f"{LEG}/offer", self._offer, SCOPE, OFFER_SUMMARY, sdp, leg, errors=OFFER_FAULTS),
            Route(
                "PUT", f"{LEG}/answer", self._answer, SCOPE, "The answer to our offer", sdp, None, 204, ANSWER_FAULTS
            ),
            Route("GET", LEG, self._leg, SCOPE, "A leg", None, models.Participant, errors=(UNKNOWN,)),
            Route("POST", f"{LEG}/offer", self._ask, SCOPE, ASK_SUMMARY, None, leg, errors=ASK_FAULTS),
            Route(
                "DELETE", f"{LEG}/offer", self._withdraw, SCOPE, WITHDRAW_SUMMARY, status=204, errors=WITHDRAW_FAULTS
            ),
            Route("DELETE", LEG, self._delete, SCOPE, END_SUMMARY, None, models.LegStats, 200, (UNKNOWN,), EndQuery),
            Route("GET", f"{LEG}/stats", self._stats, SCOPE, "Counters", None, models.LegStats, errors=(UNKNOWN,)),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        wish = await read_model(request, LEG_CREATE)
        made = self._conference.create_leg(request.match_info["room"], wish)
        return reply(made.model_copy(update={"boot": self._boot}), 201)

    async def _offer(self, request: web.Request) -> web.Response:
        body = await read_model(request, models.LegSdp)
        return reply(self._conference.offer(request.match_info["leg"], body.sdp))

    async def _answer(self, request: web.Request) -> web.Response:
        body = await read_model(request, models.LegSdp)
        self._conference.answer(request.match_info["leg"], body.sdp)
        return reply(None)

    async def _leg(self, request: web.Request) -> web.Response:
        participant, _ = self._conference.registry.leg(request.match_info["leg"])
        return reply(participant.view())

    async def _ask(self, request: web.Request) -> web.Response:
        return reply(self._conference.ask(request.match_info["leg"]))

    async def _withdraw(self, request: web.Request) -> web.Response:
        self._conference.withdraw(request.match_info["leg"])
        return reply(None)

    async def _delete(self, request: web.Request) -> web.Response:
        query = read_query(request, EndQuery)
        return reply(self._conference.end_leg(request.match_info["leg"], query.reason))

    async def _stats(self, request: web.Request) -> web.Response:
        return reply(self._conference.stats(request.match_info["leg"]))
