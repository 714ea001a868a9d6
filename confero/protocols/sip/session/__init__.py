"""The INVITE session: calls of both directions as one machine without I/O, clock or SDP."""

from .actions import (
    Acknowledged,
    Action,
    Answer,
    Cancel,
    Digit,
    Ended,
    Established,
    Event,
    Info,
    Offer,
    OfferDue,
    OfferRefused,
    OfferWanted,
    OfferWithdrawn,
    Respond,
    Ringing,
    SendAck,
    SendRequest,
    Transfer,
    TransferProgress,
)
from .config import SessionConfig
from .offers import Agreed
from .session import InviteSession
from .values import RAck, Replaces, SessionExpires, header_of_uri, refer_to

__all__ = [
    "Acknowledged",
    "Action",
    "Agreed",
    "Answer",
    "Cancel",
    "Digit",
    "Ended",
    "Established",
    "Event",
    "Info",
    "InviteSession",
    "Offer",
    "OfferDue",
    "OfferRefused",
    "OfferWanted",
    "OfferWithdrawn",
    "RAck",
    "Replaces",
    "Respond",
    "Ringing",
    "SendAck",
    "SendRequest",
    "SessionConfig",
    "SessionExpires",
    "Transfer",
    "TransferProgress",
    "header_of_uri",
    "refer_to",
]
