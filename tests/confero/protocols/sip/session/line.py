"""Two sessions and the wire between them: each message is seen, and delivered, lost or repeated as the test says."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from confero.protocols.sip import Request, Response, cancel_for, parse
from confero.protocols.sip.dialog import tag_of
from confero.protocols.sip.session import (
    Action,
    Cancel,
    InviteSession,
    Respond,
    SendAck,
    SendRequest,
    SessionConfig,
)

E = TypeVar("E")
MOST = 500
"""Deliveries until the two are taken for talking in circles."""


def sdp(text: str) -> str:
    """A description that is told from others by its name."""
    return f"v=0\r\no={text} 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 0\r\n"


def name_of(body: bytes | str) -> str:
    """What ``sdp`` was given."""
    text = body.decode() if isinstance(body, bytes) else body
    return text.partition("o=")[2].split(" ")[0]


def label(message: Request | Response) -> str:
    """``INVITE``, ``200 INVITE``; with the name of the description, if there is one: ``200 INVITE[answer]``."""
    what = message.method if isinstance(message, Request) else f"{message.status} {message.cseq.method}"
    return f"{what}[{name_of(message.body)}]" if message.content_type == "application/sdp" else what


@dataclass
class End:
    """One side: a session, what it told its owner, and the part of a transaction layer that no wire needs."""

    name: str
    config: SessionConfig
    session: InviteSession | None = None
    told: list[Any] = field(default_factory=list)
    refs: dict[tuple[str, int, str], int] = field(default_factory=dict)
    """By branch, CSeq and method: which request a response is for."""
    sent: dict[int, Request] = field(default_factory=dict)
    finals: set[tuple[str, int, str]] = field(default_factory=set)
    keys: dict[tuple[str, str], Any] = field(default_factory=dict)

    def last(self, kind: type[E]) -> E:
        """The last event of a kind; it is taken out, so that the next is a new one."""
        found = next(event for event in reversed(self.told) if isinstance(event, kind))
        self.told.remove(found)
        return found

    def has(self, kind: type[Any]) -> bool:
        return any(isinstance(event, kind) for event in self.told)

    @property
    def it(self) -> InviteSession:
        assert self.session is not None
        return self.session


@dataclass
class Flying:
    """A message under way."""

    to: End
    data: bytes
    label: str


class Line:
    """A calls, B is called. ``do`` takes the actions of a call on one of the sessions."""

    def __init__(self, a: SessionConfig | None = None, b: SessionConfig | None = None, seed: int = 1) -> None:
        self.now = 1000.0
        self.random = random.Random(seed)
        self.a = End("A", a or SessionConfig("<sip:a@192.0.2.1>"))
        self.b = End("B", b or SessionConfig("<sip:b@192.0.2.2>"))
        self.flight: list[Flying] = []
        self.trace: list[str] = []
        self._branches = itertools.count()
        self.authorize: Callable[[Request, Response], Any] = lambda request, response: None
        self.invite_headers: list[tuple[str, str]] = []

    # -- the owners --

    def call(self, text: str | None = "offer") -> None:
        """A calls B."""
        self.a.session, actions = InviteSession.call(
            self.a.config,
            "sip:b@192.0.2.2",
            "<sip:a@192.0.2.1>",
            self.now,
            random=self.random,
            sdp=None if text is None else sdp(text),
            headers=self.invite_headers,
            authorize=self.authorize,
        )
        self.do(self.a, actions)

    def establish(self, offer: str | None = "offer", answer: str = "answer") -> None:
        """A running call; the trace begins after it."""
        self.call(offer)
        self.run()
        self.do(self.b, self.b.it.accept(self.now, sdp(answer)))
        self.run()
        self.trace.clear()
        self.a.told.clear()
        self.b.told.clear()

    def do(self, end: End, actions: list[Action]) -> None:
        for action in actions:
            self._do(end, action)

    def _do(self, end: End, action: Action) -> None:
        match action:
            case SendRequest(ref, request):
                branch = self._send(end, request)
                end.sent[ref] = request
                end.refs[branch, request.cseq.number, request.method] = ref
            case SendAck(request):
                self._send(end, request)
            case Respond(_, response):
                self._fly(end, response)
            case Cancel(ref):
                self._fly(end, cancel_for(end.sent[ref]))
            case _:
                end.told.append(action)

    def _send(self, end: End, request: Request) -> str:
        branch = f"z9hG4bK{next(self._branches)}"
        request.headers.prepend("Via", f"SIP/2.0/UDP {end.name.lower()}.invalid;branch={branch}")
        self._fly(end, request)
        return branch

    def _fly(self, end: End, message: Request | Response) -> None:
        to = self.b if end is self.a else self.a
        self.trace.append(f"{end.name} {label(message)}")
        self.flight.append(Flying(to, bytes(message), label(message)))

    # -- the wire --

    def run(self) -> None:
        """Delivers until nothing is under way."""
        for _ in range(MOST):
            if not self.flight:
                return
            self._arrive(self.flight.pop(0))
        raise AssertionError("they talk in circles: " + ", ".join(self.trace[-12:]))

    def take(self, text: str) -> Flying:
        """Takes the first message with this label off the wire: to lose it, or to let it ``arrive`` later."""
        found = next((flying for flying in self.flight if flying.label == text), None)
        assert found is not None, f"{text} is not under way: {[flying.label for flying in self.flight]}"
        self.flight.remove(found)
        return found

    def deliver(self, *texts: str) -> None:
        """These messages arrive, in this order; all others stay under way."""
        for text in texts:
            self._arrive(self.take(text))

    def arrive(self, flying: Flying) -> None:
        self._arrive(flying)

    def _arrive(self, flying: Flying) -> None:
        message = parse(flying.data)
        if isinstance(message, Response):
            self._response(flying.to, message)
        else:
            self._request(flying.to, message)

    def _response(self, end: End, response: Response) -> None:
        key = response.top_via.branch, response.cseq.number, response.cseq.method
        ref = end.refs.get(key)
        if ref is None:
            return
        if key in end.finals:
            if response.cseq.method == "INVITE" and response.status // 100 == 2:
                self.do(end, end.it.stray(response, self.now))
            return
        if response.status >= 200:
            end.finals.add(key)
        self.do(end, end.it.response(ref, response, self.now))

    def _request(self, end: End, request: Request) -> None:
        branch = request.top_via.branch
        if request.method == "ACK":
            self.do(end, end.it.ack(request, self.now))
        elif request.method == "CANCEL":
            self.do(end, end.it.cancelled((branch, "INVITE"), request, self.now))
        elif request.method == "INVITE" and not tag_of(request.to):
            end.session, actions = InviteSession.incoming(
                end.config, (branch, "INVITE"), request, self.now, random=self.random
            )
            self.do(end, actions)
        else:
            self.do(end, end.it.request((branch, request.method), request, self.now))

    # -- time --

    def advance(self, seconds: float) -> None:
        """Time passes; what is due happens, and whatever is sent arrives at once."""
        until = self.now + seconds
        self.run()
        while True:
            due = [(end.it.next_deadline(), end.name) for end in (self.a, self.b) if end.session is not None]
            at = min((at for at, _ in due if at is not None), default=None)
            if at is None or at > until:
                break
            self.now = max(self.now, at)
            for end in (self.a, self.b):
                if end.session is not None:
                    self.do(end, end.it.poll(self.now))
            self.run()
        self.now = until

    def tick(self, seconds: float) -> None:
        """Time passes, and nothing arrives: each side does what is due by its own clock."""
        until = self.now + seconds
        for end in (self.a, self.b):
            while end.session is not None and (at := end.it.next_deadline()) is not None and at <= until:
                self.now = max(self.now, at)
                self.do(end, end.it.poll(self.now))
        self.now = until
