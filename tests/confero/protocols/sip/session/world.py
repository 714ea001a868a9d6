"""Two endpoints, each a session on a transaction layer, on a network that loses, repeats and reorders; by one clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Any

from confero.errors import LocalError
from confero.protocols.sip import Request, new_branch, parse
from confero.protocols.sip.dialog import tag_of
from confero.protocols.sip.events import AckIn, CancelIn, ClientKey, RequestIn, ResponseIn, StrayResponse, TimedOut
from confero.protocols.sip.layer import TransactionLayer
from confero.protocols.sip.session import (
    Action,
    Answer,
    Cancel,
    Ended,
    InviteSession,
    Offer,
    OfferDue,
    OfferRefused,
    OfferWanted,
    OfferWithdrawn,
    Respond,
    SendAck,
    SendRequest,
    SessionConfig,
    Transfer,
)
from confero.protocols.sip.target import Target

from .line import sdp


@dataclass
class Weather:
    """What the network does until ``clear_at``; after it every message arrives once, in order."""

    loss: float = 0.0
    twice: float = 0.0
    delay: float = 0.02
    jitter: float = 0.0
    clear_at: float = 60.0


@dataclass
class Habits:
    """How an owner deals with what the peer wants."""

    answers_after: float | None = 0.1
    """None: never."""
    refuses: bool = False


@dataclass
class Side:
    """An endpoint with room for one call."""

    name: str
    config: SessionConfig
    layer: TransactionLayer
    habits: Habits
    session: InviteSession | None = None
    refs: dict[ClientKey, int] = field(default_factory=dict)
    keys: dict[int, ClientKey] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    """CSeq of the requests that it sent, but ACK and CANCEL."""
    told: list[Any] = field(default_factory=list)
    offers: int = 0
    open_offer: bool = False
    """The owner has an offer of the peer before it."""


class World:
    """``judge`` is called after each step with the side that something happened at."""

    def __init__(self, seed: int, weather: Weather, a: Habits, b: Habits, *, delayed: bool = False) -> None:
        self.random = Random(seed)
        self.weather = weather
        self.now = 0.0
        self.a = Side("a", config("a"), TransactionLayer(random=Random(1)), a)
        self.b = Side("b", config("b"), TransactionLayer(random=Random(2)), b)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0
        self._offer_name = 0
        session, actions = InviteSession.call(
            self.a.config,
            "sip:b@192.0.2.2",
            "<sip:a@192.0.2.1>",
            0.0,
            random=self.random,
            sdp=None if delayed else self.description(),
        )
        self.a.session = session
        self._act(self.a, actions)

    def description(self) -> str:
        self._offer_name += 1
        return sdp(f"d{self._offer_name}")

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        self._serial += 1
        heappush(self._events, (self.now + seconds, self._serial, what))

    # -- the owners --

    def plan(self, at: float, side: Side, deed: Callable[[InviteSession], Any]) -> None:
        """At this time the owner does something, if it may."""
        self.later(at, lambda: self._try(side, deed))

    def _try(self, side: Side, deed: Callable[[InviteSession], Any]) -> None:
        if side.session is None:
            return
        try:
            actions = deed(side.session)
        except LocalError:
            return
        self._act(side, actions[1] if isinstance(actions, tuple) else actions)

    def _act(self, side: Side, actions: list[Action]) -> None:
        for action in actions:
            self._do(side, action)

    def _do(self, side: Side, action: Action) -> None:
        there = Target("udp", "192.0.2.2" if side is self.a else "192.0.2.1", 5060)
        match action:
            case SendRequest(ref, request):
                side.numbers.append(request.cseq.number)
                self._put_via(side, request)
                key = side.layer.request(request, there, self.now)
                side.refs[key], side.keys[ref] = ref, key
            case SendAck(request):
                self._put_via(side, request)
                side.layer.send(request, there)
            case Respond(key, response):
                side.layer.respond(key, response, self.now)  # type: ignore[arg-type]
            case Cancel(ref):
                side.layer.cancel(side.keys[ref], self.now)
            case _:
                side.told.append(action)
                self._tell(side, action)

    def _put_via(self, side: Side, request: Request) -> None:
        host = "192.0.2.1" if side is self.a else "192.0.2.2"
        request.headers.prepend("Via", f"SIP/2.0/UDP {host}:5060;branch={new_branch(self.random)}")

    def _tell(self, side: Side, event: Any) -> None:
        """What each owner does by itself, and what it may expect of the order of what it is told."""
        match event:
            case Offer():
                assert not side.open_offer, "a second offer while one is open"
                side.open_offer = True
                self._answer_later(side, event.fork)
            case OfferWanted():
                assert not side.open_offer
                side.open_offer = True
                self._offer_later(side)
            case OfferWithdrawn() | Ended():
                side.open_offer = False
            case OfferDue():
                self.plan(0.0, side, lambda it: it.offer(self.description(), self.now))
            case Transfer(id=id):
                self.plan(0.2, side, lambda it: it.accept_transfer(id, self.now))
                self.plan(3.0, side, lambda it: it.transfer_progress(id, 200, "OK", self.now))
            case Answer() | OfferRefused():
                pass

    def _answer_later(self, side: Side, fork: str) -> None:
        after = side.habits.answers_after
        if after is None:
            return

        def deed(it: InviteSession) -> list[Action]:
            actions = it.refuse(self.now) if side.habits.refuses else it.answer(self.description(), self.now, fork)
            side.open_offer = False
            return actions

        self.plan(after, side, deed)

    def _offer_later(self, side: Side) -> None:
        def deed(it: InviteSession) -> list[Action]:
            side.open_offer = False
            return it.offer(self.description(), self.now)

        if side.habits.answers_after is not None:
            self.plan(side.habits.answers_after, side, deed)

    # -- the layers --

    def _told(self, side: Side, event: Any) -> None:
        it = side.session
        match event:
            case RequestIn(key, request, _) if not tag_of(request.to):
                assert request.method == "INVITE" and it is None
                side.session, actions = InviteSession.incoming(side.config, key, request, self.now, random=self.random)
                self._act(side, actions)
            case RequestIn(key, request, _) if it is not None:
                self._act(side, it.request(key, request, self.now))
            case AckIn(request, _) if it is not None:
                self._act(side, it.ack(request, self.now))
            case CancelIn(key, request) if it is not None:
                self._act(side, it.cancelled(key, request, self.now))
            case ResponseIn(key, response, _) if it is not None and key in side.refs:
                self._act(side, it.response(side.refs[key], response, self.now))
            case StrayResponse(response, _) if it is not None:
                self._act(side, it.stray(response, self.now))
            case TimedOut(key) if it is not None and key in side.refs:
                self._act(side, it.timed_out(side.refs[key], self.now))

    # -- time and the network --

    def run(self, until: float) -> None:
        while True:
            for side in (self.a, self.b):
                for message, _ in side.layer.take_outgoing():
                    self._throw(bytes(message), side)
            at = min(self._times(), default=None)
            if at is None or at > until:
                self.now = until
                return
            self.now = max(self.now, at)
            while self._events and self._events[0][0] <= self.now:
                heappop(self._events)[2]()
            for side in (self.a, self.b):
                for event in side.layer.poll(self.now):
                    self._told(side, event)
                if side.session is not None:
                    self._act(side, side.session.poll(self.now))

    def _times(self) -> list[float]:
        sides = (self.a, self.b)
        times = [side.layer.next_deadline() for side in sides]
        times += [side.session.next_deadline() for side in sides if side.session is not None]
        times += [self._events[0][0]] if self._events else []
        return [at for at in times if at is not None]

    def _throw(self, data: bytes, side: Side) -> None:
        to = self.b if side is self.a else self.a
        source = Target("udp", "192.0.2.1" if side is self.a else "192.0.2.2", 5060)
        weather = self.weather
        if self.now >= weather.clear_at:
            self.later(weather.delay, lambda: self._land(data, to, source))
            return
        if self.random.random() < weather.loss:
            return
        for _ in range(1 + (self.random.random() < weather.twice)):
            self.later(weather.delay + weather.jitter * self.random.random(), lambda: self._land(data, to, source))

    def _land(self, data: bytes, to: Side, source: Target) -> None:
        for event in to.layer.receive(parse(data), source, self.now):
            self._told(to, event)


def config(name: str) -> SessionConfig:
    """The shortest session timer that there is, so that the dead are found soon."""
    number = 1 if name == "a" else 2
    return SessionConfig(f"<sip:{name}@192.0.2.{number}>", session_expires=90)
