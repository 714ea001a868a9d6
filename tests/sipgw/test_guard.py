"""The guard: what is turned away, for how long, and whom it must never turn away."""

from __future__ import annotations

from confero.clock import FakeClock
from confero.ratelimit import Rate
from confero.sipgw.guard import BLOCK_S, GUESSES, SOURCES, WINDOW_S, Guard

PHONE, OTHER, TRUNK = "192.0.2.1", "192.0.2.2", "198.51.100.1"


def guard(clock: FakeClock, burst: float = 1e6) -> Guard:
    return Guard(clock, Rate(burst, burst), trusted=lambda address: address == TRUNK)


def fail(guard: Guard, address: str, times: int) -> None:
    for _ in range(times):
        guard.failed(address)


def test_a_scanner_gets_no_answer() -> None:
    assert guard(FakeClock()).judge(PHONE, "friendly-scanner") == "scanner"
    assert guard(FakeClock()).judge(PHONE, "SIPVicious 0.3") == "scanner"
    assert guard(FakeClock()).judge(PHONE, "Linphone/5.2") == "welcome"


def test_who_asks_too_often_waits() -> None:
    clock = FakeClock()
    judge = guard(clock, burst=3).judge
    assert [judge(PHONE, "") for _ in range(4)] == ["welcome", "welcome", "welcome", "too-many"]
    assert judge(OTHER, "") == "welcome"
    clock.advance(1)
    assert judge(PHONE, "") == "welcome"


def test_who_guesses_is_blocked_for_a_while() -> None:
    clock = FakeClock()
    one = guard(clock)
    fail(one, PHONE, GUESSES - 1)
    assert one.judge(PHONE, "") == "welcome"
    fail(one, PHONE, 1)
    assert one.judge(PHONE, "") == "blocked" and list(one.blocked()) == [PHONE]
    assert one.judge(OTHER, "") == "welcome"
    clock.advance(BLOCK_S)
    assert one.judge(PHONE, "") == "welcome" and not one.blocked()


def test_slips_over_a_long_time_add_up_to_nothing() -> None:
    clock = FakeClock()
    one = guard(clock)
    for _ in range(3):
        fail(one, PHONE, GUESSES - 1)
        clock.advance(WINDOW_S + 1)
    assert one.judge(PHONE, "") == "welcome"


def test_who_shows_a_right_password_is_forgiven() -> None:
    one = guard(FakeClock())
    fail(one, PHONE, GUESSES - 1)
    one.forgive(PHONE)
    fail(one, PHONE, GUESSES - 1)
    assert one.judge(PHONE, "") == "welcome"


def test_a_trunk_is_never_turned_away() -> None:
    one = guard(FakeClock(), burst=1)
    fail(one, TRUNK, 100)
    assert [one.judge(TRUNK, "") for _ in range(10)] == ["welcome"] * 10


def test_an_ipv6_network_counts_as_one_source() -> None:
    one = guard(FakeClock())
    for n in range(GUESSES):
        one.failed(f"2001:db8::{n:x}")
    assert one.judge("2001:db8::ffff", "") == "blocked"


def test_sources_without_end_are_forgotten_in_turn() -> None:
    one = guard(FakeClock())
    for n in range(SOURCES + 10):
        one.failed(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
    assert len(one._sources) == SOURCES
