"""A topic's numbers, what of it is kept, and the order in which topics are told again."""

from __future__ import annotations

import json

from confero.notifier.messages import Message
from confero.notifier.topics import Topic, WindowLimits, in_order


def topic(**limits: float) -> Topic:
    return Topic("room:r", "e1", WindowLimits(**limits))  # type: ignore[arg-type]


def add(to: Topic, *, at: float = 0.0, size: int = 0) -> Message:
    return to.add(to.last + 1, json.dumps({"type": "x", "fill": "y" * size}, separators=(",", ":")).encode(), at)


def numbers(found: list[int] | None, to: Topic, seq: int) -> None:
    kept = to.since(seq)
    assert (None if kept is None else [json.loads(one.message.json)["seq"] for one in kept]) == found


def test_numbers_count_from_one_without_gaps() -> None:
    one = topic()
    assert [json.loads(add(one).json)["seq"] for _ in range(5)] == [1, 2, 3, 4, 5]
    assert (one.last, one.position.epoch) == (5, "e1")


def test_since_gives_what_came_after() -> None:
    one = topic()
    numbers([], one, 0)
    for _ in range(3):
        add(one)
    numbers([2, 3], one, 1)
    numbers([], one, 3)


def test_a_number_never_given_out_is_unknown() -> None:
    one = topic()
    add(one)
    numbers(None, one, 2)
    numbers(None, one, -1)


def test_old_events_are_dropped() -> None:
    one = topic(age_s=10)
    add(one)
    add(one, at=10.0)
    numbers([1, 2], one, 0)
    add(one, at=10.1)
    numbers(None, one, 0)
    numbers([2, 3], one, 1)


def test_too_many_events_drop_the_oldest() -> None:
    one = topic(events=3)
    for _ in range(5):
        add(one)
    numbers(None, one, 1)
    numbers([3, 4, 5], one, 2)


def test_too_many_bytes_drop_the_oldest() -> None:
    size = len(add(topic()).json)
    one = topic(size=2 * size)
    add(one)
    add(one)
    numbers([1, 2], one, 0)
    add(one)
    numbers([2, 3], one, 1)
    numbers(None, one, 0)


def test_one_event_beyond_the_size_is_numbered_but_not_kept() -> None:
    one = topic(size=100)
    add(one, size=200)
    numbers(None, one, 0)
    numbers([], one, 1)


def test_what_was_missed_of_several_topics_comes_as_it_happened() -> None:
    rooms, own = Topic("room:r", "e1", WindowLimits()), Topic("participant:p", "e2", WindowLimits())
    for order, to in enumerate([rooms, own, own, rooms]):
        to.add(order, b'{"type":"x"}', 0.0)
    found = in_order([rooms.since(0) or [], own.since(1) or []])
    told = [(json.loads(message.json)["topic"], json.loads(message.json)["seq"]) for message in found]
    assert told == [("room:r", 1), ("participant:p", 2), ("room:r", 2)]
