"""The four machines: every arrow of figures 5-8 (RFC 3261, RFC 6026) is walked, and what has no arrow does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from confero.protocols.sip.client import INVITE_CLIENT, NON_INVITE_CLIENT
from confero.protocols.sip.events import ClientKey, Event, ResponseIn, ServerKey, StrayResponse
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.server import INVITE_SERVER, NON_INVITE_SERVER
from confero.protocols.sip.target import Target
from confero.protocols.sip.timers import INTERVALS, Timers, waits
from confero.protocols.sip.transaction import AnyMessage, Cause, Figure, Pace, State, Transaction

from .messages import PEER, PEER_TCP, request, response, short

FIGURES: dict[str, Figure[Any]] = {
    "INVITE client": INVITE_CLIENT,
    "non-INVITE client": NON_INVITE_CLIENT,
    "INVITE server": INVITE_SERVER,
    "non-INVITE server": NON_INVITE_SERVER,
}
CAUSES: tuple[Cause, ...] = ("request", "ack", "1xx", "2xx", "3xx-6xx", "not sent", "connection lost", *INTERVALS)
STATUS = {"1xx": 180, "2xx": 200, "3xx-6xx": 486}

WAYS: dict[str, dict[State, tuple[Cause, ...]]] = {
    "INVITE client": {"calling": (), "proceeding": ("1xx",), "accepted": ("2xx",), "completed": ("1xx", "3xx-6xx")},
    "non-INVITE client": {"trying": (), "proceeding": ("1xx",), "completed": ("2xx",)},
    "INVITE server": {
        "proceeding": ("1xx",),
        "accepted": ("2xx",),
        "completed": ("3xx-6xx",),
        "confirmed": ("3xx-6xx", "ack"),
    },
    "non-INVITE server": {"trying": (), "proceeding": ("1xx",), "completed": ("1xx", "2xx")},
}
"""How each state is reached, over UDP; over TCP the last of them pass in no time."""

ARROWS: list[tuple[str, State, Cause, State, list[str]]] = [
    # RFC 3261 figure 5 with RFC 6026 section 8.4
    ("INVITE client", "calling", "A", "calling", ["again INVITE"]),
    ("INVITE client", "calling", "B", "terminated", ["TimedOut"]),
    ("INVITE client", "calling", "not sent", "terminated", ["TransportFailed"]),
    ("INVITE client", "calling", "connection lost", "terminated", ["TransportFailed"]),
    ("INVITE client", "calling", "1xx", "proceeding", ["ResponseIn 180"]),
    ("INVITE client", "calling", "2xx", "accepted", ["ResponseIn 200"]),
    ("INVITE client", "calling", "3xx-6xx", "completed", ["send ACK", "ResponseIn 486"]),
    ("INVITE client", "proceeding", "1xx", "proceeding", ["ResponseIn 180"]),
    ("INVITE client", "proceeding", "2xx", "accepted", ["ResponseIn 200"]),
    ("INVITE client", "proceeding", "3xx-6xx", "completed", ["send ACK", "ResponseIn 486"]),
    ("INVITE client", "proceeding", "cancelled", "terminated", ["TimedOut"]),
    ("INVITE client", "proceeding", "connection lost", "terminated", ["TransportFailed"]),
    ("INVITE client", "accepted", "2xx", "accepted", ["StrayResponse 200"]),
    ("INVITE client", "accepted", "M", "terminated", []),
    ("INVITE client", "completed", "3xx-6xx", "completed", ["again ACK"]),
    ("INVITE client", "completed", "D", "terminated", []),
    ("INVITE client", "completed", "not sent", "terminated", []),
    ("INVITE client", "completed", "connection lost", "terminated", []),
    # figure 6
    ("non-INVITE client", "trying", "E", "trying", ["again OPTIONS"]),
    ("non-INVITE client", "trying", "F", "terminated", ["TimedOut"]),
    ("non-INVITE client", "trying", "not sent", "terminated", ["TransportFailed"]),
    ("non-INVITE client", "trying", "connection lost", "terminated", ["TransportFailed"]),
    ("non-INVITE client", "trying", "1xx", "proceeding", ["ResponseIn 180"]),
    ("non-INVITE client", "trying", "2xx", "completed", ["ResponseIn 200"]),
    ("non-INVITE client", "trying", "3xx-6xx", "completed", ["ResponseIn 486"]),
    ("non-INVITE client", "proceeding", "E", "proceeding", ["again OPTIONS"]),
    ("non-INVITE client", "proceeding", "F", "terminated", ["TimedOut"]),
    ("non-INVITE client", "proceeding", "not sent", "terminated", ["TransportFailed"]),
    ("non-INVITE client", "proceeding", "connection lost", "terminated", ["TransportFailed"]),
    ("non-INVITE client", "proceeding", "1xx", "proceeding", ["ResponseIn 180"]),
    ("non-INVITE client", "proceeding", "2xx", "completed", ["ResponseIn 200"]),
    ("non-INVITE client", "proceeding", "3xx-6xx", "completed", ["ResponseIn 486"]),
    ("non-INVITE client", "completed", "K", "terminated", []),
    # figure 7 with RFC 6026 section 8.5
    ("INVITE server", "proceeding", "trying", "proceeding", ["send 100 INVITE"]),
    ("INVITE server", "proceeding", "request", "proceeding", ["again 180 INVITE"]),
    ("INVITE server", "proceeding", "1xx", "proceeding", ["send 180 INVITE"]),
    ("INVITE server", "proceeding", "2xx", "accepted", ["send 200 INVITE"]),
    ("INVITE server", "proceeding", "3xx-6xx", "completed", ["send 486 INVITE"]),
    ("INVITE server", "proceeding", "not sent", "proceeding", ["TransportFailed"]),
    ("INVITE server", "proceeding", "connection lost", "proceeding", ["TransportFailed"]),
    ("INVITE server", "accepted", "2xx", "accepted", ["send 200 INVITE"]),
    ("INVITE server", "accepted", "not sent", "accepted", ["TransportFailed"]),
    ("INVITE server", "accepted", "connection lost", "accepted", ["TransportFailed"]),
    ("INVITE server", "accepted", "L", "terminated", []),
    ("INVITE server", "completed", "request", "completed", ["again 486 INVITE"]),
    ("INVITE server", "completed", "G", "completed", ["again 486 INVITE"]),
    ("INVITE server", "completed", "ack", "confirmed", []),
    ("INVITE server", "completed", "not sent", "completed", ["TransportFailed"]),
    ("INVITE server", "completed", "connection lost", "completed", ["TransportFailed"]),
    ("INVITE server", "completed", "H", "terminated", ["TimedOut"]),
    ("INVITE server", "confirmed", "I", "terminated", []),
    # figure 8
    ("non-INVITE server", "trying", "1xx", "proceeding", ["send 180 OPTIONS"]),
    ("non-INVITE server", "trying", "2xx", "completed", ["send 200 OPTIONS"]),
    ("non-INVITE server", "trying", "3xx-6xx", "completed", ["send 486 OPTIONS"]),
    ("non-INVITE server", "trying", "unanswered", "terminated", ["TimedOut"]),
    ("non-INVITE server", "proceeding", "request", "proceeding", ["again 180 OPTIONS"]),
    ("non-INVITE server", "proceeding", "1xx", "proceeding", ["send 180 OPTIONS"]),
    ("non-INVITE server", "proceeding", "2xx", "completed", ["send 200 OPTIONS"]),
    ("non-INVITE server", "proceeding", "3xx-6xx", "completed", ["send 486 OPTIONS"]),
    ("non-INVITE server", "proceeding", "not sent", "terminated", ["TransportFailed"]),
    ("non-INVITE server", "proceeding", "connection lost", "terminated", ["TransportFailed"]),
    ("non-INVITE server", "proceeding", "unanswered", "terminated", ["TimedOut"]),
    ("non-INVITE server", "completed", "request", "completed", ["again 200 OPTIONS"]),
    ("non-INVITE server", "completed", "not sent", "terminated", ["TransportFailed"]),
    ("non-INVITE server", "completed", "connection lost", "terminated", ["TransportFailed"]),
    ("non-INVITE server", "completed", "J", "terminated", []),
]
IDS = [f"{name}: {state}, {cause}" for name, state, cause, _, _ in ARROWS]


class Bench:
    """One machine, and a record of what it does."""

    def __init__(self, name: str, target: Target = PEER) -> None:
        self.seen: list[str] = []
        self.ends = 0
        self._target = target
        client = name.endswith("client")
        self.request = request("OPTIONS" if "non-" in name else "INVITE")
        key = ClientKey("b", "m") if client else ServerKey("b", "h", "m")
        self.machine: Transaction[Any] = Transaction(key, self.request, target, FIGURES[name], self, self._ended)
        self.machine.last = self.request if client else None
        self.machine.start(0.0)

    def pace(self, target: Target) -> Pace:
        return Pace(waits(Timers(), reliable=target.reliable), Timers().t2)

    def send(self, message: AnyMessage, target: Target) -> None:
        assert target == self._target
        self.seen.append(f"send {short(message)}")

    def send_again(self, message: AnyMessage, target: Target) -> None:
        assert target == self._target
        self.seen.append(f"again {short(message)}")

    def emit(self, event: Event) -> None:
        status = f" {event.response.status}" if isinstance(event, ResponseIn | StrayResponse) else ""
        self.seen.append(type(event).__name__ + status)

    def schedule(self, at: float, item: object) -> None:
        assert item is self.machine and at in (self.machine.again_at, self.machine.ends_at)

    def _ended(self, machine: Transaction[Any]) -> None:
        assert machine.state == "terminated"
        self.ends += 1

    def cause(self, cause: Cause, now: float = 0.0) -> list[str]:
        """What the machine does for it."""
        self.seen.clear()
        message: Request | Response | None = self.request if cause in ("request", "ack") else None
        if cause in STATUS:
            message = response(self.request, STATUS[cause])
        self.machine.take(cause, now, message)
        return self.seen


def at(name: str, state: State, target: Target = PEER) -> Bench:
    bench = Bench(name, target)
    for cause in WAYS[name][state]:
        bench.cause(cause)
    assert bench.machine.state == state
    return bench


@pytest.mark.parametrize(("name", "state", "cause", "after", "seen"), ARROWS, ids=IDS)
def test_each_arrow(name: str, state: State, cause: Cause, after: State, seen: list[str]) -> None:
    bench = at(name, state)
    assert bench.cause(cause) == seen
    assert bench.machine.state == after
    assert bench.ends == (after == "terminated")


@pytest.mark.parametrize("name", FIGURES)
def test_there_are_no_arrows_but_these(name: str) -> None:
    arrows = {(state, cause) for figure, state, cause, _, _ in ARROWS if figure == name}
    figure = FIGURES[name]
    assert {(state, cause) for state, row in figure.arrows.items() for cause in row} == arrows
    for state in WAYS[name]:
        for cause in CAUSES:
            if (state, cause) not in arrows:
                bench = at(name, state)
                assert bench.cause(cause) == [], (state, cause)
                assert (bench.machine.state, bench.ends) == (state, 0)


@pytest.mark.parametrize(
    ("name", "cause", "seen"),
    [
        ("INVITE client", "3xx-6xx", ["send ACK", "ResponseIn 486"]),
        ("non-INVITE client", "2xx", ["ResponseIn 200"]),
        ("non-INVITE client", "3xx-6xx", ["ResponseIn 486"]),
        ("non-INVITE server", "2xx", ["send 200 OPTIONS"]),
    ],
)
def test_over_reliable_transports_nothing_lingers_that_cannot_come_twice(
    name: str, cause: Cause, seen: list[str]
) -> None:
    bench = Bench(name, PEER_TCP)
    assert bench.cause(cause) == seen
    assert (bench.machine.state, bench.ends) == ("terminated", 1)


def test_an_ack_over_tcp_ends_the_transaction() -> None:
    bench = Bench("INVITE server", PEER_TCP)
    bench.cause("3xx-6xx")
    assert bench.cause("ack") == []
    assert bench.machine.state == "terminated"


@pytest.mark.parametrize(("name", "state"), [(name, state) for name, states in WAYS.items() for state in states])
@pytest.mark.parametrize("target", [PEER, PEER_TCP], ids=["udp", "tcp"])
def test_which_timers_run_in_which_state(name: str, state: State, target: Target) -> None:
    bench = Bench(name, target)
    for cause in WAYS[name][state]:
        bench.cause(cause)
    again, ends = RUNNING[name, state]
    if target.reliable and again != "trying":
        again = None
    machine = bench.machine
    if machine.state == "terminated":
        assert target.reliable and ends in ("D", "I", "J", "K")
        assert machine.again_at is machine.ends_at is None
        return
    assert (machine.again if machine.again_at is not None else None) == again
    assert (machine.ends if machine.ends_at is not None else None) == ends


RUNNING: dict[tuple[str, State], tuple[str | None, str | None]] = {
    ("INVITE client", "calling"): ("A", "B"),
    ("INVITE client", "proceeding"): (None, None),
    ("INVITE client", "accepted"): (None, "M"),
    ("INVITE client", "completed"): (None, "D"),
    ("non-INVITE client", "trying"): ("E", "F"),
    ("non-INVITE client", "proceeding"): ("E", "F"),
    ("non-INVITE client", "completed"): (None, "K"),
    ("INVITE server", "proceeding"): (None, None),  # 180 has been sent: no 100 is due
    ("INVITE server", "accepted"): (None, "L"),
    ("INVITE server", "completed"): ("G", "H"),
    ("INVITE server", "confirmed"): (None, "I"),
    ("non-INVITE server", "trying"): (None, "unanswered"),
    ("non-INVITE server", "proceeding"): (None, "unanswered"),
    ("non-INVITE server", "completed"): (None, "J"),
}
