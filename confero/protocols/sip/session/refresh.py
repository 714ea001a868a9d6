"""The session timer: who refreshes a call, how often, and when it counts as dead (RFC 4028)."""

from __future__ import annotations

from ..errors import SipError
from ..fields import MinSE, SessionExpires, read, supports
from ..message import Request, Response
from .core import Core

MARGIN = 32.0
"""Section 10: BYE is sent this many seconds before the session expires, or a third of the interval if that is less."""
LONGEST = 7 * 24 * 3600
"""Seconds; a Min-SE above it is nonsense, and is not followed."""
SOON = 2.0
"""Seconds until the next try when a refresh is not possible at the moment."""


class IntervalTooSmall(SipError):
    """Section 6: answered by 422 with the least interval that we take."""

    def __init__(self, seconds: int, least: int) -> None:
        super().__init__(f"a session interval of {seconds} s is below {least} s", status=422)
        self.least = least


class SessionTimer:
    """Asks the whole call for a refresh when it is time for it, and has it ended when none came."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._least = core.config.min_se
        """What we or the peer's side takes at least; grows by 422."""
        self.interval = 0
        """Seconds; 0: there is no session timer."""
        self.we_refresh = False

    # -- what our requests say --

    def headers(self) -> list[tuple[str, str]]:
        """For an INVITE or UPDATE of ours (section 7.1; in a running session 7.4 keeps the roles as they are)."""
        wish = self.interval or self._core.config.session_expires
        if not wish:
            return []
        wish = max(wish, self._least)
        value = SessionExpires(wish)
        if self.interval:
            value = SessionExpires(wish, "uac" if self.we_refresh else "uas")
        least = [("Min-SE", str(self._least))] if self._least > 90 else []
        return [("Session-Expires", str(value)), *least]

    def too_small(self, response: Response) -> bool:
        """A 422 (7.3): True if the request is worth another try, with a longer interval. Raises SipError."""
        least = shortest(response)
        if not self._least < least <= LONGEST:
            return False
        self._least = least
        return True

    def answered(self, response: Response, now: float) -> None:
        """A 2xx to our INVITE or UPDATE (7.2). Raises SipError."""
        expires = read(response, SessionExpires)
        if expires is None:
            # The peer knows no session timers. We may refresh all the same, and find out whether it is still there.
            self._start(self._core.config.session_expires, True, now)
            return
        self._start(expires.seconds, expires.refresher != "uas", now)

    # -- what requests of the peer get --

    def check(self, request: Request) -> None:
        """Raises IntervalTooSmall (section 6), for peers that know what it means (section 9); SipError for what cannot be read."""
        expires = read(request, SessionExpires)
        shortest(request)
        least = self._core.config.min_se
        if expires is not None and expires.seconds < least and supports(request, "timer"):
            raise IntervalTooSmall(expires.seconds, least)

    def agree(self, request: Request, now: float) -> list[tuple[str, str]]:
        """The headers of our 2xx to this INVITE or UPDATE; the timer starts with it (section 9)."""
        expires = read(request, SessionExpires)
        theirs = supports(request, "timer")
        seconds = self._interval(expires, request)
        if not seconds:
            self._start(0, False, now)
            return []
        # Table 2: without the option, and without a word on it, it is the server that refreshes, else the client.
        refresher = (expires.refresher if expires is not None else None) or "uac"
        if not theirs:
            refresher = "uas"
        self._start(seconds, refresher == "uas", now)
        require = [("Require", "timer")] if theirs else []
        return [("Session-Expires", str(SessionExpires(seconds, refresher))), *require]

    def _interval(self, expires: SessionExpires | None, request: Request) -> int:
        """As short as we would like it, but never longer than asked for and never shorter than allowed."""
        ours = self._core.config.session_expires
        if expires is None:
            return max(ours, shortest(request)) if ours else 0
        least = max(shortest(request), self._core.config.min_se)
        return max(min(expires.seconds, ours or expires.seconds), least)

    # -- time --

    def _start(self, seconds: int, we_refresh: bool, now: float) -> None:
        self.stop()
        self.interval, self.we_refresh = min(seconds, LONGEST), we_refresh
        if not seconds:
            return
        margin = min(MARGIN, self.interval / 3)
        self._core.alarms.set("session expires", now + self.interval - margin, self._expired)
        if we_refresh:
            # 7.2: after half of it.
            self._core.alarms.set("refresh", now + self.interval / 2, self._core.whole.refresh)

    def resume(self, interval: int, we_refresh: bool, now: float) -> None:
        """Goes on with what was agreed before a restart."""
        self._start(interval, we_refresh, now)

    def soon(self, now: float) -> None:
        """A refresh was not possible: it is tried again, until the session expires."""
        if self.interval and self.we_refresh:
            self._core.alarms.set("refresh", now + SOON, self._core.whole.refresh)

    def _expired(self, now: float) -> None:
        """Section 10."""
        self._core.whole.lose(408, "the session timer has expired", now)

    def stop(self) -> None:
        self._core.alarms.stop("refresh")
        self._core.alarms.stop("session expires")


def shortest(message: Request | Response) -> int:
    """Min-SE in seconds; 0 if there is none. Raises SipError."""
    found = read(message, MinSE)
    return 0 if found is None else found.seconds
