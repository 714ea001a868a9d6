"""Eight full-scale talkers at once against NumPy: 64-bit sums, each without itself, then the limiter of mixer.h."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from confero.media._core import ffi, lib

RATE, FRAME = 48_000, 960
LEGS, FRAMES = 8, 75
SAMPLES = FRAMES * FRAME
GAIN_ONE, GAIN_MAX = 16_384, 130_000  # Q14
AHEAD, CEILING, RELEASE, REST = 96, 32_000, 1 / 4_800, 2.0**-20

Pcm = npt.NDArray[np.int16]


def square(hz: float) -> Pcm:
    return np.where(np.arange(SAMPLES) * hz % RATE < RATE / 2, 32_767, -32_768).astype(np.int16)


def sine(hz: float) -> Pcm:
    return cast(Pcm, np.rint(32_767 * np.sin(2 * np.pi * hz * np.arange(SAMPLES) / RATE)).astype(np.int16))


def babble(seed: int) -> Pcm:
    """Noise with the slow ups and downs of speech, up to full scale."""
    rng = np.random.default_rng(seed)
    envelope = np.interp(np.arange(SAMPLES), np.arange(0, SAMPLES + 1, 4_800), rng.random(SAMPLES // 4_800 + 1))
    noise = np.convolve(rng.standard_normal(SAMPLES), np.hanning(24), "same")
    return cast(Pcm, np.clip(noise / np.abs(noise).max() * 3 * envelope * 32_767, -32_768, 32_767).astype(np.int16))


@pytest.fixture(scope="module")
def talkers() -> Pcm:
    voices = [babble(seed) for seed in range(4)]
    return np.stack([*voices, square(200), square(331), sine(440), sine(1_250)])


def mix(pcm: Pcm, gains: list[int]) -> Pcm:
    legs, samples = pcm.shape
    out = np.empty_like(pcm)
    status = lib.cf_oneshot_mix(
        ffi.from_buffer("int16_t[]", np.ascontiguousarray(pcm)),
        ffi.new("int32_t[]", gains),
        legs,
        samples // FRAME,
        ffi.from_buffer("int16_t[]", out, require_writable=True),
    )
    assert status == 0
    return out


def half_away(x: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.trunc(x + np.copysign(0.5, x)).astype(np.int64)


def mix_minus_oracle(pcm: Pcm, gains: list[int]) -> npt.NDArray[np.int64]:
    own = half_away(pcm.astype(np.float64) * np.array(gains)[:, None] / GAIN_ONE)
    return cast(npt.NDArray[np.int64], own.sum(axis=0) - own)


def limiter_oracle(x: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    need = np.minimum(1, CEILING / np.maximum(np.abs(x), 1))
    rel = np.ones(AHEAD + len(x))
    last = 1.0
    for n, needed in enumerate(need.tolist()):
        last = min(needed, last + (1 - last) * RELEASE)
        last = 1.0 if 1 - last < REST else last
        rel[AHEAD + n] = last
    low = np.concatenate([np.ones(AHEAD - 1), sliding_window_view(rel, AHEAD + 1).min(axis=1)])
    gain = sliding_window_view(low, AHEAD).mean(axis=1)
    late = np.concatenate([np.zeros(AHEAD, np.int64), x])[: len(x)]
    return half_away(late * gain)


@pytest.mark.parametrize(
    "gains", [[GAIN_ONE] * LEGS, [GAIN_MAX] * LEGS, [0, 1, 8_000, GAIN_ONE, 20_001, GAIN_MAX, 3, 0]]
)
def test_full_scale_talkers_are_within_one_lsb_of_numpy(talkers: Pcm, gains: list[int]) -> None:
    heard = mix(talkers, gains).astype(np.int64)
    for leg, others in enumerate(mix_minus_oracle(talkers, gains)):
        assert np.abs(heard[leg] - limiter_oracle(others)).max() <= 1


def test_the_room_is_loud_enough_to_prove_something(talkers: Pcm) -> None:
    assert (np.abs(mix_minus_oracle(talkers, [GAIN_ONE] * LEGS)).max(axis=1) > 3 * 32_768).all()


@pytest.mark.parametrize("gain", [GAIN_ONE, GAIN_MAX])
def test_peaks_stay_under_the_ceiling(talkers: Pcm, gain: int) -> None:
    assert np.abs(mix(talkers, [gain] * LEGS).astype(np.int64)).max() <= CEILING


def test_nothing_wraps(talkers: Pcm) -> None:
    """What comes out points where the exact sum points: a wrapped sample would point the other way."""
    gains = [GAIN_ONE] * LEGS
    heard = mix(talkers, gains).astype(np.int64)[:, AHEAD:]
    exact = mix_minus_oracle(talkers, gains)[:, :-AHEAD]
    assert (heard * exact >= 0).all()


def test_nobody_hears_himself(talkers: Pcm) -> None:
    """Exactly: with only one member talking, that member's own mix is digital silence, and the others hear it untouched."""
    alone = np.zeros_like(talkers)
    alone[3] = talkers[3] // 2
    heard = mix(alone, [GAIN_ONE] * LEGS)
    assert not heard[3].any()
    assert (heard[[0, 1, 2, 4, 5, 6, 7], AHEAD:] == alone[3, :-AHEAD]).all()


def test_a_gain_out_of_range_is_refused(talkers: Pcm) -> None:
    out = np.empty_like(talkers)
    for gain in (-1, GAIN_MAX + 1):
        status = lib.cf_oneshot_mix(
            ffi.from_buffer("int16_t[]", talkers),
            ffi.new("int32_t[]", [gain] * LEGS),
            LEGS,
            FRAMES,
            ffi.from_buffer("int16_t[]", out, require_writable=True),
        )
        assert status == -22
