"""Waits: they double, they end, and they are forgotten."""

from __future__ import annotations

from confero.appserver.sip.limits import CALL, FORGET_S, NUMBER, PAIR, Limit, State, charge


def test_waits_double_up_to_the_longest() -> None:
    assert [PAIR.wait_s(n) for n in range(6)] == [0, 0, 0, 30, 60, 120]
    assert PAIR.wait_s(1000) == 3600 and NUMBER.wait_s(10**9) == 60


def test_a_call_has_three_tries_and_no_more() -> None:
    state, now = State(), 1000.0
    for _ in range(3):
        wait, state = charge(state, CALL, now)
        assert wait == 0
    for later in (0, 3600, 86_400):
        assert charge(state, CALL, now + later)[0] > 3600


def test_waiting_costs_nothing() -> None:
    state = State()
    limit = Limit(free=1, first_s=10, longest_s=10)
    _, state = charge(state, limit, 0)
    wait, same = charge(state, limit, 4)
    assert (wait, same) == (6, state)
    assert charge(state, limit, 10)[0] == 0


def test_failures_are_forgotten() -> None:
    state = State(failures=9, until=0, changed_at=0)
    assert charge(state, PAIR, FORGET_S - 1)[1].failures == 10
    assert charge(state, PAIR, FORGET_S)[1].failures == 1
