"""Waiting longer after each failure, and saying so once."""

from __future__ import annotations

import random
from collections.abc import Callable

from confero.runtime.logging import get_logger

log = get_logger(__name__)

FIRST_S = 0.25
LONGEST_S = 5.0


class Backoff:
    """One for each service that may be away. ``jitter``: 0..1, spreads those who wait for the same."""

    def __init__(self, service: str, jitter: Callable[[], float] = random.random) -> None:
        self._service = service
        self._jitter = jitter
        self._failures = 0

    @property
    def down(self) -> bool:
        return self._failures > 0

    def failed(self, reason: str) -> float:
        """Seconds to wait before the next try. The first failure in a row is logged."""
        if not self._failures:
            log.warning("service is away; trying again until it is back", peer=self._service, reason=reason)
        self._failures += 1
        longest = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures - 1, 10))
        return longest * (0.5 + 0.5 * self._jitter())

    def succeeded(self) -> None:
        if self._failures:
            log.info("service is back", peer=self._service, failures=self._failures)
        self._failures = 0
