"""The bridge: what the machine wants is done in order, and what the data path has no room for is not said to have been done."""

from __future__ import annotations

import socket
from typing import Any, cast

import pytest

from confero.protocols.stun import MD5, Integrity
from confero.protocols.turn import TCP, UDP, Client, Server, actions
from confero.protocols.turn.allocation import Allocation, Lease
from confero.protocols.turn.auth import Proven
from confero.relay import Client as Flow
from confero.relay import Closed, Disconnected, Event, NotStun, RelayBusy, RelayFull, Request, Traffic, UnknownFlow
from confero.turn.bridge import SOON_S, Bridge
from confero.turn.ports import RelayPorts, bind_socket

from ..support.waiting import until

CLIENT = Client("udp", ("192.0.2.1", 4000), ("198.51.100.1", 14_049))
OTHER = Client("udp", ("192.0.2.2", 4000), ("198.51.100.1", 14_049))
PEER = ("198.51.100.9", 6000)
NOW = 1000.0


class Path:
    """A data path that notes what it is told; ``failing`` calls raise once."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []
        self.waiting: list[Event] = []
        self.failing: dict[str, Exception] = {}
        self._number = 70

    def _note(self, name: str, *about: Any) -> None:
        failure = self.failing.pop(name, None)
        if failure is not None:
            raise failure
        self.said.append((name, *about))

    def events(self) -> list[Event]:
        waiting, self.waiting = self.waiting, []
        return waiting

    def reply(self, client: Any, data: bytes) -> None:
        self._note("reply", client, data)

    def open(self, client: Any, until: float, *, relay4: int | None, relay6: int | None, bytes_per_second: int) -> int:
        self._note("open", client, relay4 is not None, relay6 is not None)
        self._number += 1
        return self._number

    def refresh(self, allocation: int, until: float) -> None:
        self._note("refresh", allocation, until)

    def permit(self, allocation: int, host: str, until: float, ports: Any) -> None:
        self._note("permit", allocation, host, until, tuple(ports))

    def bind(self, allocation: int, channel: int, peer: tuple[str, int], until: float) -> None:
        self._note("bind", allocation, channel, peer, until)

    def withdraw(self, allocation: int, version: int) -> None:
        self._note("withdraw", allocation, version)

    def join(self, connection: int, fd: int, said: bytes, allocation: int) -> None:
        self._note("join", connection, said, allocation)
        socket.socket(fileno=fd).close()

    def close_allocation(self, allocation: int) -> None:
        self._note("close", allocation)

    def hang_up(self, connection: int) -> None:
        self._note("hang up", connection)


class Machine:
    """Answers each call with the actions that a test has put there; notes the calls."""

    def __init__(self) -> None:
        self.wants: list[actions.Action] = []
        self.called: list[tuple[Any, ...]] = []
        self.due: float | None = None
        self.held: list[Allocation] = []

    def _next(self, *call: Any) -> list[actions.Action]:
        self.called.append(call)
        wants, self.wants = self.wants, []
        return wants

    def receive(self, client: Client, data: bytes, now: float) -> list[actions.Action]:
        return self._next("receive", client, data)

    def closed(self, client: Client, now: float) -> list[actions.Action]:
        return self._next("closed", client)

    def expire(self, now: float) -> list[actions.Action]:
        return self._next("expire", now)

    def close(self, allocation: int, now: float, reason: str = "closed by operator") -> list[actions.Action]:
        return self._next("close", allocation, reason)

    def connected(self, connection: int, success: bool, now: float) -> list[actions.Action]:
        return self._next("connected", connection, success)

    def timer(self) -> float | None:
        return self.due

    def listing(self) -> list[Allocation]:
        return self.held


class Told:
    def __init__(self) -> None:
        self.news: list[tuple[Any, ...]] = []

    def opened(self, event: actions.Opened) -> None:
        self.news.append(("opened", event.allocation))

    def closed(self, event: actions.Closed, traffic: Traffic) -> None:
        self.news.append(("closed", event.allocation, event.reason, traffic.to_peer_bytes))

    def denied(self, event: actions.Denied) -> None:
        self.news.append(("denied", event.code))


class Bench:
    def __init__(self) -> None:
        from confero.media.addresses import Advertised

        self.path, self.machine, self.told = Path(), Machine(), Told()
        self.other: list[NotStun] = []
        address = Advertised("127.0.0.1", "127.0.0.1")
        self.ports = RelayPorts([address], 49_152, 65_535, (), bind=lambda host, port, how: bind_socket(host, 0, how))
        server = cast(Server, self.machine)
        self.bridge = Bridge(self.path, server, self.ports, lambda: NOW, self.told, self.other.append, self._changed)
        self.changes = 0

    def _changed(self) -> None:
        self.changes += 1

    def asked(self, *wants: actions.Action, client: Client = CLIENT) -> None:
        """A request comes, and this is what the machine makes of it."""
        self.machine.wants = list(wants)
        self.path.waiting = [Request(Flow(*client), b"request")]
        self.bridge.pump()

    def opened(
        self, allocation: int = 1, client: Client = CLIENT, protocol: int = UDP
    ) -> tuple[actions.Open, actions.Told]:
        (relay,) = self.ports.reserve(1, protocol) or ()
        proven = Proven("1:alice", "alice", Integrity(b"key"), MD5)
        self.machine.held.append(Allocation(allocation, client, proven, {1: Lease(relay, NOW + 600)}, NOW))
        return (
            actions.Open(allocation, client, (relay,), NOW + 600, 0),
            actions.Told(actions.Opened(allocation, "alice", client, (relay,))),
        )


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_allocation_with_all_that_belongs_to_it(bench: Bench) -> None:
    bench.asked(*bench.opened(), actions.Reply(CLIENT, b"yes"))
    bench.asked(actions.Permit(1, PEER[0], NOW + 300, ((5000, 5059),)), actions.Bind(1, 0x4000, PEER, NOW + 600))
    bench.asked(actions.Refresh(1, 1, NOW + 650, NOW + 700))
    assert bench.path.said == [
        ("open", CLIENT, True, False),
        ("reply", CLIENT, b"yes"),
        ("permit", 71, PEER[0], NOW + 300, ((5000, 5059),)),
        ("bind", 71, 0x4000, PEER, NOW + 600),
        ("refresh", 71, NOW + 700),
    ]
    assert bench.told.news == [("opened", 1)] and bench.bridge.number_of(1) == 71


def test_the_end_is_told_when_the_traffic_is_known(bench: Bench) -> None:
    bench.asked(*bench.opened())
    closed = actions.Closed(1, "alice", "expired", 9.0)
    bench.machine.wants = [actions.Close(1, "expired"), actions.Told(closed)]
    bench.bridge.wake()
    assert bench.path.said[-1] == ("close", 71) and bench.told.news == [("opened", 1)]
    bench.path.waiting = [Closed(71, 0, Traffic(to_peer_bytes=1234))]
    bench.bridge.pump()
    assert bench.told.news[-1] == ("closed", 1, "expired", 1234) and bench.bridge.number_of(1) is None


@pytest.mark.parametrize("failure", [RelayFull("full"), RelayBusy("busy")])
def test_who_could_not_be_opened_for_gets_no_reply_and_leaves_nothing(bench: Bench, failure: Exception) -> None:
    wanted = bench.opened()
    bench.path.failing["open"] = failure
    bench.asked(*wanted, actions.Reply(CLIENT, b"yes"), actions.Reply(OTHER, b"to somebody else"))
    assert bench.path.said == [("reply", OTHER, b"to somebody else")]
    assert bench.machine.called[-1] == ("close", 1, "relay failed") and bench.bridge.refused == 1


def test_who_was_not_permitted_gets_no_reply_and_asks_again(bench: Bench) -> None:
    bench.asked(*bench.opened())
    bench.path.said.clear()
    wanted = [actions.Permit(1, PEER[0], NOW + 300, ()), actions.Reply(CLIENT, b"yes")]
    bench.path.failing["permit"] = RelayBusy("busy")
    bench.asked(*wanted)
    assert bench.path.said == []
    bench.asked(*wanted)
    assert [name for name, *_ in bench.path.said] == ["permit", "reply"]


def test_a_closing_that_could_not_be_said_is_said_again_soon(bench: Bench) -> None:
    bench.asked(*bench.opened())
    bench.path.failing["close"] = RelayBusy("busy")
    bench.asked(actions.Close(1, "deleted"))
    assert bench.bridge.timer() == NOW + SOON_S and ("close", 71) not in bench.path.said
    bench.bridge.wake()
    assert bench.path.said[-1] == ("close", 71) and bench.bridge.timer() is None


def test_what_has_ended_meanwhile_is_passed_over(bench: Bench) -> None:
    bench.asked(*bench.opened())
    bench.path.failing["permit"] = UnknownFlow("gone")
    bench.asked(actions.Permit(1, PEER[0], NOW + 300, ()), actions.Reply(CLIENT, b"yes"))
    assert bench.path.said[-1] == ("reply", CLIENT, b"yes") and bench.bridge.refused == 0
    bench.asked(actions.Close(5, "expired"), actions.Refresh(6, 1, NOW, NOW))


def test_the_machine_hears_of_allocations_that_never_came_to_be(bench: Bench) -> None:
    bench.asked(*bench.opened())
    bench.machine.wants = [
        actions.Close(1, "relay failed"),
        actions.Told(actions.Closed(1, "alice", "relay failed", 0)),
    ]
    bench.path.waiting = [Closed(71, 17, Traffic())]
    bench.bridge.pump()
    assert bench.machine.called[-1] == ("close", 1, "relay failed")
    assert bench.told.news[-1] == ("closed", 1, "relay failed", 0) and ("close", 71) not in bench.path.said


def test_connections_that_end_and_those_that_are_something_else(bench: Bench) -> None:
    client = Client("tcp", ("192.0.2.1", 4000), ("198.51.100.1", 443), connection=9)
    other = NotStun(Flow(*client), b"GET / HTTP/1.1")
    bench.path.waiting = [Disconnected(Flow(*client), 0), other]
    bench.bridge.pump()
    assert bench.machine.called == [("closed", client)] and bench.other == [other]


def test_a_family_that_is_dropped_is_given_up_however_busy_the_data_path_is(bench: Bench) -> None:
    bench.asked(*bench.opened())
    bench.path.said.clear()
    bench.path.failing["withdraw"] = RelayBusy("busy")
    bench.asked(actions.Drop(1, 2))
    assert bench.path.said == [] and bench.bridge.timer() == NOW + SOON_S
    bench.bridge.wake()
    assert bench.path.said == [("withdraw", 71, 6)]
    bench.asked(actions.Drop(9, 2))


async def test_a_tcp_allocation_listens_here_and_its_connections_go_to_the_data_path(bench: Bench) -> None:
    client = Client("tcp", ("192.0.2.1", 4001), ("198.51.100.1", 443), connection=9)
    bench.asked(*bench.opened(protocol=TCP))
    assert bench.path.said == [("open", CLIENT, False, False)]
    with socket.create_server(("127.0.0.1", 0)) as peer:
        bench.asked(actions.Connect(1, 5, peer.getsockname()))
        changes = bench.changes
        await until(lambda: ("connected", 5, True) in bench.machine.called, "the connection")
        assert bench.changes > changes, "what the machine is told outside of its events moves its timer too"
        bench.asked(actions.Join(client, 5, 1, b"reply"))
        bench.asked(actions.Close(1, "deleted"))
    assert bench.path.said[1:] == [("join", 9, b"reply", 71), ("hang up", 9), ("close", 71)]
    assert len(bench.bridge.streams) == 0


async def test_who_could_not_be_opened_for_does_not_listen(bench: Bench) -> None:
    wanted = bench.opened(protocol=TCP)
    bench.path.failing["open"] = RelayFull("full")
    bench.asked(*wanted)
    bench.asked(actions.Connect(1, 5, PEER), actions.Join(CLIENT, 5, 1, b"reply"), actions.Disconnect(5))
    assert ("connected", 5, False) in bench.machine.called and bench.path.said == []


def test_a_released_address_is_not_closed_by_two(bench: Bench) -> None:
    opened, told = bench.opened()
    bench.asked(opened, told)
    (relay,) = opened.relays
    assert relay.protocol == UDP and len(bench.ports) == 1
    with pytest.raises(LookupError):
        bench.ports.take(relay)
    bench.ports.release(relay)
    assert len(bench.ports) == 0
