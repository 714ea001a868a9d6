"""PCM from inside the mixer as a WAV stream, written as it is heard."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from confero.errors import Refused

from .removals import Closable

RATE = 48_000
SAMPLE = 2
"""Bytes."""
POLL_S = 0.1
BUFFER_MS = 2_000
"""What the engine keeps for a reader that is late; then it drops."""
TAPS = 64
"""Streams at once."""

Parts = AsyncGenerator[bytes, None]


class Readable(Closable, Protocol):
    """A tap of the engine."""

    ended: bool

    def read(self, limit: int = RATE) -> tuple[NDArray[np.int16], int]: ...


def wav_header(samples: int) -> bytes:
    """RIFF/WAVE, 48 kHz, mono, 16 bit, for so many samples."""
    size = samples * SAMPLE
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * SAMPLE, SAMPLE, 8 * SAMPLE)
    return struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)


class Taps:
    """Counts the streams, so that there are never too many."""

    def __init__(self, release: Callable[[Closable], None], limit: int = TAPS) -> None:
        """``release`` closes a tap for good; it never raises."""
        self._release = release
        self._limit = limit
        self.open = 0

    def check(self) -> None:
        """Raises Refused ``too-many-taps``."""
        if self.open >= self._limit:
            raise Refused(f"{self._limit} taps are open already.", status=429, code="too-many-taps")

    async def stream(self, tap: Readable, seconds: int, *, start: Callable[[int], None] | None = None) -> Parts:
        """Header and samples for ``seconds``, or until leg or room goes: then the stream is shorter than its header says.

        ``start`` is told the engine's time in ns of the first sample before anything is yielded, so that taps can be
        aligned. The tap is closed at the end, also when the reader goes away.
        """
        left = seconds * RATE
        part = wav_header(left)
        self.open += 1
        try:
            while left and not tap.ended:
                pcm, at = tap.read(min(left, RATE))
                if pcm.size:
                    if start is not None:
                        start(at)
                        start = None
                    yield part + pcm.astype("<i2").tobytes()
                    part = b""
                    left -= pcm.size
                elif not tap.ended:
                    await asyncio.sleep(POLL_S)
            if part:
                yield part
        finally:
            self.open -= 1
            self._release(tap)
