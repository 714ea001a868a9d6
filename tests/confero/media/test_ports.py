"""The port allocator: bounds, pairs, reserved and bound ports, exhaustion."""

from __future__ import annotations

import socket

import pytest

from confero import ports
from confero.errors import LocalError, Refused
from confero.media.errors import NoPortFree
from confero.media.ports import PortAllocator


def take(port: int) -> int:
    return port


def drain(allocator: PortAllocator) -> list[int]:
    claimed = []
    while True:
        try:
            claimed.append(allocator.claim(take)[0])
        except NoPortFree:
            return claimed


def test_default_range_is_the_port_map() -> None:
    allocator = PortAllocator(seed=1)
    assert (allocator.low, allocator.high) == (5000, 15000)


def test_every_port_once_and_no_reserved_one() -> None:
    claimed = drain(PortAllocator(seed=7))
    wanted = set(range(5000, 15001)) - ports.reserved()
    assert len(claimed) == len(set(claimed))
    assert set(claimed) == wanted
    assert not {5060, 5061, 14040, 14049} & set(claimed)


def test_exhausted_says_so_in_words() -> None:
    allocator = PortAllocator(7000, 7001, seed=0, avoid=frozenset())
    drain(allocator)
    with pytest.raises(NoPortFree, match="between 7000 and 7001") as caught:
        allocator.claim(take)
    assert isinstance(caught.value, Refused)
    assert caught.value.status == 503


def test_pairs_are_even_and_whole() -> None:
    allocator = PortAllocator(7001, 7008, seed=3, avoid=frozenset({7005}))
    pairs = [allocator.claim_pair(take)[0] for _ in range(2)]
    assert sorted(pairs) == [7002, 7006]
    with pytest.raises(NoPortFree, match="pair"):
        allocator.claim_pair(take)
    assert allocator.in_use == 4


def test_single_port_breaks_a_pair() -> None:
    allocator = PortAllocator(7000, 7003, seed=0, avoid=frozenset())
    single, _ = allocator.claim(lambda port: port if port == 7001 else None)
    assert single == 7001
    assert allocator.claim_pair(take)[0] == 7002


def test_released_ports_come_back() -> None:
    allocator = PortAllocator(7000, 7001, seed=0, avoid=frozenset())
    pair, _ = allocator.claim_pair(take)
    with pytest.raises(NoPortFree):
        allocator.claim(take)
    allocator.release(pair, 2)
    assert len(drain(allocator)) == 2


def test_bound_port_is_skipped() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        allocator = PortAllocator(port, min(port + 20, 65535), seed=0)

        def bind(candidate: int) -> socket.socket | None:
            mine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                mine.bind(("127.0.0.1", candidate))
            except OSError:
                mine.close()
                return None
            return mine

        claimed, mine = allocator.claim(bind)
        mine.close()
        assert claimed != port


def test_each_port_is_tried_at_most_once() -> None:
    tried: list[int] = []
    allocator = PortAllocator(7000, 7099, seed=5, avoid=frozenset())

    def refuse(port: int) -> int | None:
        tried.append(port)
        return None

    with pytest.raises(NoPortFree):
        allocator.claim(refuse)
    assert sorted(tried) == list(range(7000, 7100))


def test_seeds_spread_the_start() -> None:
    starts = {PortAllocator(seed=seed).claim(take)[0] for seed in range(50)}
    assert len(starts) > 45
    assert max(starts) - min(starts) > 5000
    assert PortAllocator(seed=9).claim(take) == PortAllocator(seed=9).claim(take)


@pytest.mark.parametrize(("low", "high"), [(0, 10), (10, 9), (5000, 65536)])
def test_nonsense_range_is_refused(low: int, high: int) -> None:
    with pytest.raises(LocalError, match="range"):
        PortAllocator(low, high, seed=1)
