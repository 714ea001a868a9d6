"""Through somebody else's proxy: baresip calls a room by way of kamailio, which stays in the way of the whole call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from confero.lab.members import Line, RtpMember, baresip_member
from confero.lab.stack import Stack

from ..e2e.listening import HEARD_DBFS, level, listen, tone
from .kamailio import Kamailio
from .sipp import Sipp, nobody_left

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 76
PROXY, HOST = f"127.0.{NETWORK}.20", f"127.0.{NETWORK}.101"
PHONE_HZ, BARESIP_HZ = 1607, 613


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kamailio]:
    home = tmp_path_factory.mktemp("kamailio")
    async with Kamailio(home, "proxy", address=PROXY, gateway=stack.addresses["sipgw"]) as running:
        yield running


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_telephone_behind_a_proxy_hears_and_is_heard(
    stack: Stack, proxy: Kamailio, tmp_path: Path, transport: str
) -> None:
    mcu = stack.client("mcu")
    line = Line("udp", outbound=f"{proxy.uri};transport={transport}")
    phone = RtpMember("Phone", tone(PHONE_HZ), mcu=mcu, room="lobby", host=f"127.0.{NETWORK}.120")
    caller = baresip_member(
        "Proxied", BARESIP_HZ, gateway="conference.example", room="lobby", mcu=mcu, home=tmp_path, line=line
    )
    try:
        await caller.join()  # it makes the room
        await phone.join()
        heard, said = await asyncio.gather(listen(caller, 1.0), listen(phone, 1.0))
        assert level(heard, PHONE_HZ) > HEARD_DBFS
        assert level(said, BARESIP_HZ) > HEARD_DBFS
        await caller.phone.hold()
        assert level((await listen(phone, 1.2))[24_000:], BARESIP_HZ) < HEARD_DBFS - 15
        await caller.phone.resume()
        assert level((await listen(phone, 1.2))[24_000:], BARESIP_HZ) > HEARD_DBFS
        # From our side, back through the proxy.
        await mcu.call("DELETE", f"/v1/legs/{caller.leg}?reason=removed")
        async with asyncio.timeout(10):
            while not caller.phone.closed:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.02)
    finally:
        await caller.leave()
        await phone.leave()
        await mcu.close()
    await nobody_left(stack)


@pytest.mark.parametrize("scenario", ["plain", "no_offer", "hold", "update", "session_timer"])
async def test_calls_by_way_of_a_proxy(proxy: Kamailio, stack: Stack, tmp_path: Path, scenario: str) -> None:
    await Sipp(scenario, tmp_path, gateway=PROXY, host=HOST).run()
    await nobody_left(stack)
