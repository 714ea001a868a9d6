"""Two transaction layers and their users on a network that loses, repeats and reorders, by one clock and one random source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

from confero.protocols.sip.build import response_to
from confero.protocols.sip.events import (
    AckIn,
    CancelIn,
    ClientKey,
    Event,
    RequestIn,
    ResponseIn,
    ServerKey,
    StrayResponse,
    TimedOut,
    TransportFailed,
)
from confero.protocols.sip.layer import TransactionLayer
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.parser import parse
from confero.protocols.sip.target import Target

from .messages import request


@dataclass
class Weather:
    """What the network does to a message."""

    loss: float = 0.0
    twice: float = 0.0
    delay: float = 0.02
    jitter: float = 0.0
    dark: tuple[float, float] = (0.0, 0.0)
    """From when to when everything is lost."""


@dataclass
class Plan:
    """What is asked, and how the other side's user behaves. Times in seconds."""

    method: str
    status: int
    at: float = 0.0
    answer_after: float = 0.0
    ring: bool = False
    cancel_after: float | None = None


@dataclass
class Outcome:
    """What the asking user was told."""

    finals: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    ended_at: float = 0.0
    acked: bool = False


class World:
    """``a`` asks, ``b`` answers. A user repeats its 2xx until the ACK comes, and acknowledges each 2xx (13.3.1.4, 13.2.2.4)."""

    def __init__(self, seed: int, weather: Weather, transport: str = "udp") -> None:
        self.random = Random(seed)
        self.weather = weather
        self.now = 0.0
        self.here = Target(transport, "192.0.2.1", 5060)  # type: ignore[arg-type]
        self.there = Target(transport, "192.0.2.2", 5060)  # type: ignore[arg-type]
        self.a = TransactionLayer(random=Random(1))
        self.b = TransactionLayer(random=Random(2))
        self.outcomes: dict[ClientKey, Outcome] = {}
        self.plans: dict[str, Plan] = {}
        self.requests: dict[str, Request] = {}
        self.asked_twice: list[ServerKey] = []
        self.unacknowledged: dict[str, tuple[ServerKey, Response]] = {}
        self.invites: dict[ServerKey, Request] = {}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0
        self._seen: set[ServerKey] = set()

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        self._serial += 1
        heappush(self._events, (self.now + seconds, self._serial, what))

    def ask(self, number: int, plan: Plan) -> None:
        call_id = f"call-{number}"
        self.plans[call_id] = plan
        self.later(plan.at, lambda: self._start(number, call_id, plan))

    def _start(self, number: int, call_id: str, plan: Plan) -> None:
        via = f"SIP/2.0/{self.here.transport.upper()} {self.here.host};branch=z9hG4bK-{number}"
        message = request(plan.method, via=via, call_id=call_id)
        self.requests[call_id] = message
        key = self.a.request(message, self.there, self.now)
        self.outcomes[key] = Outcome()
        if plan.cancel_after is not None and plan.method == "INVITE":
            self.later(plan.cancel_after, lambda: void(self.a.cancel(key, self.now)))

    # -- the asking user --

    def _told_a(self, event: Event) -> None:
        if isinstance(event, ResponseIn):
            outcome = self.outcomes.get(event.key)
            if outcome is not None and event.response.status >= 200:
                outcome.finals.append(event.response.status)
                outcome.ended_at = self.now
                self._acknowledge(event.response)
        elif isinstance(event, StrayResponse):
            self._acknowledge(event.response)
        elif isinstance(event, TimedOut | TransportFailed):
            assert isinstance(event.key, ClientKey)
            outcome = self.outcomes.get(event.key)
            if outcome is not None:
                outcome.failures.append(type(event).__name__)
                outcome.ended_at = self.now

    def _acknowledge(self, response: Response) -> None:
        if response.cseq.method == "INVITE" and response.status // 100 == 2:
            via = f"SIP/2.0/UDP {self.here.host};branch=z9hG4bK-ack-{response.call_id}-{self._serial}"
            self.a.send(request("ACK", via=via, call_id=response.call_id, to_tag="b"), self.there)

    # -- the answering user --

    def _told_b(self, event: Event) -> None:
        if isinstance(event, RequestIn):
            if event.key in self._seen:
                self.asked_twice.append(event.key)
            self._seen.add(event.key)
            self.invites[event.key] = event.request
            plan = self.plans[event.request.call_id]
            if plan.ring:
                self.b.respond(event.key, response_to(event.request, 180, to_tag="b"), self.now)
            self.later(plan.answer_after, lambda: self._answer(event.key, event.request, plan.status))
        elif isinstance(event, AckIn):
            self.unacknowledged.pop(event.request.call_id, None)
        elif isinstance(event, CancelIn):
            self._answer(event.key, self.invites[event.key], 487)

    def _answer(self, key: ServerKey, message: Request, status: int) -> None:
        if self.invites.pop(key, None) is None:
            return
        response = response_to(message, status, to_tag="b")
        self.b.respond(key, response, self.now)
        if message.method == "INVITE" and status < 300:
            self.unacknowledged[message.call_id] = (key, response)
            self._repeat(message.call_id, 0.5, self.now + 32.0)

    def _repeat(self, call_id: str, wait: float, until: float) -> None:
        def again() -> None:
            waiting = self.unacknowledged.get(call_id)
            if waiting is not None and self.now < until:
                self.b.respond(*waiting, self.now)
                self._repeat(call_id, min(2 * wait, 4.0), until)

        self.later(wait, again)

    # -- the network --

    def run(self) -> None:
        """Until nothing happens any more."""
        while True:
            self._carry()
            times = [self._events[0][0]] if self._events else []
            times += [at for at in (self.a.next_deadline(), self.b.next_deadline()) if at is not None]
            if not times:
                return
            self.now = max(self.now, min(times))
            while self._events and self._events[0][0] <= self.now:
                heappop(self._events)[2]()
            for event in self.a.poll(self.now):
                self._told_a(event)
            for event in self.b.poll(self.now):
                self._told_b(event)

    def _carry(self) -> None:
        for layer, source in ((self.a, self.here), (self.b, self.there)):
            for message, _ in layer.take_outgoing():
                self._throw(bytes(message), source)

    def _throw(self, data: bytes, source: Target) -> None:
        weather = self.weather
        if source.transport != "udp":
            self.later(weather.delay, lambda: self._land(data, source))
            return
        dark = weather.dark[0] <= self.now < weather.dark[1]
        if dark or self.random.random() < weather.loss:
            return
        for _ in range(1 + (self.random.random() < weather.twice)):
            self.later(weather.delay + weather.jitter * self.random.random(), lambda: self._land(data, source))

    def _land(self, data: bytes, source: Target) -> None:
        message = parse(data)
        if source == self.here:
            for event in self.b.receive(message, source, self.now):
                self._told_b(event)
        else:
            for event in self.a.receive(message, source, self.now):
                self._told_a(event)


def void(_: object) -> None:
    """For what is called for its effect in a lambda."""
