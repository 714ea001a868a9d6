"""SIP without I/O and without a clock: messages, their grammar, digest, and what is made from them."""

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
from .grammar import Parameters, UriParameters
from .headers import Headers
from .message import Message, Request, Response
from .parser import Limits, parse
from .uri import URI
from .values import Address, CSeq, MediaType, Via

__all__ = [
    "REASONS",
    "URI",
    "Address",
    "CSeq",
    "Headers",
    "Limits",
    "MediaType",
    "Message",
    "Parameters",
    "RandomBytes",
    "Request",
    "Response",
    "SipError",
    "UriParameters",
    "Via",
    "ack_for",
    "cancel_for",
    "new_branch",
    "new_call_id",
    "new_request",
    "new_tag",
    "parse",
    "reason_for",
    "response_to",
]
