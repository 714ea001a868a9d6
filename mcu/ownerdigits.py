"""What happens to all legs of an owner in one line, keys and what hosts decide: a gateway with a thousand telephones asks once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from confero import models
from confero.errors import Refused

KEPT = 1024
"""Digits of one owner, and as many changes; of more the oldest go, which their numbers show."""
OWNERS = 64
"""That are remembered; the one that was unheard of for longest is forgotten."""


@dataclass
class _Line:
    digits: deque[models.OwnerDigit] = field(default_factory=lambda: deque(maxlen=KEPT))
    changes: deque[models.OwnerChange] = field(default_factory=lambda: deque(maxlen=KEPT))
    last: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)


class OwnerDigits:
    """By the owner's name."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, _Line] = OrderedDict()
        self._closed = False

    def add(self, owner: str, leg: str, digit: str, milliseconds: int, in_band: bool, at: float) -> None:
        """Somebody has pressed a key on one of its legs."""
        line = self._of(owner)
        line.last += 1
        line.digits.append(
            models.OwnerDigit(number=line.last, leg=leg, digit=digit, ms=milliseconds, in_band=in_band, at=at)
        )
        line.news.set()

    def changed(self, owner: str, leg: str, *, muted: bool, held: bool) -> None:
        """A host, or the room's rules, have it so now."""
        line = self._of(owner)
        line.last += 1
        line.changes.append(models.OwnerChange(number=line.last, leg=leg, muted=muted, held=held))
        line.news.set()

    async def read(self, owner: str, after: int, wait_s: float) -> models.OwnerDigits:
        """Those with a number above ``after``; waits for one if there is none. All of them for who counts further than we do:
        that was before our restart. Raises Refused ``draining`` when there will be none any more."""
        line = self._of(owner)
        after = after if after <= line.last else 0
        if line.last <= after and wait_s and not self._closed:
            line.news.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await line.news.wait()
            except TimeoutError:
                pass
        if self._closed:
            raise Refused("This MCU is being shut down: nothing more happens.", status=503, code="draining")
        digits = [digit for digit in line.digits if digit.number > after]
        changes = [change for change in line.changes if change.number > after]
        return models.OwnerDigits(digits=digits, changes=changes, last=line.last)

    def close(self) -> None:
        """Nobody waits any more. Idempotent."""
        self._closed = True
        for line in self._lines.values():
            line.news.set()

    def _of(self, owner: str) -> _Line:
        line = self._lines.setdefault(owner, _Line())
        self._lines.move_to_end(owner)
        if len(self._lines) > OWNERS:
            self._lines.popitem(last=False)
        return line
