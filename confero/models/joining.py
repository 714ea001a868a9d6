"""Browser and application server (443, /api/v1): a room is made, and joined."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import DEFAULT_TALKERS, DisplayName, Id, Noise, Reply, Request, Token


class RoomCreate(Request):
    """POST /api/v1/rooms"""

    name: DisplayName | None = None
    """What people see; a name is made up when absent."""
    max_participants: int = Field(default=100, ge=2, le=8000)
    talkers: int = Field(default=DEFAULT_TALKERS, ge=0, le=64)
    """How many are mixed at once, the loudest; 0: all."""
    noise_dbov: Noise | None = None
    """Comfort noise in the mix."""
    announce: bool = False
    """Two notes up when somebody has come, two down when somebody has gone."""


class RoomInfo(Reply):
    """GET /api/v1/rooms/{room}; the reply to RoomCreate adds 201."""

    id: Id
    name: str
    max_participants: int
    talkers: int = DEFAULT_TALKERS
    noise_dbov: int | None = None
    announce: bool = False
    participants: int
    join_url: str


class JoinRequest(Request):
    """POST /api/v1/rooms/{room}/join"""

    display_name: DisplayName
    previous_token: Token | None = None
    """A token of an earlier join: keeps the participant's identity after a break, even if it has run out less than 12 h ago."""


IcePolicy = Literal["all", "relay"]


class IceServer(Reply):
    """As RTCIceServer takes it."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class JoinReply(Reply):
    token: Token
    token_expires: float
    participant: Id
    room: RoomInfo
    events_path: str = "/events"
    """WebSocket path on the same origin."""
    calls_out: bool = False
    """Whether this participant may call telephones into the room."""
    ice_servers: list[IceServer] = Field(default_factory=list)
    ice_ttl_s: float = 0.0
    """For how long from now on their credentials are good; 0: they do not end. A new join gives new ones."""
    ice_policy: IcePolicy = "all"
    """As RTCConfiguration's iceTransportPolicy takes it; ``relay``: media goes through TURN servers only."""


class SiteInfo(Reply):
    """GET /api/v1/site"""

    calls_out: bool
    """Whether somebody who comes to a room may call telephones into it."""
