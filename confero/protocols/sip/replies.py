"""Where a response goes, and what is written into the request's Via for it (RFC 3261 sections 18.2.1 and 18.2.2, RFC 3581)."""

from __future__ import annotations

from dataclasses import replace

from .message import Request
from .target import DEFAULT_PORTS, Target


def mark(request: Request, source: Target) -> Target:
    """Notes in the top Via where the request came from; returns where responses to it go. Raises SipError.

    What the sender itself wrote as ``received`` is not believed. ``maddr`` is not followed: our answers to anybody would go to
    wherever he likes.
    """
    via = request.top_via
    parameters = via.parameters
    asked = "rport" in parameters
    changes: dict[str, str] = {}
    # RFC 3581 section 4: who sends an empty rport gets both, and the answer where it came from.
    if asked:
        changes = {"rport": str(source.port), "received": source.host}
    # 18.2.1: the address, if Via says another or a name.
    elif via.host.strip("[]") != source.host or "received" in parameters:
        changes = {"received": source.host}
    if changes:
        request.replace_top_via(replace(via, parameters=parameters.replace(**changes)))
    # 18.2.2: on the connection of the request.
    if source.reliable or asked:
        return source
    return source._replace(port=via.port or DEFAULT_PORTS[source.transport])


def second_choice(request: Request, reply_to: Target) -> Target | None:
    """18.2.2: when the request's connection is gone, one to its address and the port of its Via.

    None if there is no other way: a WebSocket client takes no connections (RFC 7118 section 5), and UDP has none.
    """
    if reply_to.connection is None or reply_to.transport not in ("tcp", "tls"):
        return None
    return reply_to._replace(port=request.top_via.port or DEFAULT_PORTS[reply_to.transport], connection=None)
