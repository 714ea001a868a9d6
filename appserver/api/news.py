"""News for pages outside of meetings: the token with which they listen, and what requests that change something let be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from aiohttp import web

from confero.clock import Clock
from confero.errors import Unavailable
from confero.models import UserGrant
from confero.models.accounts import EventsToken
from confero.runtime.http import Handler, Route, reply
from confero.tokens import TokenInvalid, sign, verify

from ..accounts.store import UserStore
from ..news.herald import Herald
from ..news.table import CHANGES, LAST_WORDS, SIGN_OUT
from ..rights.guard import ACTOR, actor_of

KIND = "events"
TTL_S = 600.0
"""To connect with. A connection outlives it, until its user is signed out."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class EventsTokens:
    """Made for whoever is signed in, checked for the notifier."""

    def __init__(self, users: UserStore, secret: bytes, clock: Clock) -> None:
        self._users = users
        self._secret = secret
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route(
                "POST", "/api/v1/me/events", self.make, rule="me.events", reply=EventsToken,
                summary="A token to hear of changes to what is one's own (docs/notifications.md)",
            )
        ]  # fmt: skip

    async def make(self, request: web.Request) -> web.Response:
        expires = self._clock.wall() + TTL_S
        token = sign({"user": actor_of(request).user}, kind=KIND, secret=self._secret, expires=expires)
        response = reply(EventsToken(token=token, expires_at=expires))
        response.headers["Cache-Control"] = "no-store"
        return response

    async def check(self, token: str) -> UserGrant | None:
        """What it allows; None for a token of another kind. Raises RemoteError 401, Unavailable."""
        try:
            claims = verify(token, kind=KIND, secret=self._secret, now=self._clock.wall())
        except TokenInvalid:
            return None
        user = await self._users.user(str(claims.get("user")))
        if user is None or not user.enabled:
            raise TokenInvalid("the account is closed")
        return UserGrant(user=user.id, expires=claims["exp"])


class Listening:
    """Puts an ear to routes: what has changed is told once the request has been done."""

    def __init__(self, herald: Herald) -> None:
        self._herald = herald

    def attend(self, routes: Iterable[Route]) -> list[Route]:
        """Those that may change something, attended; the others as they are."""
        return [self._attended(route) for route in routes]

    def _attended(self, route: Route) -> Route:
        if route.method in SAFE or (route.rule not in CHANGES and route.rule not in SIGN_OUT):
            return route
        return replace(route, handler=self._listened(route.handler, route.rule))

    def _listened(self, handler: Handler, rule: str) -> Handler:
        async def listened(request: web.Request) -> web.StreamResponse:
            room = request.match_info.get("room")
            concerned = await self._concerned(room) if rule in LAST_WORDS else set()
            response = await handler(request)
            if response.status < 400:
                self._tell(request, rule, room, concerned)
            return response

        return listened

    async def _concerned(self, room: str | None) -> set[str]:
        """A database that is away is the handler's to complain of."""
        try:
            return await self._herald.people_of(room) if room else set()
        except Unavailable:
            return set()

    def _tell(self, request: web.Request, rule: str, room: str | None, concerned: set[str]) -> None:
        actor, named = request.get(ACTOR), request.match_info.get("user")
        if rule in SIGN_OUT:
            user = named or (actor.user if actor is not None else None)
            if user is not None:
                self._herald.signed_out(user)
            return
        own = {actor.user} if actor is not None and actor.user is not None and room is None else set()
        self._herald.changed(CHANGES[rule], room, concerned | own | ({named} if named else set()))
