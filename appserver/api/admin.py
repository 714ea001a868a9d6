"""Who may administer: whoever shows the admin token, until there are accounts of people."""

from __future__ import annotations

import hashlib
import hmac
from math import ceil

from aiohttp import web

from confero.errors import Refused, RemoteError
from confero.ratelimit import RateLimiter, source_of
from confero.runtime.http import Handler
from confero.runtime.problems import problem_of, respond


class AdminGuard:
    """Lets only requests through that carry the admin token; who shows wrong ones has to wait."""

    def __init__(self, token: bytes, failures: RateLimiter) -> None:
        """``failures``: of one source address."""
        self._digest = hashlib.sha256(token).digest()
        self._failures = failures

    def protect(self, handler: Handler) -> Handler:
        """``handler`` behind the check, which runs before the body is read."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            source = source_of(request.remote or "")
            if wait_s := self._failures.wait(source):
                refused = Refused("Too many wrong tokens; try again shortly.", status=429, code="too-many-requests")
                return respond(problem_of(refused), {"Retry-After": str(ceil(wait_s))})
            if not self._shown(request):
                self._failures.take(source)
                raise RemoteError("the admin token is needed", status=401, code="token-invalid")
            return await handler(request)

        return guarded

    def _shown(self, request: web.Request) -> bool:
        """In constant time; of the digest, so that not even the token's length shows."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
        return hmac.compare_digest(given, self._digest) and scheme.lower() == "bearer"
