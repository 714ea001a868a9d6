"""Token buckets under a fake clock, and sources."""

from __future__ import annotations

import pytest

from confero.clock import FakeClock
from confero.ratelimit import Rate, RateLimiter, TokenBucket, source_of


def test_burst_then_rate() -> None:
    clock = FakeClock()
    bucket = TokenBucket(Rate(burst=2, per_s=0.5), clock)
    assert [bucket.take(), bucket.take()] == [0.0, 0.0]
    assert bucket.take() == pytest.approx(2.0)
    clock.advance(1.0)
    assert bucket.take() == pytest.approx(1.0)
    clock.advance(1.0)
    assert bucket.take() == 0.0


def test_bucket_never_holds_more_than_its_burst() -> None:
    clock = FakeClock()
    bucket = TokenBucket(Rate(burst=2, per_s=1), clock)
    clock.advance(1000)
    assert [bucket.take() for _ in range(3)] == [0.0, 0.0, 1.0]


def test_keys_do_not_share() -> None:
    limiter = RateLimiter(Rate(burst=1, per_s=1), FakeClock())
    assert limiter.take("a") == 0.0
    assert limiter.take("b") == 0.0
    assert limiter.take("a") > 0


def test_memory_is_bounded_and_the_busy_are_remembered() -> None:
    limiter = RateLimiter(Rate(burst=1, per_s=1), FakeClock(), keys=3)
    for key in "abc":
        limiter.take(key)
    limiter.take("a")
    limiter.take("d")
    assert len(limiter) == 3
    assert limiter.take("a") > 0
    assert limiter.take("b") == 0.0


def test_asking_how_long_takes_nothing() -> None:
    clock = FakeClock()
    limiter = RateLimiter(Rate(burst=1, per_s=0.5), clock)
    assert limiter.wait("a") == 0.0 and len(limiter) == 0
    limiter.take("a")
    assert [limiter.wait("a"), limiter.wait("a"), limiter.wait("b")] == [2.0, 2.0, 0.0]
    clock.advance(2)
    assert limiter.wait("a") == 0.0 and limiter.take("a") == 0.0


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nonsense", "unknown"),
        ("", "unknown"),
    ],
)
def test_source_of(address: str, source: str) -> None:
    assert source_of(address) == source
