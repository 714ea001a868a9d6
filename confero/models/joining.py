"""Browser and application server (443, /api/v1): a room is made, and joined."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from .base import DEFAULT_TALKERS, DisplayName, Id, Noise, Reply, Request, Role, Token
from .meetings import ChatMessage, MeetingState, RoomPin, Speak


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
    permanent: bool = False
    """Not deleted for being unused; for whoever is signed in."""
    pin: RoomPin | None = None
    """Guests must show it."""
    host_pin: RoomPin | None = None
    """Whoever shows it is a host."""
    lobby: bool = False
    """Guests wait until a host admits them."""
    host_first: bool = False
    """Guests wait until a host is there."""
    speak: Speak = "all"
    number: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,16}$")] | Literal["auto"] | None = None
    """To be keyed by telephones; ``auto``: a free one is chosen."""


class RoomPatch(Request):
    """PATCH /api/v1/rooms/{room}, by whom it belongs to. Absent fields stay; None and "" take away."""

    name: DisplayName | None = None
    max_participants: int | None = Field(default=None, ge=2, le=8000)
    talkers: int | None = Field(default=None, ge=0, le=64)
    noise_dbov: Noise | None = None
    announce: bool | None = None
    permanent: bool | None = None
    pin: RoomPin | Literal[""] | None = None
    host_pin: RoomPin | Literal[""] | None = None
    lobby: bool | None = None
    host_first: bool | None = None
    speak: Speak | None = None
    number: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,16}$")] | Literal["auto", ""] | None = None


class RoomInfo(Reply):
    """GET /api/v1/rooms/{room}: what everybody may know who has its link; the reply to RoomCreate adds 201."""

    id: Id
    name: str
    max_participants: int
    talkers: int = DEFAULT_TALKERS
    noise_dbov: int | None = None
    announce: bool = False
    participants: int
    join_url: str
    permanent: bool = False
    pin_needed: bool = False
    lobby: bool = False
    host_first: bool = False
    speak: Speak = "all"
    locked: bool = False


class RoomDetail(RoomInfo):
    """For its owner, its hosts by account, moderators and administrators; and the reply to RoomCreate.

    Members who are guests there are shown what everybody sees, and ``mine``: neither PINs nor the number."""

    created_at: float
    used_at: float
    owner: str | None = None
    """Login."""
    mine: Literal["owner", "host", "guest"] | None = None
    """What the asking account is here."""
    pin: str | None = None
    host_pin: str | None = None
    number: str | None = None
    invitation: str | None = None
    """To whoever made the room without an account: shown in JoinRequest, it makes them its host. Given this once."""


class RoomQuery(Request):
    """GET /api/v1/rooms: one's own, by last use."""

    everyone: bool = False
    """For moderators and administrators."""
    search: str | None = Field(default=None, max_length=64)
    """Part of the name or id."""
    limit: int = Field(default=50, ge=1, le=200)
    page: str | None = Field(default=None, max_length=128)


class RoomPage(Reply):
    items: list[RoomDetail]
    next: str | None = None


class JoinRequest(Request):
    """POST /api/v1/rooms/{room}/join"""

    display_name: DisplayName
    previous_token: Token | None = None
    """A token of an earlier join: keeps the participant's identity after a break, even if it has run out less than 12 h ago."""
    pin: Annotated[str, StringConstraints(max_length=16)] | None = None
    """Of guests or of hosts."""
    invitation: Annotated[SecretStr, Field(max_length=512)] | None = None
    """The secret of an invitation."""


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
    role: Role = "guest"
    waiting: bool = False
    """In the lobby: connect for events, there will be ``admitted`` or ``closed``; no media and no ``ice_servers`` yet."""
    meeting: MeetingState | None = None
    chat: list[ChatMessage] = Field(default_factory=list)
    """The latest messages."""
    chat_next: str | None = None
    """``page`` of GET .../messages for those before them; null: there are none."""


class NetworkTest(Reply):
    """POST /api/v1/network-test: what a browser needs to find out whether its network lets media through."""

    ice_servers: list[IceServer]
    """Good for a minute."""
    ice_policy: IcePolicy


class SiteInfo(Reply):
    """GET /api/v1/site"""

    calls_out: bool
    """Whether somebody who comes to a room may call telephones into it."""
