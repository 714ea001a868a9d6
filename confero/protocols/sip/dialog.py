"""A dialog: what two user agents remember of each other, so that requests within a call find their way (RFC 3261 section 12)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from confero.errors import LocalError

from .build import MAX_FORWARDS
from .errors import SipError
from .headers import Headers
from .message import Request, Response
from .values import MAX_CSEQ, Address


def tag_of(address: Address) -> str:
    """The tag of a From or To; "" for peers of RFC 2543, which have none (section 12.1.1)."""
    return address.tag or ""


def with_tag(value: str, tag: str) -> str:
    """A From or To header with this tag, unless it has one or there is none to give."""
    return value if not tag or tag_of(Address.parse(value)) else f"{value};tag={tag}"


@dataclass
class Dialog:
    """One end's state (section 12): who, in which order, to where, over which proxies."""

    call_id: str
    local: str
    """Our From header, with our tag."""
    remote: str
    """Our To header, with the peer's tag."""
    local_tag: str
    remote_tag: str
    local_seq: int
    """CSeq of our last request."""
    remote_seq: int | None
    """... of the peer's; None while it has sent none."""
    target: str
    """The peer's Contact: the Request-URI."""
    routes: list[str] = field(default_factory=list)
    """Addresses of the proxies to pass, the nearest first."""
    confirmed: bool = False
    """By a 2xx; early before."""

    @classmethod
    def of_callee(cls, invite: Request, tag: str, first_seq: int) -> Dialog:
        """The dialog in the eyes of whoever was called (12.1.1). Raises SipError when the Contact is missing or malformed."""
        return cls(
            call_id=invite.call_id,
            local=with_tag(invite.headers.get("To") or "", tag),
            remote=invite.headers.get("From") or "",
            local_tag=tag,
            remote_tag=tag_of(invite.from_),
            local_seq=first_seq,
            remote_seq=invite.cseq.number,
            target=contact_of(invite),
            routes=[str(route) for route in invite.record_routes],
        )

    @classmethod
    def of_caller(cls, invite: Request, response: Response) -> Dialog:
        """... of whoever called (12.1.2), by a response with a tag. Raises SipError."""
        return cls(
            call_id=invite.call_id,
            local=invite.headers.get("From") or "",
            remote=response.headers.get("To") or "",
            local_tag=tag_of(invite.from_),
            remote_tag=tag_of(response.to),
            local_seq=invite.cseq.number,
            remote_seq=None,
            target=contact_of(response),
            routes=_reversed_routes(response),
            confirmed=response.status >= 200,
        )

    @property
    def id(self) -> tuple[str, str, str]:
        """Call-ID, local tag, remote tag: what names a dialog at this end."""
        return self.call_id, self.local_tag, self.remote_tag

    def confirm(self, response: Response) -> None:
        """A 2xx has come for an early dialog: the route set is that of the 2xx, whatever provisionals said (13.2.2.4)."""
        self.confirmed = True
        self.routes = _reversed_routes(response)
        self.target = contact_of(response)

    def request(self, method: str, seq: int | None = None) -> Request:
        """A request to the peer (12.2.1.1), without Via, Contact and body. ``seq``: for ACK, the number of its INVITE."""
        if seq is None:
            seq = self.next_seq()
        uri, routes = self._way()
        headers = Headers()
        for route in routes:
            headers.add("Route", route)
        headers.add("Max-Forwards", str(MAX_FORWARDS))
        headers.add("From", self.local)
        headers.add("To", self.remote)
        headers.add("Call-ID", self.call_id)
        headers.add("CSeq", f"{seq} {method}")
        return Request(method, uri, headers, b"")

    def next_seq(self) -> int:
        """Raises LocalError when there are no more numbers, which takes two thousand million requests."""
        if self.local_seq >= MAX_CSEQ:
            raise LocalError("the dialog has used all its sequence numbers")
        self.local_seq += 1
        return self.local_seq

    def _way(self) -> tuple[str, list[str]]:
        """Request-URI and Route headers: a strict router as the first hop wants to stand in the Request-URI."""
        if not self.routes:
            return self.target, []
        first = Address.parse(self.routes[0]).uri
        if "lr" in first.parameters:
            return self.target, self.routes
        return str(first), [*self.routes[1:], f"<{self.target}>"]

    def take(self, request: Request) -> None:
        """Notes the order of a request of the peer. Raises SipError with 500 for one that comes after its successor (12.2.2)."""
        number = request.cseq.number
        if self.remote_seq is not None and number <= self.remote_seq:
            raise SipError(f"CSeq {number} after {self.remote_seq}", status=500)
        self.remote_seq = number

    def refresh(self, message: Request | Response) -> None:
        """A target refresh (12.2): the peer may be reached elsewhere from now on. Raises SipError."""
        if "Contact" in message.headers:
            self.target = contact_of(message)

    def to_json(self) -> dict[str, Any]:
        """For a journal: what ``from_json`` makes the dialog of again, after a restart."""
        return asdict(self)

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Dialog:
        return cls(**state)


def contact_of(message: Request | Response) -> str:
    """The URI under which the sender takes requests of the dialog (8.1.1.8). Raises SipError with 400."""
    contact = message.contact
    if contact is None:
        raise SipError("Contact is missing", status=400)
    return str(contact.uri)


def _reversed_routes(response: Response) -> list[str]:
    return [str(route) for route in reversed(response.record_routes)]
