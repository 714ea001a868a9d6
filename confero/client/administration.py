"""What administrators do: accounts, the audit log, media servers, what is live."""

from __future__ import annotations

from collections.abc import AsyncIterator

from confero.models.accounts import (
    AuditEntry,
    AuditPage,
    AuditQuery,
    ResetLink,
    UserCreate,
    UserInfo,
    UserPage,
    UserPatch,
    UserQuery,
)
from confero.models.history import LiveList, McuInfo, McuList, McuPatch

from .parts import Part, at, every


class Users(Part):
    """``/api/v1/users``. All raise ApiError."""

    async def page(self, query: UserQuery) -> UserPage:
        return await self._to.call("GET", at("users"), UserPage, query=query)

    def all(self, query: UserQuery | None = None) -> AsyncIterator[UserInfo]:
        """By login."""
        return every(self.page, query or UserQuery())

    async def create(self, wish: UserCreate) -> UserInfo:
        return await self._to.call("POST", at("users"), UserInfo, wish, makes=True)

    async def get(self, user: str) -> UserInfo:
        return await self._to.call("GET", at("users", user), UserInfo)

    async def change(self, user: str, wish: UserPatch) -> UserInfo:
        return await self._to.call("PATCH", at("users", user), UserInfo, wish)

    async def delete(self, user: str) -> None:
        await self._to.send("DELETE", at("users", user))

    async def end_sessions(self, user: str) -> None:
        """Signs an account out everywhere."""
        await self._to.send("DELETE", at("users", user, "sessions"))

    async def make_reset_link(self, user: str) -> ResetLink:
        return await self._to.call("POST", at("users", user, "reset-link"), ResetLink, makes=True)


class Audit(Part):
    """``/api/v1/audit``. All raise ApiError."""

    async def page(self, query: AuditQuery) -> AuditPage:
        return await self._to.call("GET", at("audit"), AuditPage, query=query)

    def all(self, query: AuditQuery | None = None) -> AsyncIterator[AuditEntry]:
        """The latest first."""
        return every(self.page, query or AuditQuery())


class Farm(Part):
    """``/api/v1/mcus`` and ``/api/v1/live``. All raise ApiError."""

    async def mcus(self) -> McuList:
        return await self._to.call("GET", at("mcus"), McuList)

    async def change(self, mcu: str, wish: McuPatch) -> McuInfo:
        """Drain it, or let rooms go there again."""
        return await self._to.call("PATCH", at("mcus", mcu), McuInfo, wish)

    async def live(self) -> LiveList:
        """Meetings that are going on."""
        return await self._to.call("GET", at("live"), LiveList)
