"""A peer that sends anything in any order, a user who answers anything: nothing is raised, all is bounded, and all of it ends."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from confero.protocols.sip import (
    CancelIn,
    ClientKey,
    Refusal,
    Request,
    RequestIn,
    Response,
    SipError,
    Target,
    TransactionLayer,
    TransactionLimits,
    parse,
    response_to,
)

from .layers import Driven
from .messages import PEER, request, response

LIMITS = TransactionLimits(waiting=5, answered=6, clients=4, share=0.6)
SOURCES = [Target("udp", "192.0.2.1", 5060), Target("udp", "2001:db8::1", 5060), Target("tcp", "192.0.2.3", 4000, 3)]
VIAS = [
    "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-1",
    "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-2;rport",
    "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-out",
    "SIP/2.0/UDP 192.0.2.1",
    "SIP/2.0/TCP a;branch=z9hG4bK;received=1.2.3.4, SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-out",
]
incoming = st.builds(
    request,
    st.sampled_from(["INVITE", "INVITE", "ACK", "ACK", "CANCEL", "BYE", "OPTIONS", "STRANGE"]),
    via=st.sampled_from(VIAS),
    number=st.integers(1, 2),
    call_id=st.sampled_from(["1", "2", "3", "4", "5", "6", "7"]),
    from_tag=st.sampled_from(["alice", None]),
    to_tag=st.sampled_from([None, "us"]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), incoming, st.sampled_from(SOURCES)),
        st.tuples(st.just("answer"), incoming, st.sampled_from(SOURCES), st.integers(100, 699)),
        st.tuples(st.just("respond"), st.integers(0, 20), st.sampled_from([100, 180, 200, 404, 487])),
        st.tuples(st.just("dismiss"), st.integers(0, 20)),
        st.tuples(st.just("ask"), st.sampled_from(["INVITE", "BYE"]), st.sampled_from(SOURCES)),
        st.tuples(st.just("hear"), st.integers(0, 5), st.sampled_from([100, 180, 200, 302, 487, 503])),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("fail"), st.sampled_from([*SOURCES, SOURCES[2]._replace(port=5060, connection=None)])),
        st.tuples(st.just("wait"), st.sampled_from([0.0, 0.1, 0.5, 5.0, 32.0])),
    ),
    max_size=60,
)


class Play:
    """A layer between the two."""

    def __init__(self) -> None:
        self.layer = TransactionLayer(limits=LIMITS, random=Random(1))
        self.random = Random(2)
        self.now = 0.0
        self.requests: list[RequestIn] = []
        self.ours: list[Request] = []
        self.invites: list[ClientKey] = []

    def step(self, kind: str, *what: object) -> None:
        getattr(self, f"_{kind}")(*what)
        self.layer.take_outgoing()
        assert self.layer.waiting <= LIMITS.waiting
        # A CANCEL gets in beside them, one for each INVITE, and is answered at once.
        assert self.layer.servers <= LIMITS.waiting + LIMITS.answered
        assert self.layer.clients <= 2 * LIMITS.clients

    def _receive(self, message: Request | Response, source: Target) -> None:
        # Each time a message of its own: the layer writes into its Via.
        for event in self.layer.receive(parse(bytes(message)), source, self.now):
            if isinstance(event, RequestIn):
                self.requests.append(event)
            elif isinstance(event, CancelIn):
                assert event.key.method == "INVITE"

    def _answer(self, message: Request, source: Target, status: int) -> None:
        self._receive(response(message, status), source)

    def _respond(self, index: int, status: int) -> None:
        if index < len(self.requests):
            event = self.requests[index]
            self.layer.respond(event.key, response_to(event.request, status, to_tag="us"), self.now)

    def _dismiss(self, index: int) -> None:
        if index < len(self.requests):
            self.layer.dismiss(self.requests[index].key, Refusal(401), self.now)

    def _ask(self, method: str, target: Target) -> None:
        if self.layer.clients < LIMITS.clients:
            branch = f"z9hG4bK-{self.random.getrandbits(64)}"
            ours = request(method, branch=branch, call_id=branch)
            key = self.layer.request(ours, target, self.now)
            self.ours.append(ours)
            if method == "INVITE":
                self.invites.append(key)

    def _cancel(self, index: int) -> None:
        if index < len(self.invites):
            self.layer.cancel(self.invites[index], self.now)

    def _hear(self, index: int, status: int) -> None:
        if index < len(self.ours):
            self._receive(response(self.ours[index], status), PEER)

    def _fail(self, target: Target) -> None:
        self.layer.transport_error(target, self.now)

    def _wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (at := self.layer.next_deadline()) is not None and at <= until:
            self.now = max(self.now, at)
            self.layer.poll(self.now)
        self.now = until

    def end(self) -> None:
        """Everybody answers or hangs up, and time passes."""
        for index in range(len(self.requests)):
            self._respond(index, 404)
        for index in range(len(self.invites)):
            self._cancel(index)
        self._wait(200.0)


@given(steps)
@settings(max_examples=200, deadline=None)
def test_anything_in_any_order(script: list[tuple[str, object]]) -> None:
    play = Play()
    for step in script:
        play.step(*step)
    play.end()
    layer = play.layer
    assert (layer.clients, layer.servers, layer.waiting) == (0, 0, 0)
    assert layer.next_deadline() is None
    hub, incoming = layer._hub, layer._incoming
    assert hub._by_target == incoming._forks == incoming._old_acks == {}
    assert incoming._admission._sources == incoming._answered._sources == {} and len(incoming._answered) == 0


def test_what_could_not_be_parsed_is_answered_and_not_kept() -> None:
    driven = Driven()
    whole = bytes(request("INVITE"))
    for wrong, status in (
        (whole.replace(b"CSeq: 1", b"CSeq: x"), 400),
        (whole.replace(b"SIP/2.0\r", b"SIP/7.0\r", 1), 505),
    ):
        try:
            parse(wrong)
        except SipError as error:
            driven.layer.turn_away(error, PEER)
        ((sent, target),) = driven.layer.take_outgoing()
        assert isinstance(sent, Response) and (sent.status, target) == (status, PEER)
    assert driven.layer.servers == 0 and driven.layer.tally.malformed == 2


def test_what_cannot_be_answered_is_dropped() -> None:
    driven = Driven()
    whole = bytes(request("INVITE"))
    for wrong in (
        whole.replace(b"Via", b"Vie"),
        bytes(request("ACK")).replace(b"CSeq: 1", b"CSeq: x"),
        b"SIP/2.0 200 OK\r\n\r\n",
        b"\x00" * 20,
    ):
        try:
            parse(wrong)
        except SipError as error:
            driven.layer.turn_away(error, PEER)
        assert driven.layer.take_outgoing() == []
    assert driven.layer.tally.malformed == 4


def test_a_refusal_of_the_gate_is_no_transaction() -> None:
    driven = Driven(gate=lambda request, source, now: Refusal(403))
    driven.receive(request("INVITE"))
    assert driven.layer.servers == 0 and driven.take_wire() == [(0.0, "403 INVITE")]
