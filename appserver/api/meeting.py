"""The public REST API of a meeting: its state, hands, and what hosts do."""

from __future__ import annotations

from aiohttp import web

from confero.errors import Refused
from confero.models.meetings import (
    HandPut,
    MeetingPatch,
    MeetingState,
    MuteAll,
    Muted,
    ParticipantMove,
    ParticipantPatch,
)
from confero.runtime.http import Route, read_model, reply

from ..meeting.desk import MeetingDesk
from ..meeting.limits import SpeechLimits
from ..rights.guard import actor_of
from ..rights.relations import Relations
from ..rights.table import RULES

ROOM = "/api/v1/rooms/{room}"
MEETING = f"{ROOM}/meeting"
PERSON = ROOM + "/participants/{participant}"
MODERATE = "meeting.moderate"
WHO = ("401 token-invalid", "401 token-expired", "401 sign-in-needed", "403 not-allowed", "404 room-unknown")
HOSTS = (*WHO, "503 unavailable")
ONE = (*HOSTS, "404 participant-unknown")
CHANGE_FAULTS = (*ONE, "409 last-host", "409 held")


class MeetingApi:
    """Who asks has passed the guard."""

    def __init__(self, desk: MeetingDesk, limits: SpeechLimits, relations: Relations) -> None:
        self._desk = desk
        self._relations = relations
        self._limits = limits

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET", MEETING, self.get, summary="What the meeting is like now", reply=MeetingState, errors=WHO,
                rule="meeting.read",
            ),
            Route(
                "PATCH", MEETING, self.patch, summary="Lock, lobby, who may speak, spotlight",
                body=MeetingPatch, reply=MeetingState, errors=ONE, rule=MODERATE,
            ),
            Route(
                "POST", f"{MEETING}/end", self.end, summary="End the meeting for all", status=204, errors=HOSTS,
                rule=MODERATE,
            ),
            Route(
                "POST", f"{ROOM}/mute-all", self.mute_all, summary="Mute everybody else; guests, or hosts too",
                body=MuteAll, reply=Muted, errors=HOSTS, rule=MODERATE,
            ),
            Route(
                "PUT", f"{ROOM}/hand", self.hand, summary="Raise or lower one's own hand", body=HandPut, status=204,
                errors=(*WHO, "404 participant-unknown", "429 too-many-requests"), rule="hand.put",
            ),
            Route(
                "PATCH", PERSON, self.change, summary="Mute or unmute, promote or demote, let speak, take down the hand",
                body=ParticipantPatch, status=204, errors=CHANGE_FAULTS, rule=MODERATE,
            ),
            Route(
                "DELETE", PERSON, self.remove, summary="Send somebody away until the meeting is over", status=204,
                errors=ONE, rule=MODERATE,
            ),
            Route(
                "POST", f"{PERSON}/move", self.move, summary="Move somebody to another room", body=ParticipantMove,
                status=204, errors=(*ONE, "409 room-full"), rule=MODERATE,
            ),
        ]  # fmt: skip

    async def get(self, request: web.Request) -> web.Response:
        return reply(await self._desk.state(request.match_info["room"]))

    async def patch(self, request: web.Request) -> web.Response:
        wish = await read_model(request, MeetingPatch)
        return reply(await self._desk.patch(request.match_info["room"], wish))

    async def end(self, request: web.Request) -> web.Response:
        await self._desk.end(request.match_info["room"])
        return reply(None)

    async def mute_all(self, request: web.Request) -> web.Response:
        actor = actor_of(request)
        wish, room = await read_model(request, MuteAll), request.match_info["room"]
        return reply(Muted(muted=await self._desk.mute_all(room, actor.participant, hosts_too=wish.hosts_too)))

    async def hand(self, request: web.Request) -> web.Response:
        actor = actor_of(request)
        room, participant = request.match_info["room"], actor.participant or ""
        wish = await read_model(request, HandPut)
        self._limits.take("hand", room, participant)
        await self._desk.hand(room, participant, raised=wish.raised)
        return reply(None)

    async def change(self, request: web.Request) -> web.Response:
        actor = actor_of(request)
        wish, names = await read_model(request, ParticipantPatch), request.match_info
        await self._desk.change(names["room"], names["participant"], wish, actor.name or actor.login or "-")
        return reply(None)

    async def remove(self, request: web.Request) -> web.Response:
        await self._desk.remove(request.match_info["room"], request.match_info["participant"])
        return reply(None)

    async def move(self, request: web.Request) -> web.Response:
        actor = actor_of(request)
        wish, names = await read_model(request, ParticipantMove), request.match_info
        if not RULES[MODERATE].may & await self._relations.of(actor, {"room": wish.room}):
            raise Refused("You are no host of the other room.", status=403, code="not-allowed")
        await self._desk.move(names["room"], names["participant"], wish.room)
        return reply(None)
