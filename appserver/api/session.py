"""Setting up, signing up, in and out: ``/api/v1/setup``, ``accounts``, ``session``, ``password-resets``."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import web

from confero.errors import RemoteError
from confero.models.accounts import ResetRequest, ResetUse, SessionInfo, SetupRequest, SignIn, SignUp
from confero.ratelimit import RateLimiter, source_of
from confero.runtime.http import Route, read_model, reply

from ..accounts.desk import AccountsDesk
from ..accounts.entities import User
from ..rights.gate import COOKIE, is_own
from ..rights.guard import actor_of
from ..web import BAD_HOST, origin_of
from .accountviews import user_info
from .limiting import limited

Later = Callable[[Coroutine[Any, Any, None]], None]
PASSWORD = ("422 password-short", "422 password-long", "422 password-weak")
SIGN_IN = ("401 sign-in-refused", "429 too-many-tries", "403 cross-site")


class SessionApi:
    """``tries``: of one source, to make accounts or ask for links. ``later``: does what is given, once there is time for it."""

    def __init__(self, desk: AccountsDesk, tries: RateLimiter, public_url: str, later: Later) -> None:
        self._desk = desk
        self._later = later
        self._tries = tries
        self._public_url = public_url

    def routes(self) -> list[Route]:
        many = "429 too-many-requests"
        return [
            Route(
                "POST", "/api/v1/setup", limited(self._tries, self.set_up), rule="setup",
                summary="Make the first administrator", body=SetupRequest, reply=SessionInfo, status=201,
                errors=("403 link-used", "403 cross-site", "409 login-taken", *PASSWORD, many),
            ),
            Route(
                "POST", "/api/v1/accounts", limited(self._tries, self.sign_up), rule="accounts.create",
                summary="Make an account, and be signed in", body=SignUp, reply=SessionInfo, status=201,
                errors=(
                    "403 sign-up-closed", "403 cross-site", "409 login-taken", "503 too-many-accounts", *PASSWORD, many,
                ),
            ),
            Route(
                "GET", "/api/v1/session", self.get, rule="session.read", summary="Who is signed in", reply=SessionInfo,
            ),
            Route(
                "POST", "/api/v1/session", self.begin, rule="session.begin", summary="Sign in",
                body=SignIn, reply=SessionInfo, errors=SIGN_IN,
            ),
            Route("DELETE", "/api/v1/session", self.end, rule="session.end", summary="Sign out", status=204),
            Route(
                "POST", "/api/v1/password-resets", limited(self._tries, self.ask), rule="resets.ask",
                summary="Have a link to a new password mailed", body=ResetRequest, status=202,
                errors=(many, BAD_HOST),
            ),
            Route(
                "POST", "/api/v1/password-resets/use", limited(self._tries, self.use), rule="resets.use",
                summary="Set a new password by a one-time link", body=ResetUse, status=204,
                errors=("403 link-used", *PASSWORD, many),
            ),
        ]  # fmt: skip

    async def set_up(self, request: web.Request) -> web.Response:
        refuse_other_sites(request, self._public_url)
        wish = await read_model(request, SetupRequest)
        user = await self._desk.people.set_up(wish, self._desk.setup.secret, source_of(request.remote or ""))
        self._desk.setup.done()
        return await self._signed_in(request, user, status=201)

    async def sign_up(self, request: web.Request) -> web.Response:
        refuse_other_sites(request, self._public_url)
        wish = await read_model(request, SignUp)
        user = await self._desk.people.sign_up(wish, source_of(request.remote or ""))
        return await self._signed_in(request, user, status=201)

    async def begin(self, request: web.Request) -> web.Response:
        refuse_other_sites(request, self._public_url)
        wish = await read_model(request, SignIn)
        source = source_of(request.remote or "")
        user, rehashed = await self._desk.sign_in.judge(wish.login, wish.password.get_secret_value(), source)
        return await self._signed_in(request, user, rehashed=rehashed)

    async def get(self, request: web.Request) -> web.Response:
        actor = actor_of(request)
        if actor.session is None:
            return reply(self._info(None, ""))
        found = await self._desk.sessions.known(request.cookies[COOKIE], actor.source)
        return reply(self._info(found[2], found[1].csrf) if found is not None else self._info(None, ""))

    async def end(self, request: web.Request) -> web.Response:
        actor = actor_of(request)
        if actor.session is not None and actor.user is not None:
            await self._desk.sessions.end(actor, actor.user, actor.session)
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
        return response

    async def ask(self, request: web.Request) -> web.Response:
        wish = await read_model(request, ResetRequest)
        origin = origin_of(request, self._public_url)
        self._later(self._desk.links.ask(wish.login, source_of(request.remote or ""), origin))
        return web.Response(status=202)

    async def use(self, request: web.Request) -> web.Response:
        wish = await read_model(request, ResetUse)
        source = source_of(request.remote or "")
        await self._desk.links.use(wish.secret.get_secret_value(), wish.password.get_secret_value(), source)
        return reply(None)

    # --- answers --------------------------------------------------------------------------------------------------

    async def _signed_in(
        self, request: web.Request, user: User, *, status: int = 200, rehashed: str | None = None
    ) -> web.Response:
        """A fresh session, whatever the browser had."""
        agent = request.headers.get("User-Agent", "")
        source = source_of(request.remote or "")
        cookie, session = await self._desk.sessions.begin(user, source, agent, rehashed=rehashed)
        response = reply(self._info(user, session.csrf), status=status)
        longest = int(self._desk.sessions.policy.longest_s)
        response.set_cookie(COOKIE, cookie, max_age=longest, path="/", secure=True, httponly=True, samesite="Lax")
        return response

    def _info(self, user: User | None, csrf: str) -> SessionInfo:
        desk = self._desk
        return SessionInfo(
            user=user_info(user) if user is not None else None,
            csrf=csrf,
            setup_needed=desk.setup.needed,
            sign_up=desk.people.open_to_all,
            mail=desk.links.by_mail,
            password_min=desk.passwords.rules.shortest,
        )


def refuse_other_sites(request: web.Request, public_url: str) -> None:
    """Nobody is signed in by another site's doing, as somebody they are not. Raises RemoteError 403 ``cross-site``."""
    if not is_own(request, public_url):
        raise RemoteError("this is for the site's own pages", status=403, code="cross-site")
