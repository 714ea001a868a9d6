"""What is due comes in order and once; what was moved, or is gone, does not, and keeps nothing alive."""

from __future__ import annotations

import gc
import random
import weakref

from confero.protocols.turn.deadlines import SLACK, Deadlines


class Item:
    def __init__(self, name: int) -> None:
        self.name = name
        self.wakes_at: float | None = None


def test_in_order_and_once() -> None:
    deadlines: Deadlines[Item] = Deadlines()
    items = [Item(name) for name in range(200)]
    luck = random.Random(1)
    for item in items:
        deadlines.wake(item, luck.choice([1.0, 2.0, 3.0]))
    wanted = sorted(items, key=lambda item: (item.wakes_at or 0.0, item.name))
    assert deadlines.next() == 1.0
    assert list(deadlines.due(3.0)) == wanted and deadlines.next() is None and len(deadlines) == 0


def test_moved_earlier_but_not_later() -> None:
    deadlines: Deadlines[Item] = Deadlines()
    item = Item(1)
    deadlines.wake(item, 5.0)
    deadlines.wake(item, 7.0)
    assert deadlines.next() == 5.0
    deadlines.wake(item, 3.0)
    assert deadlines.next() == 3.0 and list(deadlines.due(10.0)) == [item] and deadlines.next() is None


def test_given_a_new_one_while_it_is_due() -> None:
    deadlines: Deadlines[Item] = Deadlines()
    item, seen = Item(1), 0
    deadlines.wake(item, 1.0)
    for one in deadlines.due(3.0):
        seen += 1
        deadlines.wake(one, seen + 1.0)
    assert seen == 3 and deadlines.next() == 4.0


def test_forgotten() -> None:
    deadlines: Deadlines[Item] = Deadlines()
    item = Item(1)
    deadlines.wake(item, 1.0)
    deadlines.forget(item)
    deadlines.forget(item)
    assert deadlines.next() is None and list(deadlines.due(2.0)) == []
    deadlines.wake(item, 3.0)
    assert deadlines.next() == 3.0


def test_what_is_gone_is_not_kept() -> None:
    deadlines: Deadlines[Item] = Deadlines()
    left = []
    for number in range(20_000):
        item = Item(number)
        left.append(weakref.ref(item))
        deadlines.wake(item, 600.0)
        deadlines.wake(item, 300.0)
        deadlines.forget(item)
    del item
    gc.collect()
    assert len(deadlines) <= SLACK + 1 and sum(one() is not None for one in left) <= SLACK + 1
