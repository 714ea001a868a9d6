"""The one error of this package: what is wrong with a message, and the status that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confero.errors import RemoteError

if TYPE_CHECKING:
    from .message import Request, Response


class SipError(RemoteError):
    """A message that is malformed, over a limit, or of another protocol.

    ``status`` is the SIP status that answers it if it is a request. ``message`` is as much of it as could be read, when its
    head could be taken apart: enough to answer by, if its own typed values can be read. None if nothing can be answered.
    """

    def __init__(self, detail: str, *, status: int = 400, message: Request | Response | None = None) -> None:
        super().__init__(detail, status=status, code="sip-invalid")
        self.message = message
