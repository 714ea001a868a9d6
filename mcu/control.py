"""The control API (docs/wire.md): rooms, legs, statistics, taps. Thin: each handler asks the conference and answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from confero import models
from confero.errors import Refused
from confero.media import TapPoint, UnknownId
from confero.runtime.http import Route, read_model, read_query, reply

from .conference import Conference
from .pipeline.engine import MediaEngine
from .taps import BUFFER_MS, Taps

LEG_CREATE: TypeAdapter[models.WebRtcLegCreate | models.RtpLegCreate] = TypeAdapter(models.LegCreate)
ROOM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
SDP_ERRORS = ("422 sdp-invalid", "422 sdp-no-usable-media")


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EndQuery(Query):
    """DELETE /v1/legs/{leg}"""

    reason: Literal["left", "removed", "owner-gone", "bye"] = "removed"


class RoomTapQuery(Query):
    """GET /v1/rooms/{room}/tap"""

    seconds: int = Field(ge=1, le=60)


class CollectQuery(Query):
    """GET /v1/legs/{leg}/collect"""

    after: int = Field(default=0, ge=0)
    wait_s: float = Field(default=0, ge=0, le=30)


class LegTapQuery(RoomTapQuery):
    """GET /v1/legs/{leg}/tap"""

    point: Literal["in", "out"] = "in"


class ControlApi:
    """Handlers over one conference."""

    def __init__(self, conference: Conference, engine: MediaEngine, describe: Callable[[], dict[str, Any]]) -> None:
        """``describe`` gives the OpenAPI document."""
        self._conference = conference
        self._engine = engine
        self._describe = describe
        self.taps = Taps(conference.removals.tap)

    def routes(self) -> list[Route]:
        return [
            *self._room_routes(),
            *self._leg_routes(),
            *self._play_routes(),
            *self._digit_routes(),
            Route("GET", "/v1/openapi.json", self._openapi, documented=False),
        ]

    def _room_routes(self) -> list[Route]:
        scope, unknown = "mcu:rooms", "404 room-unknown"
        return [
            Route("GET", "/v1/rooms", self._list_rooms, scope, "All rooms", reply=list[models.RoomState]),
            Route(
                "PUT",
                "/v1/rooms/{room}",
                self._put_room,
                scope,
                "Makes the room if it is new (201); changes nothing if it is there (200)",
                body=models.RoomSpec,
                reply=models.RoomState,
                errors=("422 invalid-id", "503 draining", "503 mcu-full"),
            ),
            Route("GET", "/v1/rooms/{room}", self._room, scope, "A room", reply=models.RoomState, errors=(unknown,)),
            Route(
                "DELETE", "/v1/rooms/{room}", self._delete_room, scope, "Ends the room", status=204, errors=(unknown,)
            ),
            Route(
                "GET",
                "/v1/rooms/{room}/stats",
                self._room_stats,
                scope,
                "Sums over the room's legs",
                reply=models.RoomStats,
                errors=(unknown,),
            ),
            Route(
                "GET",
                "/v1/rooms/{room}/tap",
                self._tap_room,
                "mcu:taps",
                "The room's sum, as it is heard",
                query=RoomTapQuery,
                reply_type="audio/wav",
                errors=(unknown, "429 too-many-taps"),
            ),
        ]

    def _leg_routes(self) -> list[Route]:
        scope, unknown = "mcu:legs", "404 leg-unknown"
        return [
            Route(
                "POST",
                "/v1/rooms/{room}/legs",
                self._create_leg,
                scope,
                "A leg for a participant, in place of an earlier one",
                body=LEG_CREATE,
                reply=models.LegReply,
                status=201,
                errors=(
                    "404 room-unknown",
                    "409 room-full",
                    *SDP_ERRORS,
                    "503 no-ports",
                    "503 draining",
                    "503 mcu-full",
                ),
            ),
            Route(
                "PUT",
                "/v1/legs/{leg}/offer",
                self._offer,
                scope,
                "A re-offer; the reply names another leg if a fresh one was needed",
                body=models.LegSdp,
                reply=models.LegReply,
                errors=(unknown, *SDP_ERRORS, "409 offer-pending"),
            ),
            Route(
                "PUT",
                "/v1/legs/{leg}/answer",
                self._answer,
                scope,
                "The answer to our offer",
                body=models.LegSdp,
                status=204,
                errors=(unknown, *SDP_ERRORS, "409 no-offer-pending"),
            ),
            Route(
                "PATCH",
                "/v1/legs/{leg}",
                self._patch,
                scope,
                "Mute, deaf, gain, gate, suspended, aside, another room",
                body=models.LegPatch,
                reply=models.Participant,
                errors=(
                    unknown,
                    "404 room-unknown",
                    "409 room-full",
                    "409 participant-exists",
                    "409 other-media-thread",
                    "409 not-for-browsers",
                ),
            ),
            Route(
                "PUT",
                "/v1/legs/{leg}/hears/{talker}",
                self._pair,
                scope,
                "How loud this leg hears that one",
                body=models.PairGain,
                status=204,
                errors=(unknown, "409 not-together"),
            ),
            Route(
                "DELETE",
                "/v1/legs/{leg}/hears/{talker}",
                self._unpair,
                scope,
                "As everybody does",
                status=204,
                errors=(unknown, "409 not-together"),
            ),
            Route("GET", "/v1/legs/{leg}", self._leg, scope, "A leg", reply=models.Participant, errors=(unknown,)),
            Route(
                "DELETE",
                "/v1/legs/{leg}",
                self._delete_leg,
                scope,
                "Ends the leg",
                query=EndQuery,
                status=204,
                errors=(unknown,),
            ),
            Route(
                "GET",
                "/v1/legs/{leg}/stats",
                self._stats,
                scope,
                "Counters of a leg",
                reply=models.LegStats,
                errors=(unknown,),
            ),
            Route(
                "GET",
                "/v1/legs/{leg}/tap",
                self._tap_leg,
                "mcu:taps",
                "What a leg adds (in) or hears (out), as it is heard",
                query=LegTapQuery,
                reply_type="audio/wav",
                errors=(unknown, "429 too-many-taps"),
            ),
        ]

    def _play_routes(self) -> list[Route]:
        faults = ("404 prompt-unknown", "422 prompt-unreadable", "422 tone-invalid", "503 engine-full")
        routes: list[Route] = []
        for kind, scope, more in (("room", "mcu:rooms", ()), ("leg", "mcu:legs", ("409 no-media",))):
            path, to = f"/v1/{kind}s/{{{kind}}}/play", "the room" if kind == "room" else "this leg alone"
            start, stop = (self._play_room, self._stop_room) if kind == "room" else (self._play_leg, self._stop_leg)
            routes += [
                Route(
                    "POST",
                    path,
                    start,
                    scope,
                    f"Plays a file or a tone to {to}",
                    body=models.PlayRequest,
                    reply=models.Playing,
                    status=201,
                    errors=(f"404 {kind}-unknown", *more, *faults),
                ),
                Route(
                    "DELETE",
                    path + "/{number}",
                    stop,
                    scope,
                    f"Stops what plays to {to}",
                    status=204,
                    errors=(f"404 {kind}-unknown", "404 play-unknown"),
                ),
            ]
        return routes

    def _digit_routes(self) -> list[Route]:
        scope, unknown = "mcu:legs", "404 leg-unknown"
        collect = "/v1/legs/{leg}/collect"
        return [
            Route(
                "POST",
                "/v1/legs/{leg}/digits",
                self._send_digits,
                scope,
                "Sends digits",
                body=models.DigitsSend,
                status=204,
                errors=(unknown, "409 no-media", "409 no-events", "422 tone-invalid"),
            ),
            Route(
                "POST",
                collect,
                self._collect,
                scope,
                "Keeps the leg's digits from now on",
                body=models.CollectRequest,
                status=204,
                errors=(unknown, "409 no-media"),
            ),
            Route(
                "GET",
                collect,
                self._digits,
                scope,
                "The digits so far; waits for the next one if asked to",
                query=CollectQuery,
                reply=models.Digits,
                errors=(unknown, "409 not-collecting"),
            ),
            Route(
                "DELETE",
                collect,
                self._stop_collecting,
                scope,
                "Keeps no more digits",
                status=204,
                errors=(unknown, "409 not-collecting"),
            ),
        ]

    # -- rooms --

    async def _list_rooms(self, request: web.Request) -> web.Response:
        return reply([room.view() for room in self._conference.registry])

    async def _put_room(self, request: web.Request) -> web.Response:
        spec = await read_model(request, models.RoomSpec)
        room, new = self._conference.put_room(_room_id(request), spec)
        return reply(room.view(), 201 if new else 200)

    async def _room(self, request: web.Request) -> web.Response:
        return reply(self._conference.registry.room(request.match_info["room"]).view())

    async def _room_stats(self, request: web.Request) -> web.Response:
        return reply(self._conference.room_stats(request.match_info["room"]))

    async def _delete_room(self, request: web.Request) -> web.Response:
        self._conference.remove_room(request.match_info["room"])
        return reply(None)

    # -- legs --

    async def _create_leg(self, request: web.Request) -> web.Response:
        wish = await read_model(request, LEG_CREATE)
        return reply(self._conference.create_leg(request.match_info["room"], wish), 201)

    async def _offer(self, request: web.Request) -> web.Response:
        body = await read_model(request, models.LegSdp)
        return reply(self._conference.offer(request.match_info["leg"], body.sdp))

    async def _answer(self, request: web.Request) -> web.Response:
        body = await read_model(request, models.LegSdp)
        self._conference.answer(request.match_info["leg"], body.sdp)
        return reply(None)

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

    async def _leg(self, request: web.Request) -> web.Response:
        participant, _ = self._conference.registry.leg(request.match_info["leg"])
        return reply(participant.view())

    async def _delete_leg(self, request: web.Request) -> web.Response:
        query = read_query(request, EndQuery)
        self._conference.end_leg(request.match_info["leg"], query.reason)
        return reply(None)

    async def _stats(self, request: web.Request) -> web.Response:
        return reply(self._conference.stats(request.match_info["leg"]))

    # -- playing and digits --

    async def _play_room(self, request: web.Request) -> web.Response:
        wish = await read_model(request, models.PlayRequest)
        return reply(await self._conference.play_to_room(request.match_info["room"], wish), 201)

    async def _play_leg(self, request: web.Request) -> web.Response:
        wish = await read_model(request, models.PlayRequest)
        return reply(await self._conference.play_to_leg(request.match_info["leg"], wish), 201)

    async def _stop_room(self, request: web.Request) -> web.Response:
        room = self._conference.registry.room(request.match_info["room"])
        self._conference.plays.stop(room, None, _number(request))
        return reply(None)

    async def _stop_leg(self, request: web.Request) -> web.Response:
        participant, _ = self._conference.registry.leg(request.match_info["leg"])
        self._conference.plays.stop(None, participant, _number(request))
        return reply(None)

    async def _send_digits(self, request: web.Request) -> web.Response:
        wish = await read_model(request, models.DigitsSend)
        await self._conference.send_digits(request.match_info["leg"], wish)
        return reply(None)

    async def _collect(self, request: web.Request) -> web.Response:
        wish = await read_model(request, models.CollectRequest)
        participant, _ = self._conference.registry.leg(request.match_info["leg"])
        self._conference.digits.start(participant, wish)
        return reply(None)

    async def _digits(self, request: web.Request) -> web.Response:
        query = read_query(request, CollectQuery)
        participant, _ = self._conference.registry.leg(request.match_info["leg"])
        return reply(await self._conference.digits.read(participant, query.after, query.wait_s))

    async def _stop_collecting(self, request: web.Request) -> web.Response:
        participant, _ = self._conference.registry.leg(request.match_info["leg"])
        self._conference.digits.stop(participant)
        return reply(None)

    # -- taps --

    async def _tap_leg(self, request: web.Request) -> web.StreamResponse:
        query = read_query(request, LegTapQuery)
        participant, _ = self._conference.registry.leg(request.match_info["leg"])
        point = TapPoint.LEG_IN if query.point == "in" else TapPoint.LEG_OUT
        return await self._tap(request, point, participant.leg.number, query.seconds)

    async def _tap_room(self, request: web.Request) -> web.StreamResponse:
        query = read_query(request, RoomTapQuery)
        room = self._conference.registry.room(request.match_info["room"])
        return await self._tap(request, TapPoint.ROOM, room.number, query.seconds)

    async def _tap(self, request: web.Request, point: TapPoint, target: int, seconds: int) -> web.StreamResponse:
        self.taps.check()
        try:
            tap = self._engine.tap(point, target, milliseconds=BUFFER_MS)
        except UnknownId as error:
            raise Refused("There is nothing to be heard yet.", status=404, code="leg-unknown") from error
        response = web.StreamResponse(headers={"Content-Type": "audio/wav", "Cache-Control": "no-store"})

        def stamp(at: int) -> None:
            response.headers["X-Confero-Tap-Start"] = str(at)

        async with aclosing(self.taps.stream(tap, seconds, start=stamp)) as parts:
            async for part in parts:
                if not response.prepared:
                    await response.prepare(request)
                await response.write(part)
        await response.write_eof()
        return response

    async def _openapi(self, request: web.Request) -> web.Response:
        return web.json_response(self._describe())


def _room_id(request: web.Request) -> str:
    """A new room's id. Raises Refused for one that no other service could write."""
    id = request.match_info["room"]
    if not ROOM_ID.fullmatch(id):
        raise Refused("A room id is 1 to 64 of A-Z a-z 0-9 _ -.", status=422, code="invalid-id")
    return id


def _number(request: web.Request) -> int:
    """What plays, as the path names it; 0, which is nothing, for what is no number."""
    text = request.match_info["number"]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
