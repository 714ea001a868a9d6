"""What legs cost, in capacity units: one person's sound is one unit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

UNITS = {"opus": 1.0, "g722": 1.0, "pcmu": 1.0, "pcma": 1.0, "l16": 1.0}
"""By codec. Small ones cost a little less than Opus to encode, but as much in packets, buffers and mixing."""
UNKNOWN = 1.0
"""A leg that has not agreed on a codec yet will need as much."""


class Costly(Protocol):
    @property
    def codec(self) -> str: ...


def units_of(legs: Iterable[Costly]) -> float:
    """What they cost together."""
    return sum(UNITS.get(leg.codec.lower(), UNKNOWN) for leg in legs)
