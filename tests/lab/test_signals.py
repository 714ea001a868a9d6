"""The lab's ears are right: tones are measured, and voices found with level and delay, in signals whose truth is known."""

import numpy as np
import pytest

from confero.lab.signals import analysis, g711, sources


def voices() -> list[sources.Signal]:
    texts = (
        "The quick brown fox jumps over the lazy dog.",
        "Numbers are one two three four five six.",
        "Please leave a message.",
    )
    return [sources.loop(sources.speech(text, pitch=30 + 20 * i), 9.0) for i, text in enumerate(texts)]


def test_tone_level_is_measured_and_other_tones_are_not() -> None:
    signal = sources.tone(440, 1.0, dbfs=-20)
    assert analysis.tone_db(signal, 440) == pytest.approx(-23.0, abs=0.1)
    assert analysis.tone_db(signal, 1000) < -90


def test_silence_is_the_floor() -> None:
    assert analysis.rms_db(np.zeros(100)) == analysis.SILENCE_DB
    assert analysis.tone_db(np.zeros(48_000), 440) == analysis.SILENCE_DB


def test_voices_are_told_apart_with_level_and_delay() -> None:
    said = voices()
    mix = np.zeros(9 * sources.RATE)
    for signal, gain, delay in ((said[0], 1.0, 0.120), (said[1], 0.5, 0.300)):
        shift = round(delay * sources.RATE)
        mix[shift:] += gain * signal[: mix.size - shift]
    a, b, c = analysis.find_voices(mix, 100.0, [(signal, 100.0) for signal in said])
    assert a.level_db == pytest.approx(0, abs=0.5)
    assert a.delay_s == pytest.approx(0.120, abs=0.001)
    assert b.level_db == pytest.approx(-6, abs=0.5)
    assert b.delay_s == pytest.approx(0.300, abs=0.001)
    assert c.level_db < -18
    assert c.sharpness < a.sharpness / 2


def test_g711_keeps_speech_and_maps_every_code_to_itself() -> None:
    codes = bytes(range(256))
    decoded = g711.ulaw_decode(codes)
    again = g711.ulaw_decode(g711.ulaw_encode(decoded))
    assert np.array_equal(decoded, again)
    assert decoded.max() == 32124
    assert decoded.min() == -32124


def test_speech_resampling_keeps_level() -> None:
    signal = sources.tone(1000, 0.5)
    down = sources.resample(signal, 48_000, 8000)
    assert down.size == 4000
    assert analysis.rms_db(down) == pytest.approx(analysis.rms_db(signal), abs=0.2)


def test_click_is_seen() -> None:
    signal = sources.tone(440, 0.5)
    clicked = signal.copy()
    clicked[10_000] += 0.2
    assert analysis.loudest_step(clicked) > 10 * analysis.loudest_step(signal)


def test_gains_of_a_mix_are_found_to_the_last_bit() -> None:
    rng = np.random.default_rng(1)
    parts = [np.round(rng.normal(0, 2000, 48_000)) / 32768 for _ in range(3)]
    mix = np.zeros(48_000)
    mix[96:] = (parts[0] + 0.5 * parts[2])[:-96]
    full, own, half = analysis.mix_gains(mix, parts)
    assert full == pytest.approx(0, abs=1e-6)
    assert half == pytest.approx(-6.02, abs=0.01)
    assert own < -100
