"""The one error of this package: what is wrong with a STUN message, and the error code that answers it if it is a request."""

from __future__ import annotations

from confero.errors import RemoteError


class StunError(RemoteError):
    """A message that is malformed or over a limit. ``status`` is the STUN error code (RFC 8489 section 14.8)."""

    def __init__(self, detail: str, *, status: int = 400) -> None:
        super().__init__(detail, status=status, code="stun-invalid")
