"""SIP without I/O and without a clock: messages, their fields and framing, digest authentication, and transactions."""

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
from .digest import Challenge, Credentials, make_ha1
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
from .framing import StreamFramer
from .grammar import Parameters, UriParameters
from .headers import Headers
from .hops import hops_left
from .hub import Gate, Refusal, Tally
from .inspection import Abilities, refusal
from .layer import TransactionLayer
from .login import Account, Login
from .message import Message, Request, Response
from .parser import Limits, parse
from .target import DEFAULT_PORTS, Target, Transport
from .timers import Timers
from .uri import URI
from .values import Address, CSeq, MediaType, Via
from .verifier import Claim, Policy, Verifier

__all__ = [
    "DEFAULT_PORTS",
    "REASONS",
    "URI",
    "Abilities",
    "Account",
    "AckIn",
    "Address",
    "CSeq",
    "CancelIn",
    "Challenge",
    "Claim",
    "ClientKey",
    "Credentials",
    "Event",
    "Gate",
    "Headers",
    "Limits",
    "Login",
    "MediaType",
    "Message",
    "Parameters",
    "Policy",
    "RandomBytes",
    "Refusal",
    "Request",
    "RequestIn",
    "Response",
    "ResponseIn",
    "ServerKey",
    "SipError",
    "StrayResponse",
    "StreamFramer",
    "Tally",
    "Target",
    "TimedOut",
    "Timers",
    "TransactionLayer",
    "TransactionLimits",
    "Transport",
    "TransportFailed",
    "UriParameters",
    "Verifier",
    "Via",
    "ack_for",
    "cancel_for",
    "hops_left",
    "make_ha1",
    "new_branch",
    "new_call_id",
    "new_request",
    "new_tag",
    "parse",
    "reason_for",
    "refusal",
    "response_to",
]
