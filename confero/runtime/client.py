"""Calls to another service: signed, bounded in time and size, repeated where that does no harm, errors in our own family."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

import aiohttp
from pydantic import BaseModel, TypeAdapter, ValidationError
from yarl import URL

from confero.clock import Clock
from confero.errors import LocalError, Refused, Unavailable
from confero.ids import new_id
from confero.models import Problem
from confero.runtime.bodies import adapter_of
from confero.runtime.logging import get_logger, request_id
from confero.tokens import service_token

log = get_logger(__name__)
Value = TypeVar("Value")

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
"""RFC 9110, section 9.2.2."""
TRANSIENT = frozenset({502, 503, 504})
"""Answers after which another try may fare better."""
BACKOFF_S = 0.1
"""Longest wait before the second try; it doubles with each further one."""
MAX_REPLY = 1 << 20
"""Bytes of a reply body."""
CONNECTIONS = 100
KEEPALIVE_S = 15.0
"""Less than the 30 s after which our servers close an idle connection, so that a call never meets one that is just closing."""
TOKEN_S = 5.0
"""How long a token is used that is good for a minute."""


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes


class _Failed(Exception):
    """One try that got no usable answer. ``sent``: the request may have reached the service."""

    def __init__(self, detail: str, *, sent: bool, code: str = "unavailable", again: bool = True) -> None:
        super().__init__(detail)
        self.sent = sent
        self.code = code
        self.again = again


class ServiceClient:
    """A caller's way to one other service. Connections are kept and shared; ``close`` it."""

    def __init__(
        self,
        caller: str,
        audience: str,
        base_url: str,
        *,
        secret: bytes,
        clock: Clock,
        timeout_s: float = 5.0,
        retries: int = 2,
        max_reply: int = MAX_REPLY,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """``timeout_s``: for a call with all its tries. ``retries``: tries after the first. ``jitter``: 0..1, scales each wait."""
        self._caller = caller
        self._audience = audience
        self._base = base_url.rstrip("/")
        self._secret = secret
        self._clock = clock
        self._timeout_s = timeout_s
        self._retries = retries
        self._max_reply = max_reply
        self._jitter = jitter
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._proof = -TOKEN_S, ""
        """When our token was made, and the token."""

    @overload
    async def call(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | None = None,
        reply: type[Value] | TypeAdapter[Value],
        timeout_s: float | None = None,
        idempotent: bool | None = None,
    ) -> Value: ...
    @overload
    async def call(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | None = None,
        reply: None = None,
        timeout_s: float | None = None,
        idempotent: bool | None = None,
    ) -> None: ...
    async def call(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | None = None,
        reply: Any = None,
        timeout_s: float | None = None,
        idempotent: bool | None = None,
    ) -> Any:
        """The answer as ``reply`` (a model, or a TypeAdapter), or None.

        ``idempotent``: may be repeated after it was sent; by default as the method says. A connection that is refused is
        tried again for every method. Raises Refused for 4xx, with the problem's detail, status and code; Unavailable for no
        answer, for 5xx (with the problem's code) and for answers that make no sense (``bad-reply``).
        """
        repeatable = method in IDEMPOTENT if idempotent is None else idempotent
        limit = self._timeout_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(limit):
                answer = await self._try_all(method, path, body, repeatable)
        except TimeoutError:
            raise Unavailable(f"{self._audience} did not answer within {limit:g} s") from None
        return self._parse(answer, reply)

    async def _try_all(self, method: str, path: str, body: BaseModel | None, repeatable: bool) -> _Answer:
        tries = 0
        while True:
            try:
                return await self._try(method, path, body)
            except _Failed as failure:
                tries += 1
                if tries > self._retries or not failure.again or (failure.sent and not repeatable):
                    raise Unavailable(str(failure), code=failure.code) from failure
                log.debug("call repeated", audience=self._audience, path=path, reason=str(failure), tries=tries)
            await asyncio.sleep(BACKOFF_S * 2 ** (tries - 1) * self._jitter())

    async def _try(self, method: str, path: str, body: BaseModel | None) -> _Answer:
        data = None if body is None else body.model_dump_json().encode()
        try:
            async with self._open().request(
                method, URL(self._base + path), data=data, headers=self._headers(data), allow_redirects=False
            ) as response:
                answer = _Answer(response.status, await self._read(response))
        except aiohttp.ClientConnectorError as error:
            reason = error.strerror or "cannot connect"
            raise _Failed(f"{self._audience} is not reachable: {reason}", sent=False) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _Failed(f"{self._audience} gave no answer: {type(error).__name__}", sent=True) from error
        if answer.status >= 500:
            raise self._server_error(answer)
        return answer

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise LocalError(f"the client of {self._audience} is closed")
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEPALIVE_S)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=aiohttp.ClientTimeout(), cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    def _headers(self, data: bytes | None) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "X-Request-Id": request_id() or new_id("req"),
            "User-Agent": f"confero-{self._caller}",
            "Accept": "application/json",
        }
        return headers if data is None else {**headers, "Content-Type": "application/json"}

    def _token(self) -> str:
        """The same for some seconds: to sign and to check one costs more than to write the rest of a request."""
        now = self._clock.wall()
        made_at, token = self._proof
        if not 0 <= now - made_at < TOKEN_S:
            token = service_token(self._caller, self._audience, secret=self._secret, now=now)
            self._proof = now, token
        return token

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts, size = [], 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > self._max_reply:
                response.close()
                raise _Failed(
                    f"{self._audience} answered with more than {self._max_reply} bytes", sent=True, again=False
                )
            parts.append(part)
        return b"".join(parts)

    def _server_error(self, answer: _Answer) -> _Failed:
        found = _problem(answer)
        detail = found.detail if found and found.detail else f"{self._audience} answered {answer.status}"
        code = found.type.rpartition(":")[2] if found else "unavailable"
        return _Failed(detail, sent=True, code=code, again=answer.status in TRANSIENT)

    def _parse(self, answer: _Answer, reply: Any) -> Any:
        if answer.status >= 400:
            found = _problem(answer)
            detail = found.detail or found.title if found else f"{self._audience} answered {answer.status}"
            raise Refused(detail, status=answer.status, code=found.type.rpartition(":")[2] if found else "refused")
        if answer.status >= 300:
            raise Unavailable(f"{self._audience} answered {answer.status}", code="bad-reply")
        if reply is None:
            return None
        try:
            return adapter_of(reply).validate_json(answer.body)
        except ValidationError as error:
            log.warning("reply does not validate", audience=self._audience, faults=error.error_count())
            raise Unavailable(f"{self._audience} sent a reply that does not validate", code="bad-reply") from None

    async def close(self) -> None:
        """Ends all connections. Idempotent; calls made afterwards raise LocalError."""
        self._closed = True
        if self._session is not None:
            await self._session.close()


def _problem(answer: _Answer) -> Problem | None:
    try:
        return Problem.model_validate_json(answer.body)
    except ValidationError:
        return None
