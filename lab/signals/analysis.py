"""What was heard: levels of tones, and how loud, how late and whether at all each known voice arrived.

Voices are told apart without taking turns: each is found by phase-transform correlation, then all are fitted at once by least
squares with a short filter each, in the telephone band, so that a G.711 leg and an Opus leg are judged alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .sources import RATE, Signal, resample

BAND_RATE = 8000
"""Analysis rate: what G.711 carries."""
BAND_HZ = (300.0, 3400.0)
TAPS = 33
"""Length of each voice's fitted filter (4 ms): codecs shift phases, not more."""
SILENCE_DB = -120.0


@dataclass(frozen=True)
class Voice:
    """How one known signal arrived in a recording."""

    level_db: float
    """Level heard against level said, in the telephone band; 0 = as loud as it was said."""
    delay_s: float
    """From its moment at the mouth to its moment at the ear."""
    sharpness: float
    """Peak of the correlation against its noise; under about 6 the voice was not found."""


def rms_db(signal: Signal) -> float:
    """Level in dBFS (a full-scale square wave is 0)."""
    power = float(np.mean(signal**2)) if signal.size else 0.0
    return max(SILENCE_DB, float(10 * np.log10(power))) if power > 0 else SILENCE_DB


def tone_db(signal: Signal, hertz: float, *, window_s: float = 0.1) -> float:
    """Median level in dBFS (RMS) of a tone over windows of ``window_s``, by a Hann-weighted Fourier sum at its frequency."""
    size = round(window_s * RATE)
    count = signal.size // size
    if count == 0:
        return SILENCE_DB
    frames = signal[: count * size].reshape(count, size)
    window = np.hanning(size)
    kernel = window * np.exp(-2j * np.pi * hertz * np.arange(size) / RATE) / window.sum()
    amplitude = 2 * np.abs(frames @ kernel) / np.sqrt(2)
    level = float(np.median(amplitude))
    return max(SILENCE_DB, float(20 * np.log10(level))) if level > 0 else SILENCE_DB


def loudest_step(signal: Signal) -> float:
    """Peak of the second difference: a click is far above what the signal's own frequencies explain."""
    return float(np.abs(np.diff(signal, 2)).max()) if signal.size > 2 else 0.0


def find_voices(
    heard: Signal,
    heard_at: float,
    said: Sequence[tuple[Signal, float]],
    *,
    latest_s: float = 1.5,
    window_s: float = 4.0,
) -> list[Voice]:
    """For each ``(signal, said_at)`` how it arrived in ``heard``; the times are those of the first samples on one clock.

    The recording is cut into windows, so that jitter buffers may stretch it in between; medians over the windows count.
    """
    ears = _to_band(heard)
    mouths = [(_to_band(signal), at) for signal, at in said]
    size = round(window_s * BAND_RATE)
    margin = round(latest_s * BAND_RATE)
    found: list[list[Voice]] = [[] for _ in said]
    for start in range(0, ears.size - size + 1, size):
        window = ears[start : start + size]
        at = heard_at + start / BAND_RATE
        sources = [_cut(mouth, round((at - said_at) * BAND_RATE) - margin, size + margin) for mouth, said_at in mouths]
        for index, voice in enumerate(_fit(window, sources, margin)):
            found[index].append(voice)
    return [_median(voices) for voices in found]


def _median(voices: list[Voice]) -> Voice:
    if not voices:
        return Voice(SILENCE_DB, 0.0, 0.0)
    columns = np.median([(v.level_db, v.delay_s, v.sharpness) for v in voices], axis=0)
    return Voice(*map(float, columns))


def _to_band(signal: Signal) -> Signal:
    """The telephone band of a signal, at 8 kHz."""
    low = resample(signal, RATE, BAND_RATE)
    spectrum = np.fft.rfft(low)
    hertz = np.fft.rfftfreq(low.size, 1 / BAND_RATE) if low.size else np.zeros(1)
    spectrum[(hertz < BAND_HZ[0]) | (hertz > BAND_HZ[1])] = 0
    band: Signal = np.fft.irfft(spectrum, low.size) if low.size else low
    return band


