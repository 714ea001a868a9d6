"""How far a request may still go: what Max-Forwards leaves for a call that we make on its behalf (RFC 3261 16.3, RFC 7332)."""

from __future__ import annotations

from .errors import SipError
from .message import Request

DEFAULT = 70
"""RFC 3261 section 8.1.1.6."""


def hops_left(request: Request) -> int:
    """Max-Forwards for the next leg of a back-to-back user agent, so that calls in a circle end (RFC 7332 section 3).

    A request that ends here may have a Max-Forwards of 0. Raises SipError with status 483 for one that may go no further.
    """
    value = request.max_forwards
    if value is None:
        return DEFAULT
    # 16.3 item 3
    if value == 0:
        raise SipError("Max-Forwards is 0", status=483)
    return min(value, 255) - 1
