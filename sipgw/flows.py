"""Where a peer is reached that has just spoken: by what its Contact says, or only on the way on which it came."""

from __future__ import annotations

from confero.protocols.sip.message import Request
from confero.protocols.sip.target import Target


def flow_of(request: Request, source: Target) -> Target | None:
    """Where the sender is reached for what follows, if not by its Contact: on its connection, or behind its NAT.

    None where proxies say the way (Record-Route), or where the Contact is where the request came from.
    """
    if request.record_routes:
        return None
    if source.reliable:
        return source
    contact = request.contact
    if contact is None or (contact.uri.host.strip("[]"), contact.uri.port or 5060) == (source.host, source.port):
        return None
    # RFC 3581: who asks for rport is behind a NAT, or may be; who does not is where its Contact says.
    return source if "rport" in request.top_via.parameters else None
