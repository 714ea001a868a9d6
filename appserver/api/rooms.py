"""The public REST API of rooms: made, listed, seen, changed, deleted, and joined."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import TypeAdapter

from confero.errors import Refused
from confero.models import JoinReply, JoinRequest, Role, RoomCreate, RoomInfo
from confero.models.joining import RoomDetail, RoomPage, RoomPatch, RoomQuery
from confero.models.meetings import ChatPage, InvitationCreate, MeetingState
from confero.ratelimit import RateLimiter
from confero.runtime.http import Route, read_model, read_query, reply

from ..relays.iceservers import IceServers
from ..rights.gate import missing
from ..rights.guard import actor_of
from ..rights.relations import by_itself
from ..rights.table import RULES
from ..rooms.catalogue import Search
from ..rooms.entities import Room
from ..rooms.house import House
from ..rooms.joining import Admission
from ..rooms.members import Known
from ..rooms.numbers import RoomNumbers
from ..web import BAD_HOST, origin_of
from .limiting import limited
from .pagemarks import mark_of, read_mark
from .roomviews import Shown, room_detail, room_info, visitor_of

ROOMS = "/api/v1/rooms"
ROOM = ROOMS + "/{room}"
UNKNOWN = "404 room-unknown"
NUMBERS = ("409 number-exists", "409 too-many-numbers")
JOIN_FAULTS = (
    UNKNOWN, BAD_HOST, "401 token-invalid", "401 token-expired", "403 pin-needed", "403 pin-wrong", "403 room-locked",
    "403 removed",
    "403 invitation-invalid", "403 invitation-expired", "403 invitation-used", "409 room-full", "409 lobby-full",
    "429 too-many-requests", "429 too-many-tries", "503 no-media-server",
)  # fmt: skip
EITHER = TypeAdapter[RoomDetail | RoomInfo](RoomDetail | RoomInfo)
FIRST_HOST = InvitationCreate(role="host", note="For whoever made the room")


class Names(Protocol):
    """The accounts there are."""

    async def names(self, users: Sequence[str]) -> Mapping[str, Known]:
        """By id; those that are gone are left out."""
        ...


Welcome = Callable[[str], Awaitable[tuple[MeetingState, ChatPage]]]
"""Tells of a room's meeting, and of its chat, when somebody has come in."""


