"""What end-to-end tests listen with: each talker says a tone of its own, by which it is told from the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from confero.lab.members import Member
from confero.lab.page import Page
from confero.lab.signals import analysis, sources

HEARD_DBFS = -40.0
"""Heard means louder than this ..."""
UNHEARD_DBFS = -70.0
"""... and not heard quieter than this: what codecs add to other tones stays below."""
WINDOW_S = 0.5
POLL_S = 0.02
PROBE_S = 0.3
"""As long as a page is listened to, to know what it hears right now."""


def tone(hertz: float) -> sources.Signal:
    """A minute of tone of whole periods, so that its loop has no seam."""
    return sources.tone(hertz, 60.0, dbfs=-14)


def level(signal: sources.Signal, hertz: float, window_s: float = WINDOW_S) -> float:
    """dBFS of a talker's tone."""
    return analysis.tone_db(signal, hertz, window_s=window_s)


def level_beside(signal: sources.Signal, hertz: float) -> float:
    """dBFS around a tone but not of it: sound that a busy machine loses or stretches crackles, at every frequency alike."""
    return max(level(signal, hertz + offset) for offset in (-32, -24, -16, -8, 8, 16, 24, 32))


async def listen(member: Member, seconds: float = WINDOW_S) -> sources.Signal:
    """The next ``seconds`` at a synthetic member's ear. Raises TimeoutError if it hears less in 5 s more."""
    member.heard.clear()
    async with asyncio.timeout(seconds + 5):
        while member.heard.seconds < seconds:  # noqa: ASYNC110 - sound has no event
            await asyncio.sleep(POLL_S)
    return member.heard.signal()


async def hears(page: Page, *hertz: float) -> bool:
    """Whether a page hears all these talkers right now."""
    try:
        signal = await page.hear(PROBE_S)
    except Exception:  # a page without sound raises whatever its browser raises
        return False
    return min(level(signal, each, 0.1) for each in hertz) > HEARD_DBFS


async def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Returns once the condition holds; AssertionError after ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - of processes, files and sound
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:.0f} s: {what}") from None
