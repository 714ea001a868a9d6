"""The MCU's rooms (2131, /v1/rooms)."""

from __future__ import annotations

from pydantic import Field

from .base import DEFAULT_TALKERS, Id, Noise, Reply, Request
from .people import Participant


class RoomSpec(Request):
    """PUT /v1/rooms/{room} at the MCU: makes the room if it is new; changes nothing if it is there."""

    name: str = Field(default="", max_length=64)
    max_participants: int = Field(default=100, ge=2, le=8000)
    talkers: int = Field(default=DEFAULT_TALKERS, ge=0, le=64)
    """How many are mixed at once, the loudest; 0: all."""
    noise_dbov: Noise | None = None
    """Comfort noise in the mix."""
    announce: bool = False
    """Two notes up when somebody has come, two down when somebody has gone."""


class RoomState(Reply):
    """GET /v1/rooms/{room}"""

    id: Id
    name: str
    max_participants: int
    participants: list[Participant]


class RoomStats(Reply):
    """GET /v1/rooms/{room}/stats: sums over the legs that are there now."""

    room: Id
    legs: int
    connected: int
    counters: dict[str, int]
    """The engine's counters that can be added up, by their names in core.h."""
