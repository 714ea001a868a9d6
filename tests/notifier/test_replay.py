"""The replay window's numbers and limits."""

from __future__ import annotations

from confero.notifier.replay import ReplayLimits, ReplayWindow


def test_numbers_count_from_one_without_gaps() -> None:
    window = ReplayWindow(ReplayLimits())
    assert [window.add("{}", 0.0) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert window.last == 5


def test_since_returns_what_came_after() -> None:
    window = ReplayWindow(ReplayLimits())
    for name in "abc":
        window.add(name, 0.0)
    assert window.since(1) == [(2, "b"), (3, "c")]
    assert window.since(3) == []


def test_since_a_number_never_given_out() -> None:
    window = ReplayWindow(ReplayLimits())
    window.add("a", 0.0)
    assert window.since(2) is None


def test_since_zero_of_an_empty_window() -> None:
    assert ReplayWindow(ReplayLimits()).since(0) == []


def test_old_events_are_dropped() -> None:
    window = ReplayWindow(ReplayLimits(age_s=10))
    window.add("a", 0.0)
    window.add("b", 10.0)
    assert window.since(0) == [(1, "a"), (2, "b")]
    window.add("c", 10.1)
    assert window.since(0) is None
    assert window.since(1) == [(2, "b"), (3, "c")]


def test_too_many_events_drop_the_oldest() -> None:
    window = ReplayWindow(ReplayLimits(events=3))
    for name in "abcde":
        window.add(name, 0.0)
    assert window.since(1) is None
    assert window.since(2) == [(3, "c"), (4, "d"), (5, "e")]


def test_too_many_characters_drop_the_oldest() -> None:
    window = ReplayWindow(ReplayLimits(size=10))
    window.add("12345", 0.0)
    window.add("12345", 0.0)
    assert window.since(0) is not None
    window.add("1", 0.0)
    assert window.since(0) is None
    assert window.since(1) == [(2, "12345"), (3, "1")]


def test_one_event_beyond_the_size_is_numbered_but_not_kept() -> None:
    window = ReplayWindow(ReplayLimits(size=3))
    assert window.add("12345", 0.0) == 1
    assert window.since(0) is None
    assert window.since(1) == []
