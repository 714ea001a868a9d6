"""Signals to say: tones, and speech made by espeak-ng."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from confero.errors import LocalError

RATE = 48_000
Signal = npt.NDArray[np.float64]

SPEECH_TIMEOUT_S = 20


def tone(hertz: float, seconds: float, *, dbfs: float = -12.0) -> Signal:
    """A sine whose peak lies ``dbfs`` below full scale, with 10 ms ramps at both ends."""
    n = round(seconds * RATE)
    signal: Signal = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * np.arange(n) / RATE)
    ramp = np.minimum(1.0, np.arange(n) / (0.01 * RATE))
    shaped: Signal = signal * ramp * ramp[::-1]
    return shaped


def speech(text: str, *, voice: str = "en", pitch: int = 50, words_per_minute: int = 160) -> Signal:
    """``text`` spoken by espeak-ng, its peak at -3 dBFS. Raises LocalError if espeak-ng is not installed or fails."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise LocalError("espeak-ng is not installed (Debian: apt-get install espeak-ng)")
    command = [program, "--stdout", "-v", voice, "-p", str(pitch), "-s", str(words_per_minute), text]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SPEECH_TIMEOUT_S, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise LocalError(f"espeak-ng failed: {error}") from error
    samples, rate = parse_wav(done.stdout)
    signal = resample(samples, rate, RATE)
    loud: Signal = signal * (10 ** (-3 / 20) / max(1e-9, float(np.abs(signal).max())))
    return loud


def resample(signal: Signal, rate_in: int, rate_out: int) -> Signal:
    """Band-limited conversion of a whole signal by FFT; for the lab, where signals are short and time is not."""
    if rate_in == rate_out or signal.size == 0:
        return signal
    n_out = round(signal.size * rate_out / rate_in)
    spectrum = np.fft.rfft(signal)
    wanted = np.zeros(n_out // 2 + 1, dtype=complex)
    keep = min(spectrum.size, wanted.size)
    wanted[:keep] = spectrum[:keep]
    converted: Signal = np.fft.irfft(wanted, n_out) * (n_out / signal.size)
    return converted


def loop(signal: Signal, seconds: float) -> Signal:
    """``signal`` repeated or cut to exactly ``seconds``."""
    n = round(seconds * RATE)
    repeated: Signal = np.resize(signal, n)
    return repeated


def to_pcm16(signal: Signal) -> npt.NDArray[np.int16]:
    clipped = np.clip(np.round(signal * 32768), -32768, 32767)
    return clipped.astype(np.int16)


def from_pcm16(samples: npt.NDArray[np.int16]) -> Signal:
    scaled: Signal = samples.astype(np.float64) / 32768
    return scaled


def write_wav(path: Path, signal: Signal) -> None:
    """A 48 kHz mono 16-bit file."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(to_pcm16(signal).tobytes())


def parse_wav(data: bytes) -> tuple[Signal, int]:
    """Samples and rate of a mono 16-bit WAV whose length fields may be open (streams, espeak-ng): the rest of the data counts."""
    with wave.open(io.BytesIO(data)) as source:
        rate = source.getframerate()
    start = data.index(b"data") + 8
    body = data[start : start + (len(data) - start) // 2 * 2]
    return from_pcm16(np.frombuffer(body, dtype="<i2")), rate
