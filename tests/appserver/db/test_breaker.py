"""The breaker: when requests are refused, when the server is asked, what those are told who are refused."""

from __future__ import annotations

import pytest

from confero.appserver.db.breaker import FAILURES, LONGEST_S, PROBE_S, Breaker


@pytest.fixture
def breaker() -> Breaker:
    return Breaker()


def test_closed_at_first(breaker: Breaker) -> None:
    assert not breaker.is_open and breaker.get_timer() is None and breaker.retry_after_s(5) == 0
    assert not breaker.handle_timer(1e9)


def test_nobody_there_opens_at_once(breaker: Breaker) -> None:
    assert breaker.away(10)
    assert breaker.is_open and breaker.get_timer() == 10 + PROBE_S
    assert not breaker.away(11), "no news"
    assert breaker.get_timer() == 10 + PROBE_S


def test_failures_open_when_nothing_was_answered_between(breaker: Breaker) -> None:
    for _ in range(10):
        assert [breaker.failed(1) for _ in range(FAILURES - 1)] == [False] * (FAILURES - 1)
        breaker.answered()
    assert not breaker.is_open
    assert [breaker.failed(1) for _ in range(FAILURES)] == [False] * (FAILURES - 1) + [True]
    assert breaker.is_open
    assert not breaker.failed(2), "no news"


def test_one_probe_at_a_time_and_one_a_second(breaker: Breaker) -> None:
    breaker.away(0)
    assert not breaker.handle_timer(PROBE_S - 0.01)
    assert breaker.handle_timer(PROBE_S)
    assert breaker.get_timer() is None and not breaker.handle_timer(100), "this one has not ended"
    assert breaker.probed(3, answered=False) == 0
    assert breaker.is_open and breaker.get_timer() == 3 + PROBE_S
    assert breaker.handle_timer(4)
    assert breaker.probed(4.5, answered=True) == 4.5
    assert not breaker.is_open and breaker.get_timer() is None


def test_a_late_answer_does_not_close_it(breaker: Breaker) -> None:
    breaker.away(0)
    breaker.answered()
    assert breaker.is_open and breaker.get_timer() == PROBE_S


def test_what_failed_before_is_forgotten_once_it_is_back(breaker: Breaker) -> None:
    for _ in range(FAILURES):
        breaker.failed(0)
    breaker.handle_timer(PROBE_S)
    breaker.probed(2, answered=True)
    assert not breaker.failed(3) and not breaker.is_open
    assert breaker.probed(4, answered=True) == 0, "there was nothing to close"


def test_who_is_refused_is_told_longer_and_longer_times(breaker: Breaker) -> None:
    breaker.away(100)
    waits = [breaker.retry_after_s(100 + away_s) for away_s in (0, 2, 8, 60)]
    assert waits == sorted(waits) and waits[0] == PROBE_S and waits[-1] == LONGEST_S
