"""What every synthetic participant can do, whatever carries its media."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from confero.lab.signals.sources import RATE, Signal


@dataclass
class Recording:
    """Sound with the moment of its first sample on the monotonic clock. Bounded: recording stops at ``limit_s``."""

    limit_s: float = 120.0
    started_at: float | None = None
    _chunks: list[Signal] = field(default_factory=list)
    _samples: int = 0

    def add(self, chunk: Signal, at: float) -> None:
        """Appends 48 kHz samples; ``at`` is when the first of them was heard."""
        if self.started_at is None:
            self.started_at = at
        if self._samples < self.limit_s * RATE:
            self._chunks.append(chunk)
            self._samples += chunk.size

    @property
    def seconds(self) -> float:
        return self._samples / RATE

    def signal(self) -> Signal:
        return np.concatenate(self._chunks) if self._chunks else np.zeros(0)

    def clear(self) -> None:
        self._chunks.clear()
        self._samples = 0
        self.started_at = None


class Ear(Protocol):
    """What was heard since ``clear``."""

    @property
    def started_at(self) -> float | None: ...
    @property
    def seconds(self) -> float: ...
    def signal(self) -> Signal: ...
    def clear(self) -> None: ...


class Member(Protocol):
    """A participant under test control."""

    name: str
    participant: str
    leg: str
    said: Signal
    """What it says, from ``said_at`` on, over and over."""

    @property
    def heard(self) -> Ear: ...

    @property
    def said_at(self) -> float | None:
        """When it began, on the monotonic clock; None before."""
        ...

    async def join(self) -> None:
        """Joins and starts to talk; returns once media flows both ways. Raises confero errors and TimeoutError."""
        ...

    async def leave(self) -> None: ...
