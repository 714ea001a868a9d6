"""Who is in a room, as all services and browsers call it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import Id, Reply, Role


class Participant(Reply):
    """One line of the roster."""

    id: Id
    display_name: str
    role: Role = "guest"
    kind: Literal["webrtc", "rtp"]
    leg: Id
    muted: bool = False
    """Others do not hear this participant: by its own wish or the moderator's."""
    deaf: bool = False
    held: bool = False
    """Not heard by rule, whatever ``muted`` says, until a host lets them speak."""
    state: Literal["connecting", "connected", "disconnected"] = "connecting"
    """Of the media: ``connected`` once ICE, DTLS and keys stand (WebRTC) or packets come (RTP)."""


class ActiveSpeaker(Reply):
    participant: Id
    level: int = Field(ge=0, le=127)
