"""SIP without I/O and without a clock: messages, their grammar, digest, what is made from them, and transactions."""

from .admission import TransactionLimits
from .build import (
    REASONS,
    RandomBytes,
    ack_for,
    cancel_for,
    new_branch,
    new_call_id,
    new_request,
    new_tag,
    reason_for,
    response_to,
)
from .errors import SipError
from .events import (
    AckIn,
    CancelIn,
    ClientKey,
    Event,
    RequestIn,
    ResponseIn,
    ServerKey,
    StrayResponse,
    TimedOut,
    TransportFailed,
)
from .grammar import Parameters, UriParameters
from .headers import Headers
from .hops import hops_left
from .hub import Gate, Refusal, Tally
from .layer import TransactionLayer
from .message import Message, Request, Response
from .parser import Limits, parse
from .target import DEFAULT_PORTS, Target, Transport
from .timers import Timers
from .uri import URI
from .values import Address, CSeq, MediaType, Via

__all__ = [
    "DEFAULT_PORTS",
    "REASONS",
    "URI",
    "AckIn",
    "Address",
    "CSeq",
    "CancelIn",
    "ClientKey",
    "Event",
    "Gate",
    "Headers",
    "Limits",
    "MediaType",
    "Message",
    "Parameters",
    "RandomBytes",
    "Refusal",
    "Request",
    "RequestIn",
    "Response",
    "ResponseIn",
    "ServerKey",
    "SipError",
    "StrayResponse",
    "Tally",
    "Target",
    "TimedOut",
    "Timers",
    "TransactionLayer",
    "TransactionLimits",
    "Transport",
    "TransportFailed",
    "UriParameters",
    "Via",
    "ack_for",
    "cancel_for",
    "hops_left",
    "new_branch",
    "new_call_id",
    "new_request",
    "new_tag",
    "parse",
    "reason_for",
    "response_to",
]
