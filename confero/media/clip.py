"""Sound in memory that can be played any number of times at once, and tones made for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._core import ffi, lib
from .errors import EngineError

MAX_SECONDS = 600
"""Of one clip: 58 MB. Longer sound is a stream."""
_RATE = 48_000


class Clip:
    """A copy of 48 kHz mono samples; freed when nobody holds or plays it. Raises EngineError for none, or more than 10 min."""

    def __init__(self, pcm: NDArray[np.int16]) -> None:
        samples = np.ascontiguousarray(pcm, dtype=np.int16)
        raw = lib.cf_clip_new(ffi.from_buffer("int16_t[]", samples), samples.size)
        if raw == ffi.NULL:
            raise EngineError(f"a clip has 1 sample to {MAX_SECONDS} s")
        self._raw = ffi.gc(raw, lib.cf_clip_free, samples.size * 2)
        self.seconds = samples.size / _RATE

    @property
    def raw(self) -> Any:
        """For calls into C."""
        return self._raw


class ToneStep(NamedTuple):
    """Up to two sines for a while, or a pause."""

    milliseconds: int
    hz: tuple[int, ...] = ()
    dbov: tuple[int, ...] = ()
    """Of each, -dBov: 3 is a sine of full scale."""


def tone(steps: Sequence[ToneStep]) -> NDArray[np.int16]:
    """The samples. Raises EngineError: see ``tone.h`` for what can be made."""
    spec = ffi.new("cf_tone *")
    if len(steps) > len(spec.steps):
        raise EngineError(f"a tone has at most {len(spec.steps)} steps")
    spec.count = len(steps)
    for out, step in zip(spec.steps, steps, strict=False):
        if len(step.hz) > 2 or len(step.hz) != len(step.dbov):
            raise EngineError("a step has up to two frequencies, and a level for each")
        out.ms = step.milliseconds
        for i, (hz, level) in enumerate(zip(step.hz, step.dbov, strict=True)):
            out.hz[i], out.level[i] = hz, level
    return _render(spec)


def named_tone(name: str) -> NDArray[np.int16]:
    """dial, ringing, busy, congestion, entry, exit, beep, or a digit. Raises EngineError."""
    spec = ffi.new("cf_tone *")
    if "\0" in name or lib.cf_tone_named(spec, name.encode()) < 0:
        raise EngineError(f"no tone is called {name!r}")
    return _render(spec)


def _render(spec: Any) -> NDArray[np.int16]:
    samples = lib.cf_tone_samples(spec)
    if samples < 0:
        raise EngineError("a tone's frequencies, levels or lengths are out of range")
    pcm = np.empty(samples, np.int16)
    lib.cf_tone_render(spec, ffi.from_buffer("int16_t[]", pcm, require_writable=True), samples)
    return pcm
