"""What all ways to a browser share: configuration, gate, sessions, those that are open, and what a welcome says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from confero.clock import Clock
from confero.models import UserWelcome, Welcome

from .closecodes import RESTARTING
from .config import NotifierConfig
from .entry import Gate
from .heartbeats import Heartbeats
from .messages import Message, message_of
from .session import RoomSession, Session, UserSession
from .sessions import Sessions

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

    @contextmanager
    def opened(self, connection: Open) -> Iterator[None]:
        """While it lasts it is told of a restart; its end is counted."""
        self.open.add(connection)
        try:
            yield
        finally:
            self.open.discard(connection)
            if connection.code:
                self.closed(connection.code)

    def close_all(self) -> None:
        """Tell every browser that the service restarts; they come back by themselves."""
        for connection in list(self.open):
            connection.close(RESTARTING, "service restarts")


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
