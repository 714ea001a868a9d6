"""What browsers ask of the notifier (WebSocket), and its answers.

A request carries ``id``; its answer is ``{"type": "answer"|"ok", "id": same, ...}`` or
``{"type": "error", "id": same, "problem": {...}}``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Id, Problem, Reply, Request, Sdp, Token
from .people import Participant

MOST_TOPICS = 8
"""More than a session hears of."""
Whole = Annotated[int, Field(ge=0, le=2**53 - 1, strict=True)]
"""What JavaScript counts exactly."""


class Position(Request):
    """A place in a topic's events: all up to ``seq`` are known."""

    topic: str = Field(min_length=1, max_length=96)
    epoch: Id
    """Of the numbers: a topic that was forgotten, or is at another notifier, counts from 1 in another epoch."""
    seq: Whole


class Hello(Request):
    """The first message, within 5 s."""

    type: Literal["hello"]
    token: Token
    resume: Id | None = None
    """Session id of a broken connection."""
    seen: list[Position] = Field(default=[], max_length=MOST_TOPICS)
    """With ``resume``: the last event of each topic that has come."""


MOST_WAIT_S = 25.0
"""Less than what proxies give an answer."""


class Opening(Request):
    """POST /events/stream, and each POST /events/poll: as ``hello``, with the token in ``Authorization``."""

    resume: Id | None = None
    seen: list[Position] = Field(default=[], max_length=MOST_TOPICS)
    wait_s: float = Field(default=MOST_WAIT_S, ge=0, le=MOST_WAIT_S, strict=True)
    """A poll: how long it may wait for something to happen."""
    greet: bool = Field(default=False, strict=True)
    """A poll: say ``welcome`` also where it goes on: the first one of whoever was away."""


class Offer(Request):
    """SDP offer. With ``leg``: ICE restart or change on that leg; without: a fresh leg that replaces the participant's old one."""

    type: Literal["offer"]
    id: Whole
    sdp: Sdp
    leg: Id | None = None


class Mute(Request):
    type: Literal["mute"]
    id: Whole
    muted: bool = Field(strict=True)


class Leave(Request):
    type: Literal["leave"]
    id: Whole


class Ping(Request):
    """Application-level keep-alive; answered by ``{"type": "ok"}``."""

    type: Literal["ping"]
    id: Whole


ClientMessage = Annotated[Hello | Offer | Mute | Leave | Ping, Field(discriminator="type")]


class Welcome(Reply):
    """Answer to Hello. When ``resumed`` the missed events follow; else start anew: ``roster`` is all there is to know."""

    type: Literal["welcome"] = "welcome"
    session: Id
    topics: list[Position]
    """What is heard from now on: the events after these."""
    resumed: bool
    participant: Id
    room: Id
    room_name: str
    waiting: bool = False
    """In the lobby: no roster, and no media yet. If false although the join said so, a host was faster: join again."""
    roster: list[Participant]
    """Whether the own leg still lives is seen here: if not, send a fresh offer."""


class UserWelcome(Reply):
    """Answer to Hello with a token for one's account: what changes is told, what there is has to be asked for."""

    type: Literal["welcome"] = "welcome"
    session: Id
    topics: list[Position]
    resumed: bool
    user: Id


class Answer(Reply):
    type: Literal["answer"] = "answer"
    id: int
    leg: Id
    sdp: Sdp


class Farewell(Reply):
    """The last message of a stream or poll: what a WebSocket is closed with."""

    type: Literal["close"] = "close"
    code: int
    reason: str


class Ok(Reply):
    """A request without more to say has been done."""

    type: Literal["ok"] = "ok"
    id: int


class ErrorReply(Reply):
    """A request has failed; the connection goes on."""

    type: Literal["error"] = "error"
    id: int
    problem: Problem
