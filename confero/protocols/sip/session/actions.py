"""What a session says to its owner: messages to be sent, and events of the call."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from ..message import Request, Response

Key = Hashable
"""The owner's name for a request of the peer: the transaction layer's ServerKey."""
By = Literal["us", "peer", "network"]
"""Who ended a call; "network": a request found no answer, or the peer broke its protocol."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """Start a client transaction, whose end is told by ``response``, ``timed_out`` or ``transport_failed`` with ``ref``.

    The owner adds the Via, and chooses the next hop by the topmost Route or the Request-URI.
    """

    ref: int
    request: Request


@dataclass(frozen=True, slots=True)
class SendAck:
    """Send without a transaction: an ACK for a 2xx, which has a branch of its own each time (RFC 3261 section 13.2.2.4)."""

    request: Request


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer the request ``key``. A 2xx to an INVITE comes several times, until its ACK."""

    key: Key
    response: Response


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel the INVITE ``ref``, as soon as it has been heard of (section 9.1)."""

    ref: int


@dataclass(frozen=True, slots=True)
class Ringing:
    """A provisional response. ``fork`` tells the phones of a forked call apart; "" for a peer that makes no dialog of it."""

    fork: str
    status: int
    reason: str
    response: Response


@dataclass(frozen=True, slots=True)
class Offer:
    """The peer's offer: ``answer`` it, ``refuse`` it, or it is refused for you in time (``SessionConfig.answer_within``)."""

    sdp: str
    fork: str = ""


@dataclass(frozen=True, slots=True)
class OfferWanted:
    """The peer asks for an offer (INVITE without SDP): call ``offer``, or ``refuse``. Its answer comes with ACK."""


@dataclass(frozen=True, slots=True)
class OfferWithdrawn:
    """What the peer offered or asked for needs no answer any more (CANCEL, BYE, time); all is as before it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The peer's answer to our offer. ``early``: of a phone that rings, and may be another one's turn in the end."""

    sdp: str
    fork: str = ""
    early: bool = False


@dataclass(frozen=True, slots=True)
class OfferRefused:
    """Our offer was not taken; the session is as before it (RFC 3261 section 14.1). After a 491, ``OfferDue`` follows."""

    status: int
    reason: str
    rolled_back: bool = False
    """An answer had come (in a reliable provisional response) and does not hold any more (RFC 6141)."""


@dataclass(frozen=True, slots=True)
class OfferDue:
    """``want_offer`` was called, or a 491 has been waited out: now ``offer`` may be called."""


@dataclass(frozen=True, slots=True)
class Established:
    """A 2xx was received or sent: there is a call."""

    response: Response
    """The 2xx: what else it says (User-to-User, say) is for the owner."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The caller's ACK has come: it is where it says to be, and hears our 2xx."""


@dataclass(frozen=True, slots=True)
class Pracked:
    """The caller's PRACK has come: it hears our provisional responses (RFC 3262), which is as good a proof as an ACK."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over, or did not come to be."""

    by: By
    status: int
    """What a failed call failed with; 200 after a call."""
    reason: str
    message: Request | Response | None = None
    """What the peer ended it by: its final response (redirects: its Contacts), its CANCEL, its BYE."""


@dataclass(frozen=True, slots=True)
class Digit:
    """A key of a telephone by INFO."""

    digit: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Info:
    """An INFO of a kind that the configuration takes (RFC 6086), already answered."""

    content_type: str
    package: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Transfer:
    """The peer asks us to call somebody else (REFER): ``accept_transfer`` or ``refuse_transfer`` with ``id``."""

    id: int
    target: str
    """The Refer-To URI, with its headers (``?Replaces=...`` of an attended transfer)."""
    referred_by: str
    request: Request


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """How the call goes that we asked the peer for. ``done``: nothing more will be heard of it."""

    id: int
    status: int
    reason: str
    done: bool


Event = (
    Ringing
    | Offer
    | OfferWanted
    | OfferWithdrawn
    | Answer
    | OfferRefused
    | OfferDue
    | Established
    | Acknowledged
    | Pracked
    | Ended
    | Digit
    | Info
    | Transfer
    | TransferProgress
)
Action = SendRequest | SendAck | Respond | Cancel | Event
