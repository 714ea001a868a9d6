"""The guard: holds every public route to its rule, before the body is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import ceil

from aiohttp import web

from confero.errors import LocalError, Refused
from confero.runtime.http import Handler, Route
from confero.runtime.problems import problem_of, respond
from confero.tokens import TokenInvalid

from .actors import Actor
from .gate import Gate, missing
from .relations import Relations
from .table import RULES, Relation, Rule

ACTOR = web.RequestKey("actor", Actor)
IN_ROOM: frozenset[Relation] = frozenset({"participant", "room-host"})


def actor_of(request: web.Request) -> Actor:
    """Who asks, on a route with a rule."""
    return request[ACTOR]


class Guard:
    """Made once."""

    def __init__(self, gate: Gate, relations: Relations) -> None:
        self._gate = gate
        self._relations = relations

    def protect(self, routes: Iterable[Route]) -> list[Route]:
        """The routes behind their rules. Raises LocalError for a documented one without, or with one that is not in the table."""
        return [self._protected(route) for route in routes]

    def _protected(self, route: Route) -> Route:
        if not route.documented and not route.rule:
            return route  # pages and their files
        if route.rule not in RULES:
            raise LocalError(f"{route.method} {route.path}: no rule {route.rule!r} in appserver.rights.table")
        if not RULES[route.rule].judged:
            return route
        return replace(route, handler=self._guarded(route.handler, route.rule))

    def _guarded(self, handler: Handler, name: str) -> Handler:
        rule = RULES[name]

        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                actor = await self._gate.actor(request)
                await self._judge(actor, rule, request)
            except Refused as refused:
                if not refused.retry_after_s:
                    raise
                return respond(problem_of(refused), {"Retry-After": str(ceil(refused.retry_after_s))})
            request[ACTOR] = actor
            return await handler(request)

        return guarded

    async def _judge(self, actor: Actor, rule: Rule, request: web.Request) -> None:
        """Raises RemoteError 401, Refused 403 or, for records, 404."""
        if "anyone" not in rule.may and not rule.may & await self._relations.of(actor, request.match_info):
            self._refuse(actor, rule, request)
        if actor.scopes is not None and (rule.scope is None or rule.scope not in actor.scopes):
            needed = rule.scope or "no key may do this"
            raise Refused(f"This key may not do that: {needed}.", status=403, code="scope-missing")

    def _refuse(self, actor: Actor, rule: Rule, request: web.Request) -> None:
        if actor.proof == "none":
            raise missing()
        if "meeting" in request.match_info:
            raise Refused("There is no such record.", status=404, code="meeting-unknown")
        named = request.match_info.get("room")
        if actor.proof == "participant" and rule.may & IN_ROOM and named not in (None, actor.room):
            raise TokenInvalid("the token is for another room")
        raise Refused("You may not do that.", status=403, code="not-allowed")
