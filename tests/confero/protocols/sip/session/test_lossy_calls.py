"""Anything that owners may do, on a bad network: both ends agree in the end on whether there is a call, and on what was agreed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from confero.protocols.sip.session import Ended, InviteSession

from .world import Habits, Side, Weather, World

DEEDS: dict[str, Callable[[World, InviteSession], Any]] = {
    "ring": lambda world, it: it.progress(180, world.now),
    "early media": lambda world, it: it.progress(183, world.now, world.description()),
    "accept": lambda world, it: it.accept(world.now, world.description()),
    "accept as shown": lambda world, it: it.accept(world.now),
    "reject": lambda world, it: it.reject(486, world.now),
    "offer": lambda world, it: it.offer(world.description(), world.now),
    "want": lambda world, it: it.want_offer(world.now),
    "ask": lambda world, it: it.offer(None, world.now),
    "hang up": lambda world, it: it.hang_up(world.now),
    "transfer": lambda world, it: it.transfer("<sip:c@192.0.2.3>", world.now),
    "info": lambda world, it: it.info("application/dtmf", b"1", world.now),
}
weathers = st.builds(
    Weather,
    loss=st.sampled_from([0.0, 0.0, 0.1, 0.3, 0.6, 0.95]),
    twice=st.sampled_from([0.0, 0.2, 0.8]),
    delay=st.sampled_from([0.001, 0.05, 0.6]),
    jitter=st.sampled_from([0.0, 0.05, 1.0, 3.0]),
)
habits = st.builds(Habits, answers_after=st.sampled_from([0.0, 0.1, 2.0, 12.0, None]), refuses=st.booleans())
deeds = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 3), st.floats(0, 55)),
        st.booleans(),
        st.sampled_from(sorted(DEEDS)),
    ),
    max_size=14,
)
answered = st.tuples(st.sampled_from([0.1, 2.0, 30.0]), st.booleans(), st.sampled_from(["accept", "accept as shown"]))


def play(
    seed: int, weather: Weather, a: Habits, b: Habits, delayed: bool, todo: list[tuple[float, bool, str]]
) -> World:
    world = World(seed, weather, a, b, delayed=delayed)
    for at, at_a, name in todo:
        side = world.a if at_a else world.b
        world.plan(at, side, lambda it, name=name: DEEDS[name](world, it))  # type: ignore[misc]
    # Who rings for ever is given up on.
    world.plan(70.0, world.a, lambda it: it.hang_up(world.now) if it.phase == "early" else [])
    world.run(300.0)
    return world


def in_call(side: Side) -> bool:
    return side.session is not None and side.session.phase == "established"


def judge(world: World) -> None:
    a, b = world.a, world.b
    assert in_call(a) == in_call(b), (a.told, b.told)
    if in_call(a):
        assert a.session is not None and b.session is not None
        ours, theirs = a.session.agreed, b.session.agreed
        assert ours is not None and theirs is not None
        assert (ours.local, ours.remote) == (theirs.remote, theirs.local)
    for side in (a, b):
        assert side.numbers == sorted(set(side.numbers)), "CSeq grows"
        assert len([event for event in side.told if isinstance(event, Ended)]) <= 1


def ends(world: World) -> None:
    """Hung up, nothing is left of it anywhere."""
    world.plan(0.0, world.a, lambda it: it.hang_up(world.now))
    world.run(world.now + 400.0)
    for side in (world.a, world.b):
        assert not in_call(side)
        assert (side.layer.clients, side.layer.servers, side.layer.waiting) == (0, 0, 0)
        if side.session is not None:
            assert side.session.finished and side.session.next_deadline() is None


@given(st.integers(0, 2**32), weathers, habits, habits, st.booleans(), deeds, answered)
@settings(max_examples=100, deadline=None)
@example(0, Weather(), Habits(), Habits(), False, [], (0.1, False, "accept"))
def test_both_ends_agree_in_the_end(
    seed: int,
    weather: Weather,
    a: Habits,
    b: Habits,
    delayed: bool,
    todo: list[tuple[float, bool, str]],
    answer: tuple[float, bool, str],
) -> None:
    world = play(seed, weather, a, b, delayed, [*todo, (answer[0], False, answer[2])])
    judge(world)
    ends(world)


@pytest.mark.parametrize("loss", [0.0, 0.2, 0.5])
def test_a_call_is_made_changed_and_ended_whatever_is_lost(loss: float) -> None:
    """Most calls survive: this is what retransmissions are for."""
    up = 0
    for seed in range(20):
        todo = [(1.0, False, "ring"), (2.0, False, "accept"), (20.0, True, "want"), (35.0, False, "want")]
        world = play(seed, Weather(loss=loss, twice=0.1, jitter=0.1), Habits(), Habits(), False, todo)
        judge(world)
        up += in_call(world.a)
        ends(world)
    assert up >= {0.0: 20, 0.2: 19, 0.5: 12}[loss]
