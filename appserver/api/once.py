"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): what is sent again under one is made once.

Only what was made is remembered: a refusal changes nothing, so the same key may try again. An answer that nobody knows
(``database-unsure``) is remembered as such, because trying again could make a second one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from aiohttp import web

from confero.clock import Clock
from confero.errors import Refused, RemoteError, Unavailable
from confero.ratelimit import Rate, RateLimiter
from confero.runtime.http import Handler, Route, read_bytes
from confero.runtime.problems import CONTENT_TYPE, problem_of

from ..repeats import Ask, Earlier, RepeatStore, Told, ask_of
from ..rights.actors import Actor
from ..rights.guard import actor_of

HEADER = "Idempotency-Key"
KEY = re.compile(r'"?([!#-\[\]-~]{1,128})"?')
"""A String of RFC 8941 without escapes; a bare word too, as many clients send it."""
SIGNS_IN = frozenset({"setup", "accounts.create"})
"""Rules whose answers set a cookie: what is given again must not sign anybody in."""
PACE = Rate(burst=120, per_s=2)
"""New keys of one actor."""
LONGEST = 60_000
"""Bytes of an answer that is kept."""
ERRORS = (
    "400 idempotency-key-invalid", "400 idempotency-key-unproven", "409 request-in-progress", "422 idempotency-key-used",
    "429 too-many-requests",
)  # fmt: skip
WAIT_S = 1.0


class Seal(Protocol):
    """Of ``sip.vault.Vault``."""

    def seal(self, text: str, owner: str) -> str: ...

    def open(self, sealed: str, owner: str) -> str: ...


def repeatable(route: Route) -> bool:
    """Whether the route takes keys: those that make something and say so by 201."""
    return route.method == "POST" and route.status == 201 and route.rule not in SIGNS_IN


class Once:
    """Made once, by the application."""

    def __init__(self, store: RepeatStore, seal: Seal, clock: Clock) -> None:
        self._store = store
        self._seal = seal
        self._clock = clock
        self._pace = RateLimiter(PACE, clock)

    def wrap(self, routes: Iterable[Route]) -> list[Route]:
        """The routes, those that make something with keys; to be put behind the guard."""
        return [replace(one, handler=self._once(one.handler)) if repeatable(one) else one for one in routes]

    def _once(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            given = request.headers.get(HEADER)
            if given is None:
                return await handler(request)
            key, actor = key_of(given), owner_of(actor_of(request))
            body = await read_bytes(request)
            ask = ask_of(actor, key, request.method, request.path_qs, body, self._clock.wall())
            if wait_s := self._pace.wait(actor):
                raise Refused(
                    "Too many requests; try again shortly.", status=429, code="too-many-requests", retry_after_s=wait_s
                )
            earlier = await self._store.claim(ask)
            if earlier is not None:
                return self._again(ask, earlier)
            self._pace.take(actor)
            return await self._first(handler, request, ask)

        return handle

    async def _first(self, handler: Handler, request: web.Request, ask: Ask) -> web.StreamResponse:
        try:
            response = await handler(request)
        except Unavailable as error:
            await (self._keep_unsure(ask, error) if error.code == "database-unsure" else self._store.release(ask))
            raise
        except Exception:
            await self._store.release(ask)
            raise
        text = response.text if isinstance(response, web.Response) else None
        if response.status >= 300 or text is None or len(text) > LONGEST:
            await self._store.release(ask)
        else:
            await self._store.keep(ask, Told(response.status, response.content_type, self._seal.seal(text, ask.id)))
        return response

    async def _keep_unsure(self, ask: Ask, error: Unavailable) -> None:
        text = problem_of(error).model_dump_json(exclude_defaults=True)
        await self._store.keep(ask, Told(error.status, CONTENT_TYPE, self._seal.seal(text, ask.id)))

    def _again(self, ask: Ask, earlier: Earlier) -> web.Response:
        if earlier.fingerprint != ask.fingerprint:
            raise RemoteError("this key was shown with another request", status=422, code="idempotency-key-used")
        if earlier.told is None:
            raise Refused(
                "The same request is being worked on.", status=409, code="request-in-progress", retry_after_s=WAIT_S
            )
        told = earlier.told
        text = self._seal.open(told.sealed, ask.id)
        return web.Response(text=text, status=told.status, content_type=told.content_type)


def key_of(header: str) -> str:
    """Raises RemoteError 400."""
    match = KEY.fullmatch(header.strip())
    if match is None:
        raise RemoteError("a key has 1 to 128 printable characters", status=400, code="idempotency-key-invalid")
    return match[1]


def owner_of(actor: Actor) -> str:
    """Whose key it is. Raises RemoteError 400 for a stranger: another one could be given their answer."""
    if actor.participant is not None:
        return f"participant {actor.participant}"
    if actor.user is not None:
        return f"user {actor.user}"
    if actor.proof == "admin-token":
        return actor.proof
    raise RemoteError("a key wants a proof of who shows it", status=400, code="idempotency-key-unproven")
