"""The administration of telephony: SIP accounts, trunks, the dial plan, numbers, calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from confero.models.sip import SipCallDetail, SipCallInfo, SipCallPage
from confero.models.sipadmin import (
    DialRuleCreate,
    DialRuleInfo,
    DialRulePage,
    DialRulePatch,
    PageQuery,
    SipAccountCreate,
    SipAccountInfo,
    SipAccountPage,
    SipAccountPatch,
    SipNumberCreate,
    SipNumberInfo,
    SipNumberPage,
    SipNumberPatch,
    SipTrunkCreate,
    SipTrunkInfo,
    SipTrunkPage,
    SipTrunkPatch,
)

from .parts import Page, Part, at, every
from .transport import Transport

Create = TypeVar("Create", bound=BaseModel)
Patch = TypeVar("Patch", bound=BaseModel)
Info = TypeVar("Info", bound=BaseModel)


class Collection(Generic[Create, Patch, Info]):
    """The rows of one kind. All raise ApiError."""

    def __init__(self, transport: Transport, name: str, page: Any, info: type[Info]) -> None:
        """``page``: the model of a page of them."""
        self._to = transport
        self._name = name
        self._page = page
        self._info = info

    async def page(self, query: PageQuery) -> Page[Info]:
        found: Page[Info] = await self._to.call("GET", at("sip", self._name), self._page, query=query)
        return found

    def all(self, query: PageQuery | None = None) -> AsyncIterator[Info]:
        return every(self.page, query or PageQuery(), "after")

    async def create(self, wish: Create) -> Info:
        return await self._to.call("POST", at("sip", self._name), self._info, wish, makes=True)

    async def get(self, id: str | int) -> Info:
        """``id``: of an account or rule, the name of a trunk, or a number."""
        return await self._to.call("GET", at("sip", self._name, id), self._info)

    async def change(self, id: str | int, wish: Patch) -> Info:
        return await self._to.call("PATCH", at("sip", self._name, id), self._info, wish)

    async def delete(self, id: str | int) -> None:
        await self._to.send("DELETE", at("sip", self._name, id))


class CallLog(Part):
    """``/api/v1/sip/calls``. All raise ApiError."""

    async def page(self, query: PageQuery) -> SipCallPage:
        return await self._to.call("GET", at("sip", "calls"), SipCallPage, query=query)

    def all(self, query: PageQuery | None = None) -> AsyncIterator[SipCallInfo]:
        """The latest first."""
        return every(self.page, query or PageQuery(), "after")

    async def get(self, id: str) -> SipCallDetail:
        """With its ladder."""
        return await self._to.call("GET", at("sip", "calls", id), SipCallDetail)


class Telephony:
    """``/api/v1/sip``."""

    def __init__(self, to: Transport) -> None:
        self.accounts = Collection[SipAccountCreate, SipAccountPatch, SipAccountInfo](
            to, "accounts", SipAccountPage, SipAccountInfo
        )
        self.trunks = Collection[SipTrunkCreate, SipTrunkPatch, SipTrunkInfo](to, "trunks", SipTrunkPage, SipTrunkInfo)
        self.rules = Collection[DialRuleCreate, DialRulePatch, DialRuleInfo](to, "rules", DialRulePage, DialRuleInfo)
        self.numbers = Collection[SipNumberCreate, SipNumberPatch, SipNumberInfo](
            to, "numbers", SipNumberPage, SipNumberInfo
        )
        self.calls = CallLog(to)
