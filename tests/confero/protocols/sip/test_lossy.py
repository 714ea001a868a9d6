"""Two layers on a bad network: each request ends, in time, in exactly one way, and nothing is left behind at either side."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .network import Plan, Weather, World

LIFETIME = 32.0
GIVEN_UP = 60.0
"""Seconds after which the asking user cancels an INVITE that rings on."""

weathers = st.builds(
    Weather,
    loss=st.sampled_from([0.0, 0.1, 0.3, 0.6, 0.9, 1.0]),
    twice=st.sampled_from([0.0, 0.2, 0.8]),
    delay=st.sampled_from([0.001, 0.05, 0.6, 2.0]),
    jitter=st.sampled_from([0.0, 0.05, 1.0, 3.0]),
    dark=st.tuples(st.floats(0, 40), st.floats(0, 80)),
)
plans = st.lists(
    st.builds(
        Plan,
        method=st.sampled_from(["INVITE", "INVITE", "BYE", "OPTIONS", "REGISTER"]),
        status=st.sampled_from([200, 200, 202, 302, 404, 486, 500, 603]),
        at=st.floats(0, 3),
        answer_after=st.sampled_from([0.0, 0.1, 0.3, 3.0, 20.0, 45.0]),
        ring=st.booleans(),
        cancel_after=st.sampled_from([0.0, 0.01, 0.4, 1.0, 20.0, GIVEN_UP]),
    ),
    min_size=1,
    max_size=6,
)


def play(seed: int, weather: Weather, asked: list[Plan], transport: str = "udp") -> World:
    world = World(seed, weather, transport)
    for number, plan in enumerate(asked):
        world.ask(number, plan)
    world.run()
    return world


def judge(world: World) -> None:
    for key, outcome in world.outcomes.items():
        plan = world.plans[f"call-{key.branch.rpartition('-')[2]}"]
        assert len(outcome.finals) + len(outcome.failures) == 1, (key, outcome)
        cancelled = plan.cancel_after if key.method == "INVITE" and plan.cancel_after is not None else 0.0
        assert outcome.ended_at <= plan.at + cancelled + 2 * LIFETIME + 0.001, (key, outcome)
        if key.method != "INVITE":
            assert outcome.ended_at <= plan.at + LIFETIME + 0.001
    for layer in (world.a, world.b):
        assert (layer.clients, layer.servers, layer.waiting) == (0, 0, 0)
        assert layer.next_deadline() is None and layer.take_outgoing() == []


@given(st.integers(0, 2**32), weathers, plans)
@settings(max_examples=150, deadline=None)
def test_each_request_ends_in_one_way_and_leaves_nothing(seed: int, weather: Weather, asked: list[Plan]) -> None:
    world = play(seed, weather, asked)
    judge(world)
    # A message that is under way for less than its sender waits is never taken for a new request.
    if weather.delay + weather.jitter < 1.0:
        assert world.asked_twice == []


@given(st.integers(0, 2**32), plans)
@settings(max_examples=50, deadline=None)
def test_over_tcp_nothing_is_sent_again(seed: int, asked: list[Plan]) -> None:
    world = play(seed, Weather(), asked, "tcp")
    judge(world)
    assert world.a.tally.sent_again == world.b.tally.sent_again == 0


@pytest.mark.parametrize("seed", range(8))
def test_a_third_of_all_messages_lost_stops_nobody(seed: int) -> None:
    asked = [Plan("INVITE", 200, at=n, answer_after=0.3, ring=True) for n in range(20)]
    asked += [Plan("BYE", 200, at=n) for n in range(20)]
    world = play(seed, Weather(loss=0.3, twice=0.1, jitter=0.05), asked)
    judge(world)
    finals = [outcome.finals for outcome in world.outcomes.values()]
    assert finals.count([200]) >= 39  # 2xx go 11 times and BYE too: a loss is one in thousands
    assert len(world.unacknowledged) <= 1
    assert world.asked_twice == []


def test_without_loss_nothing_is_sent_again() -> None:
    world = play(1, Weather(), [Plan("INVITE", 486, answer_after=0.1), Plan("OPTIONS", 200), Plan("INVITE", 200)])
    judge(world)
    assert world.a.tally.sent_again == world.b.tally.sent_again == 0
    assert world.a.tally.absorbed == world.b.tally.absorbed == 0
    assert world.unacknowledged == {}
