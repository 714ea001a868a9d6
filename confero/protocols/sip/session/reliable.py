"""Reliable provisional responses as the callee sends them: one at a time, repeated until PRACK (RFC 3262 section 3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from confero.errors import LocalError

from ..errors import SipError
from ..fields import RAck, read
from ..message import Request, Response
from .actions import Key, Respond
from .core import Core

MOST_QUEUED = 8
"""Provisional responses that wait for the PRACK of their predecessor. The owner makes them, and is told when it makes too many."""
Send = Callable[[int], Response]
"""Makes and sends the response with this RSeq."""


class Reliable:
    """The call cannot go on when no PRACK comes."""

    def __init__(self, core: Core, invite: Request, key: Key) -> None:
        self._core = core
        self._invite = invite
        self._key = key
        # 3: the first is chosen at random, below 2**31.
        self._rseq = core.random.getrandbits(30) + 1
        self._open: Response | None = None
        self._gap = 0.0
        self._ends_at = 0.0
        self._queue: deque[Send] = deque()

    @property
    def open(self) -> bool:
        """Whether a PRACK is awaited."""
        return self._open is not None

    def send(self, send: Send, now: float) -> None:
        """3: the next is not sent before the one before it is acknowledged. Raises LocalError when too many wait."""
        if self.open:
            if len(self._queue) >= MOST_QUEUED:
                raise LocalError(f"{MOST_QUEUED} provisional responses wait for a PRACK")
            self._queue.append(send)
            return
        timers = self._core.config.timers
        self._open = send(self._rseq)
        self._gap, self._ends_at = timers.t1, now + timers.lifetime
        self._core.alarms.set("PRACK", now + self._gap, self._again)

    def _again(self, now: float) -> None:
        """3: from T1 on, twice as late each time, for 64*T1."""
        if self._open is None:
            return
        if now >= self._ends_at:
            self.stop()
            self._core.whole.lose(504, "no PRACK came", now)
            return
        self._core.emit(Respond(self._key, self._open))
        self._gap *= 2
        self._core.alarms.set("PRACK", min(now + self._gap, self._ends_at), self._again)

    def check(self, prack: Request) -> None:
        """Raises SipError: 481 for a PRACK for which no response waits (3)."""
        rack = read(prack, RAck)
        wanted = RAck(self._rseq, self._invite.cseq.number, self._invite.method)
        if self._open is None or rack != wanted:
            raise SipError(f"nothing waits for RAck {rack}", status=481)

    def acknowledged(self) -> None:
        """Its PRACK has come."""
        self._open = None
        self._core.alarms.stop("PRACK")
        self._rseq += 1

    def next(self, now: float) -> bool:
        """Sends what has waited. False if nothing has."""
        if self.open or not self._queue:
            return False
        self.send(self._queue.popleft(), now)
        return True

    def stop(self) -> None:
        """A final response has been sent: nothing is repeated any more."""
        self._open = None
        self._queue.clear()
        self._core.alarms.stop("PRACK")
