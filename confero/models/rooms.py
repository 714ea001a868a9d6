"""The MCU's rooms (2131, /v1/rooms)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import DEFAULT_TALKERS, Id, Noise, Reply, Request, Role
from .people import Participant

MOST_ORDERS = 500
"""In one call: what fits the MCU's largest body."""
RoomEnd = Literal["room-closed", "ended"]


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


class ParticipantOrder(Request):
    """What a room's rules or a host want of one participant. Absent fields stay."""

    muted: bool | None = None
    held: bool | None = None
    role: Role | None = None


class RoomOrders(Request):
    """PATCH /v1/rooms/{room}/participants -> RoomOrdersDone."""

    orders: dict[Id, ParticipantOrder] = Field(max_length=MOST_ORDERS)
    """By participant."""


class RoomOrdersDone(Reply):
    done: list[Id]
    """Who is there, and is as ordered now."""
