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
    Pracked,
    Respond,
    Ringing,
    SendAck,
    SendRequest,
    Transfer,
    TransferProgress,
)
from .config import SessionConfig
from .offers import Agreed
from .replacing import as_peer_has, refer_to, replaces_in
from .session import InviteSession

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
    "Pracked",
    "Respond",
    "Ringing",
    "SendAck",
    "SendRequest",
    "SessionConfig",
    "Transfer",
    "TransferProgress",
    "as_peer_has",
    "refer_to",
    "replaces_in",
]
