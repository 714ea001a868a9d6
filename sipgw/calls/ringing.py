"""Makes browsers ring for a call that has come in, until one of them takes it or none will."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from confero.models.calls import IncomingCallEvent, RingStoppedEvent
from confero.models.sip import SipBrowser
from confero.protocols.sip.session import Ended
from confero.runtime.logging import get_logger

from .ring import Ring

if TYPE_CHECKING:
    from .inbound import InboundCall

log = get_logger(__name__)

REPEAT_S = 4.0
"""A page that was being loaded, or whose connection was away, hears of the call by then."""
STALE_S = 3 * REPEAT_S
"""What a page does not hear of for this long has stopped: the gateway is gone."""


async def ring_browsers(call: InboundCall, ring: Ring, ring_s: float) -> SipBrowser | None:
    """Who has taken it. None: nobody; then the call has been answered, or has ended."""
    session = call.driver.session
    call.driver.do(lambda now: session.progress(180, now))
    try:
        await _until_over(call, ring, ring_s)
    finally:
        ring.end("cancelled")
        _stop(call, ring)
    if ring.over != "accepted" and session.phase == "early":
        call.reject(ring.status, str(ring.over), ring.words)
    return ring.taken_by if session.phase == "early" else None


async def _until_over(call: InboundCall, ring: Ring, ring_s: float) -> None:
    clock = call.means.clock
    until = clock.monotonic() + ring_s
    while ring.over is None:
        left = until - clock.monotonic()
        if left <= 0:
            ring.end("no-answer")
            return
        _announce(call, ring)
        await _wait(call, ring, min(left, REPEAT_S))


async def _wait(call: InboundCall, ring: Ring, seconds: float) -> None:
    """For what they say, or for the caller to give up."""
    until = asyncio.get_running_loop().time() + seconds
    while ring.over is None:
        try:
            async with asyncio.timeout_at(until):
                happening = await call.next()
        except TimeoutError:
            return
        await call.deal_with(happening)
        if isinstance(happening, Ended):
            ring.end("cancelled")


def _announce(call: InboundCall, ring: Ring) -> None:
    caller = call.about.caller
    event = IncomingCallEvent(
        call=call.about.id,
        name="" if caller.anonymous else caller.from_name,
        number="" if caller.anonymous else caller.from_user,
        stale_s=STALE_S,
        user_data=call.told.user_data,
        headers=dict(call.told.headers),
    )
    for browser in ring.asked:
        call.means.pages.tell(browser.room, browser.participant, event)


def _stop(call: InboundCall, ring: Ring) -> None:
    event = RingStoppedEvent(call=call.about.id, reason=ring.over or "cancelled")
    for browser in ring.browsers:
        call.means.pages.tell(browser.room, browser.participant, event)
