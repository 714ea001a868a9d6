"""More calls than there is room for: sipp floods the gateway, whoever talks already hears nothing of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from confero.lab.stack import Stack

from ..sipgw.telephone import Telephone
from ..support.waiting import until
from .siplab import figure
from .sipp import Sipp, nobody_left, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 80
HOST = f"127.0.{NETWORK}.101"
ROOM = 20
"""Calls that the gateway takes here."""
SETTINGS = {
    "CONFERO_SIPGW_MAX_CALLS": str(ROOM),
    "CONFERO_SIPGW_REQUESTS_PER_S": "10000",
    "CONFERO_SIPGW_REQUEST_BURST": "10000",
    "CONFERO_APPSERVER_STRANGERS_PER_MINUTE": "10000",
}
CALLS, RATE = 400, 100.0
HOLD_MS = 3000
HEARD = 1500.0


async def test_a_flood_of_calls(stack: Stack, tmp_path: Path) -> None:
    """Each of them is answered, 200 or 503 with Retry-After; two who talk go on without a gap, in signalling as in sound."""
    gateway = (stack.addresses["sipgw"], 5060)
    ann, bob = await Telephone.open(gateway, 440), await Telephone.open(gateway, 700)
    try:
        assert [await ann.call("lobby"), await bob.call("lobby")] == [200, 200]
        await until(
            lambda: ann.sound.levels(700)[0] > HEARD and bob.sound.levels(440)[0] > HEARD, "they hear each other"
        )
        two = tuple(await somebody(stack, 2))
        ann.sound.times.clear()
        flood = Sipp("flood", tmp_path, gateway=gateway[0], host=HOST, calls=CALLS, rate=RATE, hold_ms=HOLD_MS)
        await flood.start()
        asked = 0
        while flood.running:
            ann.received.clear()
            ann.request("OPTIONS")
            await until(lambda: ann.status("OPTIONS") == 200, "an answer within the call", 2.0)
            asked += 1
            await asyncio.sleep(0.2)
        await flood.passes()
        shed = flood.came("SIP/2.0 503")
        assert shed > 0 and flood.came("Retry-After: 5") == shed
        assert asked > 5 and ann.sound.longest_gap() < 0.3
        assert ann.sound.levels(700)[0] > HEARD
        await nobody_left(stack, but=two)
        assert await figure(stack, 'sipgw_calls_refused{reason="full"}') == shed
        ann.hang_up()
        bob.hang_up()
        await nobody_left(stack)
    finally:
        await ann.close()
        await bob.close()
