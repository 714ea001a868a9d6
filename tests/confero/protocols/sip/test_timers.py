"""The table of timers is that of RFC 3261 and RFC 6026, and the heap of deadlines keeps to what holds."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confero.protocols.sip import deadlines
from confero.protocols.sip.deadlines import Deadlines
from confero.protocols.sip.timers import Timers, waits

TABLE_4 = {
    # RFC 3261 table 4 by default values: over UDP, over TCP
    "A": (0.5, None),
    "B": (32.0, 32.0),
    "D": (32.0, 0.0),
    "E": (0.5, None),
    "F": (32.0, 32.0),
    "G": (0.5, None),
    "H": (32.0, 32.0),
    "I": (5.0, 0.0),
    "J": (32.0, 0.0),
    "K": (5.0, 0.0),
    # RFC 6026
    "L": (32.0, 32.0),
    "M": (32.0, 32.0),
    # by name
    "trying": (0.2, 0.2),
    "cancelled": (32.0, 32.0),
    "unanswered": (32.0, 32.0),
}


def test_the_table() -> None:
    udp, tcp = (waits(Timers(), reliable=reliable) for reliable in (False, True))
    assert {name: (udp[name], tcp[name]) for name in udp} == TABLE_4


def test_a_fast_network_does_not_shorten_the_peers_repetitions() -> None:
    fast = waits(Timers(t1=0.1, trying=0.1), reliable=False)
    assert (fast["B"], fast["D"]) == (pytest.approx(6.4), 32.0)


@pytest.mark.parametrize("wrong", [{"t1": 0}, {"t1": 5.0}, {"t4": 0}, {"trying": 0.6}, {"trying": -1}])
def test_timers_that_make_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        Timers(**wrong)


@dataclass(eq=False)
class Item:
    again_at: float | None = None
    ends_at: float | None = None


def test_what_was_moved_is_stale() -> None:
    heap: Deadlines[Item] = Deadlines()
    item = Item(again_at=1.0, ends_at=3.0)
    heap.schedule(1.0, item)
    heap.schedule(3.0, item)
    item.again_at = 2.0
    heap.schedule(2.0, item)
    assert heap.next() == 2.0
    assert list(heap.due(1.9)) == [] and list(heap.due(2.0)) == [item]
    item.ends_at = None
    assert heap.next() is None and len(heap) == 0


def test_stale_entries_are_swept() -> None:
    heap: Deadlines[Item] = Deadlines()
    live = [Item(ends_at=1e6) for _ in range(10)]
    for item in live:
        heap.schedule(1e6, item)
    for number in range(100_000):
        heap.schedule(float(number), Item())
        assert len(heap) <= 2 * deadlines.SLACK
    assert list(heap.due(1e6)) == live


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50)), max_size=80))
def test_items_come_when_they_are_due_and_in_order(moves: list[tuple[int, int]]) -> None:
    heap: Deadlines[Item] = Deadlines()
    items = [Item() for _ in range(6)]
    for index, at in moves:
        items[index].ends_at = float(at)
        heap.schedule(float(at), items[index])
    expected = sorted(item.ends_at for item in items if item.ends_at is not None)
    seen = []
    while (at := heap.next()) is not None:
        for item in heap.due(at):
            if item.ends_at is not None:
                seen.append(item.ends_at)
                item.ends_at = None
    assert seen == expected
