"""A client's requests under way: sent again over UDP, given up in time, each answered once (RFC 8489 section 6.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from confero.protocols.stun.attributes import Row

RTO_S = 0.5
SENDINGS = 7
"""Rc. The intervals double."""
LAST_WAIT = 16
"""Rm, in units of the RTO."""
RELIABLE_S = 39.5
"""Ti: over TCP and TLS nothing is sent again."""
MAX_UNDER_WAY = 64


@dataclass(slots=True)
class Transaction:
    """A request that waits for its response."""

    id: bytes
    method: int
    rows: tuple[Row, ...]
    """Its attributes but for credentials, with which it may be made again."""
    data: bytes
    due: float
    """When it is sent again, or given up."""
    sent: int = 1
    tries: int = 1
    """How often it was made, with other credentials."""
    proven: bool = False
    """It has credentials."""
    doubtful: int = 0
    """The code of an unproven error that came for it: it may be true."""


@dataclass
class Transactions:
    """Bounded: one more than ``MAX_UNDER_WAY`` is the caller's mistake."""

    reliable: bool
    under_way: dict[bytes, Transaction] = field(default_factory=dict)

    def begin(self, transaction: Transaction, now: float) -> None:
        if len(self.under_way) >= MAX_UNDER_WAY:
            raise ValueError(f"{MAX_UNDER_WAY} requests are under way")
        transaction.due = now + (RELIABLE_S if self.reliable else RTO_S)
        self.under_way[transaction.id] = transaction

    def next(self) -> float | None:
        return min((one.due for one in self.under_way.values()), default=None)

    def due(self, now: float) -> tuple[list[bytes], list[Transaction]]:
        """What is to be sent again, and who has waited in vain and is gone."""
        again: list[bytes] = []
        lost: list[Transaction] = []
        for one in [one for one in self.under_way.values() if one.due <= now]:
            if self.reliable or one.sent == SENDINGS:
                lost.append(self.under_way.pop(one.id))
            else:
                one.sent += 1
                one.due += RTO_S * (LAST_WAIT if one.sent == SENDINGS else 2 ** (one.sent - 1))
                again.append(one.data)
        return again, lost
