"""The timers of SIP transactions as a table: which, how long, and over which transports (RFC 3261 table 4, RFC 6026 section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

TimerName = Literal["A", "B", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "trying", "cancelled", "unanswered"]
"""C is for proxies. The last three have no letter: they are named by what they wait for."""
Unit = Literal["t1", "t2", "t4", "trying", "lifetime", "patience", "absorb"]

INTERVALS: dict[TimerName, tuple[Unit, Unit | None]] = {
    # over UDP, over reliable transports; None: does not run there; "absorb" is zero where nothing can come twice
    "A": ("t1", None),  # INVITE is sent again
    "B": ("lifetime", "lifetime"),  # INVITE found no answer
    "D": ("patience", "absorb"),  # repeated finals of an INVITE are acknowledged
    "E": ("t1", None),  # another request is sent again
    "F": ("lifetime", "lifetime"),  # another request found no answer
    "G": ("t1", None),  # the final of an INVITE is sent again
    "H": ("lifetime", "lifetime"),  # ACK did not come
    "I": ("t4", "absorb"),  # repeated ACKs are absorbed
    "J": ("lifetime", "absorb"),  # repeated requests are answered
    "K": ("t4", "absorb"),  # repeated finals are absorbed
    "L": ("lifetime", "lifetime"),  # RFC 6026: repeated INVITEs after a 2xx are absorbed
    "M": ("lifetime", "lifetime"),  # RFC 6026: repeated and forked 2xx are passed up
    "trying": ("trying", "trying"),  # section 17.2.1: 100 if the user says nothing
    "cancelled": ("lifetime", "lifetime"),  # section 9.1: nothing came after CANCEL
    "unanswered": ("lifetime", "lifetime"),  # RFC 4320 section 4: by now the client has given up
}


@dataclass(frozen=True)
class Timers:
    """The base values of RFC 3261 section 17.1.1.1 in seconds; what is longer is made of them."""

    t1: float = 0.5
    """Estimate of the round trip; the first retransmission comes after it."""
    t2: float = 4.0
    """Retransmissions are never further apart, but for those of INVITE."""
    t4: float = 5.0
    """How long a message may be on its way."""
    trying: float = 0.2
    """A 100 is sent when the user has not answered an INVITE by then."""

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if not 0 < self.t1 <= self.t2 or self.t4 <= 0:
            raise ValueError(f"timers need 0 < T1 ({self.t1}) <= T2 ({self.t2}) and 0 < T4 ({self.t4})")
        if not 0 <= self.trying <= self.t1:
            raise ValueError(f"100 Trying after {self.trying} s is later than the first retransmission")

    @property
    def lifetime(self) -> float:
        """64 * T1: after it either side takes the other for gone."""
        return 64 * self.t1

    @property
    def patience(self) -> float:
        """How long a peer may repeat a final, whatever its T1 is: 32 s at least (section 17.1.1.2)."""
        return max(32.0, self.lifetime)

    def seconds(self, unit: Unit) -> float:
        return 0.0 if unit == "absorb" else float(getattr(self, unit))


Waits = Mapping[TimerName, float | None]


def waits(timers: Timers, *, reliable: bool) -> Waits:
    """Seconds that each timer runs at first; None for those that do not run over such a transport."""
    units = {name: pair[reliable] for name, pair in INTERVALS.items()}
    return {name: None if unit is None else timers.seconds(unit) for name, unit in units.items()}