class RoomsApi:
    """``/api/v1/rooms``."""

    def __init__(
        self,
        house: House,
        numbers: RoomNumbers,
        *,
        creations: RateLimiter,
        joins: RateLimiter,
        public_url: str,
        guests_make_rooms: bool,
        may_call_out: Callable[[Role], Awaitable[bool]],
        ice: IceServers,
        welcome: Welcome,
        delete: Callable[[str], Awaitable[None]],
        accounts: Names | None,
    ) -> None:
        self._house = house
        self._numbers = numbers
        self._creations = creations
        self._joins = joins
        self._public_url = public_url
        self._guests_make_rooms = guests_make_rooms
        self._may_call_out = may_call_out
        self._ice = ice
        self._welcome = welcome
        self._delete = delete
        self._accounts = accounts

    def routes(self) -> list[Route]:
        return [
            Route(
                "POST", ROOMS, limited(self._creations, self.create), summary="Make a room", rule="rooms.create",
                body=RoomCreate, reply=RoomDetail, status=201,
                errors=(BAD_HOST, "401 sign-in-needed", "409 too-many-own-rooms", *NUMBERS, "429 too-many-requests",
                        "503 too-many-rooms"),
            ),
            Route(
                "GET", ROOMS, self.own, summary="One's own rooms, the latest used first", rule="rooms.list",
                query=RoomQuery, reply=RoomPage, errors=(BAD_HOST, "403 not-allowed", "422 page-invalid"),
            ),
            Route(
                "GET", ROOM, self.get, summary="What a room is; to whoever may see them with its settings",
                rule="rooms.look", reply=EITHER, errors=(UNKNOWN, BAD_HOST),
            ),
            Route(
                "PATCH", ROOM, self.change, summary="Change a room's settings", rule="rooms.change",
                body=RoomPatch, reply=RoomDetail, errors=(UNKNOWN, BAD_HOST, *NUMBERS),
            ),
            Route(
                "DELETE", ROOM, self.delete, summary="Delete a room; whoever is in it is sent away",
                rule="rooms.delete", status=204, errors=(UNKNOWN, "409 room-kept"),
            ),
            Route(
                "POST", f"{ROOM}/join", limited(self._joins, self.join), rule="rooms.join",
                summary="Get a place in a room, or in its lobby, and a token for it",
                body=JoinRequest, reply=JoinReply, errors=JOIN_FAULTS,
            ),
        ]  # fmt: skip

    # --- made, listed, seen ---------------------------------------------------------------------------------------

    async def create(self, request: web.Request) -> web.Response:
        actor, origin = actor_of(request), origin_of(request, self._public_url)
        signed_in = actor.proof in ("session", "key")
        if not (signed_in or self._guests_make_rooms or actor.proof == "admin-token"):
            raise missing()
        wish = await read_model(request, RoomCreate)
        room = await self._house.catalogue.create(wish, actor.user if signed_in else None)
        number = await self._number_of_new(room, wish.number)
        invitation = None if signed_in else (await self._house.invitations.make(room.id, FIRST_HOST, "-"))[1]
        shown = Shown(room, 0, number, await self._login(room.owner))
        return reply(room_detail(shown, actor, self._house.pins, origin, invitation), status=201)

    async def _number_of_new(self, room: Room, wish: str | None) -> str | None:
        """Without the number that was wished there is to be no room."""
        if wish is None:
            return None
        try:
            return await self._numbers.put(room.id, wish)
        except Refused:
            await self._house.catalogue.delete(room.id)
            raise

    async def own(self, request: web.Request) -> web.Response:
        actor, query = actor_of(request), read_query(request, RoomQuery)
        if query.everyone and not RULES["rooms.list-all"].may & by_itself(actor):
            raise Refused("You may not see everybody's rooms.", status=403, code="not-allowed")
        if actor.user is None and not query.everyone:
            return reply(RoomPage(items=[]))  # the admin token: nobody's, who has no rooms
        before = read_mark(query.page, (float, str)) if query.page else None
        search = Search(
            None if query.everyone else actor.user, actor.user, query.search or "",
            before=(before[0], before[1]) if before else None, limit=query.limit + 1,
        )  # fmt: skip
        found = await self._house.catalogue.search(search)
        origin, shown = origin_of(request, self._public_url), found[: query.limit]
        names = await self._names([one.room.owner for one in shown if one.room.owner is not None])
        items = [
            room_detail(
                Shown(one.room, one.people, one.number, names.get(one.room.owner or ""), one.membership),
                actor, self._house.pins, origin,
            )
            if one.membership != "guest" or query.everyone
            else _plain(Shown(one.room, one.people, owner=names.get(one.room.owner or "")), origin)
            for one in shown
        ]  # fmt: skip
        last = shown[-1].room if len(found) > query.limit else None
        return reply(RoomPage(items=items, next=mark_of((last.used_at, last.id)) if last is not None else None))

    async def get(self, request: web.Request) -> web.Response:
        room, people = await self._house.catalogue.look(request.match_info["room"])
        origin, actor = origin_of(request, self._public_url), actor_of(request)
        if actor.proof == "participant":
            return reply(room_info(room, people, origin))
        relations = by_itself(actor) | await self._house.relations.to_room(actor, room.id)
        if RULES["rooms.read"].may & relations:
            return reply(await self._detail(request, room, people))
        if "member" in relations:
            return reply(_plain(Shown(room, people, owner=await self._login(room.owner)), origin))
        return reply(room_info(room, people, origin))

    async def _detail(self, request: web.Request, room: Room, people: int) -> RoomDetail:
        actor = actor_of(request)
        shown = Shown(
            room, people, await self._numbers.of(room.id), await self._login(room.owner),
            await self._house.relations.membership(room.id, actor.user),
        )  # fmt: skip
        return room_detail(shown, actor, self._house.pins, origin_of(request, self._public_url))

    async def _names(self, users: Sequence[str]) -> dict[str, str]:
        """Logins by id."""
        found = await self._accounts.names(users) if self._accounts is not None and users else {}
        return {user: known.login for user, known in found.items()}

    async def _login(self, user: str | None) -> str | None:
        return (await self._names([user])).get(user) if user is not None else None

    # --- changed --------------------------------------------------------------------------------------------------

    async def change(self, request: web.Request) -> web.Response:
        room_id = request.match_info["room"]
        await self._house.catalogue.known(room_id)
        patch = await read_model(request, RoomPatch)
        if "number" in patch.model_fields_set:
            await self._numbers.put(room_id, patch.number or "")
        room = await self._house.change(room_id, patch)
        return reply(await self._detail(request, *await self._house.catalogue.look(room.id)))

    async def delete(self, request: web.Request) -> web.Response:
        room_id = request.match_info["room"]
        await self._delete(room_id)
        await self._numbers.put(room_id, "")
        return reply(None)

    # --- joined ---------------------------------------------------------------------------------------------------

    async def join(self, request: web.Request) -> web.Response:
        origin = origin_of(request, self._public_url)
        wish = await read_model(request, JoinRequest)
        visitor = visitor_of(actor_of(request))
        admission = await self._house.reception.join(request.match_info["room"], wish, visitor)
        person, inside = admission.person, admission.person.admitted
        answer = JoinReply(
            token=admission.token,
            token_expires=admission.expires,
            participant=person.id,
            room=room_info(admission.room, admission.people, origin),
            calls_out=inside and await self._may_call_out(person.role),
            ice_servers=self._ice.for_participant(person.id, urlsplit(origin).hostname or "") if inside else [],
            ice_ttl_s=self._ice.rules.ttl_s if inside else 0.0,
            ice_policy=self._ice.rules.policy,
            role=person.role,
            waiting=not inside,
        )
        return reply(await self._welcomed(answer, admission))

    async def _welcomed(self, answer: JoinReply, admission: Admission) -> JoinReply:
        """Whoever is in is told of the meeting; whoever waits is not."""
        if not admission.person.admitted:
            return answer
        meeting, chat = await self._welcome(admission.room.id)
        return answer.model_copy(update={"meeting": meeting, "chat": chat.items, "chat_next": chat.next})


def _plain(shown: Shown, origin: str) -> RoomDetail:
    """To a member who is a guest there: as everybody sees it."""
    info = room_info(shown.room, shown.people, origin)
    return RoomDetail(
        **info.model_dump(),
        created_at=shown.room.created_at,
        used_at=shown.room.used_at,
        owner=shown.owner,
        mine="guest",
    )
