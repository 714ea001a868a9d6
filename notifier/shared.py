"""What all ways to a browser share: configuration, gate, sessions, those that are open, and what a welcome says."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from confero.clock import Clock
from confero.models import UserWelcome, Welcome
from confero.ratelimit import Rate

from .closecodes import RESTARTING
from .config import NotifierConfig
from .entry import Gate
from .heartbeats import Heartbeats
from .messages import Message, message_of
from .session import RoomSession, Session, UserSession
from .sessions import Sessions
from .wire import Place

MAX_MESSAGE = 72_000
"""Bytes of a browser's message: the largest SDP with its line ends escaped, and the rest of an offer."""
MAX_REQUESTS = 16
"""Requests of one session that may wait while one is with the MCU; a browser has one or two."""


class Open(Protocol):
    """A connection of whichever kind."""

    code: int
    """What it was closed with; 0: it has only come to its end."""

    def close(self, code: int, reason: str) -> None: ...


@dataclass(frozen=True)
class Shared:
    """What every connection of this notifier uses."""

    config: NotifierConfig
    clock: Clock
    gate: Gate
    sessions: Sessions
    heartbeats: Heartbeats
    closed: Callable[[int], None]
    """Told the close code of each connection that ends."""
    open: set[Open] = field(default_factory=set)

    @cached_property
    def rate(self) -> Rate:
        """Of what a browser may ask."""
        return Rate(self.config.message_burst, self.config.messages_per_s)

    def known(self, session_id: str, token: str) -> Session | None:
        """The living session of that name that was opened with this token, which has not expired."""
        session = self.sessions.hub.find(session_id)
        if session is None or session.expires <= self.clock.wall():
            return None
        return session if hmac.compare_digest(session.token.encode(), token.encode()) else None

    def again(self, session_id: str | None, token: str, seen: Sequence[Place]) -> Session | None:
        """The session that goes on where it was, without that anybody is asked about its token; None if it can't."""
        known = self.known(session_id, token) if session_id else None
        if not isinstance(known, RoomSession | UserSession):
            return None
        return self.sessions.hub.resume(known.id, known.grant, token, seen)

    def opened(self, connection: Open) -> Opened:
        """While it lasts it is told of a restart; its end is counted."""
        return Opened(self, connection)

    def close_all(self) -> None:
        """Tell every browser that the service restarts; they come back by themselves."""
        for connection in list(self.open):
            connection.close(RESTARTING, "service restarts")


class Opened:
    """A connection is among those that are open. No generator, as ``entry.Slot``."""

    __slots__ = ("_connection", "_shared")

    def __init__(self, shared: Shared, connection: Open) -> None:
        self._shared = shared
        self._connection = connection

    def __enter__(self) -> None:
        self._shared.open.add(self._connection)

    def __exit__(self, *error: object) -> None:
        self._shared.open.discard(self._connection)
        if self._connection.code:
            self._shared.closed(self._connection.code)


def welcome_of(session: Session, resumed: bool, roster: bytes) -> Message:
    """The answer to hello; events follow after its positions. ``roster``: JSON, put in as it is."""
    if isinstance(session, UserSession):
        user = session.grant.user
        return message_of(UserWelcome(session=session.id, topics=session.positions, resumed=resumed, user=user))
    assert isinstance(session, RoomSession)
    grant = session.grant
    text = Welcome(
        session=session.id,
        topics=session.positions,
        resumed=resumed,
        participant=grant.participant,
        room=grant.room,
        room_name=grant.room_name,
        waiting=grant.waiting,
        roster=[],
    ).model_dump_json()
    assert text.endswith("[]}")  # the roster is the model's last field
    return Message(b"%b%b}" % (text[:-3].encode(), roster))
