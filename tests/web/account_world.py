"""Rooms of people, records and the farm of the pretended application server."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from confero.ids import new_id
from confero.models import Problem, RoomCreate
from confero.models.accounts import AuditEntry, DeviceInfo, KeyInfo, UserInfo
from confero.models.history import (
    LiveList,
    LiveRoom,
    McuInfo,
    McuList,
    McuPatch,
    MeetingDetail,
    MeetingInfo,
    MeetingPage,
    StayInfo,
)
from confero.models.joining import RoomDetail, RoomPage, RoomPatch
from confero.models.meetings import (
    DialIn,
    InvitationCreate,
    InvitationInfo,
    InvitationList,
    InvitationMade,
    MemberInfo,
    MemberList,
    MemberPut,
)

from .account_telephony import Telephony
from .backend import json_reply, problem
from .description import api_description

if TYPE_CHECKING:
    from .account_backend import AccountBackend

PAGE = 3
"""Rooms and records on one page."""


class World:
    """What there is beside accounts."""

    def __init__(self, backend: AccountBackend) -> None:
        self._backend = backend
        self.users: dict[str, UserInfo] = {}
        self.devices: list[DeviceInfo] = []
        self.keys: list[KeyInfo] = []
        self.audit: list[AuditEntry] = []
        self.rooms: dict[str, RoomDetail] = {}
        self.members: dict[str, dict[str, MemberInfo]] = {}
        self.invitations: dict[str, list[InvitationInfo]] = {}
        self.meetings: dict[str, MeetingDetail] = {}
        self.mcus: dict[str, McuInfo] = {}
        self.live: list[LiveRoom] = []
        self.telephony = Telephony()

    def room(self, name: str, **fields: Any) -> RoomDetail:
        room = name.lower().replace(" ", "-")
        given: dict[str, Any] = {"max_participants": 100, "participants": 0, "mine": "owner", **fields}
        url = f"{self._backend.url}/r/{room}"
        now = time.time()
        self.rooms[room] = RoomDetail(
            id=room, name=name, join_url=url, created_at=now - 9e5, used_at=now - 7200, **given
        )
        self.members.setdefault(room, {})
        self.invitations.setdefault(room, [])
        return self.rooms[room]

    def meeting(
        self, room_name: str, began: float, seconds: float, stays: list[StayInfo], **fields: Any
    ) -> MeetingInfo:
        made = MeetingDetail(
            id=new_id("mtg"),
            room=room_name.lower().replace(" ", "-"),
            room_name=room_name,
            started_at=began,
            ended_at=began + seconds,
            participants=len(stays),
            most=len(stays),
            stays=stays,
            **{"reason": "empty", **fields},
        )
        self.meetings[made.id] = made
        return made

    async def _description(self, request: web.Request) -> web.Response:
        return web.json_response(api_description())

    def table(self) -> dict[str, Callable[[web.Request], Awaitable[web.Response]]]:
        """Method and path -> who answers."""
        return {
            "GET /openapi.json": self._description,
            "GET /rooms": self._rooms,
            "POST /rooms": self._make_room,
            "GET /rooms/{room}": self._room,
            "PATCH /rooms/{room}": self._patch_room,
            "DELETE /rooms/{room}": self._delete_room,
            "GET /rooms/{room}/dial-in": self._dial_in,
            "GET /rooms/{room}/members": self._members,
            "PUT /rooms/{room}/members/{user}": self._put_member,
            "DELETE /rooms/{room}/members/{user}": self._delete_member,
            "GET /rooms/{room}/invitations": self._invitations,
            "POST /rooms/{room}/invitations": self._make_invitation,
            "DELETE /rooms/{room}/invitations/{id}": self._end_invitation,
            "GET /meetings": self._meetings,
            "GET /meetings.csv": self._export,
            "GET /meetings/{meeting}": self._meeting,
            "DELETE /meetings/{meeting}": self._delete_meeting,
            "GET /mcus": self._mcus,
            "PATCH /mcus/{mcu}": self._patch_mcu,
            "GET /live": self._live,
            **self.telephony.table(),
        }

    # --- rooms ----------------------------------------------------------------------------------------------------

    async def _rooms(self, request: web.Request) -> web.Response:
        search = request.query.get("search", "").lower()
        found = [one for one in self.rooms.values() if search in f"{one.name} {one.id}".lower()]
        items, mark = paged(found, request)
        return json_reply(RoomPage(items=items, next=mark))

    async def _make_room(self, request: web.Request) -> web.Response:
        wish = RoomCreate.model_validate_json(await request.text())
        self._backend.creations.append(wish)
        given = wish.model_dump(exclude={"name", "number", "max_participants"}) | {"pin_needed": wish.pin is not None}
        return json_reply(self.room(wish.name or "Red owl", **given), 201)

    async def _room(self, request: web.Request) -> web.Response:
        room = self.rooms.get(request.match_info["room"]) or self._backend.rooms.get(request.match_info["room"])
        return json_reply(room) if room else refused("room-unknown", 404)

    async def _patch_room(self, request: web.Request) -> web.Response:
        wish = RoomPatch.model_validate_json(await request.text())
        room = self.rooms[request.match_info["room"]]
        given = {name: None if value == "" else value for name, value in wish.model_dump(exclude_unset=True).items()}
        if given.get("number") == "auto":
            given["number"] = "4711"
        self.rooms[room.id] = room.model_copy(update=given)
        return json_reply(self.rooms[room.id])

    async def _delete_room(self, request: web.Request) -> web.Response:
        del self.rooms[request.match_info["room"]]
        return web.Response(status=204)

    async def _dial_in(self, request: web.Request) -> web.Response:
        room = self.rooms[request.match_info["room"]]
        uri = f"sip:{room.number}@meet.example" if room.number else None
        numbers = ["+49 30 901820"] if room.number else []
        return json_reply(
            DialIn(numbers=numbers, room_number=room.number, pin_needed=bool(room.pin), pin=room.pin, sip_uri=uri)
        )

    async def _members(self, request: web.Request) -> web.Response:
        return json_reply(MemberList(items=list(self.members[request.match_info["room"]].values())))

    async def _put_member(self, request: web.Request) -> web.Response:
        wish = MemberPut.model_validate_json(await request.text())
        name = request.match_info["user"]
        user = next((one for one in self.users.values() if name in (one.id, one.login)), None)
        if user is None:
            return refused("user-unknown", 404)
        member = MemberInfo(user=user.id, login=user.login, display_name=user.display_name, role=wish.role)
        self.members[request.match_info["room"]][user.id] = member
        return json_reply(member)

    async def _delete_member(self, request: web.Request) -> web.Response:
        del self.members[request.match_info["room"]][request.match_info["user"]]
        return web.Response(status=204)

    async def _invitations(self, request: web.Request) -> web.Response:
        return json_reply(InvitationList(items=self.invitations[request.match_info["room"]]))

    async def _make_invitation(self, request: web.Request) -> web.Response:
        wish = InvitationCreate.model_validate_json(await request.text())
        room = self.rooms[request.match_info["room"]]
        secret = new_id("inv")
        info = InvitationInfo(id=new_id("inv"), created_at=time.time(), created_by="ada", uses=0, **wish.model_dump())
        self.invitations[room.id].append(info)
        return json_reply(
            InvitationMade(**info.model_dump(), url=f"{room.join_url}#invitation={secret}", secret=secret), 201
        )

    async def _end_invitation(self, request: web.Request) -> web.Response:
        known = self.invitations[request.match_info["room"]]
        ended = request.match_info["id"]
        known[:] = [one.model_copy(update={"revoked": True}) if one.id == ended else one for one in known]
        return web.Response(status=204)

    # --- records and the farm -------------------------------------------------------------------------------------

    async def _meetings(self, request: web.Request) -> web.Response:
        who, room = request.query.get("who", "").lower(), request.query.get("room", "")
        found = [
            MeetingInfo(**one.model_dump(exclude={"stays"}))
            for one in self.meetings.values()
            if any(who in stay.display_name.lower() for stay in one.stays) and room in ("", one.room)
        ]
        items, mark = paged(found, request)
        return json_reply(MeetingPage(items=items, next=mark))

    async def _export(self, request: web.Request) -> web.Response:
        head = {"Content-Disposition": 'attachment; filename="meetings.csv"'}
        return web.Response(text="meeting,room\r\n", content_type="text/csv", headers=head)

    async def _meeting(self, request: web.Request) -> web.Response:
        meeting = self.meetings.get(request.match_info["meeting"])
        return json_reply(meeting) if meeting else refused("meeting-unknown", 404)

    async def _delete_meeting(self, request: web.Request) -> web.Response:
        del self.meetings[request.match_info["meeting"]]
        return web.Response(status=204)

    async def _mcus(self, request: web.Request) -> web.Response:
        return json_reply(McuList(items=list(self.mcus.values())))

    async def _patch_mcu(self, request: web.Request) -> web.Response:
        wish = McuPatch.model_validate_json(await request.text())
        mcu = self.mcus[request.match_info["mcu"]]
        self.mcus[mcu.id] = mcu.model_copy(update={"state": "draining" if wish.draining else "up"})
        return json_reply(self.mcus[mcu.id])

    async def _live(self, request: web.Request) -> web.Response:
        return json_reply(LiveList(items=self.live))


def paged(found: list[Any], request: web.Request) -> tuple[list[Any], str | None]:
    """A page of them, and the mark of the next."""
    limit = min(PAGE, int(request.query.get("limit", PAGE)))
    start = int(request.query.get("page", "0"))
    more = start + limit < len(found)
    return found[start : start + limit], str(start + limit) if more else None


def refused(code: str, status: int) -> web.Response:
    answer: Problem = problem(code, status)
    return web.Response(text=json.dumps(answer.model_dump()), status=status, content_type="application/problem+json")
