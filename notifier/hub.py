"""Sessions and topics: who is to hear of what, in which order, and what a broken connection has missed. No I/O.

A *session* is one browser's place in a room. It is numbered (every event has the next ``seq``), outlives its connection by
the resume window, and subscribes to two *topics*: its room and its participant. A *sink* is the connection that a session
writes to while it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from confero.clock import Clock
from confero.errors import Refused
from confero.ids import new_id
from confero.models import ParticipantOrder, RenegotiateEvent, TokenGrant

from .replay import ReplayLimits, ReplayWindow

EndCause = Literal["left", "expired", "removed", "replaced"]

ROOM = "room:"
"""Begins the topics of rooms."""
CLOSE_LEFT = 1000
CLOSE_REMOVED = 4403
CLOSE_REPLACED = 4409
REPLACED = "another connection of this participant"


class Sink(Protocol):
    """The connection of a session. Neither call waits."""

    def send(self, text: str) -> None: ...

    def close(self, code: int, reason: str) -> None:
        """Send what is queued, then close. Later calls of either kind do nothing."""
        ...


@dataclass(frozen=True)
class HubLimits:
    resume_s: float = 15.0
    """How long a session outlives its connection."""
    sessions: int = 10_000
    replay: ReplayLimits = field(default_factory=ReplayLimits)


@dataclass(frozen=True)
class Event:
    """One event on its way to many sessions: made into text once, numbered for each."""

    body: str
    """A JSON object with at least ``type``."""
    final: bool = False
    """The session ends after it."""


def room_topic(room: str) -> str:
    return f"{ROOM}{room}"


def participant_topic(participant: str) -> str:
    return f"participant:{participant}"


def topics_of(grant: TokenGrant) -> tuple[str, ...]:
    """What a session with this grant is to hear: its room and its participant; in the lobby its participant alone."""
    own = participant_topic(grant.participant)
    return (own,) if grant.waiting else (room_topic(grant.room), own)


def numbered(seq: int, body: str) -> str:
    """The event as the browser gets it: ``body`` with its number put in front."""
    return f'{{"seq":{seq},{body[1:]}'


class Session:
    """One browser in one room; made by ``Hub.open``."""

    def __init__(self, grant: TokenGrant, token: str, limits: ReplayLimits) -> None:
        self.id = new_id("ses")
        self.grant = grant
        self.token = token
        self.leg: str | None = None
        """Its media leg as far as is known; the MCU's word is the truth."""
        self.muted = False
        """As asked for here, or ordered by a host: a leg that is lost comes again so."""
        self.informed = True
        """False if its welcome had no roster because the MCU did not answer."""
        self.replay = ReplayWindow(limits)
        self.sink: Sink | None = None
        self.detached_at: float | None = None

    def __repr__(self) -> str:
        return f"<Session {self.id} of {self.grant.participant} in {self.grant.room}, seq {self.replay.last}>"

    @property
    def topics(self) -> tuple[str, ...]:
        return topics_of(self.grant)

    def push(self, event: Event, now: float) -> None:
        """Number and keep the event, and send it if a connection is there."""
        seq = self.replay.add(event.body, now)
        if self.sink is not None:
            self.sink.send(numbered(seq, event.body))


