"""Calls between browsers and telephones: dialled on the page (443), carried by the SIP gateway (2133, /v1), told as events."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .base import Id, Reply, Request
from .digits import DigitsSend
from .sip import SipDecision

CallState = Literal["calling", "ringing", "answered", "ended"]
RingAction = Literal["accept", "decline", "busy"]
CallName = Annotated[str, StringConstraints(max_length=256)]
Dialled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]
"""A telephone number, or an address: ``user@host``, with or without ``sip:``."""
UserData = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
"""What one end tells the other, opaque to everybody between them; in SIP the User-to-User header (RFC 7433)."""
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
HeaderValue = Annotated[str, StringConstraints(max_length=512, pattern=r"^[^\x00-\x1f\x7f]*$")]
PassedHeaders = Annotated[dict[HeaderName, HeaderValue], Field(max_length=16)]
"""SIP header fields that the gateway is configured to pass (``pass_headers``)."""


class Words(Request):
    """What a page has the telephone's side told with what it does."""

    user_data: UserData = ""
    headers: PassedHeaders = Field(default_factory=dict)


class CallOut(Words):
    """POST /api/v1/rooms/{room}/calls -> 201 CallInfo: somebody is called into the room."""

    to: Dialled


class CallInfo(Reply):
    """GET /api/v1/rooms/{room}/calls/{call}; a telephone that is in the room, or on its way there."""

    id: Id
    direction: Literal["in", "out"]
    """``out``: a browser has called."""
    room: Id | None
    """None while browsers ring for it."""
    participant: Id | None
    """As which the telephone is in the room."""
    owner: Id | None = None
    """The participant who has called it, or accepted its call."""
    name: CallName
    state: CallState
    status: int = 0
    """Of the last SIP response."""
    reason: str = ""
    user_data: str = ""
    """What the telephone's side has said last."""
    headers: dict[str, str] = Field(default_factory=dict)


class CallDigits(DigitsSend):
    """POST /api/v1/rooms/{room}/calls/{call}/digits -> 204: keys for the telephone."""


class CallEnd(Words):
    """POST /api/v1/rooms/{room}/calls/{call}/end, and /v1/calls/{call}/end at the gateway -> 204: hangs up, with some words."""


class RingAnswer(Words):
    """POST /api/v1/calls/{call}/answer -> 204: what somebody says to a call that rings. The first to accept has it."""

    action: RingAction


class SipCallOut(Words):
    """POST /v1/calls at the gateway -> 201 CallInfo: a call that the application server has allowed."""

    id: Id
    decision: SipDecision
    room: Id
    owner: Id
    owner_name: CallName
    name: CallName
    """Under which the called is known."""


class SipRingAnswer(Words):
    """POST /v1/calls/{call}/answer at the gateway -> 204."""

    participant: Id
    action: RingAction


class CallEvent(Reply):
    """To the participant who has called, or accepted a call: how it goes."""

    type: Literal["call"] = "call"
    call: Id
    state: CallState
    status: int
    """Of the SIP response, or 0."""
    reason: str
    name: str
    participant: Id | None
    """The telephone's."""
    user_data: str = ""
    """What its side has said last: with its answer, or as it hung up."""
    headers: dict[str, str] = Field(default_factory=dict)


class IncomingCallEvent(Reply):
    """Somebody calls: ring. Said again every few seconds while it rings; whoever has not heard of it for ``stale_s`` stops."""

    type: Literal["incoming_call"] = "incoming_call"
    call: Id
    name: str
    """Of the caller, or nothing."""
    number: str
    stale_s: float
    user_data: str = ""
    headers: dict[str, str] = Field(default_factory=dict)


class RingStoppedEvent(Reply):
    """It rings no more: taken by somebody (``accepted``), given up (``cancelled``), ``no-answer``, ``declined``."""

    type: Literal["ring_stopped"] = "ring_stopped"
    call: Id
    reason: Literal["accepted", "cancelled", "no-answer", "declined"]
