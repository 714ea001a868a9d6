"""Rooms: made, found, changed, joined; their members, invitations and ways for telephones."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic import TypeAdapter

from confero.models.joining import (
    JoinReply,
    JoinRequest,
    RoomCreate,
    RoomDetail,
    RoomInfo,
    RoomPage,
    RoomPatch,
    RoomQuery,
)
from confero.models.meetings import (
    DialIn,
    InvitationCreate,
    InvitationList,
    InvitationMade,
    MemberInfo,
    MemberList,
    MemberPut,
)

from .parts import Part, at, every

EITHER = TypeAdapter[RoomDetail | RoomInfo](RoomDetail | RoomInfo)


class Rooms(Part):
    """``/api/v1/rooms``. All raise ApiError."""

    async def create(self, wish: RoomCreate) -> RoomDetail:
        return await self._to.call("POST", at("rooms"), RoomDetail, wish, makes=True)

    async def page(self, query: RoomQuery) -> RoomPage:
        return await self._to.call("GET", at("rooms"), RoomPage, query=query)

    def all(self, query: RoomQuery | None = None) -> AsyncIterator[RoomDetail]:
        """One's own, the latest used first."""
        return every(self.page, query or RoomQuery())

    async def get(self, room: str) -> RoomDetail | RoomInfo:
        """With its settings for those who may see them."""
        return await self._to.call("GET", at("rooms", room), EITHER)

    async def change(self, room: str, wish: RoomPatch) -> RoomDetail:
        """Fields that are not given stay."""
        return await self._to.call("PATCH", at("rooms", room), RoomDetail, wish)

    async def delete(self, room: str) -> None:
        await self._to.send("DELETE", at("rooms", room))

    async def join(self, room: str, wish: JoinRequest) -> JoinReply:
        """A place, or one in the lobby; ``Client.seat`` acts with its token. Not repeated by itself."""
        return await self._to.call("POST", at("rooms", room, "join"), JoinReply, wish)

    async def dial_in(self, room: str) -> DialIn:
        return await self._to.call("GET", at("rooms", room, "dial-in"), DialIn)


class Members(Part):
    """``/api/v1/rooms/{room}/members``. All raise ApiError."""

    async def list(self, room: str) -> MemberList:
        return await self._to.call("GET", at("rooms", room, "members"), MemberList)

    async def put(self, room: str, user: str, wish: MemberPut) -> MemberInfo:
        """``user``: id or login."""
        return await self._to.call("PUT", at("rooms", room, "members", user), MemberInfo, wish)

    async def remove(self, room: str, user: str) -> None:
        await self._to.send("DELETE", at("rooms", room, "members", user))


class Invitations(Part):
    """``/api/v1/rooms/{room}/invitations``. All raise ApiError."""

    async def list(self, room: str) -> InvitationList:
        return await self._to.call("GET", at("rooms", room, "invitations"), InvitationList)

    async def create(self, room: str, wish: InvitationCreate) -> InvitationMade:
        """Its link and secret are told this once."""
        return await self._to.call("POST", at("rooms", room, "invitations"), InvitationMade, wish, makes=True)

    async def revoke(self, room: str, invitation: str) -> None:
        await self._to.send("DELETE", at("rooms", room, "invitations", invitation))