class Hub:
    """All sessions of this process. ``ended`` is told once of each session that is over, and why."""

    def __init__(self, clock: Clock, limits: HubLimits, ended: Callable[[Session, EndCause], None]) -> None:
        self._clock = clock
        self._limits = limits
        self._ended = ended
        self._sessions: dict[str, Session] = {}
        self._by_participant: dict[str, Session] = {}
        self._topics: dict[str, dict[str, Session]] = {}
        self._homes: dict[str, tuple[str, str]] = {}
        """Rooms all of whose sessions know the same MCU: by topic, its id and URL."""

    def __len__(self) -> int:
        return len(self._sessions)

    def sessions(self) -> list[Session]:
        return list(self._sessions.values())

    def of_participant(self, participant: str) -> Session | None:
        return self._by_participant.get(participant)

    # --- coming ---------------------------------------------------------------------------------------------------

    def open(self, grant: TokenGrant, token: str) -> Session:
        """A fresh session without a connection. An earlier one of the participant ends, its connection closed with 4409.

        Raises Refused ``too-many-sessions`` when the table is full.
        """
        earlier = self._by_participant.get(grant.participant)
        if earlier is not None:
            self.end(earlier, "replaced", CLOSE_REPLACED, REPLACED)
        if len(self._sessions) >= self._limits.sessions:
            raise Refused("The server has too many connections.", status=503, code="too-many-sessions")
        session = Session(grant, token, self._limits.replay)
        session.detached_at = self._clock.monotonic()
        self._sessions[session.id] = session
        self._by_participant[grant.participant] = session
        for topic in session.topics:
            self._topics.setdefault(topic, {})[session.id] = session
        if not grant.waiting:
            self._settle(room_topic(grant.room), (grant.mcu, grant.mcu_url))
        return session

    def _settle(self, topic: str, home: tuple[str, str]) -> None:
        """A session has come to a room: do they still agree where it lives?"""
        if len(self._topics[topic]) == 1:
            self._homes[topic] = home
        elif self._homes.get(topic) != home:
            self._homes.pop(topic, None)

    def resume(self, session_id: str, grant: TokenGrant, token: str, last_seq: int) -> Session | None:
        """The session if it still lives, belongs to the same participant and room, or its lobby, and all events are kept that
        followed ``last_seq``.

        An old connection that hangs on it is closed with 4409.
        """
        session = self._sessions.get(session_id)
        if session is None or session.topics != topics_of(grant):
            return None
        if session.replay.since(last_seq) is None:
            return None
        if session.sink is not None:
            session.sink.close(CLOSE_REPLACED, REPLACED)
            session.sink = None
        session.detached_at = self._clock.monotonic()
        session.token = token
        placed = {"mcu": session.grant.mcu, "mcu_url": session.grant.mcu_url}
        session.grant = grant.model_copy(
            update=placed
        )  # where the room lives changes by place() alone, which tells everyone
        return session

    def attach(self, session: Session, sink: Sink, welcome: str, after: int) -> None:
        """Give the session its connection: ``welcome`` goes first, then every event after number ``after``, then all new ones.

        If the session is over by now, or taken by a later connection, the sink that lost is closed with 4409.
        """
        if session.id not in self._sessions:
            sink.close(CLOSE_REPLACED, REPLACED)
            return
        if session.sink is not None:
            session.sink.close(CLOSE_REPLACED, REPLACED)
        sink.send(welcome)
        for seq, body in session.replay.since(after) or []:
            sink.send(numbered(seq, body))
        session.sink = sink
        session.detached_at = None

    # --- events ---------------------------------------------------------------------------------------------------

    def deliver(self, topic: str, event: Event) -> int:
        """Push the event to every session of the topic; how many there were."""
        sessions = list(self._topics.get(topic, {}).values())
        now = self._clock.monotonic()
        for session in sessions:
            session.push(event, now)
            if event.final:
                self.end(session, "removed", CLOSE_REMOVED, "removed from the room")
        return len(sessions)

    def tell(self, session: Session, event: Event) -> None:
        """Push the event to this session alone."""
        session.push(event, self._clock.monotonic())

    def ordered(self, room: str, orders: Mapping[str, ParticipantOrder]) -> None:
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
        return self._move(self._topics[topic], mcu, url, "moved", also_same=False)

    def mcu_started(self, mcu: str, url: str) -> int:
        """The MCU is new, and legs are gone that were there or under its URL: their sessions are told to renegotiate; how many."""
        inside = {key: s for key, s in self._sessions.items() if not s.grant.waiting}
        on_it = {key: s for key, s in inside.items() if s.grant.mcu == mcu or s.grant.mcu_url == url}
        self._homes.clear()
        return self._move(on_it, mcu, url, "media-server-started", also_same=True)

    def _move(self, sessions: dict[str, Session], mcu: str, url: str, reason: str, *, also_same: bool) -> int:
        now = self._clock.monotonic()
        event = Event(RenegotiateEvent(reason=reason).model_dump_json())
        moved = 0
        for session in list(sessions.values()):
            if not also_same and (session.grant.mcu, session.grant.mcu_url) == (mcu, url):
                continue
            session.grant = session.grant.model_copy(update={"mcu": mcu, "mcu_url": url})
            session.leg = None
            session.push(event, now)
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
            self.end(session, "expired", CLOSE_LEFT, "")
        return over

    def end(self, session: Session, cause: EndCause, code: int = CLOSE_LEFT, reason: str = "") -> None:
        """The session is over; its connection is closed with ``code``. A second call does nothing."""
        if self._sessions.pop(session.id, None) is None:
            return
        if self._by_participant.get(session.grant.participant) is session:
            del self._by_participant[session.grant.participant]
        for topic in session.topics:
            self._drop_subscription(topic, session)
        sink, session.sink = session.sink, None
        if sink is not None:
            sink.close(code, reason)
        self._ended(session, cause)

    def _drop_subscription(self, topic: str, session: Session) -> None:
        subscribers = self._topics[topic]
        del subscribers[session.id]
        if not subscribers:
            del self._topics[topic]
            self._homes.pop(topic, None)
