"""How good a call sounded, estimated from codec, loss and delay: the E-model of ITU-T G.107, as far as a gateway knows its inputs.

What it does not know (noise, echo, sidetone) stands at G.107's defaults, with which R is 93.2. The result compares calls with
one another; it is no measurement of sound (tests/quality has those).
"""

from __future__ import annotations

from dataclasses import dataclass

R_DEFAULT = 93.2
"""G.107: basic rating with everything at its default."""


@dataclass(frozen=True)
class Codec:
    """How a codec bears loss."""

    impairment: float
    """Ie, without loss (ITU-T G.113, appendix I)."""
    robustness: float
    """Bpl: percent of random loss that halves what is left of 95 - Ie (same source)."""


CODECS: dict[str, Codec] = {
    "PCMU": Codec(0, 25.1),
    "PCMA": Codec(0, 25.1),
    "G722": Codec(0, 25.1),
    "L16": Codec(0, 25.1),
    "opus": Codec(0, 25.1),
}
"""G.113 gives 25.1 for G.711 with concealment in 10 ms packets, which all our legs have. For Opus and L16 the ITU has no
figures, and on this narrow-band scale wide-band codecs cannot show what they gain: they are rated as G.711 is."""
UNKNOWN = Codec(11, 19.0)
"""As G.729A: what a codec that is not in the table deserves at least."""


def rating(codec: str, *, loss: float, delay_ms: float, burst_ratio: float = 1.0) -> float:
    """R, 0 to 93.2. ``loss``: share of packets that were not heard, 0 to 1; ``delay_ms``: mouth to ear, one way;
    ``burst_ratio``: mean length of losses over that of random loss, 1 for random."""
    facts = CODECS.get(codec, UNKNOWN)
    percent = 100 * min(max(loss, 0.0), 1.0)
    # G.107 (7-29): effective equipment impairment.
    effective = facts.impairment + (95 - facts.impairment) * percent / (
        percent / max(burst_ratio, 1.0) + facts.robustness
    )
    return min(max(R_DEFAULT - delay_impairment(delay_ms) - effective, 0.0), R_DEFAULT)


def delay_impairment(delay_ms: float) -> float:
    """Idd of G.107 by its usual two-piece form (Cole and Rosenbluth, 2001), within 1 of (7-27) up to 400 ms."""
    delay = max(delay_ms, 0.0)
    return 0.024 * delay + (0.11 * (delay - 177.3) if delay > 177.3 else 0.0)


def mos(r: float) -> float:
    """G.107 annex B: R to the mean opinion score, 1 to 4.5."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
