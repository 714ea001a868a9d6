"""What surrounds every request: id, metrics, authentication by scope, and errors turned into problem details."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from math import ceil

from aiohttp import web
from aiohttp.typedefs import Middleware

from confero.access import may_call
from confero.clock import Clock
from confero.errors import ConferoError, LocalError, Refused, Unavailable
from confero.ids import new_id
from confero.runtime.logging import bind_context, get_logger
from confero.runtime.metrics import Metrics
from confero.runtime.problems import problem_of, respond
from confero.runtime.transports import abort
from confero.tokens import TokenInvalid, read_service_token

log = get_logger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID = web.RequestKey("request_id", str)
CALLER = web.RequestKey("caller", str)
STARTED = web.RequestKey("started", web.StreamResponse)
"""The response whose head has been sent already."""
VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
UPGRADED = "101"
"""A WebSocket lasts as long as somebody talks: that is no time to answer."""
PROVEN = 256
"""Tokens that are known again; the oldest goes first. Six services make a dozen a minute each."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


async def finish_head(request: web.Request, response: web.StreamResponse) -> None:
    """Runs before the head of any response goes out (``on_response_prepare``)."""
    response.headers["X-Request-Id"] = request[REQUEST_ID]
    response.headers.pop("Server", None)
    request[STARTED] = response


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A caller's own ``X-Request-Id`` is kept if it is well formed; it goes into the log context and every answer."""
    given = request.headers.get("X-Request-Id", "")
    request[REQUEST_ID] = given if VALID_ID.fullmatch(given) else new_id("req")
    bind_context(request_id=request[REQUEST_ID])
    return await handler(request)


class Observer:
    """Counts and times requests; the path label is the route's template, so that its values are bounded."""

    def __init__(self, metrics: Metrics) -> None:
        labels = ("method", "route")
        self._requests = metrics.counter("http_requests", "HTTP requests answered", (*labels, "status"))
        self._seconds = metrics.histogram("http_request_seconds", "Time to answer a HTTP request", labels)
        self._in_flight = metrics.gauge("http_requests_in_flight", "HTTP requests being answered")

    def middleware(self) -> Middleware:
        @web.middleware
        async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            route = resource.canonical if resource is not None else "unmatched"
            method = request.method if request.method in METHODS else "other"
            status, begun = "aborted", time.perf_counter()
            try:
                with self._in_flight.track_inprogress():
                    response = await handler(request)
                status = str(response.status)
                return response
            except web.HTTPException as error:
                status = str(error.status)
                raise
            finally:
                seconds = time.perf_counter() - begun
                self._requests.labels(method, route, status).inc()
                if status != UPGRADED:
                    self._seconds.labels(method, route).observe(seconds)
                log.debug("request", method=method, path=request.path, status=status, ms=round(seconds * 1000, 1))

        return observe


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No exception passes but redirects and cancellation."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _answer(request, error, _kept_headers(error))
    except Exception as error:
        if isinstance(error, ConnectionError) and _gone(request):
            raise  # aiohttp closes the connection; nobody is there to be answered
        return _answer(request, error, _waiting_time(error))


def _waiting_time(error: Exception) -> dict[str, str]:
    """In whole seconds (RFC 9110, section 10.2.3)."""
    wait_s = error.retry_after_s if isinstance(error, Refused | Unavailable) else 0.0
    return {"Retry-After": str(ceil(wait_s))} if wait_s > 0 else {}


def _gone(request: web.Request) -> bool:
    """The caller has closed the connection. (Any other ConnectionError is one with somebody else.)"""
    return request.transport is None or request.transport.is_closing()


def _kept_headers(error: web.HTTPException) -> dict[str, str]:
    """405 must say what is allowed (RFC 9110, section 15.5.6); challenges and waiting times matter too."""
    return {k: v for k, v in error.headers.items() if k in ("Allow", "Retry-After", "WWW-Authenticate")}


def _answer(request: web.Request, error: Exception, headers: dict[str, str]) -> web.StreamResponse:
    answer = problem_of(error, request[REQUEST_ID])
    if answer.status >= 500:
        expected = isinstance(error, ConferoError) and not isinstance(error, LocalError)
        _log_failure(request, error, trace=not expected)
    if STARTED not in request:
        return respond(answer, headers)
    # The head is out: an answer would land inside the body. Cutting the connection is how HTTP says "incomplete".
    abort(request.transport)
    return request[STARTED]


def _log_failure(request: web.Request, error: Exception, *, trace: bool) -> None:
    if trace:
        log.error("request failed", method=request.method, path=request.path, exc_info=error)
    else:
        log.warning("request refused", method=request.method, path=request.path, reason=str(error))


class Guard:
    """Lets only services through that ``confero.access`` allows."""

    def __init__(self, service: str, secret: bytes, clock: Clock) -> None:
        self._service = service
        self._secret = secret
        self._clock = clock
        self._proven: OrderedDict[str, tuple[str, float]] = OrderedDict()
        """Tokens that have been checked, whose they are, and until when: a service shows the same one for some seconds."""

    def protect(self, handler: Handler, scope: str) -> Handler:
        """``handler`` behind the check of ``scope``; it runs before the body is read."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            caller = self._caller(request)
            if not may_call(caller, scope):
                raise Refused(f"{caller} may not use {scope}", status=403, code="not-allowed")
            request[CALLER] = caller
            return await handler(request)

        return guarded

    def _caller(self, request: web.Request) -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise TokenInvalid("a service token is needed")
        return self._owner(token.strip(), self._clock.wall())

    def _owner(self, token: str, now: float) -> str:
        caller, until = self._proven.get(token, ("", 0.0))
        if now < until:
            return caller
        caller, until = read_service_token(token, audience=self._service, secret=self._secret, now=now)
        self._proven[token] = caller, until
        if len(self._proven) > PROVEN:
            self._proven.popitem(last=False)
        return caller


def caller(request: web.Request) -> str:
    """The service that makes this call, on a route with a scope."""
    return request[CALLER]
