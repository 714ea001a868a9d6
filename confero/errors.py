"""Whose fault is it? The one family of exceptions: ours, the peer's, or a refusal that a user may read."""

from __future__ import annotations

from collections.abc import Sequence


class ConferoError(Exception):
    """Base of every error that confero raises on purpose."""


class LocalError(ConferoError):
    """We, or the code that calls us, misused something: a bug or a wrong configuration."""


class RemoteError(ConferoError):
    """A peer broke its protocol. ``status`` is the HTTP status that answers it at an HTTP boundary.

    ``errors``: what is wrong where, each with ``loc``, ``type`` and ``msg`` as pydantic says it.
    """

    def __init__(
        self,
        detail: str,
        *,
        status: int = 400,
        code: str = "bad-request",
        errors: Sequence[dict[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code
        self.errors = list(errors)


class Refused(ConferoError):
    """A well-formed wish that is not granted; ``detail`` is written for the user who reads it.

    ``code`` is the last part of the problem type (RFC 9457): ``urn:confero:problem:<code>``. ``retry_after_s``: seconds after
    which trying again may help, told as ``Retry-After``; 0: nothing is told.
    """

    def __init__(self, detail: str, *, status: int = 403, code: str = "refused", retry_after_s: float = 0.0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s


class Unavailable(ConferoError):
    """Another service did not answer in time or answered with a server error; trying again later may help.

    ``retry_after_s``: seconds after which, told as ``Retry-After``; 0: nothing is told.
    """

    def __init__(self, detail: str, *, code: str = "unavailable", retry_after_s: float = 0.0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = 503
        self.code = code
        self.retry_after_s = retry_after_s
