"""Which transaction a message belongs to (RFC 3261 sections 17.1.3 and 17.2.3), and whether a request was met before (8.2.2.2)."""

from __future__ import annotations

from .events import ClientKey, ServerKey
from .message import Request, Response

COOKIE = "z9hg4bk"
"""RFC 3261 section 8.1.1.7, in lower case: such branches are unique. One that is nothing else is not (RFC 4475 3.2.1)."""
SEPARATOR = "\n"
"""What no header holds, between what a request and its ACK have in common and the To tag, in which they differ."""
Fork = tuple[str, str, int, str]
"""From tag, Call-ID, and CSeq."""


def client_key(message: Request | Response) -> ClientKey:
    """Of a response, the transaction of ours that it answers; of a request, the one that it starts. Raises SipError."""
    # 17.1.3: the branch of the top Via, and the method of CSeq. Branches are tokens: case says nothing (section 7.3.1).
    branch = message.top_via.branch
    return ClientKey(branch.lower(), message.cseq.method)


def server_key(request: Request, method: str) -> ServerKey:
    """The transaction of a peer's request, seen as one of ``method``: INVITE for an ACK or a CANCEL that looks for its own.

    Raises SipError.
    """
    via = request.top_via
    branch = via.branch.lower()
    if not branch.startswith(COOKIE) or len(branch) == len(COOKIE):
        return _old_key(request, method, request.to.tag)
    port = via.port
    return ServerKey(branch, f"{via.host.lower()}:{port}" if port else via.host.lower(), method)


def old_ack_key(key: ServerKey, to_tag: str | None) -> ServerKey:
    """The key of the ACK for the INVITE ``key`` of an RFC 2543 peer: its To tag is that of the response."""
    return ServerKey(f"{key.branch.rpartition(SEPARATOR)[0]}{SEPARATOR}{to_tag or ''}", "", "ACK")


def is_old(key: ServerKey) -> bool:
    """The peer's branches are not unique: it is of RFC 2543."""
    return not key.sent_by


def _old_key(request: Request, method: str, to_tag: str | None) -> ServerKey:
    """17.2.3: Request-URI, tags, Call-ID, the number of CSeq and the top Via tell such requests apart."""
    via = request.headers.all("via")[0]
    parts = (request.uri, request.from_.tag, request.call_id, request.cseq.number, via)
    return ServerKey(f"{parts!r}{SEPARATOR}{to_tag or ''}", "", method)


def fork_of(request: Request) -> Fork | None:
    """8.2.2.2: what a request that forked and comes by several ways has in common; None within a dialog.

    Raises SipError.
    """
    if request.to.tag:
        return None
    cseq = request.cseq
    return (request.from_.tag or "", request.call_id, cseq.number, cseq.method)
