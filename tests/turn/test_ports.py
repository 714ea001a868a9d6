"""Relayed addresses: which ports are given out, and that each is given back once."""

from __future__ import annotations

import socket
from random import Random

import pytest

from confero.media.addresses import Advertised
from confero.protocols.turn import TCP, UDP, Relay
from confero.turn.ports import TRIES, Pool, RelayPorts, bind_socket

V4, V6 = 1, 2
ADDRESS = Advertised("198.51.100.1", "127.0.0.1")
ELSEWHERE = Advertised("198.51.100.2", "127.0.0.1")


class Sockets:
    """Binds nothing, unless ``busy``."""

    def __init__(self) -> None:
        self.busy: set[int] = set()
        self.made: list[socket.socket] = []

    def bind(self, address: str, port: int, protocol: int) -> socket.socket:
        if port in self.busy:
            raise OSError("taken")
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.made.append(made)
        return made

    @property
    def open(self) -> int:
        return sum(one.fileno() >= 0 for one in self.made)


def ports(
    sockets: Sockets, low: int = 50_000, high: int = 50_009, reserved: frozenset[int] = frozenset()
) -> RelayPorts:
    return RelayPorts([ADDRESS], low, high, reserved, random=Random(1), bind=sockets.bind)


def one(given: tuple[Relay, ...] | None) -> Relay:
    assert given is not None and len(given) == 1
    return given[0]


class Counted(Random):
    """Says how often it was asked."""

    draws = 0

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        self.draws += 1
        return super().randrange(start, stop, step)


def test_a_free_port_is_guessed_once() -> None:
    sockets, luck = Sockets(), Counted(1)
    made = RelayPorts([ADDRESS], 50_000, 59_999, frozenset(), random=luck, bind=sockets.bind)
    given = [one(made.reserve(V4)) for _ in range(10)]
    assert luck.draws == 10
    made.release(given.pop())
    sockets.busy.update(range(50_000, 60_000))
    assert made.reserve(V4) is None and luck.draws == 10 + TRIES
    made.close()


def test_every_port_is_given_out_once_and_then_there_is_none() -> None:
    made = ports(Sockets(), reserved=frozenset({50_003}))
    given = [one(made.reserve(V4)) for _ in range(9)]
    assert {relay.address for relay in given} == {
        ("198.51.100.1", port) for port in range(50_000, 50_010) if port != 50_003
    }
    assert made.reserve(V4) is None and made.exhausted == 1 and len(made) == 9
    made.release(given[4])
    assert one(made.reserve(V4)).address == given[4].address
    made.close()


def test_ports_that_somebody_else_has_are_passed_over() -> None:
    sockets = Sockets()
    sockets.busy = set(range(50_001, 50_010))
    assert one(ports(sockets).reserve(V4)).address[1] == 50_000


def test_a_machine_that_has_got_another_address_relays_there_from_then_on() -> None:
    made = ports(Sockets(), high=50_000)
    old = one(made.reserve(V4))
    assert not made.use([ADDRESS]) and made.use([ELSEWHERE])
    new = one(made.reserve(V4))
    assert (old.address[0], new.address[0]) == (ADDRESS.external, ELSEWHERE.external)
    made.release(old)
    assert made.reserve(V4) is None, "the port of the old address is of no use"
    assert made.use([ADDRESS, ELSEWHERE]) and one(made.reserve(V4)).address == old.address
    made.release(new)
    assert one(made.reserve(V4)).address == new.address
    made.close()


def test_pairs_begin_with_an_even_port_however_few_there_are() -> None:
    made = ports(Sockets())
    found = made.reserve(V4, pair=True, even=True)
    assert found is not None and found[0].address[1] % 2 == 0 and found[1].address[1] == found[0].address[1] + 1
    while (more := made.reserve(V4, pair=True)) is not None:
        assert more[0].address[1] % 2 == 0
    assert len(made) == 10


def test_a_pair_of_which_one_is_taken_leaves_nothing_open() -> None:
    sockets = Sockets()
    sockets.busy = set(range(50_001, 50_010, 2))
    assert ports(sockets).reserve(V4, pair=True) is None
    assert sockets.open == 0


def test_even_ports() -> None:
    made = ports(Sockets())
    assert all(one(made.reserve(V4, even=True)).address[1] % 2 == 0 for _ in range(5))
    assert made.reserve(V4, even=True) is None and made.reserve(V4) is not None


def test_a_socket_is_taken_once_and_closed_by_who_has_it() -> None:
    sockets = Sockets()
    made = ports(sockets)
    kept, taken = one(made.reserve(V4)), one(made.reserve(V4))
    sock = made.take(taken)
    with pytest.raises(LookupError):
        made.take(taken)
    made.release(kept)
    made.release(taken)
    made.release(taken)
    assert sock.fileno() >= 0 and sockets.open == 1 and len(made) == 0
    sock.close()


def test_families_are_those_of_the_addresses() -> None:
    both = [ADDRESS, Advertised("2001:db8::1", "::1")]
    made = RelayPorts(both, 50_000, 50_000, frozenset(), bind=Sockets().bind)
    assert made.families == {V4, V6}
    assert one(made.reserve(V6)).address == ("2001:db8::1", 50_000) and made.reserve(V6) is None
    assert one(made.reserve(V4, TCP)).protocol == TCP and one(made.reserve(V4, UDP)).protocol == UDP


def test_a_pool_keeps_its_books_over_many_changes() -> None:
    random, pool, out = Random(2), Pool(range(100), Random(3)), []
    for _ in range(5000):
        if len(pool) and random.random() < 0.5:
            out.append(pool.guess())
            pool.take(out[-1])
        elif out:
            pool.give(out.pop(random.randrange(len(out))))
        assert len(pool) + len(out) == 100
    assert all((port in pool) != (port in out) for port in range(100))


def test_a_real_socket_is_of_the_port_alone() -> None:
    first = bind_socket("127.0.0.1", 0, UDP)
    with pytest.raises(OSError):
        bind_socket("127.0.0.1", first.getsockname()[1], UDP)
    first.close()
