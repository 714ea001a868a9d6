"""All sessions and topics: who comes, who goes, and who hears of what. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, Protocol

from confero.clock import Clock
from confero.errors import Refused
from confero.ids import new_id
from confero.models import RenegotiateEvent, TokenGrant, UserGrant

from . import closecodes
from .deliveries import PIECE, WHOLE, Deliveries
from .messages import Event, Message
from .session import Grant, RoomSession, Session, Sink, UserSession, topics_of
from .topics import Topic, WindowLimits, room_topic, user_topic
from .wire import Place

EndCause = Literal["left", "expired", "removed", "replaced"]

REPLACED = "another connection of this participant"


class Order(Protocol):
    """What is wanted of a participant from now on; None stays as it is."""

    @property
    def muted(self) -> bool | None: ...

    @property
    def held(self) -> bool | None: ...

    @property
    def role(self) -> str | None: ...


@dataclass(frozen=True)
class HubLimits:
    resume_s: float = 15.0
    """How long a session outlives its connection."""
    sessions: int = 10_000
    of_user: int = 20
    """Pages of one user that listen at once."""
    missed: int = 768 << 10
    """Bytes that are sent again at most; below the bound of a connection's queue. Who has missed more starts anew."""
    window: WindowLimits = field(default_factory=WindowLimits)
    whole: int = WHOLE
    piece: int = PIECE
    """Sessions of a topic that are told at once; of more, in one turn of the loop."""


