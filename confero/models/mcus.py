"""MCU to application server (80, /internal/v1): who it is, how it fares, what has happened to its legs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import TOLD_AT_ONCE, Id, Request, Role
from .legs import Quality
from .turn import MOST_PLACES, MediaPlace


class McuRegister(Request):
    """POST /internal/v1/mcus: at start, whenever a heartbeat was answered 404, and every 60 s."""

    id: Id
    boot: Id
    """New at each start of the process: tells a restart from a reconnect."""
    url: str = Field(max_length=256)
    """Where its control API is reached."""
    capacity: int = Field(ge=1)
    """Capacity units: an Opus leg costs 1."""
    participants: list[Id] = Field(default_factory=list, max_length=10_000)
    """Who is there: rows of others are closed."""
    media: list[MediaPlace] = Field(default_factory=list, max_length=MOST_PLACES)
    """Where it takes media: TURN servers may relay to there."""
    version: str = Field(default="", max_length=32)
    """Of its program."""


class McuHeartbeat(Request):
    """PUT /internal/v1/mcus/{id}/heartbeat every second; 404: register again. Silent for 4 s: the MCU counts as lost."""

    boot: Id
    load: float = Field(ge=0)
    """Capacity units in use."""
    rooms: int = Field(ge=0)
    legs: int = Field(ge=0)
    draining: bool = False


class LegRecord(Request):
    """One thing that happened to a leg. Each tells what is known of the leg by then, so that their order does not matter."""

    at: float
    mcu: Id
    boot: Id
    room: Id
    participant: Id
    display_name: str = Field(max_length=64)
    kind: Literal["webrtc", "rtp"]
    event: Literal["joined", "connected", "left"]
    reason: str = Field(default="", max_length=64)
    stats: dict[str, int] = Field(default_factory=dict, max_length=64)
    joined_at: float | None = None
    """When the leg came into the room: with participant, room and boot its name. None: not told."""
    role: Role = "guest"
    codec: str = Field(default="", max_length=16)
    """Of what it is sent."""
    security: str = Field(default="", max_length=16)
    """How its media is protected: plain, sdes, dtls; "" before that is agreed."""
    incoming: Quality | None = None
    """From the participant to the room; told with ``left``."""
    outgoing: Quality | None = None


class LegRecords(Request):
    """POST /internal/v1/records: in the order in which it happened."""

    records: list[LegRecord] = Field(max_length=TOLD_AT_ONCE)
