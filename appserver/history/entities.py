"""What records are: legs as MCUs told of them, stays that are made of legs, meetings that are made of stays. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from confero.models import Role

Kind = Literal["webrtc", "rtp"]
LOST = "lost"
"""Reason of a leg whose end nobody told: its media server was lost."""


@dataclass(frozen=True)
class Sound:
    """How good it was, both ways; None where there was nothing to judge. Names as in ``StayInfo``."""

    loss_in: float | None = None
    loss_out: float | None = None
    jitter_in_ms: float | None = None
    jitter_out_ms: float | None = None
    mos_in: float | None = None
    mos_out: float | None = None


@dataclass(frozen=True)
class Leg:
    """One leg's part of a meeting. ``participant``, ``room``, ``joined_at`` and ``boot`` name it."""

    participant: str
    room: str
    mcu: str
    boot: str
    joined_at: float
    """Unix time, by the MCU's clock; so are the others."""
    display_name: str
    role: Role
    kind: Kind
    user: str | None = None
    left_at: float | None = None
    reason: str = ""
    codec: str = ""
    security: str = ""
    packets_in: int = 0
    packets_out: int = 0
    sound: Sound = Sound()
    meeting: str = ""

    @property
    def key(self) -> tuple[str, str, float, str]:
        return self.participant, self.room, self.joined_at, self.boot

    @property
    def is_closed(self) -> bool:
        """Told to be over; one that was only taken to be lost may still be told of."""
        return self.left_at is not None and self.reason != LOST


@dataclass(frozen=True)
class Stay:
    """One participant's part of a meeting."""

    meeting: str
    participant: str
    display_name: str
    role: Role
    kind: Kind
    user: str | None
    joined_at: float
    left_at: float | None
    reason: str
    codec: str
    security: str
    sound: Sound


@dataclass(frozen=True)
class Meeting:
    """From the first one in a room to the last one out."""

    id: str
    room: str
    room_name: str
    owner: str | None
    started_at: float
    ended_at: float | None = None
    reason: str = ""
    participants: int = 0
    most: int = 0
    mos: float | None = None


@dataclass(frozen=True)
class StayRow:
    """A stay as it is read: ``row`` is its place among those of its moment, ``call`` the telephone's SIP call."""

    row: int
    stay: Stay
    call: str | None = None


@dataclass(frozen=True)
class Going:
    """A meeting that goes on."""

    meeting: Meeting
    mcu: str
    here: int
    waiting: int
