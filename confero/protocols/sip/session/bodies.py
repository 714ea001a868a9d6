"""Session descriptions in the bodies of messages, alone or as a part of several (RFC 3261 section 7.4, RFC 5621)."""

from __future__ import annotations

import re

from ..errors import SipError
from ..message import Request, Response

SDP = "application/sdp"
MAX_PARTS = 16
BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
"""RFC 2046 section 5.1.1: of at most 70 characters."""


def sdp_of(message: Request | Response) -> str | None:
    """The description that a message carries; None if it has no body or another. Raises SipError (400) for one that is no text."""
    kind = message.content_type or ""
    if not message.body:
        return None
    if kind == SDP:
        return _text(message.body)
    if kind.startswith("multipart/"):
        return _from_parts(message)
    return None


def not_understood(request: Request) -> bool:
    """Whether an INVITE's body is of a kind that we cannot process, so that it is answered with 415 (section 8.2.3)."""
    kind = request.content_type or ""
    optional = "handling=optional" in (request.headers.get("Content-Disposition") or "").replace(" ", "").lower()
    encoding = (request.headers.get("Content-Encoding") or "identity").strip().lower()
    if not request.body or optional:
        return False
    return encoding != "identity" or not (kind == SDP or kind.startswith("multipart/"))


def _from_parts(message: Request | Response) -> str | None:
    found = BOUNDARY.search(message.headers.get("Content-Type") or "")
    if found is None:
        raise SipError("multipart without a boundary", status=400)
    mark = b"--" + (found[1] or found[2]).encode()
    for part in message.body.split(mark)[1 : MAX_PARTS + 1]:
        head, _, body = part.lstrip(b"\r\n").partition(b"\r\n\r\n")
        if re.search(rb"(?im)^content-type\s*:\s*application/sdp\s*(;|\r|$)", head):
            return _text(body)
    return None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise SipError("a session description is UTF-8", status=400) from error
