"""SIP without I/O and without a clock: messages, their fields and framing, and digest authentication."""

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
from .framing import StreamFramer
from .grammar import Parameters, UriParameters
from .headers import Headers
from .inspection import Abilities, refusal
from .login import Account, Login
from .message import Message, Request, Response
from .parser import Limits, parse
from .uri import URI
from .values import Address, CSeq, MediaType, Via
from .verifier import Claim, Policy, Verifier

__all__ = [
    "REASONS",
    "URI",
    "Abilities",
    "Account",
    "Address",
    "CSeq",
    "Challenge",
    "Claim",
    "Credentials",
    "Headers",
    "Limits",
    "Login",
    "MediaType",
    "Message",
    "Parameters",
    "Policy",
    "RandomBytes",
    "Request",
    "Response",
    "SipError",
    "StreamFramer",
    "UriParameters",
    "Verifier",
    "Via",
    "ack_for",
    "cancel_for",
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
