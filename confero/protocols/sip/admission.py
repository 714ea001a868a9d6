"""How many requests of peers are kept at once, in all and for one source: whoever forges INVITEs makes bounded state."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from confero.ratelimit import source_of


@dataclass(frozen=True)
class TransactionLimits:
    """How many transactions there are at most."""

    waiting: int = 4_000
    """Requests of peers that the user has not answered: calls that ring, above all."""
    answered: int = 24_000
    """Those that are kept for repetitions; each for 32 s over UDP. A call of two requests a second takes 64 of them."""
    share: float = 0.5
    """The part of either that one source may take: what is behind one proxy or trunk is one source."""
    clients: int = 12_000
    """Requests of ours, those included that are kept for repeated responses."""
    retry_after: int = 5
    """Seconds after which a refused peer may come again."""

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if min(self.waiting, self.answered, self.clients, self.retry_after) < 1 or not 0 < self.share <= 1:
            raise ValueError("limits are at least 1, and a share is more than nothing and at most all")


@lru_cache(maxsize=4096)
def source_name(host: str) -> str:
    """What counts as one source."""
    return source_of(host)


class Admission:
    """Counts the requests of peers by their source; a request is waiting until it is answered."""

    def __init__(self, limits: TransactionLimits) -> None:
        self._limits = limits
        self._most_waiting = max(1, int(limits.share * limits.waiting))
        self._most = self._most_waiting + max(1, int(limits.share * limits.answered))
        self._sources: dict[str, list[int]] = {}
        """Waiting, and all, of each source that has any."""
        self.waiting = 0

    def admits(self, source: str) -> bool:
        """May ``source`` have one more?"""
        if self.waiting >= self._limits.waiting:
            return False
        counts = self._sources.get(source)
        return counts is None or (counts[0] < self._most_waiting and counts[1] < self._most)

    def came(self, source: str) -> None:
        counts = self._sources.setdefault(source, [0, 0])
        counts[0] += 1
        counts[1] += 1
        self.waiting += 1

    def was_answered(self, source: str) -> None:
        self._sources[source][0] -= 1
        self.waiting -= 1

    def went(self, source: str, *, answered: bool) -> None:
        """The transaction has ended."""
        if not answered:
            self.was_answered(source)
        counts = self._sources[source]
        counts[1] -= 1
        if not counts[1]:
            del self._sources[source]
