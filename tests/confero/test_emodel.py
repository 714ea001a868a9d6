"""The E-model against figures that the ITU printed, and against what any estimate must obey."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confero.emodel import CODECS, delay_impairment, mos, rating


@pytest.mark.parametrize(("r", "score"), [(93.2, 4.41), (90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)])
def test_scores_are_those_of_the_table_of_g_109_and_annex_b(r: float, score: float) -> None:
    assert mos(r) == pytest.approx(score, abs=0.01)


def test_a_good_call_is_as_good_as_a_call_can_be() -> None:
    assert rating("PCMU", loss=0, delay_ms=0) == 93.2


@pytest.mark.parametrize(("loss", "r"), [(0.02, 86.2), (0.05, 77.4), (0.10, 66.1)])
def test_loss_costs_what_g_107_says(loss: float, r: float) -> None:
    assert rating("PCMU", loss=loss, delay_ms=0) == pytest.approx(r, abs=0.1)


def test_losses_in_bursts_cost_more() -> None:
    assert rating("PCMA", loss=0.05, delay_ms=0, burst_ratio=2) < rating("PCMA", loss=0.05, delay_ms=0)


@pytest.mark.parametrize(("ms", "cost"), [(0, 0), (150, 3.6), (177.3, 4.26), (400, 34.1)])
def test_delay_costs_little_until_conversation_suffers(ms: float, cost: float) -> None:
    assert delay_impairment(ms) == pytest.approx(cost, abs=0.05)


def test_an_unknown_codec_is_not_taken_for_a_good_one() -> None:
    assert rating("GSM", loss=0, delay_ms=0) < rating("PCMU", loss=0, delay_ms=0)


@given(
    st.sampled_from([*CODECS, "?"]), st.floats(-1, 2), st.floats(-100, 1e6), st.floats(0, 1e3), st.floats(0.001, 0.2)
)
def test_more_loss_is_never_better_and_the_scale_is_kept(
    codec: str, loss: float, delay: float, burst: float, more: float
) -> None:
    here = rating(codec, loss=loss, delay_ms=delay, burst_ratio=burst)
    worse = rating(codec, loss=loss + more, delay_ms=delay, burst_ratio=burst)
    assert 0 <= worse <= here <= 93.2
    assert 1 <= mos(worse) <= mos(here) + 0.02 <= 4.6  # annex B's curve dips by a hair below R = 6.5