def _cut(signal: Signal, start: int, size: int) -> Signal:
    """``size`` samples from ``start``, zeros where the signal does not reach."""
    out = np.zeros(size)
    low, high = max(0, start), min(signal.size, start + size)
    if low < high:
        out[low - start : high - start] = signal[low:high]
    return out


def _fit(window: Signal, sources: list[Signal], margin: int) -> list[Voice]:
    """Delay of each source by correlation, then the levels of all by one least-squares fit."""
    peaks = [_correlate(window, source, margin) for source in sources]
    columns = []
    for source, (lag, _) in zip(sources, peaks, strict=True):
        begin = margin - lag - TAPS // 2
        columns += [_cut(source, begin + tap, window.size) for tap in range(TAPS)]
    matrix = np.stack(columns, axis=1)
    gram = matrix.T @ matrix
    ridge = np.eye(gram.shape[0]) * (1e-9 + 1e-6 * float(np.trace(gram)) / gram.shape[0])
    weights = np.linalg.solve(gram + ridge, matrix.T @ window)
    voices = []
    for index, (source, (lag, sharpness)) in enumerate(zip(sources, peaks, strict=True)):
        part = matrix[:, index * TAPS : (index + 1) * TAPS] @ weights[index * TAPS : (index + 1) * TAPS]
        said = _cut(source, margin - lag, window.size)
        voices.append(Voice(_ratio_db(part, said), lag / BAND_RATE, sharpness))
    return voices


def _correlate(window: Signal, source: Signal, margin: int) -> tuple[int, float]:
    """Lag in samples (0 to ``margin``) at which the source sits in the window, and how sharp the peak is."""
    size = 1 << int(np.ceil(np.log2(window.size + source.size)))
    cross = np.fft.rfft(window, size) * np.conj(np.fft.rfft(source, size))
    phase = np.fft.irfft(cross / (np.abs(cross) + 1e-12 + 1e-3 * np.abs(cross).max()), size)
    # source[k] is in the window at k - margin + lag; so lag = margin - shift for shifts 0..margin
    by_lag = np.array([phase[(lag - margin) % size] for lag in range(margin + 1)])
    lag = int(np.argmax(np.abs(by_lag)))
    noise = float(np.median(np.abs(by_lag))) / 0.6745
    return lag, float(np.abs(by_lag[lag]) / noise) if noise > 0 else 0.0


def _ratio_db(part: Signal, said: Signal) -> float:
    power, reference = float(np.mean(part**2)), float(np.mean(said**2))
    if power <= 0 or reference <= 1e-12:
        return SILENCE_DB
    return max(SILENCE_DB, float(10 * np.log10(power / reference)))


def mix_gains(heard: Signal, parts: Sequence[Signal], *, latest: int = 400) -> list[float]:
    """Gain in dB at which each of several sample-aligned parts stands in a mix of them, by least squares without filters.

    For taps of one mixer on one clock, where the mix is the sum of the parts, ``latest`` samples late at most: the floor is then
    far below anything a recording behind a codec could show.
    """
    size = min(heard.size, *(part.size for part in parts)) - latest
    if size <= 0:
        return [SILENCE_DB] * len(parts)
    total = np.sum([part[:size] for part in parts], axis=0)
    spectrum = np.fft.rfft(heard[: size + latest], 2 * (size + latest)) * np.conj(
        np.fft.rfft(total, 2 * (size + latest))
    )
    lag = int(np.argmax(np.fft.irfft(spectrum)[: latest + 1]))
    matrix = np.stack([part[:size] for part in parts], axis=1)
    gains, *_ = np.linalg.lstsq(matrix, heard[lag : lag + size], rcond=None)
    return [max(SILENCE_DB, float(20 * np.log10(abs(gain)))) if gain else SILENCE_DB for gain in gains]