class Hub:
    """All sessions of this process. ``ended`` is told once of each session that is over, and why."""

    def __init__(self, clock: Clock, limits: HubLimits, ended: Callable[[Session, EndCause], None]) -> None:
        self._clock = clock
        self._limits = limits
        self._ended = ended
        self.deliveries = Deliveries(limits.whole, limits.piece)
        """To be run, for topics of many sessions."""
        self._sessions: dict[str, Session] = {}
        self._by_participant: dict[str, RoomSession] = {}
        self._topics: dict[str, Topic] = {}
        self._order = count(1)
        self._homes: dict[str, tuple[str, str]] = {}
        """Rooms all of whose sessions know the same MCU: by topic, its id and URL."""

    def __len__(self) -> int:
        return len(self._sessions)

    def sessions(self) -> list[Session]:
        return list(self._sessions.values())

    def find(self, session_id: str) -> Session | None:
        """The session, if it lives."""
        return self._sessions.get(session_id)

    def of_participant(self, participant: str) -> RoomSession | None:
        return self._by_participant.get(participant)

    # --- coming ---------------------------------------------------------------------------------------------------

    def open(self, grant: TokenGrant, token: str) -> RoomSession:
        """A fresh session without a connection. An earlier one of the participant ends, its connection closed with 4409.

        Raises Refused ``too-many-sessions`` when the table is full.
        """
        earlier = self._by_participant.get(grant.participant)
        if earlier is not None:
            self.end(earlier, "replaced", closecodes.REPLACED, REPLACED)
        session = RoomSession(grant, token, self._room_for(grant))
        self._add(session)
        self._by_participant[grant.participant] = session
        if not grant.waiting:
            self._settle(room_topic(grant.room), (grant.mcu, grant.mcu_url))
        return session

    def open_user(self, grant: UserGrant, token: str) -> UserSession:
        """Likewise, of somebody who may have some: of too many the oldest ends."""
        topic = self._topics.get(user_topic(grant.user))
        if topic is not None and len(topic.sessions) >= self._limits.of_user:
            self.end(next(iter(topic.sessions.values())), "replaced", closecodes.REPLACED, "too many pages")
        session = UserSession(grant, token, self._room_for(grant))
        self._add(session)
        return session

    def _room_for(self, grant: Grant) -> tuple[Topic, ...]:
        """The topics of one more. Raises Refused."""
        if len(self._sessions) >= self._limits.sessions:
            raise Refused("The server has too many connections.", status=503, code="too-many-sessions")
        return tuple(self._topic(name) for name in topics_of(grant))

    def _add(self, session: Session) -> None:
        session.detached_at = self._clock.monotonic()
        self._sessions[session.id] = session
        for topic in session.topics:
            topic.sessions[session.id] = session

    def _topic(self, name: str) -> Topic:
        """The topic, which lasts from its first session to its last."""
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = Topic(name, new_id("ep"), self._limits.window)
        return topic

    def _settle(self, topic: str, home: tuple[str, str]) -> None:
        """A session has come to a room: do they still agree where it lives?"""
        if len(self._topics[topic].sessions) == 1:
            self._homes[topic] = home
        elif self._homes.get(topic) != home:
            self._homes.pop(topic, None)

    def resume(self, session_id: str, grant: Grant, token: str, seen: Sequence[Place]) -> Session | None:
        """The session if it still lives, belongs to the same participant and room, or its lobby, and all events are kept that
        followed those ``seen``.

        An old connection that hangs on it is closed with 4409.
        """
        session = self._sessions.get(session_id)
        if session is None or tuple(topic.name for topic in session.topics) != topics_of(grant):
            return None
        found = session.find(seen)
        if found is None or session.missed(found, self._limits.missed) is None:
            return None
        if session.sink is not None:
            session.sink.close(closecodes.REPLACED, REPLACED)
            session.sink = None
        session.seen = found
        session.detached_at = self._clock.monotonic()
        session.renew(grant, token)
        return session

    def attach(self, session: Session, sink: Sink, welcome: Message | None) -> None:
        """Give the session its connection: ``welcome`` goes first, then what happened since its positions, then all that is new.

        If the session is over by now, or taken by a later connection, the sink that lost is closed with 4409; if more has
        happened than is kept while the welcome was made, with 1012.
        """
        if session.id not in self._sessions:
            sink.close(closecodes.REPLACED, REPLACED)
            return
        if session.sink is not None:
            session.sink.close(closecodes.REPLACED, REPLACED)
        missed = session.missed(session.seen, self._limits.missed)
        if missed is None:
            sink.close(closecodes.RESTARTING, "too much has happened")
            return
        if welcome is not None:
            sink.send(welcome)
        for message in missed:
            sink.send(message)
        session.sink = sink
        session.detached_at = None

    # --- events ---------------------------------------------------------------------------------------------------

    def deliver(self, name: str, event: Event) -> int:
        """Send the event to every session of the topic; how many there were. Of a large topic it is only begun
        here (``deliveries``)."""
        topic = self._topics.get(name)
        if topic is None:
            return 0
        told = len(topic.sessions)
        self._push(topic, event)
        return told

    def _push(self, topic: Topic, event: Event) -> None:
        message = topic.add(next(self._order), event.body, self._clock.monotonic())
        if self.deliveries.takes(topic):
            self.deliveries.add(topic, message, self._remove if event.final else None)
            return
        if self.deliveries:
            for session in list(topic.sessions.values()):
                self.deliveries.hasten(session)
        for session in topic.sessions.values():
            if session.sink is not None:
                session.sink.send(message)
        if event.final:
            for session in list(topic.sessions.values()):
                self._remove(session)

    def _remove(self, session: Session) -> None:
        self.end(session, "removed", closecodes.NOT_ALLOWED, "removed from the room")

    def tell(self, session: Session, event: Event) -> None:
        """Send the event to this session's participant alone."""
        self._push(session.topics[-1], event)

    def ordered(self, room: str, orders: Mapping[str, Order]) -> None:
        """What the grants of sessions in the room say from now on: their next legs begin as ordered."""
        for participant, order in orders.items():
            session = self._by_participant.get(participant)
            if session is None or session.grant.room != room:
                continue
            session.muted = session.muted if order.muted is None else order.muted
            changes = {"role": order.role, "may_speak": None if order.held is None else not order.held}
            told = {name: value for name, value in changes.items() if value is not None}
            session.grant = session.grant.model_copy(update=told)

    def place(self, room: str, mcu: str, url: str) -> int:
        """The room lives on this MCU now: sessions that knew another are told to renegotiate; how many.

        Said at every join: where all know it already, nobody is looked at.
        """
        topic = room_topic(room)
        if topic not in self._topics or self._homes.get(topic) == (mcu, url):
            return 0
        self._homes[topic] = mcu, url
        return self._move(in_rooms(self._topics[topic].sessions.values()), mcu, url, "moved", also_same=False)

    def mcu_started(self, mcu: str, url: str) -> int:
        """The MCU is new, and legs are gone that were there or under its URL: their sessions are told to renegotiate; how many."""
        inside = [s for s in in_rooms(self._sessions.values()) if not s.grant.waiting]
        on_it = [s for s in inside if s.grant.mcu == mcu or s.grant.mcu_url == url]
        self._homes.clear()
        return self._move(on_it, mcu, url, "media-server-started", also_same=True)

    def _move(self, sessions: Iterable[RoomSession], mcu: str, url: str, reason: str, *, also_same: bool) -> int:
        event = Event(RenegotiateEvent(reason=reason).model_dump_json().encode())
        moved = 0
        for session in sessions:
            if not also_same and (session.grant.mcu, session.grant.mcu_url) == (mcu, url):
                continue
            session.grant = session.grant.model_copy(update={"mcu": mcu, "mcu_url": url})
            session.leg = None
            self.tell(session, event)
            moved += 1
        return moved

    # --- going ----------------------------------------------------------------------------------------------------

    def detach(self, session: Session, sink: Sink) -> None:
        """The connection is gone: the resume window starts. Nothing happens if the session has another one by now."""
        if session.sink is sink:
            session.sink = None
            session.detached_at = self._clock.monotonic()

    def expire(self) -> list[Session]:
        """End the sessions whose resume window is over, and return them."""
        horizon = self._clock.monotonic() - self._limits.resume_s
        over = [s for s in self._sessions.values() if s.detached_at is not None and s.detached_at <= horizon]
        for session in over:
            self.end(session, "expired", closecodes.LEFT, "")
        return over

    def end(self, session: Session, cause: EndCause, code: int = closecodes.LEFT, reason: str = "") -> None:
        """The session is over; its connection is closed with ``code``. A second call does nothing."""
        if self._sessions.pop(session.id, None) is None:
            return
        if isinstance(session, RoomSession) and self._by_participant.get(session.grant.participant) is session:
            del self._by_participant[session.grant.participant]
        for topic in session.topics:
            self._leave(topic, session)
        sink, session.sink = session.sink, None
        if sink is not None:
            sink.close(code, reason)
        self._ended(session, cause)

    def _leave(self, topic: Topic, session: Session) -> None:
        del topic.sessions[session.id]
        if not topic.sessions:
            del self._topics[topic.name]
            self._homes.pop(topic.name, None)


def in_rooms(sessions: Iterable[Session]) -> list[RoomSession]:
    """Those of participants."""
    return [session for session in sessions if isinstance(session, RoomSession)]
