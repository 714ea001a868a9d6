"""Application server and notifier (80 and 14040, /internal/v1): tokens, sessions, placement, what is published."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import DEFAULT_TALKERS, TOLD_AT_ONCE, Id, Reply, Request, Role, Token
from .events import RoomEvent
from .rooms import RoomOrders, RoomSpec


class TokenCheck(Request):
    """POST /internal/v1/tokens/validate"""

    token: Token


class TokenGrant(Reply):
    """What a valid join token allows. 401 problem ``token-expired`` or ``token-invalid`` otherwise."""

    participant: Id
    display_name: str
    role: Role
    room: Id
    room_name: str
    max_participants: int
    talkers: int = DEFAULT_TALKERS
    noise_dbov: int | None = None
    announce: bool = False
    mcu: Id
    mcu_url: str
    expires: float
    waiting: bool = False
    """In the lobby: events for the participant alone, no leg."""
    may_speak: bool = True
    """False: the leg is muted, and stays so until a host lets."""


class UserGrant(Reply):
    """What a valid token of ``POST /api/v1/me/events`` allows: to hear what concerns one's account, from any page."""

    user: Id
    expires: float


class UserNotice(Request):
    """A browser of somebody who is signed in listens, or does no more."""

    kind: Literal["connected", "disconnected"]
    session: Id
    user: Id
    notifier: Id = "notifier"


class UserSession(Request):
    """One that listens."""

    session: Id
    user: Id


class SessionNotice(Request):
    """A browser's session has come or gone."""

    kind: Literal["connected", "disconnected"]
    session: Id
    participant: Id
    room: Id
    at: float
    notifier: Id = "notifier"
    """Which notifier holds the session."""


class SessionNotices(Request):
    """POST /internal/v1/sessions: in the order in which it happened."""

    notices: list[SessionNotice] = Field(max_length=TOLD_AT_ONCE)
    users: list[UserNotice] = Field(default=[], max_length=TOLD_AT_ONCE)


class SessionsSnapshot(Request):
    """PUT /internal/v1/sessions: at the notifier's start and every 30 s, so that a lost notice or process leaves nothing behind."""

    notifier: Id
    sessions: list[Id] = Field(max_length=20_000)
    """Sessions of this notifier that live; its others are over."""
    users: list[UserSession] = Field(default=[], max_length=20_000)
    """Likewise of those who listen outside of rooms."""


class RoomPlacement(Request):
    """PUT /internal/v1/rooms/{room} at the notifier: passed on to the MCU named here."""

    mcu: Id
    mcu_url: str = Field(max_length=256)
    spec: RoomSpec


class RoomOrdersAt(RoomOrders):
    """PATCH /internal/v1/rooms/{room}/participants at the notifier -> RoomOrdersDone: passed on to the MCU named here."""

    mcu_url: str = Field(max_length=256)


RoomEndReason = Literal["removed", "ended", "moved"]


class RoomEndQuery(Request):
    """DELETE /internal/v1/rooms/{room} and /internal/v1/rooms/{room}/participants/{participant} at the notifier -> 204.

    Sessions get ``closed`` with the reason, then the MCU ends its part. Said twice, it is done once. Who is ``moved`` has been told
    so, and keeps the session: only the leg ends.
    """

    reason: RoomEndReason
    mcu_url: str = Field(default="", max_length=256)
    """"": there is no MCU that has to be told."""


MOST_USERS = 1000
"""In one publication."""


class Publish(Request):
    """POST /internal/v1/publish: events for a room, a single participant or users, from MCU, SIP gateway or application server."""

    room: Id | None = None
    participant: Id | None = None
    """Of the room."""
    users: list[Id] = Field(default=[], max_length=MOST_USERS)
    """Instead of a room."""
    events: list[RoomEvent] = Field(max_length=256)


class McuStarted(Request):
    """POST /internal/v1/mcus/{mcu}/started: sessions on that MCU get ``renegotiate``."""

    boot: Id
    url: str = Field(max_length=256)
