"""Requests of the public API: what is shown as proof, bounds, tries, and answers as models or errors."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import random
from typing import TypeVar, cast

import aiohttp
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from yarl import URL

import confero
from confero.errors import LocalError
from confero.ids import new_id
from confero.runtime.bodies import adapter_of

from .errors import ApiError, NoAnswer, error_of

Value = TypeVar("Value")
COOKIE = "__Host-confero"
SAFE = frozenset({"GET", "HEAD"})
IDEMPOTENT = SAFE | {"PUT", "DELETE"}
"""RFC 9110, section 9.2.2. A POST with an idempotency key is as good."""
TRANSIENT = frozenset({429, 502, 503, 504})
UNSURE = "database-unsure"
"""A fault after which nobody knows what was done: a person has to look."""
BACKOFF_S = 0.2
"""Longest wait before the second try, where the server names none; it doubles with each further one."""
MAX_REPLY = 4 << 20
"""Bytes of an answer; exports of records are streams and have no bound."""


@dataclass(frozen=True)
class Patience:
    """``timeout_s``: of one try. ``tries``: in all. ``longest_wait_s``: a longer ``Retry-After`` is not waited for."""

    timeout_s: float = 10.0
    tries: int = 3
    longest_wait_s: float = 30.0


@dataclass
class Proof:
    """What a request shows: a bearer token (API key, admin token, token of a join), or a session's cookie with its CSRF token."""

    bearer: str = ""
    cookie: str = ""
    csrf: str = ""

    def __bool__(self) -> bool:
        return bool(self.bearer or self.cookie)

    def headers(self, method: str) -> dict[str, str]:
        if self.bearer:
            return {"Authorization": f"Bearer {self.bearer}"}
        if not self.cookie:
            return {}
        cookie = {"Cookie": f"{COOKIE}={self.cookie}"}
        return cookie if method in SAFE else {**cookie, "X-CSRF-Token": self.csrf}


@dataclass(frozen=True)
class Answer:
    body: bytes
    cookie: str | None
    """A session's, if the answer sets one; "" ends it."""


