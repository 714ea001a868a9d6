"""Keep-alive of SIP over UDP: a STUN Binding request on SIP's own port is answered (RFC 5626 sections 4.4.2 and 8).

Just this usage of STUN (RFC 8489): no authentication, no attributes of the peer are known.
"""

from __future__ import annotations

from confero.protocols.stun import ErrorCode, Kind, Message, Method, StunError, attributes, build

HEAD = 20
"""Bytes of a STUN message's head."""
MOST_UNKNOWN = 16
"""Unknown attributes that are named in an error: the answer stays about as small as the question."""


def is_stun(datagram: bytes) -> bool:
    """RFC 5626 section 8: the first two bits of STUN are 0, and no SIP message begins so."""
    return len(datagram) >= HEAD and datagram[0] < 2


def binding_answer(datagram: bytes, host: str, port: int) -> bytes | None:
    """What a Binding request from ``host``:``port`` is answered; None: it is none, and gets no answer."""
    try:
        request = Message.parse(datagram)
    except StunError:
        return None
    if request.kind != Kind.REQUEST or request.method != Method.BINDING:
        return None
    # RFC 8489 section 6.3.1: 420, and which they were.
    unknown = request.unknown(())[:MOST_UNKNOWN]
    if unknown:
        refusal = (attributes.ERROR_CODE, ErrorCode(420, "Unknown Attribute")), (attributes.UNKNOWN_ATTRIBUTES, unknown)
        return build(Method.BINDING, Kind.ERROR, request.transaction_id, refusal)
    mapped = (attributes.XOR_MAPPED_ADDRESS, (host, port))
    return build(Method.BINDING, Kind.SUCCESS, request.transaction_id, (mapped,))
