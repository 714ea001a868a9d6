"""Errors as HTTP answers: every exception becomes problem details (RFC 9457), the unexpected ones without detail."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from confero.errors import Refused, RemoteError, Unavailable
from confero.models import Problem

CONTENT_TYPE = "application/problem+json"
URN = "urn:confero:problem:"
CODES = {
    400: "bad-request",
    401: "token-invalid",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    411: "length-required",
    413: "body-too-large",
    415: "content-type",
    417: "expectation",
    431: "headers-too-large",
    500: "internal",
}
"""Problem codes of answers that HTTP itself, not a service, gives."""
PHRASES = {status.value: status.phrase for status in HTTPStatus}
MAX_ERRORS = 20
MAX_WORDS = 200
"""Characters of one message or place: parts of both come from the sender."""


class InvalidBody(RemoteError):
    """A body (or query) that is not what the route takes; ``errors`` says what is wrong where."""

    def __init__(self, errors: Sequence[dict[str, str]], detail: str = "the body does not validate") -> None:
        super().__init__(detail, status=422, code="invalid-body", errors=errors)

    @classmethod
    def of(cls, error: ValidationError) -> InvalidBody:
        """Without the values themselves, which may be secret."""
        entries = error.errors(include_url=False, include_input=False, include_context=False)[:MAX_ERRORS]
        return cls(
            [
                {"loc": ".".join(map(str, e["loc"]))[:MAX_WORDS], "type": e["type"], "msg": e["msg"][:MAX_WORDS]}
                for e in entries
            ]
        )

    @classmethod
    def text(cls, fault: str) -> InvalidBody:
        """Of a reader that says in words what is wrong where."""
        return cls([{"loc": "", "type": "malformed", "msg": fault[:MAX_WORDS]}])


def problem(
    status: int, code: str, detail: str = "", *, request_id: str = "", errors: Sequence[dict[str, Any]] = ()
) -> Problem:
    """Problem details; the title is the status' own phrase."""
    title = PHRASES.get(status, "Error")
    return Problem(type=URN + code, title=title, status=status, detail=detail, instance=request_id, errors=list(errors))


def problem_of(error: BaseException, request_id: str = "") -> Problem:
    """The answer to an exception. What is not the caller's business is 500 without detail; the caller of this logs it."""
    if isinstance(error, web.HTTPException):
        code = CODES.get(error.status, f"http-{error.status}")
        return problem(error.status, code, error.reason, request_id=request_id)
    if isinstance(error, RemoteError | Refused | Unavailable):
        errors = error.errors if isinstance(error, RemoteError) else ()
        return problem(error.status, error.code, error.detail, request_id=request_id, errors=errors)
    return problem(500, CODES[500], request_id=request_id)


def respond(answer: Problem, headers: dict[str, str] | None = None) -> web.Response:
    """The HTTP response that carries a problem."""
    headers = dict(headers or {})
    if answer.status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", "Bearer")  # RFC 9110, section 11.6.1: a 401 names a scheme
    headers["Cache-Control"] = "no-store"
    text = answer.model_dump_json(exclude_defaults=True)
    return web.Response(text=text, status=answer.status, content_type=CONTENT_TYPE, headers=headers)
