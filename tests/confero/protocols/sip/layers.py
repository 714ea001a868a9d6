"""A transaction layer on a clock of the test's, and what it sent and told, with times."""

from __future__ import annotations

from random import Random

from confero.protocols.sip.admission import TransactionLimits
from confero.protocols.sip.build import response_to
from confero.protocols.sip.events import ClientKey, Event, RequestIn, ServerKey
from confero.protocols.sip.hub import Gate, Refusal
from confero.protocols.sip.layer import TransactionLayer
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.target import Target
from confero.protocols.sip.timers import Timers

from .messages import PEER, short

START = 1000.0


class Driven:
    """Times are told from the start on."""

    def __init__(
        self, limits: TransactionLimits | None = None, gate: Gate | None = None, timers: Timers | None = None
    ) -> None:
        self.layer = TransactionLayer(timers or Timers(), limits or TransactionLimits(), random=Random(7), gate=gate)
        self.now = START
        self.wire: list[tuple[float, str]] = []
        self.sent: list[tuple[Request | Response, Target]] = []
        self.told: list[Event] = []
        self.told_at: list[float] = []

    def _note(self, events: list[Event]) -> list[Event]:
        for message, target in self.layer.take_outgoing():
            self.wire.append((round(self.now - START, 6), short(message)))
            self.sent.append((message, target))
        self.told += events
        self.told_at += [round(self.now - START, 6)] * len(events)
        return events

    def receive(self, message: Request | Response, source: Target = PEER) -> list[Event]:
        return self._note(self.layer.receive(message, source, self.now))

    def request(self, request: Request, target: Target = PEER) -> ClientKey:
        key = self.layer.request(request, target, self.now)
        self._note([])
        return key

    def cancel(self, key: ClientKey) -> ClientKey:
        cancel = self.layer.cancel(key, self.now)
        self._note([])
        return cancel

    def respond(self, to: RequestIn, status: int, tag: str = "us") -> None:
        self.say(to.key, response_to(to.request, status, to_tag=tag))

    def say(self, key: ServerKey, response: Response) -> None:
        self.layer.respond(key, response, self.now)
        self._note([])

    def dismiss(self, event: RequestIn, refusal: Refusal) -> None:
        self.layer.dismiss(event.key, refusal, self.now)
        self._note([])

    def fail(self, target: Target = PEER) -> list[Event]:
        return self._note(self.layer.transport_error(target, self.now))

    def run(self, seconds: float) -> list[Event]:
        """Lets time pass, and polls at each deadline and at no other time."""
        until = self.now + seconds
        events: list[Event] = []
        while (at := self.layer.next_deadline()) is not None and at <= until:
            assert at >= self.now
            self.now = at
            events += self._note(self.layer.poll(at))
        self.now = until
        return events

    def take_wire(self) -> list[tuple[float, str]]:
        wire, self.wire = self.wire, []
        return wire

    def opened(self, message: Request, source: Target = PEER) -> RequestIn:
        """Receives a request, which is a new one."""
        (event,) = self.receive(message, source)
        assert isinstance(event, RequestIn)
        return event
