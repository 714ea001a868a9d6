"""How much is kept of peers' requests, in all and for one source: whoever forges INVITEs makes bounded state."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache

from confero.ratelimit import source_of

from .events import ServerKey


@dataclass(frozen=True)
class TransactionLimits:
    """How many transactions there are at most."""

    waiting: int = 4_000
    """Requests of peers that the user has not answered: calls that ring, above all. One more is refused."""
    answered: int = 20_000
    """Those that are kept for repetitions, over UDP for 32 s: the oldest makes room. 150 calls a second need 9,600."""
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
    """Counts the requests that wait for the user, by their source."""

    def __init__(self, limits: TransactionLimits) -> None:
        self._most = limits.waiting
        self._most_of_one = max(1, int(limits.share * limits.waiting))
        self._sources: dict[str, int] = {}
        self.waiting = 0

    def admits(self, source: str) -> bool:
        """May ``source`` have one more?"""
        return self.waiting < self._most and self._sources.get(source, 0) < self._most_of_one

    def came(self, source: str) -> None:
        self._sources[source] = self._sources.get(source, 0) + 1
        self.waiting += 1

    def went(self, source: str) -> None:
        """One was answered, or is gone."""
        self.waiting -= 1
        left = self._sources[source] - 1
        if left:
            self._sources[source] = left
        else:
            del self._sources[source]


class Remembered:
    """The requests that are answered, the oldest first; whose source has its share, or of all, gives way to a new one."""

    def __init__(self, limits: TransactionLimits) -> None:
        self._most = limits.answered
        self._most_of_one = max(1, int(limits.share * limits.answered))
        self._all: OrderedDict[ServerKey, str] = OrderedDict()
        self._sources: dict[str, OrderedDict[ServerKey, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, key: ServerKey, source: str) -> ServerKey | None:
        """Returns the one, if any, that has to be removed for it."""
        self._all[key] = source
        of_one = self._sources.setdefault(source, OrderedDict())
        of_one[key] = None
        if len(of_one) > self._most_of_one:
            return next(iter(of_one))
        return next(iter(self._all)) if len(self._all) > self._most else None

    def remove(self, key: ServerKey) -> bool:
        """False if it is not among them."""
        source = self._all.pop(key, None)
        if source is None:
            return False
        of_one = self._sources[source]
        del of_one[key]
        if not of_one:
            del self._sources[source]
        return True
