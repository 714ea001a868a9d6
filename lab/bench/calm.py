"""The pause between joining and measuring: until the services have done what the joins gave them to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

CALM_PERCENT = 4.0
"""Of a core, by all services together but without the media threads: what heartbeats and sweeps cost, and little more."""
PERCENT_PER_MEMBER = 0.003
"""Added to it: the MCU looks at every leg each two seconds, for ever."""
CALM_S = 3
"""Seconds in succession in which it is not exceeded."""
LIMIT_S = 60
"""Then it is measured all the same, and the row says that it was not calm."""
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Calm:
    """How the wait ended."""

    seconds: int
    percent: float
    """In the last second."""
    reached: bool


def calm_percent(members: int) -> float:
    """What counts as calm with so many members."""
    return CALM_PERCENT + PERCENT_PER_MEMBER * members


async def wait_until_calm(
    limit_percent: float,
    busy_s: Callable[[], float],
    now: Callable[[], float],
    progress: Callable[[int], None],
    sleep: Sleep = asyncio.sleep,
) -> Calm:
    """``busy_s``: CPU time that the services have used so far; ``now``: seconds of a clock. Looks once a second."""
    quiet, percent = 0, 0.0
    before, began = busy_s(), now()
    for second in range(1, LIMIT_S + 1):
        progress(second)
        await sleep(1.0)
        used, at = busy_s(), now()
        percent = 100 * (used - before) / max(at - began, 1e-3)
        before, began = used, at
        quiet = quiet + 1 if percent <= limit_percent else 0
        if quiet == CALM_S:
            return Calm(second, round(percent, 1), reached=True)
    return Calm(LIMIT_S, round(percent, 1), reached=False)
