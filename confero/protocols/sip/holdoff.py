"""Servers that have asked to be left alone for a while: 503 with Retry-After (RFC 3261 section 21.5.4)."""

from __future__ import annotations

import re
from collections import OrderedDict

from .message import Response
from .target import Target

MOST = 600.0
"""Seconds: longer than that nobody is left alone, whatever he says."""
SERVERS = 1024
"""Remembered at once; the one that asked first is forgotten first."""
SECONDS = re.compile(r"\s*(\d{1,9})(?!\d)")
Place = tuple[str, str, int]


class HoldOff:
    """By server, until when it wants no requests. Whether a request may wait or goes elsewhere is the user's to decide."""

    def __init__(self) -> None:
        self._until: OrderedDict[Place, float] = OrderedDict()

    def note(self, target: Target, response: Response, now: float) -> None:
        """Takes down what a 503 asks for; one without Retry-After is like a 500 and asks for nothing."""
        found = SECONDS.match(response.headers.get("retry-after") or "")
        if found is None:
            return
        place = (target.transport, target.host, target.port)
        self._until[place] = now + min(float(found[1]), MOST)
        self._until.move_to_end(place)
        if len(self._until) > SERVERS:
            self._until.popitem(last=False)

    def until(self, target: Target, now: float) -> float | None:
        """When ``target`` may be asked again; None if it may be now."""
        place = (target.transport, target.host, target.port)
        until = self._until.get(place)
        if until is not None and until <= now:
            del self._until[place]
            return None
        return until
