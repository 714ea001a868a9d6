"""What administrators do with accounts, ``/api/v1/users``, and the audit log, ``/api/v1/audit``."""

from __future__ import annotations

from aiohttp import web

from confero.models.accounts import (
    AuditPage,
    AuditQuery,
    ResetLink,
    UserCreate,
    UserInfo,
    UserPage,
    UserPatch,
    UserQuery,
)
from confero.runtime.http import Route, read_model, read_query, reply

from ..accounts.desk import AccountsDesk
from ..rights.guard import actor_of
from ..web import BAD_HOST, origin_of
from .accountviews import audit_entry, user_info
from .pagemarks import mark_of, read_mark
from .session import PASSWORD

USERS = "/api/v1/users"
USER = USERS + "/{user}"
UNKNOWN = "404 user-unknown"


class UsersApi:
    """For administrators."""

    def __init__(self, desk: AccountsDesk, public_url: str) -> None:
        self._desk = desk
        self._public_url = public_url

    def routes(self) -> list[Route]:
        read, change = "users.read", "users.change"
        return [
            Route(
                "GET", USERS, self.list, rule=read, summary="Accounts, by login", query=UserQuery, reply=UserPage,
                errors=("422 page-invalid",),
            ),
            Route(
                "POST", USERS, self.create, rule=change, summary="Make an account", body=UserCreate, reply=UserInfo,
                status=201, errors=("409 login-taken", "503 too-many-accounts", *PASSWORD),
            ),
            Route("GET", USER, self.get, rule=read, summary="An account", reply=UserInfo, errors=(UNKNOWN,)),
            Route(
                "PATCH", USER, self.change, rule=change, summary="Change an account", body=UserPatch, reply=UserInfo,
                errors=(UNKNOWN, "409 last-admin"),
            ),
            Route(
                "DELETE", USER, self.delete, rule=change, summary="Delete an account", status=204,
                errors=(UNKNOWN, "409 last-admin"),
            ),
            Route(
                "DELETE", f"{USER}/sessions", self.end_sessions, rule=change, summary="Sign an account out everywhere",
                status=204, errors=(UNKNOWN,),
            ),
            Route(
                "POST", f"{USER}/reset-link", self.reset_link, rule=change,
                summary="A one-time link to a new password", reply=ResetLink, status=201,
                errors=(UNKNOWN, BAD_HOST),
            ),
            Route(
                "GET", "/api/v1/audit", self.audit, rule="audit.read", summary="The audit log, the latest first",
                query=AuditQuery, reply=AuditPage, errors=("422 page-invalid",),
            ),
        ]  # fmt: skip

    async def list(self, request: web.Request) -> web.Response:
        query = read_query(request, UserQuery)
        after = read_mark(query.page, (str,))[0] if query.page else None
        rows = await self._desk.people.page(after, query.search, query.limit + 1)
        shown = rows[: query.limit]
        following = mark_of([shown[-1].login]) if len(rows) > query.limit else None
        return reply(UserPage(items=[user_info(user) for user in shown], next=following))

    async def create(self, request: web.Request) -> web.Response:
        user = await self._desk.people.create(actor_of(request), await read_model(request, UserCreate))
        return reply(user_info(user), status=201)

    async def get(self, request: web.Request) -> web.Response:
        return reply(user_info(await self._desk.people.user(request.match_info["user"])))

    async def change(self, request: web.Request) -> web.Response:
        wish = await read_model(request, UserPatch)
        return reply(user_info(await self._desk.people.change(actor_of(request), request.match_info["user"], wish)))

    async def delete(self, request: web.Request) -> web.Response:
        await self._desk.people.delete(actor_of(request), request.match_info["user"])
        return reply(None)

    async def end_sessions(self, request: web.Request) -> web.Response:
        user = await self._desk.people.user(request.match_info["user"])
        await self._desk.sessions.end_all(actor_of(request), user.id, user.login)
        return reply(None)

    async def reset_link(self, request: web.Request) -> web.Response:
        user = await self._desk.people.user(request.match_info["user"])
        url, until = await self._desk.links.make(actor_of(request), user, origin_of(request, self._public_url))
        return reply(ResetLink(url=url, expires_at=until), status=201)

    async def audit(self, request: web.Request) -> web.Response:
        query = read_query(request, AuditQuery)
        before = read_mark(query.page, (int,))[0] if query.page else None
        rows = await self._desk.store.notes(before, query.actor, query.action, query.limit + 1)
        shown = rows[: query.limit]
        following = mark_of([shown[-1][0]]) if len(rows) > query.limit else None
        return reply(AuditPage(items=[audit_entry(number, note) for number, note in shown], next=following))
