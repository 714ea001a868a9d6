"""How good a leg sounds, by what its counters tell: losses, jitter, delay, and the E-model's estimate of them (G.107, G.113).

On the E-model's narrow-band scale, where 4.4 is the best: what wide-band codecs add to that is not counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

BEST = 93.2
"""R with every parameter of G.107 at its default, and without delay and loss."""
LOSS_ROBUSTNESS = 25.1
"""Bpl of G.113 appendix I for G.711 with concealment, which every codec has here."""
TICK_MS = 20.0
"""What mixing itself takes, at most."""
CODING_MS: dict[str, float] = {"opus": 26.5, "g722": 21.5, "pcmu": 20.0, "pcma": 20.0, "l16": 20.0}
"""A packet of 20 ms and the encoder's look-ahead."""


@dataclass(frozen=True)
class Direction:
    """One way of a leg's sound."""

    loss: float
    """Of its packets, those that were never heard: 0 to 1."""
    jitter_ms: float
    delay_ms: float
    """From mouth to ear as far as it is known: half the round trip, the jitter buffer, coding and mixing."""
    mos: float
    """1 to 4.5 (G.107 annex B)."""


def incoming(codec: str, leg: Mapping[str, int], playout: Mapping[str, int]) -> Direction:
    """From the peer to the room."""
    missed = playout["lost"] - playout["recovered"] + playout["late"]
    loss = _share(missed, playout["packets"] + playout["lost"])
    return _direction(loss, leg["jitter_us"], leg["rtt_us"], playout["delay_ms"] + TICK_MS + _coding(codec))


def outgoing(codec: str, leg: Mapping[str, int]) -> Direction:
    """From the room to the peer, by its reports; its jitter buffer is taken to hold twice the jitter that it reports."""
    loss = _share(leg["remote_lost"], leg["tx_packets"])
    buffered = 2 * leg["remote_jitter_us"] / 1000
    return _direction(loss, leg["remote_jitter_us"], leg["rtt_us"], buffered + TICK_MS + _coding(codec))


def _direction(loss: float, jitter_us: int, rtt_us: int, here_ms: float) -> Direction:
    delay_ms = rtt_us / 2000 + here_ms
    return Direction(loss, jitter_us / 1000, delay_ms, mos(rating(delay_ms, loss)))


def _share(part: int, whole: int) -> float:
    return min(1.0, max(0, part) / whole) if whole > 0 else 0.0


def _coding(codec: str) -> float:
    return CODING_MS.get(codec.lower(), TICK_MS)


def rating(delay_ms: float, loss: float) -> float:
    """R of G.107 for losses that come singly: section 7.4 for the delay (echo is cancelled), 7.5 for the loss."""
    return BEST - _delay_impairment(delay_ms) - 95 * 100 * loss / (100 * loss + LOSS_ROBUSTNESS)


def _delay_impairment(delay_ms: float) -> float:
    """Idd, equations 7-27 and 7-28; below 100 ms nobody notices."""
    if delay_ms <= 100:
        return 0.0
    x = math.log2(delay_ms / 100)
    return 25 * (_root(1 + x**6) - 3 * _root(1 + (x / 3) ** 6) + 2)


def _root(value: float) -> float:
    return math.pow(value, 1 / 6)


def mos(r: float) -> float:
    """G.107 annex B, equation B-4."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
