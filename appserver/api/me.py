"""One's own account: ``/api/v1/me``, its sessions and its keys."""

from __future__ import annotations

from aiohttp import web

from confero.models.accounts import (
    AccountEnd,
    DeviceList,
    KeyCreate,
    KeyList,
    KeyMade,
    MePatch,
    PasswordChange,
    UserInfo,
)
from confero.runtime.http import Route, read_model, reply

from ..accounts.desk import AccountsDesk
from ..rights.guard import actor_of
from .accountviews import device_info, key_info, user_info
from .session import PASSWORD

ME = "/api/v1/me"
PROOF = ("403 password-wrong", "429 too-many-tries")


class MeApi:
    """All of it is for whoever is signed in; keys may only look."""

    def __init__(self, desk: AccountsDesk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        change = "me.change"
        return [
            Route("GET", ME, self.get, rule="me.read", summary="One's own account", reply=UserInfo),
            Route(
                "PATCH", ME, self.change, rule=change, summary="Change one's name or mail address",
                body=MePatch, reply=UserInfo, errors=PROOF,
            ),
            Route(
                "PUT", f"{ME}/password", self.password, rule=change, summary="Change the password; others are signed out",
                body=PasswordChange, status=204, errors=(*PROOF, *PASSWORD),
            ),
            Route(
                "POST", f"{ME}/delete", self.end, rule=change, summary="End one's account",
                body=AccountEnd, status=204, errors=(*PROOF, "409 last-admin"),
            ),
            Route(
                "GET", f"{ME}/sessions", self.sessions, rule=change, summary="Where one is signed in", reply=DeviceList,
            ),
            Route(
                "DELETE", f"{ME}/sessions/{{session}}", self.end_session, rule=change, summary="Sign out there",
                status=204, errors=("404 session-unknown",),
            ),
            Route(
                "DELETE", f"{ME}/sessions", self.end_sessions, rule=change, summary="Sign out everywhere else", status=204,
            ),
            Route("GET", f"{ME}/keys", self.keys, rule="me.keys", summary="One's API keys", reply=KeyList),
            Route(
                "POST", f"{ME}/keys", self.make_key, rule="me.keys", summary="Make an API key, shown this once",
                body=KeyCreate, reply=KeyMade, status=201, errors=("409 too-many-keys", "422 expiry-past"),
            ),
            Route(
                "DELETE", f"{ME}/keys/{{key}}", self.delete_key, rule="me.keys", summary="Take an API key back",
                status=204, errors=("404 key-unknown",),
            ),
        ]  # fmt: skip

    async def get(self, request: web.Request) -> web.Response:
        return reply(user_info(await self._desk.people.me(actor_of(request))))

    async def change(self, request: web.Request) -> web.Response:
        wish = await read_model(request, MePatch)
        return reply(user_info(await self._desk.people.change_me(actor_of(request), wish)))

    async def password(self, request: web.Request) -> web.Response:
        wish = await read_model(request, PasswordChange)
        current, new = wish.current.get_secret_value(), wish.new.get_secret_value()
        await self._desk.people.change_password(actor_of(request), current, new)
        return reply(None)

    async def end(self, request: web.Request) -> web.Response:
        wish = await read_model(request, AccountEnd)
        await self._desk.people.end_me(actor_of(request), wish.password.get_secret_value())
        return reply(None)

    async def sessions(self, request: web.Request) -> web.Response:
        actor = actor_of(request)
        found = await self._desk.sessions.of(actor.user or "")
        return reply(DeviceList(items=[device_info(session, actor.session) for session in found]))

    async def end_session(self, request: web.Request) -> web.Response:
        actor = actor_of(request)
        await self._desk.sessions.end(actor, actor.user or "", request.match_info["session"])
        return reply(None)

    async def end_sessions(self, request: web.Request) -> web.Response:
        actor = actor_of(request)
        await self._desk.sessions.end_all(actor, actor.user or "", actor.login, keep=actor.session)
        return reply(None)

    async def keys(self, request: web.Request) -> web.Response:
        return reply(KeyList(items=[key_info(key) for key in await self._desk.keys.of(actor_of(request).user or "")]))

    async def make_key(self, request: web.Request) -> web.Response:
        secret, key = await self._desk.keys.make(actor_of(request), await read_model(request, KeyCreate))
        return reply(KeyMade(**key_info(key).model_dump(), key=secret), status=201)

    async def delete_key(self, request: web.Request) -> web.Response:
        await self._desk.keys.delete(actor_of(request), request.match_info["key"])
        return reply(None)
