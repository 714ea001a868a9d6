"""Whether there is room for one more call: what is turned away, early and with 503, so that the calls that run are unharmed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from confero.clock import Clock
from confero.runtime.logging import get_logger

log = get_logger(__name__)

Reason = Literal["draining", "full", "late"]
RETRY_AFTER_S = 5
"""For who is turned away: by then a burst is over, and a proxy has found another gateway."""
TICK_S = 0.1
WEIGHT = 0.2
"""Of the newest tick in the average: that of the last half second counts two thirds. One hitch is no overload."""


class Load:
    """Asked about each new call. Dialogs that are, and what is asked within them, are never turned away."""

    def __init__(self, clock: Clock, most_late_s: float, most_calls: int, calls: Callable[[], int]) -> None:
        """``calls``: how many there are now. ``most_late_s``: how late this process may be with what is due."""
        self.closed = False
        """No new calls: the gateway drains."""
        self.late_s = 0.0
        """How late it is, on the average of the last moments."""
        self.counts: dict[Reason, int] = dict.fromkeys(("draining", "full", "late"), 0)
        """Calls that were turned away."""
        self._clock = clock
        self._most_late_s = most_late_s
        self._most_calls = most_calls
        self._calls = calls
        self._sheds = False

    def refuses(self) -> Reason | None:
        """Why one more call is not taken now; it is counted as turned away. None: there is room."""
        reason = self._reason()
        if reason is not None:
            self.counts[reason] += 1
        return reason

    def _reason(self) -> Reason | None:
        if self.closed:
            return "draining"
        if self._calls() >= self._most_calls:
            return "full"
        return "late" if self._sheds else None

    def ticked(self, late_s: float) -> None:
        """Due each ``TICK_S``, and came so late. Begins to turn away above the limit, and ends below half of it."""
        self.late_s += (late_s - self.late_s) * WEIGHT
        sheds = self.late_s > self._most_late_s * (0.5 if self._sheds else 1.0)
        if sheds != self._sheds:
            log.warning(
                "overloaded: new calls are turned away" if sheds else "not overloaded any more", late_s=self.late_s
            )
        self._sheds = sheds

    async def run(self) -> None:
        """Looks how late the event loop is with a timer."""
        while True:
            due = self._clock.monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            self.ticked(max(0.0, self._clock.monotonic() - due))
