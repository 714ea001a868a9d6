"""The supervisor as traces: what happened, and what it wants done, on a clock that the test moves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confero.runtime import service
from confero.up import supervisor
from confero.up.supervisor import (
    AllReady,
    GaveUp,
    Kill,
    Policy,
    Ready,
    Restarting,
    Spawn,
    State,
    Supervisor,
    Terminate,
)

CHAIN = {"a": (), "b": ("a",), "c": ("a", "b")}
POLICY = Policy()


def drain(machine: Supervisor) -> list[Any]:
    actions = []
    while (action := machine.next_action()) is not None:
        actions.append(action)
    return actions


def running(names: dict[str, tuple[str, ...]] | None = None) -> Supervisor:
    """All ready since time 0."""
    machine = Supervisor(names or CHAIN)
    machine.start(0)
    for name in names or CHAIN:
        machine.process_ready(name, 0)
    drain(machine)
    return machine


def test_each_starts_when_those_before_it_are_ready() -> None:
    machine = Supervisor(CHAIN)
    machine.start(0)
    assert drain(machine) == [Spawn("a")]
    machine.process_ready("a", 1)
    assert drain(machine) == [Ready("a", first=True), Spawn("b")]
    machine.process_ready("b", 2)
    assert drain(machine) == [Ready("b", first=True), Spawn("c")]
    machine.process_ready("c", 3)
    assert drain(machine) == [Ready("c", first=True), AllReady()]
    assert machine.get_timer() is None


def test_services_that_wait_for_nobody_start_at_once() -> None:
    machine = Supervisor({"a": (), "b": (), "c": ("nobody",)})
    machine.start(0)
    assert drain(machine) == [Spawn("a"), Spawn("b"), Spawn("c")]


def test_one_that_is_slow_holds_the_others_back_only_so_long() -> None:
    machine = Supervisor(CHAIN)
    machine.start(0)
    drain(machine)
    assert machine.get_timer() == POLICY.order_grace
    machine.handle_timer(POLICY.order_grace - 0.01)
    assert drain(machine) == []
    machine.handle_timer(POLICY.order_grace)
    assert drain(machine) == [Spawn("b")]
    machine.handle_timer(2 * POLICY.order_grace)
    assert drain(machine) == [Spawn("c")]


def test_a_dead_one_comes_back_fast_and_the_others_are_left_alone() -> None:
    machine = running()
    machine.process_exited("b", -9, 100)
    assert drain(machine) == [Restarting("b", -9, 0.2)]
    assert machine.get_timer() == pytest.approx(100.2)
    machine.handle_timer(100.2)
    assert drain(machine) == [Spawn("b")]
    machine.process_ready("b", 101)
    assert drain(machine) == [Ready("b", first=False)]
    assert [machine.state(name) for name in CHAIN] == [State.READY] * 3


def test_quick_failures_double_the_wait_and_end_everything_at_the_fifth() -> None:
    machine = running()
    now, delays = 100.0, []
    for _ in range(4):
        machine.process_exited("c", 1, now)
        (restarting,) = drain(machine)
        delays.append(restarting.delay)
        now += restarting.delay
        machine.handle_timer(now)
        assert drain(machine) == [Spawn("c")]
    assert delays == pytest.approx([0.2, 0.2, 0.4, 0.8])
    machine.process_exited("c", 1, now)
    drain(machine)
    machine.handle_timer(now + 5)
    drain(machine)
    machine.process_exited("c", 1, now + 5)
    assert drain(machine) == [GaveUp("c", 1, 5), Terminate("b")]
    machine.process_exited("b", 0, now + 6)
    assert drain(machine) == [Terminate("a")]
    assert not machine.finished
    machine.process_exited("a", 0, now + 7)
    assert machine.finished and machine.exit_code == 1


def test_a_stable_run_is_forgiven() -> None:
    machine = running({"a": ()})
    now = 0.0
    for _ in range(20):
        now += POLICY.stable_after
        machine.process_exited("a", -9, now)
        assert drain(machine) == [Restarting("a", -9, 0.2)]
        now += 0.2
        machine.handle_timer(now)
        machine.process_ready("a", now)
        drain(machine)
    assert machine.exit_code == 0


def test_a_wrong_configuration_is_given_up_at_once() -> None:
    machine = Supervisor(CHAIN)
    machine.start(0)
    machine.process_exited("a", 2, 1)
    assert drain(machine) == [Spawn("a"), GaveUp("a", 2, 1)]
    assert machine.finished and machine.exit_code == 1


def test_code_2_of_one_that_ran_before_is_an_exit_like_others() -> None:
    machine = running({"a": ()})
    machine.process_exited("a", 2, 100)
    assert drain(machine) == [Restarting("a", 2, 0.2)]


def test_one_that_does_not_become_ready_is_killed_and_started_again() -> None:
    machine = Supervisor({"a": ()})
    machine.start(0)
    drain(machine)
    assert machine.get_timer() == POLICY.start_within
    machine.handle_timer(POLICY.start_within)
    assert drain(machine) == [Kill("a", "it was not ready within 40 s")]
    machine.process_ready("a", POLICY.start_within)
    assert drain(machine) == [], "an answer of the one that is being killed counts for nothing"
    machine.process_exited("a", -9, 41)
    assert drain(machine) == [Restarting("a", -9, 0.2)]


def test_one_that_says_that_it_waits_is_left_to_wait_and_watched() -> None:
    machine = Supervisor({"a": ()})
    machine.start(0)
    drain(machine)
    for now in range(0, 3600, 30):
        machine.process_waiting("a", now)
        machine.handle_timer(now)
        assert drain(machine) == [] and machine.get_timer() == now + POLICY.start_within
    silent_at = machine.get_timer() or 0.0
    machine.handle_timer(silent_at)
    assert drain(machine) == [Kill("a", "it was not ready within 40 s")]
    machine.process_waiting("a", silent_at)
    machine.process_exited("a", -9, silent_at)
    assert drain(machine) == [Restarting("a", -9, 0.2)]


def test_one_that_is_ready_does_not_wait_any_more() -> None:
    machine = running({"a": ()})
    machine.process_waiting("a", 10)
    assert machine.get_timer() is None and drain(machine) == []


def test_one_that_hangs_is_killed_once_and_started_again() -> None:
    machine = running({"a": ()})
    machine.process_hung("a", 50)
    machine.process_hung("a", 51)
    assert drain(machine) == [Kill("a", "it does not answer")]
    machine.process_exited("a", -9, 52)
    assert drain(machine) == [Restarting("a", -9, 0.2)]
    machine.process_hung("a", 52)
    assert drain(machine) == []


def test_stop_goes_backwards_one_after_the_other() -> None:
    machine = running()
    machine.stop(10)
    assert drain(machine) == [Terminate("c")]
    machine.process_exited("c", 0, 11)
    assert drain(machine) == [Terminate("b")]
    machine.process_exited("b", 0, 12)
    assert drain(machine) == [Terminate("a")]
    machine.process_exited("a", 0, 13)
    assert drain(machine) == [] and machine.finished and machine.exit_code == 0
    assert machine.get_timer() is None


def test_an_exit_out_of_turn_while_stopping_needs_no_answer() -> None:
    machine = running()
    machine.stop(10)
    machine.process_exited("a", 1, 10)
    assert drain(machine) == [Terminate("c")]
    machine.process_exited("c", 0, 11)
    machine.process_exited("b", 0, 12)
    assert drain(machine) == [Terminate("b")] and machine.finished


def test_one_that_does_not_stop_is_killed_and_then_not_waited_for() -> None:
    machine = running({"a": ()})
    machine.stop(10)
    drain(machine)
    assert machine.get_timer() == 10 + POLICY.stop_within
    machine.handle_timer(25)
    assert drain(machine) == [Kill("a", "it did not end within 15 s")]
    machine.handle_timer(30)
    assert machine.finished


def test_stop_twice_kills_all_at_once() -> None:
    machine = running()
    machine.stop(10)
    drain(machine)
    machine.stop(11)
    assert drain(machine) == [Kill(name, "asked twice") for name in CHAIN]
    machine.stop(12)
    assert drain(machine) == []
    for name in CHAIN:
        machine.process_exited(name, -9, 12)
    assert machine.finished


def test_stop_before_all_have_started_starts_no_more() -> None:
    machine = Supervisor(CHAIN)
    machine.start(0)
    drain(machine)
    machine.stop(1)
    assert drain(machine) == [Terminate("a")]
    machine.process_exited("a", 0, 2)
    machine.handle_timer(100)
    assert drain(machine) == [] and machine.finished


def test_stop_during_the_wait_for_a_restart() -> None:
    machine = running({"a": ()})
    machine.process_exited("a", 1, 100)
    drain(machine)
    machine.stop(100.1)
    machine.handle_timer(101)
    assert drain(machine) == [] and machine.finished


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["ready", "exited", "hung", "timer", "stop"]),
        st.sampled_from("abc"),
        st.sampled_from([0, 1, 2, -9]),
        st.floats(0, 60),
    ),
    max_size=60,
)


@given(EVENTS)
@settings(max_examples=200, deadline=None)
def test_whatever_happens_no_process_is_started_twice_or_left(events: list[tuple[str, str, int, float]]) -> None:
    """Invariant: at most one process for each service; after stop, and the exits that it asks for, none is left."""
    machine, alive, now = Supervisor(CHAIN), set[str](), 0.0

    def act() -> None:
        for action in drain(machine):
            if isinstance(action, Spawn):
                assert action.name not in alive
                alive.add(action.name)

    machine.start(now)
    act()
    for what, name, code, step in events:
        now += step
        if what == "ready" and name in alive:
            machine.process_ready(name, now)
        elif what == "exited" and name in alive:
            alive.discard(name)
            machine.process_exited(name, code, now)
        elif what == "hung":
            machine.process_hung(name, now)
        elif what == "timer" and (at := machine.get_timer()) is not None:
            now = max(now, at)
            machine.handle_timer(now)
        elif what == "stop" and step > 55:
            machine.stop(now)
        act()
    machine.stop(now)
    act()
    for _ in range(3):
        for name in [*alive]:
            alive.discard(name)
            machine.process_exited(name, 0, now)
            act()
    assert machine.finished and not alive


def test_the_exit_code_of_a_wrong_configuration_is_the_services_own() -> None:
    assert supervisor.EXIT_CONFIG == service.EXIT_CONFIG
