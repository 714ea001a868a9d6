"""Who is not answered: scanners, floods, and sources that guess at names and passwords; known trunks always are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from confero.clock import Clock
from confero.ratelimit import Rate, RateLimiter, source_of

Verdict = Literal["welcome", "too-many", "blocked", "scanner"]

SCANNERS = (
    "friendly-scanner",
    "sipvicious",
    "sipcli",
    "sundayddr",
    "iwar",
    "sip-scan",
    "sipsak",
    "pplsip",
    "vaxsipuseragent",
)
"""In User-Agent, as the tools name themselves. They get no answer: an answer is what they look for."""
GUESSES = 20
"""Failures (401 after credentials, 403, 404) of one source within ``WINDOW_S`` for which it is blocked."""
WINDOW_S = 300.0
BLOCK_S = 600.0
SOURCES = 10_000
"""That are remembered; the one unheard for longest is forgotten."""


@dataclass
class _Source:
    failures: int = 0
    since: float = 0.0
    blocked_until: float = 0.0


class Guard:
    """Judges each request outside of a dialog, before anything is made for it."""

    def __init__(self, clock: Clock, rate: Rate, trusted: Callable[[str], bool] = lambda address: False) -> None:
        """``rate``: requests of one source. ``trusted``: whether an address is a trunk's, which is never turned away here."""
        self._clock = clock
        self._limiter = RateLimiter(rate, clock, keys=SOURCES)
        self._trusted = trusted
        self._sources: OrderedDict[str, _Source] = OrderedDict()
        self.counts: dict[Verdict, int] = dict.fromkeys(("welcome", "too-many", "blocked", "scanner"), 0)

    def judge(self, address: str, user_agent: str) -> Verdict:
        """What becomes of a request from ``address``; anything but ``welcome`` gets no answer."""
        verdict = self._verdict(address, user_agent.lower())
        self.counts[verdict] += 1
        return verdict

    def _verdict(self, address: str, agent: str) -> Verdict:
        if self._trusted(address):
            return "welcome"
        key = source_of(address)
        known = self._sources.get(key)
        if known is not None and known.blocked_until > self._clock.monotonic():
            return "blocked"
        if any(name in agent for name in SCANNERS):
            return "scanner"
        return "too-many" if self._limiter.take(key) else "welcome"

    def failed(self, address: str) -> None:
        """A request of this source named somebody who is not there, or showed a wrong password."""
        if self._trusted(address):
            return
        now, key = self._clock.monotonic(), source_of(address)
        source = self._sources.setdefault(key, _Source(since=now))
        self._sources.move_to_end(key)
        if now - source.since > WINDOW_S:
            source.failures, source.since = 0, now
        source.failures += 1
        if source.failures >= GUESSES:
            source.failures, source.blocked_until = 0, now + BLOCK_S
        if len(self._sources) > SOURCES:
            self._sources.popitem(last=False)

    def blocked(self) -> Collection[str]:
        """Sources that are not answered now."""
        now = self._clock.monotonic()
        return [key for key, source in self._sources.items() if source.blocked_until > now]

    def forgive(self, address: str) -> None:
        """A source has shown who it is: what it got wrong before was a slip."""
        self._sources.pop(source_of(address), None)
