"""Problem details (RFC 9457) as exceptions, one class for each way in which a caller can react."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from confero.errors import ConferoError
from confero.models import Problem


class ApiError(ConferoError):
    """The server has refused something, or has not answered.

    ``code`` tells refusals of one status apart (docs/api.md); ``detail`` is for people; ``errors`` names each field that is not
    valid; ``request_id`` finds the request in the server's logs; ``retry_after_s``: after which trying again may help, or 0.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str = "",
        *,
        errors: list[dict[str, Any]] | None = None,
        request_id: str = "",
        retry_after_s: float = 0.0,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}" if detail else f"{status} {code}")
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors or []
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class InvalidRequest(ApiError):
    """400, 413, 415, 422: what was sent is not what the operation takes."""


class SignInNeeded(ApiError):
    """401: nothing was shown that proves who asks, or it is not good any more."""


class NotAllowed(ApiError):
    """403: whoever asks may not do this, or not in this way."""


class NotFound(ApiError):
    """404: there is no such thing, or none that whoever asks may see."""


class Conflict(ApiError):
    """409: it does not fit how things stand."""


class TooManyRequests(ApiError):
    """429: later, after ``retry_after_s``."""


class ServerFault(ApiError):
    """5xx: the server, or something behind it, fails. ``database-unsure``: nobody knows whether it was done."""


class NoAnswer(ServerFault):
    """The server was not reached, did not answer in time, or answered something that is no answer. ``status`` is 0."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(0, code, detail)


KINDS: dict[int, type[ApiError]] = {
    401: SignInNeeded,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    429: TooManyRequests,
}
URN = "urn:confero:problem:"


def error_of(status: int, body: bytes, retry_after: str = "") -> ApiError:
    """The error that an answer is; a body that is no problem of ours (of a proxy, say) is one without a code."""
    kind = KINDS.get(status, InvalidRequest if status < 500 else ServerFault)
    wait_s = float(retry_after) if retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 7 else 0.0
    try:
        found = Problem.model_validate_json(body)
    except ValidationError:
        return kind(status, "unknown", retry_after_s=wait_s)
    code = found.type.removeprefix(URN)
    return kind(status, code, found.detail, errors=found.errors, request_id=found.instance, retry_after_s=wait_s)
