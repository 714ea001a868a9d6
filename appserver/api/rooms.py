"""The public REST API: rooms, and joining them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import ceil
from urllib.parse import urlsplit

from aiohttp import web

from confero.errors import Refused
from confero.models import JoinReply, JoinRequest, Role, RoomCreate, RoomInfo
from confero.models.meetings import ChatMessage, MeetingState
from confero.ratelimit import RateLimiter, source_of
from confero.runtime.http import Handler, Route, read_model, reply
from confero.runtime.problems import problem_of, respond

from ..relays.iceservers import IceServers
from ..rooms.entities import Room
from ..rooms.joining import Admission
from ..rooms.reception import Reception
from ..web import origin_of

Json = dict[str, object]


Welcome = Callable[[str], Awaitable[tuple[MeetingState, list[ChatMessage]]]]
"""Tells of a room's meeting, and of its chat, when somebody has come in."""


class RoomsApi:
    """``/api/v1/rooms``."""

    def __init__(
        self,
        reception: Reception,
        *,
        creations: RateLimiter,
        joins: RateLimiter,
        public_url: str,
        may_call_out: Callable[[Role], Awaitable[bool]],
        ice: IceServers,
        welcome: Welcome,
    ) -> None:
        self._reception = reception
        self._creations = creations
        self._joins = joins
        self._public_url = public_url
        self._may_call_out = may_call_out
        self._ice = ice
        self._welcome = welcome

    def routes(self) -> list[Route]:
        return [
            Route(
                "POST",
                "/api/v1/rooms",
                limited(self._creations, self.create),
                summary="Make a room",
                rule="rooms.create",
                body=RoomCreate,
                reply=RoomInfo,
                status=201,
                errors=("429 too-many-requests", "503 too-many-rooms"),
            ),
            Route(
                "GET",
                "/api/v1/rooms/{room}",
                self.get,
                summary="What a room is, and how many are in it",
                rule="rooms.look",
                reply=RoomInfo,
                errors=("404 room-unknown",),
            ),
            Route(
                "POST",
                "/api/v1/rooms/{room}/join",
                limited(self._joins, self.join),
                summary="Get a place in a room, and a token for it",
                rule="rooms.join",
                body=JoinRequest,
                reply=JoinReply,
                errors=(
                    "404 room-unknown",
                    "409 room-full",
                    "401 token-invalid",
                    "401 token-expired",
                    "429 too-many-requests",
                    "503 no-media-server",
                ),
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        origin = origin_of(request, self._public_url)
        room = await self._reception.catalogue.create(await read_model(request, RoomCreate))
        return reply(room_info(room, 0, origin), status=201)

    async def get(self, request: web.Request) -> web.Response:
        room, people = await self._reception.catalogue.look(request.match_info["room"])
        return reply(room_info(room, people, origin_of(request, self._public_url)))

    async def join(self, request: web.Request) -> web.Response:
        origin = origin_of(request, self._public_url)
        wish = await read_model(request, JoinRequest)
        admission = await self._reception.join(request.match_info["room"], wish)
        answer = JoinReply(
            token=admission.token,
            token_expires=admission.expires,
            participant=admission.person.id,
            room=room_info(admission.room, admission.people, origin),
            calls_out=await self._may_call_out(admission.person.role),
            ice_servers=self._ice.for_participant(admission.person.id, urlsplit(origin).hostname or ""),
            ice_ttl_s=self._ice.rules.ttl_s,
            ice_policy=self._ice.rules.policy,
        )
        return reply(await self._welcomed(answer, admission))

    async def _welcomed(self, answer: JoinReply, admission: Admission) -> JoinReply:
        """Whoever is in is told of the meeting; whoever waits is not."""
        if not admission.person.admitted:
            return answer
        meeting, chat = await self._welcome(admission.room.id)
        return answer.model_copy(update={"meeting": meeting, "chat": chat})


def room_info(room: Room, people: int, origin: str) -> RoomInfo:
    """The room as the public sees it."""
    return RoomInfo(
        id=room.id,
        name=room.name,
        max_participants=room.max_participants,
        talkers=room.talkers,
        noise_dbov=room.noise_dbov,
        announce=room.announce,
        participants=people,
        join_url=f"{origin}/r/{room.id}",
    )


def limited(limiter: RateLimiter, handler: Callable[[web.Request], Awaitable[web.Response]]) -> Handler:
    """``handler`` within the limit for the source of the request; beyond it 429 with ``Retry-After`` (RFC 6585 section 4)."""

    async def handle(request: web.Request) -> web.StreamResponse:
        wait_s = limiter.take(source_of(request.remote or ""))
        if wait_s:
            refused = Refused("Too many requests; try again shortly.", status=429, code="too-many-requests")
            return respond(problem_of(refused), {"Retry-After": str(ceil(wait_s))})
        return await handler(request)

    return handle