class Transport:
    """One server, and one proof; ``showing`` gives another proof on the same connections. ``close`` it."""

    def __init__(
        self,
        url: str,
        proof: Proof,
        *,
        ssl: ssl.SSLContext | bool = True,
        patience: Patience,
        jitter: Callable[[], float] = random,
    ) -> None:
        """``ssl``: whom to trust. ``jitter``: 0..1, scales each wait that the server has not named."""
        self.base = url.rstrip("/")
        self.proof = proof
        self._ssl = ssl
        self._patience = patience
        self.jitter = jitter
        self._session: list[aiohttp.ClientSession] = []
        """None yet, or one; shared with those that ``showing`` has given."""

    def showing(self, proof: Proof) -> Transport:
        other = Transport(self.base, proof, ssl=self._ssl, patience=self._patience, jitter=self.jitter)
        other._session = self._session
        return other

    async def call(
        self,
        method: str,
        path: str,
        reply: type[Value] | TypeAdapter[Value],
        body: BaseModel | None = None,
        query: BaseModel | None = None,
        *,
        makes: bool = False,
    ) -> Value:
        """The answer as ``reply``. ``makes``: takes an idempotency key, so that it may be sent again. Raises ApiError."""
        return parsed((await self.send(method, path, body, query, makes=makes)).body, reply)

    async def send(
        self,
        method: str,
        path: str,
        body: BaseModel | None = None,
        query: BaseModel | None = None,
        *,
        makes: bool = False,
    ) -> Answer:
        """As ``call``, for answers without a body, or with one that is not ours to read. Raises ApiError."""
        headers = {"Idempotency-Key": f'"{new_id("idem")}"'} if makes and self.proof else {}
        repeatable = method in IDEMPOTENT or bool(headers)
        tries = 0
        while True:
            try:
                return await self._try(method, path, body, query, headers)
            except ApiError as error:
                tries += 1
                wait_s = self._wait_s(error, tries)
                if (
                    tries >= self._patience.tries
                    or not _again(error, repeatable)
                    or wait_s > self._patience.longest_wait_s
                ):
                    raise
            await asyncio.sleep(wait_s)

    def _wait_s(self, error: ApiError, tries: int) -> float:
        return error.retry_after_s or BACKOFF_S * float(2 ** (tries - 1)) * self.jitter()

    async def _try(
        self, method: str, path: str, body: BaseModel | None, query: BaseModel | None, headers: Mapping[str, str]
    ) -> Answer:
        async with self._request(method, path, body, query, headers) as response:
            data = await _read(response)
            morsel = response.cookies.get(COOKIE)
            return Answer(data, morsel.value if morsel is not None else None)

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, body: BaseModel | None, query: BaseModel | None, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        data = wire(body) if body is not None else None
        given = {**self.proof.headers(method), **headers, **({"Content-Type": "application/json"} if data else {})}
        try:
            async with (
                asyncio.timeout(self._patience.timeout_s),
                self._open().request(
                    method, _url(self.base, path, query), data=data, headers=given, ssl=self._ssl, allow_redirects=False
                ) as response,
            ):
                if response.status >= 300:
                    raise error_of(response.status, await _read(response), response.headers.get("Retry-After", ""))
                yield response
        except aiohttp.ClientConnectorError as error:
            raise NoAnswer("unreachable", str(error)) from error
        except TimeoutError:
            raise NoAnswer("timeout", f"no answer within {self._patience.timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer("broken", f"the answer broke off: {type(error).__name__}") from error

    async def stream(self, path: str, query: BaseModel | None = None) -> AsyncIterator[bytes]:
        """The pieces of an answer as they come, all of it within no time in particular. Raises ApiError."""
        url = _url(self.base, path, query)
        try:
            async with self._open().get(url, headers=self.proof.headers("GET"), ssl=self._ssl) as response:
                if response.status >= 300:
                    raise error_of(response.status, await _read(response), response.headers.get("Retry-After", ""))
                async for piece in response.content.iter_any():
                    yield piece
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer("broken", f"the answer broke off: {type(error).__name__}") from error

    async def lines(self, path: str, body: BaseModel, longest: int, silence_s: float) -> AsyncIterator[bytes]:
        """Lines of an answer that goes on, without their ends, until it is over; ``longest`` bytes each.

        Raises ApiError; NoAnswer too where nothing comes for ``silence_s``.
        """
        headers = {**self.proof.headers("POST"), "Content-Type": "application/json", "Accept": "text/event-stream"}
        timeout = aiohttp.ClientTimeout(sock_connect=self._patience.timeout_s, sock_read=silence_s)
        try:
            async with self._open().post(
                self.base + path, data=wire(body), headers=headers, ssl=self._ssl, timeout=timeout
            ) as response:
                if response.status >= 300:
                    raise error_of(response.status, await _read(response), response.headers.get("Retry-After", ""))
                kept = b""
                async for piece in response.content.iter_any():
                    *whole, kept = (kept + piece).split(b"\n")
                    if len(kept) > longest:
                        raise NoAnswer("bad-reply", f"a line has more than {longest} bytes")
                    for line in whole:
                        yield line
        except TimeoutError:
            raise NoAnswer("timeout", f"nothing came for {silence_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer("broken", f"the stream broke off: {type(error).__name__}") from error

    def _open(self) -> aiohttp.ClientSession:
        if not self._session:
            self._session.append(
                aiohttp.ClientSession(
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(sock_connect=self._patience.timeout_s),
                    headers={"User-Agent": f"confero-client/{confero.__version__}", "Accept": "application/json"},
                )
            )
        if self._session[0].closed:
            raise LocalError("the client is closed")
        return self._session[0]

    async def close(self) -> None:
        """Idempotent."""
        if self._session:
            await self._session[0].close()


def _again(error: ApiError, repeatable: bool) -> bool:
    """Whether another try does no harm and may fare better."""
    if isinstance(error, NoAnswer):
        return error.code == "unreachable" or repeatable
    if error.code == UNSURE:
        return False
    return repeatable and (error.status in TRANSIENT or error.code == "request-in-progress")


def _url(base: str, path: str, query: BaseModel | None) -> URL:
    values = query.model_dump(mode="json", exclude_none=True, exclude_defaults=True) if query is not None else {}
    given = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}
    return URL(base + path, encoded=True).with_query(given)


def wire(body: BaseModel) -> bytes:
    """What was given and nothing else (absent fields stay, in a PATCH), secrets in clear."""
    return json.dumps(body.model_dump(exclude_unset=True), default=_plain, separators=(",", ":")).encode()


def _plain(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    raise LocalError(f"a {type(value).__name__} is nothing that JSON has")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    parts, size = list[bytes](), 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > MAX_REPLY:
            response.close()
            raise NoAnswer("bad-reply", f"the answer has more than {MAX_REPLY} bytes")
        parts.append(part)
    return b"".join(parts)


def parsed(body: bytes, reply: type[Value] | TypeAdapter[Value]) -> Value:
    """Raises NoAnswer for a body that is not this."""
    try:
        found: Value = adapter_of(cast(Hashable, reply)).validate_json(body)
        return found
    except ValidationError as error:
        raise NoAnswer("bad-reply", f"the answer is not what was asked for: {error.error_count()} faults") from None
