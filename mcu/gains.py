"""Gains as the wire has them and as the engine takes them."""

from __future__ import annotations

GAIN_MAX = 7.9
"""The engine's limit as a factor: +18 dB, but for the last twentieth of a dB."""


def factor(gain_db: float | None) -> float:
    """What the engine takes for a gain; None: nothing is heard."""
    return 0.0 if gain_db is None else min(GAIN_MAX, 10 ** (gain_db / 20))
