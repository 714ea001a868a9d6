"""A reader of PCM from inside the mixer: 48 kHz mono, with the time of each piece."""

from __future__ import annotations

import errno

import numpy as np
from numpy.typing import NDArray

from ._core import ffi, lib
from ._handle import Handle
from .errors import from_errno

RATE = 48_000
"""Samples per second."""


class Tap:
    """Made by :meth:`Engine.tap`. It ends by itself when its leg or room goes; what it holds then can still be read."""

    def __init__(self, handle: Handle, number: int) -> None:
        self._handle = handle
        self._number = number
        self._at = ffi.new("int64_t *")
        self.ended = False

    def read(self, limit: int = RATE) -> tuple[NDArray[np.int16], int]:
        """Up to ``limit`` waiting samples, and the engine's time in ns of the first one.

        Nothing there: an empty array; ``ended`` tells whether more can come. Raises EngineClosed.
        """
        pcm = np.empty(0 if self.ended else limit, dtype=np.int16)
        if self.ended or limit == 0:
            return pcm, 0
        target = ffi.from_buffer("int16_t[]", pcm, require_writable=True)
        got = lib.cf_engine_tap_read(self._handle.raw, self._number, target, limit, self._at)
        if got == -errno.ENOENT:
            self.close()
            return pcm[:0], 0
        if got < 0:
            raise from_errno(-got, "read a tap")
        return pcm[:got], int(self._at[0])

    def close(self) -> None:
        """Lets go of the tap; may be called again. Raises EngineClosed, EngineBusy."""
        if not self.ended:
            result = lib.cf_engine_untap(self._handle.raw, self._number)
            if result < 0:
                raise from_errno(-result, "end a tap")
            self.ended = True
