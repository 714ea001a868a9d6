"""The public REST API of a room's members."""

from __future__ import annotations

from aiohttp import web

from confero.models.meetings import MemberInfo, MemberList, MemberPut
from confero.runtime.http import Route, read_model, reply

from ..rooms.catalogue import Catalogue
from ..rooms.entities import Member
from ..rooms.members import Known, Members

MEMBERS = "/api/v1/rooms/{room}/members"
ONE = MEMBERS + "/{user}"
UNKNOWN = "404 room-unknown"


class MembersApi:
    """For owners; hosts may look."""

    def __init__(self, catalogue: Catalogue, members: Members) -> None:
        self._catalogue = catalogue
        self._members = members

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET", MEMBERS, self.show, summary="A room's members, by their logins",
                rule="members.read", reply=MemberList, errors=(UNKNOWN,),
            ),
            Route(
                "PUT", ONE, self.put, summary="Make an account, by id or login, a member, or give it another role",
                rule="members.change", body=MemberPut, reply=MemberInfo,
                errors=(UNKNOWN, "404 user-unknown", "409 too-many-members"),
            ),
            Route(
                "DELETE", ONE, self.remove, summary="A member is none any more",
                rule="members.change", status=204, errors=(UNKNOWN, "404 member-unknown"),
            ),
        ]  # fmt: skip

    async def show(self, request: web.Request) -> web.Response:
        found = await self._members.of_room(await self._room(request))
        return reply(MemberList(items=[_info(known, member) for known, member in found]))

    async def put(self, request: web.Request) -> web.Response:
        room, wish = await self._room(request), await read_model(request, MemberPut)
        return reply(_info(*await self._members.put(room, request.match_info["user"], wish.role)))

    async def remove(self, request: web.Request) -> web.Response:
        await self._members.remove(await self._room(request), request.match_info["user"])
        return reply(None)

    async def _room(self, request: web.Request) -> str:
        """Raises Refused 404."""
        return (await self._catalogue.known(request.match_info["room"])).id


def _info(known: Known, member: Member) -> MemberInfo:
    return MemberInfo(user=known.user, login=known.login, display_name=known.display_name, role=member.role)
