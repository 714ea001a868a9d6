"""Events that reach browsers (WebSocket, notifier to browser).

Each is ``{"topic": ..., "seq": n, "type": ..., ...}``; ``seq`` counts per topic without gaps, so that whoever comes back can tell
what was missed.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Id, Reply
from .calls import CallEvent, IncomingCallEvent, RingStoppedEvent
from .meetings import (
    AdmittedEvent,
    AskEvent,
    ChatDeletedEvent,
    ChatEvent,
    LobbyEvent,
    MeetingEvent,
    MovedEvent,
    ReactionEvent,
    RoleEvent,
)
from .people import ActiveSpeaker, Participant


class RosterEvent(Reply):
    """The whole roster: sent in ``welcome`` and after every change of membership."""

    type: Literal["roster"] = "roster"
    participants: list[Participant]


class ParticipantEvent(Reply):
    """One participant is new or has changed."""

    type: Literal["participant"] = "participant"
    participant: Participant


class LeftEvent(Reply):
    type: Literal["left"] = "left"
    participant: Id
    reason: str


class SpeakersEvent(Reply):
    """Active speakers, loudest first; empty when nobody talks."""

    type: Literal["speakers"] = "speakers"
    speakers: list[ActiveSpeaker]


class DigitEvent(Reply):
    """To the participant alone: a key that it has pressed, as the media server has understood it."""

    type: Literal["digit"] = "digit"
    digit: str = Field(min_length=1, max_length=1)
    ms: int = Field(ge=0)


class PlayedEvent(Reply):
    """What played to the room, or to the participant alone, has ended."""

    type: Literal["played"] = "played"
    id: int


class RenegotiateEvent(Reply):
    """Send a new offer now (no ``leg``): the media server was restarted or the leg is gone."""

    type: Literal["renegotiate"] = "renegotiate"
    reason: str


class ClosedEvent(Reply):
    """The participant was removed; the WebSocket closes after it."""

    type: Literal["closed"] = "closed"
    reason: str


class ChangedEvent(Reply):
    """To a user: something that pages of the account show is not any more what it was; whoever shows it asks for it again."""

    type: Literal["changed"] = "changed"
    what: Literal["rooms", "members", "invitations", "lobby", "live", "calls", "records"]
    """``rooms``: the list or settings; ``live``: who meets where; ``lobby``: who waits."""
    room: str | None = None
    """The one that it is about."""


class PresenceEvent(Reply):
    """To a user: somebody with whom a room is shared is there, with a page open, or gone."""

    type: Literal["presence"] = "presence"
    user: Id
    online: bool


RoomEvent = Annotated[
    RosterEvent
    | ParticipantEvent
    | LeftEvent
    | SpeakersEvent
    | DigitEvent
    | PlayedEvent
    | RenegotiateEvent
    | CallEvent
    | IncomingCallEvent
    | RingStoppedEvent
    | MeetingEvent
    | LobbyEvent
    | AdmittedEvent
    | RoleEvent
    | MovedEvent
    | AskEvent
    | ReactionEvent
    | ChatEvent
    | ChatDeletedEvent
    | ChangedEvent
    | PresenceEvent
    | ClosedEvent,
    Field(discriminator="type"),
]
