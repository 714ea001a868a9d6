"""Token buckets: so many at once, so many a second, per key, in bounded memory; and what one source of requests is."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from confero.clock import Clock


@dataclass(frozen=True)
class Rate:
    """``burst`` at once, refilled by ``per_s`` each second."""

    burst: float
    per_s: float


class TokenBucket:
    """One bucket, full at first."""

    __slots__ = ("_at", "_clock", "_level", "_rate")

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._level = rate.burst
        self._at = clock.monotonic()

    def take(self, amount: float = 1.0) -> float:
        """Take ``amount`` and return 0.0, or take nothing and return the seconds after which it would succeed."""
        now = self._clock.monotonic()
        self._level = min(self._rate.burst, self._level + (now - self._at) * self._rate.per_s)
        self._at = now
        if self._level >= amount:
            self._level -= amount
            return 0.0
        return (amount - self._level) / self._rate.per_s

    def wait(self) -> float:
        """Seconds after which ``take`` would succeed; 0.0: it would now. Takes nothing."""
        level = self._level + (self._clock.monotonic() - self._at) * self._rate.per_s
        return max(0.0, (1.0 - level) / self._rate.per_s)


class RateLimiter:
    """A bucket for each key. At most ``keys`` are remembered: the one unused for longest is forgotten, that is: full again."""

    def __init__(self, rate: Rate, clock: Clock, *, keys: int = 10_000) -> None:
        self._rate = rate
        self._clock = clock
        self._keys = keys
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str) -> float:
        """As ``TokenBucket.take`` on the bucket of ``key``."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._rate, self._clock)
            if len(self._buckets) > self._keys:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket.take()

    def wait(self, key: str) -> float:
        """As ``TokenBucket.wait`` on the bucket of ``key``, which is not made for the asking."""
        bucket = self._buckets.get(key)
        return bucket.wait() if bucket is not None else 0.0


def source_of(address: str) -> str:
    """What counts as one source: an IPv4 address, or the /64 of an IPv6 one (a host may use all of it)."""
    try:
        ip = ip_address(address.split("%")[0])
    except ValueError:
        return "unknown"
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(IPv6Address(int(ip) >> 64 << 64)) + "/64"
