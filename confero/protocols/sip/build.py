"""Messages made from others as the rules say: responses, new requests, ACK and CANCEL; and names that nobody guesses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .errors import SipError
from .headers import Headers
from .message import Request, Response
from .values import Address, CSeq, Via

MAGIC = "z9hG4bK"
"""What branches of RFC 3261 begin with (section 8.1.1.7)."""
MAX_FORWARDS = 70
"""Section 8.1.1.6."""
NAME_BYTES = 12
"""Of tags, branches and Call-IDs: 96 bits; section 19.3 asks for 32 at least."""

REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    199: "Early Dialog Terminated",
    200: "OK",
    202: "Accepted",
    204: "No Notification",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    412: "Conditional Request Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    428: "Use Identity Header",
    430: "Flow Failed",
    433: "Anonymity Disallowed",
    436: "Bad Identity Info",
    437: "Unsupported Credential",
    438: "Invalid Identity Header",
    439: "First Hop Lacks Outbound Support",
    440: "Max-Breadth Exceeded",
    469: "Bad Info Package",
    470: "Consent Needed",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    494: "Security Agreement Required",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    580: "Precondition Failure",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
    607: "Unwanted",
    608: "Rejected",
}
"""The IANA registry of SIP response codes."""
CLASSES = ("", "Progress", "Success", "Redirection", "Request Failure", "Server Failure", "Global Failure")


class RandomBytes(Protocol):
    """``random.SystemRandom`` and, in tests, ``random.Random``."""

    def randbytes(self, n: int, /) -> bytes: ...


def new_tag(random: RandomBytes) -> str:
    return random.randbytes(NAME_BYTES).hex()


def new_branch(random: RandomBytes) -> str:
    return MAGIC + random.randbytes(NAME_BYTES).hex()


def new_call_id(random: RandomBytes) -> str:
    """Without the host's name, which is nobody's business (section 8.1.1.4 recommends random ones)."""
    return random.randbytes(NAME_BYTES + 4).hex()


def reason_for(status: int) -> str:
    return REASONS.get(status) or CLASSES[status // 100]


def response_to(request: Request, status: int, reason: str | None = None, to_tag: str | None = None) -> Response:
    """A response without body (section 8.2.6). ``to_tag`` is added to a To that has none; 100 has none.

    Of a request that could not be read in full, the fields are copied as they stand. Record-Route goes into what may set up
    a dialog (section 12.1.1).
    """
    headers, received = Headers(), request.headers
    # 8.2.6.2: Via in order, From, Call-ID, CSeq, To.
    for via in received.rows("Via"):
        headers.add("Via", via)
    if 100 < status < 300:
        for route in received.rows("Record-Route"):
            headers.add("Record-Route", route)
    for name in ("From", "To", "Call-ID", "CSeq"):
        if value := received.get(name):
            headers.add(name, _tagged(request, value, to_tag) if name == "To" and to_tag and status > 100 else value)
    # 8.2.6.1: a 100 says when the request was sent.
    if status == 100 and (timestamp := received.get("Timestamp")):
        headers.add("Timestamp", timestamp)
    return Response(status, reason_for(status) if reason is None else reason, headers)


def _tagged(request: Request, value: str, tag: str) -> str:
    try:
        if "tag" in request.to.parameters:
            return value
    except SipError:
        return value
    # A URI without brackets has no parameters of its own: those after it are the field's.
    return f"{value};tag={tag}"


def new_request(
    method: str,
    uri: str,
    *,
    from_: Address,
    to: Address,
    call_id: str,
    cseq: int,
    via: Via | None = None,
    routes: Iterable[Address | str] = (),
    max_forwards: int = MAX_FORWARDS,
    body: bytes = b"",
    content_type: str | None = None,
) -> Request:
    """A request with the fields that each has (section 8.1.1); ``via`` may be put in front later, by who knows the transport."""
    headers = Headers()
    if via is not None:
        headers.add("Via", str(via))
    headers.add("Max-Forwards", str(max_forwards))
    for route in routes:
        headers.add("Route", str(route))
    headers.add("From", str(from_))
    headers.add("To", str(to))
    headers.add("Call-ID", call_id)
    headers.add("CSeq", str(CSeq(cseq, method)))
    if content_type is not None:
        headers.add("Content-Type", content_type)
    return Request(method, uri, headers, body)


def ack_for(invite: Request, response: Response) -> Request:
    """The ACK of a final response that is not 2xx (section 17.1.1.3); it belongs to the INVITE's transaction."""
    # One Via, the top one of the INVITE; To as the response has it; all else as the INVITE.
    return _sibling(invite, "ACK", response.headers.get("To"))


def cancel_for(invite: Request) -> Request:
    """The CANCEL of a request of ours (section 9.1), with all its tags, so without one in To of a new call."""
    return _sibling(invite, "CANCEL", invite.headers.get("To"))


def _sibling(request: Request, method: str, to: str | None) -> Request:
    headers, sent = Headers(), request.headers
    headers.add("Via", str(request.top_via))
    headers.add("Max-Forwards", str(MAX_FORWARDS))
    for route in sent.rows("Route"):
        headers.add("Route", route)
    headers.add("From", sent.get("From") or "")
    headers.add("To", to or sent.get("To") or "")
    headers.add("Call-ID", request.call_id)
    headers.add("CSeq", str(CSeq(request.cseq.number, method)))
    return Request(method, request.uri, headers)
