"""The gate: proves who asks, by what a request shows. What is shown and no good is refused, never ignored."""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp import web

from confero.errors import Refused, RemoteError
from confero.ratelimit import RateLimiter, source_of
from confero.tokens import TokenInvalid

from .actors import Actor

COOKIE = "__Host-confero"
"""Of a session. The prefix has browsers take it from this origin alone, over TLS, for the whole of it (RFC 6265bis)."""
KEY_PREFIX = "ck_"
"""Begins every API key."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They change nothing (RFC 9110, section 9.2.1), so that another site may well make a browser send them."""
OWN_SITE = frozenset({"", "same-origin", "none"})
"""``Sec-Fetch-Site`` of requests that our own pages, or no page at all, have made; old browsers send none."""


class Participants(Protocol):
    """Reads join tokens."""

    async def proven(self, token: str) -> Actor | None:
        """None for what is no join token. Raises TokenInvalid for one whose participant is gone, TokenExpired, Unavailable."""
        ...


class Accounts(Protocol):
    """Knows sessions and keys. Both give None for one that is not good (any more), and raise Unavailable."""

    async def by_session(self, cookie: str, source: str) -> tuple[Actor, str] | None:
        """Whose session, and its CSRF token. ``source``: address of the request."""
        ...

    async def by_key(self, key: str, source: str) -> Actor | None: ...


class Gate:
    """Made once. ``failures``: wrong bearer tokens that one source address may show.

    ``public_url``: where people reach the pages, if a proxy before us says another Host.
    """

    def __init__(
        self,
        participants: Participants,
        accounts: Accounts | None,
        admin_token: bytes,
        failures: RateLimiter,
        public_url: str = "",
    ) -> None:
        self._participants = participants
        self._accounts = accounts
        self._admin = hashlib.sha256(admin_token).digest()
        self._failures = failures
        self._public_url = public_url

    async def actor(self, request: web.Request) -> Actor:
        """Who has sent this. Raises TokenInvalid, TokenExpired, Unavailable; Refused 403 ``csrf``, 429 ``too-many-requests``."""
        header = request.headers.get("Authorization")
        if header is not None:
            return await self._bearer(header, source_of(request.remote or ""))
        cookie = request.cookies.get(COOKIE)
        if cookie and self._accounts is not None:
            found = await self._accounts.by_session(cookie, source_of(request.remote or ""))
            if found is not None:
                actor, csrf = found
                refuse_forged(request, csrf, self._public_url)
                return actor
        return Actor(source=source_of(request.remote or ""))

    # --- bearer tokens --------------------------------------------------------------------------------------------

    async def _bearer(self, header: str, source: str) -> Actor:
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() == "bearer" and not token.startswith(KEY_PREFIX):
            actor = await self._participants.proven(token)
            if actor is not None:
                return actor
        return await self._secret(scheme, token, source)

    async def _secret(self, scheme: str, token: str, source: str) -> Actor:
        """The admin token or a key: who shows wrong ones has to wait."""
        if wait_s := self._failures.wait(source):
            raise Refused(
                "Too many wrong tokens; try again shortly.", status=429, code="too-many-requests", retry_after_s=wait_s
            )
        actor = await self._known(token, source) if scheme.lower() == "bearer" else None
        if actor is None:
            self._failures.take(source)
            raise TokenInvalid
        return actor

    async def _known(self, token: str, source: str) -> Actor | None:
        if token.startswith(KEY_PREFIX):
            return await self._accounts.by_key(token, source) if self._accounts is not None else None
        # Of the digest, in constant time, so that not even the token's length shows.
        given = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        if hmac.compare_digest(given, self._admin):
            return Actor("admin-token", role="admin", source=source)
        return None


def refuse_forged(request: web.Request, csrf: str, public_url: str = "") -> None:
    """What a cookie alone proves may be another site's doing: a change wants the page's token too. Raises Refused 403 ``csrf``."""
    if request.method in SAFE_METHODS:
        return
    given = request.headers.get("X-CSRF-Token", "")
    right = hmac.compare_digest(given.encode("utf-8", "surrogateescape"), csrf.encode())
    if not right or not is_own(request, public_url):
        raise Refused("Please reload the page: its session has changed.", status=403, code="csrf")


def is_own(request: web.Request, public_url: str) -> bool:
    """Whether our own pages, or no page at all, have made the request: by ``Sec-Fetch-Site``, and by ``Origin`` if there is one."""
    if request.headers.get("Sec-Fetch-Site", "") not in OWN_SITE:
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin == public_url or urlsplit(origin).netloc == request.host


def missing() -> RemoteError:
    """For who has proved nothing."""
    return RemoteError("sign in, or show a token", status=401, code="sign-in-needed")
