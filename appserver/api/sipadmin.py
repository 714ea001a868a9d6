"""The administration of SIP: ``/api/v1/sip``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from confero.errors import Refused
from confero.models.sip import SipCallDetail, SipCallPage
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
from confero.runtime.http import Handler, Route, read_model, read_query, reply

from ..sip.entities import Account, Number, Rule, Trunk
from ..sip.office import Office
from ..sip.store import CallStore
from .pagemarks import invalid_page
from .sipviews import account_info, call_detail, call_info, number_info, rule_info, trunk_info

BASE = "/api/v1/sip"
MAX_ROW = (1 << 63) - 1
PAGE = ("422 page-invalid",)
ADMIN_ERRORS = ("401 sign-in-needed", "401 token-invalid", "403 not-allowed", "429 too-many-requests")


@dataclass(frozen=True)
class Collection:
    """One kind of row: what it is called, what goes in and out, and who does it."""

    name: str
    kind: Any
    key: str
    """Field that names a row in its path."""
    create: type[BaseModel]
    patch: type[BaseModel]
    info: type[BaseModel]
    page: type[BaseModel]
    show: Callable[[Any], BaseModel]
    add: Callable[[Any], Awaitable[Any]]
    change: Callable[[Any, Any], Awaitable[Any]]
    errors: tuple[str, ...] = ()
    """Of add and change."""

    def key_of(self, text: str) -> int | str:
        """A row's key from a path or a page's mark. Raises Refused 404 for a text that can be no key."""
        if self.key != "id":
            return text
        if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= MAX_ROW):
            raise Refused("There is no such row.", status=404, code=f"{self.kind.__name__.lower()}-unknown")
        return int(text)


class SipAdminApi:
    """All of it."""

    def __init__(self, office: Office, calls: CallStore) -> None:
        self._office = office
        self._calls = calls

    def routes(self) -> list[Route]:
        return [route for one in self._collections() for route in self._rows(one)] + self._of_calls()

    def _collections(self) -> tuple[Collection, ...]:
        office = self._office
        return (
            Collection(
                *("accounts", Account, "id", SipAccountCreate, SipAccountPatch, SipAccountInfo, SipAccountPage),
                *(account_info, office.add_account, office.change_account, ("422 pattern-invalid",)),
            ),
            Collection(
                *("trunks", Trunk, "name", SipTrunkCreate, SipTrunkPatch, SipTrunkInfo, SipTrunkPage),
                *(trunk_info, office.add_trunk, office.change_trunk, ("422 trunk-invalid",)),
            ),
            Collection(
                *("rules", Rule, "id", DialRuleCreate, DialRulePatch, DialRuleInfo, DialRulePage),
                *(rule_info, office.add_rule, office.change_rule, ("422 pattern-invalid", "422 rule-invalid")),
            ),
            Collection(
                *("numbers", Number, "number", SipNumberCreate, SipNumberPatch, SipNumberInfo, SipNumberPage),
                *(number_info, office.add_number, office.change_number, ("404 room-unknown",)),
            ),
        )

    def _rows(self, one: Collection) -> list[Route]:
        name = one.kind.__name__.lower()
        unknown, many = f"404 {name}-unknown", (f"409 {name}-exists", f"409 too-many-{name}s")
        path, row = f"{BASE}/{one.name}", f"{BASE}/{one.name}/{{{one.key}}}"
        each: tuple[tuple[str, str, Handler, dict[str, Any]], ...] = (
            ("GET", path, self._list(one), {"query": PageQuery, "reply": one.page, "errors": PAGE}),
            ("POST", path, self._add(one), {"body": one.create, "reply": one.info, "status": 201, "errors": many}),
            ("GET", row, self._get(one), {"reply": one.info, "errors": (unknown,)}),
            ("PATCH", row, self._change(one), {"body": one.patch, "reply": one.info, "errors": (unknown,)}),
            ("DELETE", row, self._delete(one), {"status": 204, "errors": (unknown,)}),
        )
        return [
            self._route(
                *(method, where, handler),
                **(more | {"errors": (*more.get("errors", ()), *(one.errors if "body" in more else ()))}),
                summary=SUMMARIES[method, where == row].format(name=name),
            )
            for method, where, handler, more in each
        ]

    def _route(self, method: str, path: str, handler: Handler, errors: Sequence[str] = (), **more: Any) -> Route:
        return Route(method, path, handler, errors=(*errors, *ADMIN_ERRORS), rule="sip.admin", **more)

    # --- rows -----------------------------------------------------------------------------------------------------

    def _list(self, one: Collection) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            query = read_query(request, PageQuery)
            after = _mark(one, query.after) if query.after else None
            rows = await self._office.page(one.kind, after, query.limit + 1)
            shown = rows[: query.limit]
            mark = str(getattr(shown[-1], one.key)) if len(rows) > query.limit else None
            return reply(one.page(items=[one.show(row) for row in shown], next=mark))

        return handle

    def _add(self, one: Collection) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            return reply(one.show(await one.add(await read_model(request, one.create))), status=201)

        return handle

    def _get(self, one: Collection) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            return reply(one.show(await self._office.get(one.kind, one.key_of(request.match_info[one.key]))))

        return handle

    def _change(self, one: Collection) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            key = one.key_of(request.match_info[one.key])
            return reply(one.show(await one.change(key, await read_model(request, one.patch))))

        return handle

    def _delete(self, one: Collection) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            await self._office.delete(one.kind, one.key_of(request.match_info[one.key]))
            return reply(None)

        return handle

    # --- calls ----------------------------------------------------------------------------------------------------

    def _of_calls(self) -> list[Route]:
        latest: dict[str, Any] = {"query": PageQuery, "reply": SipCallPage, "errors": PAGE}
        one: dict[str, Any] = {"reply": SipCallDetail, "errors": ("404 call-unknown",)}
        return [
            self._route("GET", f"{BASE}/calls", self.calls, summary="Calls, the latest first", **latest),
            self._route("GET", f"{BASE}/calls/{{id}}", self.call, summary="A call with its ladder", **one),
        ]

    async def calls(self, request: web.Request) -> web.Response:
        query = read_query(request, PageQuery)
        before = await self._calls.call(query.after) if query.after else None
        if query.after and before is None:
            raise invalid_page()
        mark = (before.started_at, before.id) if before is not None else None
        rows = await self._calls.calls(mark, query.limit + 1)
        shown = rows[: query.limit]
        following = shown[-1].id if len(rows) > query.limit else None
        return reply(SipCallPage(items=[call_info(row) for row in shown], next=following))

    async def call(self, request: web.Request) -> web.Response:
        return reply(call_detail(await self._call(request.match_info["id"])))

    async def _call(self, call_id: str) -> Any:
        found = await self._calls.call(call_id)
        if found is None:
            raise Refused("There is no such call.", status=404, code="call-unknown")
        return found


def _mark(one: Collection, text: str) -> int | str:
    """Raises RemoteError 422 for what is no mark of a page."""
    try:
        return one.key_of(text)
    except Refused:
        raise invalid_page() from None


SUMMARIES = {
    ("GET", False): "Each {name}",
    ("POST", False): "Make a {name}",
    ("GET", True): "A {name}",
    ("PATCH", True): "Change a {name}",
    ("DELETE", True): "Delete a {name}",
}
"""By method, and whether it is about one row."""
