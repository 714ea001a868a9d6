"""The estimate of quality: G.107's table of ratings, what delay and loss cost, and the way from counters to them."""

from __future__ import annotations

import pytest

from confero.mcu import quality

LEG = {"jitter_us": 4000, "rtt_us": 60_000, "remote_lost": 0, "remote_jitter_us": 3000, "tx_packets": 1000}
PLAYOUT = {"packets": 990, "lost": 10, "recovered": 0, "late": 0, "delay_ms": 30}


@pytest.mark.parametrize(("r", "mos"), [(93.2, 4.41), (90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)])
def test_the_table_of_g107_annex_b(r: float, mos: float) -> None:
    assert quality.mos(r) == pytest.approx(mos, abs=0.01)


def test_the_ends_of_the_scale() -> None:
    assert (quality.mos(-1), quality.mos(0), quality.mos(100), quality.mos(101)) == (1, 1, 4.5, 4.5)
    assert all(1 <= quality.mos(r / 10) <= 4.5 for r in range(-50, 1100))


@pytest.mark.parametrize(("delay_ms", "lost"), [(0, 0), (100, 0), (150, 0.4), (200, 3.0), (300, 14.4), (400, 24.0)])
def test_delay_costs_little_at_first(delay_ms: float, lost: float) -> None:
    assert quality.BEST - quality.rating(delay_ms, 0) == pytest.approx(lost, abs=1.0)


def test_loss_costs_more_and_more() -> None:
    ratings = [quality.rating(0, loss / 100) for loss in range(101)]
    assert ratings == sorted(ratings, reverse=True)
    assert quality.BEST - ratings[1] == pytest.approx(95 / 26.1)
    assert quality.mos(ratings[100]) < 2


def test_counters_of_both_ways() -> None:
    come = quality.incoming("PCMU", LEG, PLAYOUT)
    assert (come.loss, come.jitter_ms, come.delay_ms) == (0.01, 4.0, 30 + 30 + 20 + 20)
    gone = quality.outgoing("opus", LEG)
    assert (gone.loss, gone.jitter_ms, gone.delay_ms) == (0.0, 3.0, 30 + 6 + 20 + 26.5)
    assert 4.0 < come.mos < gone.mos < 4.42


def test_what_was_rebuilt_was_heard_and_what_was_late_was_not() -> None:
    rebuilt = quality.incoming("opus", LEG, PLAYOUT | {"recovered": 10})
    late = quality.incoming("opus", LEG, PLAYOUT | {"late": 10})
    assert (rebuilt.loss, late.loss) == (0.0, 0.02)


def test_absurd_counters_stay_in_bounds() -> None:
    assert quality.outgoing("", LEG | {"remote_lost": 10**9}).loss == 1.0
    assert quality.outgoing("", LEG | {"tx_packets": 0}).loss == 0.0
    assert quality.incoming("x", LEG, dict.fromkeys(PLAYOUT, 0) | {"recovered": 5}).loss == 0.0
