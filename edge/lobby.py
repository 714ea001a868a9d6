"""Who waits in front of the door: connections that have not said yet what they are, the oldest first to go."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

from confero.ratelimit import source_of

Key = TypeVar("Key")


class Lobby(Generic[Key]):
    """Bounded in all, by source and in time; a machine without sockets and clock."""

    def __init__(self, limit: int, per_source: int, seconds: float) -> None:
        """``limit``: in all; ``per_source``: of one IPv4 address or IPv6 /64; ``seconds``: how long one may stay."""
        self._limit = limit
        self._per_source = per_source
        self._seconds = seconds
        self._entries: OrderedDict[Key, tuple[str, float]] = OrderedDict()
        self._by_source: dict[str, OrderedDict[Key, None]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def enter(self, key: Key, address: str, now: float) -> Key | None:
        """Comes in. The one that has to go for it: whoever is honest speaks at once, so it is who has been silent for longest."""
        source = source_of(address)
        own = self._by_source.get(source, ())
        victim = None
        if len(own) >= self._per_source:
            victim = next(iter(own))
        elif len(self._entries) >= self._limit:
            victim = next(iter(self._entries))
        if victim is not None:
            self.leave(victim)
        self._entries[key] = (source, now + self._seconds)
        self._by_source.setdefault(source, OrderedDict())[key] = None
        return victim

    def leave(self, key: Key) -> bool:
        """Goes. False: it was not here."""
        found = self._entries.pop(key, None)
        if found is None:
            return False
        own = self._by_source[found[0]]
        del own[key]
        if not own:
            del self._by_source[found[0]]
        return True

    def get_timer(self) -> float | None:
        """When ``expire`` is to be called next."""
        return next((deadline for _, deadline in self._entries.values()), None)

    def expire(self, now: float) -> Iterator[Key]:
        """Those whose time is over; they are out."""
        while self._entries:
            key, (_, deadline) = next(iter(self._entries.items()))
            if deadline > now:
                return
            self.leave(key)
            yield key

    def clear(self) -> list[Key]:
        """Everybody out."""
        everybody = list(self._entries)
        for key in everybody:
            self.leave(key)
        return everybody
