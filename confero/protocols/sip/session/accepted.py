"""Our 2xx to an INVITE, sent again and again until the ACK for it comes (RFC 3261 section 13.3.1.4)."""

from __future__ import annotations

from dataclasses import dataclass

from ..message import Response
from .actions import Key, Respond
from .core import Core


@dataclass
class _Sent:
    key: Key
    response: Response
    gap: float
    ends_at: float


class Accepted:
    """The 2xx of this session without an ACK, by the CSeq of their INVITE."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._sent: dict[int, _Sent] = {}

    def __bool__(self) -> bool:
        return bool(self._sent)

    def sent(self, key: Key, response: Response, now: float) -> None:
        """A 2xx has gone out."""
        timers = self._core.config.timers
        number = response.cseq.number
        self._sent[number] = _Sent(key, response, timers.t1, now + timers.lifetime)
        self._core.alarms.set(f"2xx {number}", now + timers.t1, lambda now: self._again(number, now))

    def _again(self, number: int, now: float) -> None:
        """From T1 on, twice as late each time up to T2, for 64*T1."""
        sent = self._sent[number]
        if now >= sent.ends_at:
            self.acknowledged(number)
            self._core.whole.unacknowledged(now)
            return
        self._core.emit(Respond(sent.key, sent.response))
        sent.gap = min(2 * sent.gap, self._core.config.timers.t2)
        at = min(now + sent.gap, sent.ends_at)
        self._core.alarms.set(f"2xx {number}", at, lambda now: self._again(number, now))

    def acknowledged(self, number: int) -> bool:
        """False if nothing waited for this ACK: it has come before."""
        self._core.alarms.stop(f"2xx {number}")
        return self._sent.pop(number, None) is not None

    def forget(self) -> None:
        """The peer has hung up: it has no need of them."""
        for number in list(self._sent):
            self.acknowledged(number)
