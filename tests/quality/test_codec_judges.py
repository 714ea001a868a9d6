"""What others make of the sounds that the C tests code: ffmpeg's G.722 and comfort noise, through PyAV.

The C tests (native/tests/audio/test_g722.c, test_noise.c) hold confero to stored results; here ffmpeg is asked for the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt

NATIVE = Path(__file__).parents[2] / "native" / "tests" / "audio"
SAMPLES = 16_000

Pcm = npt.NDArray[np.int16]


def lcg(x: int) -> Iterator[int]:
    while True:
        x = (x * 1664525 + 1013904223) % 2**32
        yield x


def fnv(data: bytes) -> int:
    value = 2166136261
    for byte in data:
        value = (value ^ byte) * 16777619 % 2**32
    return value


def stored(name: str, pattern: str) -> list[str]:
    found = re.findall(pattern, (NATIVE / name).read_text())
    assert found, f"{name} has no {pattern}"
    return found


def noise_of_the_c_test(numbers: Iterator[int]) -> Pcm:
    def sample(i: int) -> int:
        high = next(numbers) >> 16
        return int((high - 65536 if high >= 32768 else high) / (1 + i // 100 % 40 * 8))

    return np.array([sample(i) for i in range(SAMPLES)], np.int16)


def coder(name: str, mode: str, rate: int) -> Any:
    context = cast(Any, av.CodecContext.create(name, cast(Any, mode)))
    context.sample_rate, context.layout, context.format = rate, "mono", "s16"
    if mode == "w":
        context.time_base = Fraction(1, rate)
    return context


def encoded(name: str, rate: int, pcm: Pcm) -> list[bytes]:
    context = coder(name, "w", rate)
    context.open()
    size = context.frame_size or 320
    packets = []
    for at in range(0, len(pcm) - size + 1, size):
        frame = av.AudioFrame.from_ndarray(pcm[at : at + size].reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate, at
        packets += context.encode(frame)
    return [bytes(packet) for packet in [*packets, *context.encode(None)]]


def decoded(name: str, rate: int, data: bytes) -> bytes:
    context = coder(name, "r", rate)
    frames = [*context.decode(av.Packet(data)), *context.decode(None)]
    return b"".join(frame.to_ndarray().tobytes() for frame in frames)


def test_g722_is_coded_as_ffmpeg_codes_it() -> None:
    numbers = lcg(1)
    code = b"".join(encoded("g722", 16_000, noise_of_the_c_test(numbers)))[: SAMPLES // 2]
    anything = bytes(next(numbers) >> 24 for _ in range(SAMPLES // 2))
    hashes = [int(value) for value in stored("test_g722.c", r"fnv\([^)]*\), (\d+)")]
    assert [fnv(code), fnv(decoded("g722", 16_000, code)), fnv(decoded("g722", 16_000, anything))] == hashes


def test_comfort_noise_is_described_as_ffmpeg_describes_it() -> None:
    """The signs of RFC 3389's coefficients, which its text leaves to the reader: low noise begins with an octet below 127."""
    numbers = lcg(1)
    low, last = np.zeros(8 * 640, np.int16), 0.0
    for i in range(len(low)):
        last = 0.9 * last + ((next(numbers) >> 16) - 32768) / 64
        low[i] = int(last)
    ffmpeg = encoded("comfortnoise", 8_000, low)[-1]
    want = [int(octet) for octet in stored("test_noise.c", r"theirs\[\] = \{([^}]*)\}")[0].split(",")]
    assert list(ffmpeg[:4]) == want
