"""Records of meetings (443, /api/v1/meetings), and the farm as administrators see it (/api/v1/mcus, /api/v1/live)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import Id, Reply, Request, Role


class HistoryQuery(Request):
    """The query of GET /api/v1/meetings and of its exports."""

    room: Id | None = None
    after: float | None = None
    """Meetings that began after this time."""
    before: float | None = None
    who: str | None = Field(default=None, max_length=64)
    """Part of a participant's name."""
    everyone: bool = False
    """For moderators and administrators: not one's own alone."""
    limit: int = Field(default=50, ge=1, le=200)
    page: str | None = Field(default=None, max_length=128)


class StayInfo(Reply):
    """One participant's stay in a meeting: from coming to going, its legs together."""

    participant: Id
    display_name: str
    role: Role
    kind: Literal["webrtc", "rtp"]
    user: Id | None = None
    joined_at: float
    left_at: float | None = None
    reason: str = ""
    """Why it ended: a leg's reason (docs/wire.md)."""
    codec: str = ""
    security: str = ""
    loss_in: float | None = None
    """0 to 1, of the packets from the participant."""
    loss_out: float | None = None
    jitter_in_ms: float | None = None
    jitter_out_ms: float | None = None
    mos_in: float | None = None
    """By the E-model (ITU-T G.107), narrow-band scale."""
    mos_out: float | None = None
    call: str | None = None
    """The SIP call, where it was a telephone."""


class MeetingInfo(Reply):
    """From the first one in a room to the last one out."""

    id: Id
    room: Id
    room_name: str
    started_at: float
    ended_at: float | None = None
    reason: str = ""
    """``empty``, ``ended`` by a host, ``lost`` with its media server."""
    participants: int
    """Different people, in all: who comes again by their account is the same one."""
    most: int
    """At once."""
    mos: float | None = None
    """The mean of what its participants heard."""


class MeetingDetail(MeetingInfo):
    stays: list[StayInfo]
    """In the order of their coming; the first 1,000."""


class MeetingPage(Reply):
    items: list[MeetingInfo]
    next: str | None = None


class McuInfo(Reply):
    """One media server of the farm."""

    id: Id
    url: str
    state: Literal["up", "draining", "lost"]
    capacity: int
    """Units: an Opus leg is 1."""
    used: float
    """Units."""
    rooms: int
    """Empty ones too, which it keeps for a while."""
    legs: int
    drained: bool = False
    """Draining, and nobody is there any more: it can be stopped."""
    seen_s: float
    """Since its last heartbeat."""
    version: str = ""


class McuList(Reply):
    items: list[McuInfo]


class McuPatch(Request):
    """PATCH /api/v1/mcus/{mcu}"""

    draining: bool
    """True: no new rooms go there; those that are there stay until they are empty."""


class LiveRoom(Reply):
    room: Id
    room_name: str
    mcu: str
    started_at: float | None
    participants: int
    waiting: int = 0
    owner: str | None = None


class LiveList(Reply):
    """GET /api/v1/live: meetings going on now."""

    items: list[LiveRoom]
