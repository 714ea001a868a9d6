"""Who hears whom: each talker says a tone of its own, and must be heard by all others and not by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from confero.lab.members import Member
from confero.lab.signals.sources import Signal

from ..e2e.listening import HEARD_DBFS, level, level_beside, listen

LISTEN_S = 3.0
QUIETER_DB = 40.0
"""One's own tone than that of others, or no louder than what is beside it."""
FLOOR_DBFS = -75.0


async def hear_each_other(members: Mapping[str, Member], hertz: Mapping[str, float]) -> None:
    """All at once. Raises AssertionError with what somebody hears, TimeoutError if one hears nothing.

    No sum or difference of three others' tones (what a limiter at work and a codec make of them) may lie within 16 Hz of
    one's own.
    """
    heard = await asyncio.gather(*(listen(one, LISTEN_S) for one in members.values()))
    for who, signal in zip(members, heard, strict=True):
        hears_all_but_itself(who, signal, hertz)


def hears_all_but_itself(who: str, signal: Signal, hertz: Mapping[str, float]) -> None:
    """Raises AssertionError with all levels."""
    levels = {other: level(signal, tone) for other, tone in hertz.items()}
    own = levels.pop(who)
    assert min(levels.values()) > HEARD_DBFS, f"{who} hears {levels}"
    noise = max(level_beside(signal, hertz[who]), FLOOR_DBFS)
    assert own < max(noise + 3, min(levels.values()) - QUIETER_DB), f"{who} hears itself: {own} beside {levels}"
