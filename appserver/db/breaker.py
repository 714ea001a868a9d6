"""Nobody waits for a database server that is away: when requests are refused at once, and when it is asked whether it is back.

A circuit breaker without network and clock. Closed, requests pass. ``away`` opens it at once; ``failed``, which may be one
slow statement's own fault, when nothing has been answered between three of them. Open, requests are refused and one probe a
second asks; its answer closes it.
"""

from __future__ import annotations

FAILURES = 3
"""In a row, without any answer between them."""
PROBE_S = 1.0
"""From the end of one probe to the next."""
LONGEST_S = 5.0
"""That those who are refused are told to wait: short enough for everything to have recovered 10 s after the server."""
PATIENCE = 4
"""They wait a quarter of the time for which it has been away already, so that after a long outage they come spread."""


class Breaker:
    """Ask ``is_open`` before a request, and tell what became of it. Times are monotonic, in seconds."""

    def __init__(self) -> None:
        self._failures = 0
        self._opened_at: float | None = None
        self._probe_at: float | None = None

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    def answered(self) -> None:
        """A request was answered, if only by an error of its own. Late answers do not close it: probes do."""
        self._failures = 0

    def failed(self, now: float) -> bool:
        """A request got no answer. True if that has opened it."""
        self._failures += 1
        return self._failures >= FAILURES and self.away(now)

    def away(self, now: float) -> bool:
        """Nobody takes connections. True if that has opened it; the first probe is due a second from then."""
        if self._opened_at is not None:
            return False
        self._opened_at, self._probe_at = now, now + PROBE_S
        return True

    def get_timer(self) -> float | None:
        """When the next probe is due; None while there is none to be made."""
        return self._probe_at

    def handle_timer(self, now: float) -> bool:
        """Whether to probe now; then ``probed`` has to be called."""
        if self._probe_at is None or now < self._probe_at:
            return False
        self._probe_at = None
        return True

    def probed(self, now: float, *, answered: bool) -> float:
        """A probe has ended. If it was answered it is closed again: for how many seconds it was open; else 0."""
        if self._opened_at is None:
            return 0.0
        if not answered:
            self._probe_at = now + PROBE_S
            return 0.0
        open_s, self._opened_at, self._failures = now - self._opened_at, None, 0
        return open_s

    def retry_after_s(self, now: float) -> float:
        """What those who are refused are told: 1 s at first, ``LONGEST_S`` at most; 0 when it is closed."""
        if self._opened_at is None:
            return 0.0
        return min(LONGEST_S, max(PROBE_S, (now - self._opened_at) / PATIENCE))
