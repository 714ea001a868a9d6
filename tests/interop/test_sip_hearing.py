"""Who hears whom: five telephones of baresip, each by another way, a browser and a plain RTP phone in one room, all talking."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from confero.lab.members import Line, Member, RtpMember, SipMember, WebRtcMember, baresip_member
from confero.lab.signals.sources import Signal
from confero.lab.stack import Stack
from confero.models import LegStats

from ..e2e.listening import HEARD_DBFS, UNHEARD_DBFS, level, listen, tone
from .hearing import hear_each_other
from .sipp import nobody_left

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 75
LINES = {
    "Udp": Line("udp", codecs="PCMU/8000/1"),
    "Tcp": Line("tcp", codecs="G722/16000/1"),
    "Tls": Line("tls", "srtp-mand"),
    "Sdes": Line("udp", "srtp"),
    "Dtls": Line("udp", "dtls_srtp"),
}
SECURITY = {"Udp": "plain", "Tcp": "plain", "Tls": "sdes", "Sdes": "sdes", "Dtls": "dtls"}
HERTZ = {"Udp": 528, "Tcp": 676, "Tls": 788, "Sdes": 1004, "Dtls": 1188, "Browser": 1429, "Phone": 1559}
PATIENCE_S = 10.0


@dataclass
class Room:
    stack: Stack
    members: dict[str, Member]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    async with contextlib.AsyncExitStack() as cleanup:
        mcu = stack.client("mcu")
        cleanup.push_async_callback(mcu.close)
        name = await everybody_is_mixed(stack)
        phones: dict[str, Member] = {
            who: baresip_member(
                who,
                HERTZ[who],
                gateway=stack.addresses["sipgw"],
                room=name,
                mcu=mcu,
                home=tmp_path_factory.mktemp(who),
                line=line,
            )
            for who, line in LINES.items()
        }
        browser = WebRtcMember("Browser", tone(HERTZ["Browser"]), page_url=stack.page_url, room=name, tls=stack.tls())
        phone = RtpMember("Phone", tone(HERTZ["Phone"]), mcu=mcu, room=name, host=f"127.0.{NETWORK}.120")
        members = phones | {"Browser": browser, "Phone": phone}
        for member in members.values():
            cleanup.push_async_callback(member.leave)
        await browser.join()
        await phone.join()
        await asyncio.gather(*(one.join() for one in phones.values()))
        yield Room(stack, members)
    await nobody_left(stack, name)


async def everybody_is_mixed(stack: Stack) -> str:
    """A room without a limit of talkers."""
    return await stack.make_room(talkers=0)


async def test_each_hears_all_others_and_not_itself(room: Room) -> None:
    await hear_each_other(room.members, HERTZ)


@pytest.mark.parametrize("who", LINES)
async def test_media_is_protected_as_it_was_agreed(room: Room, who: str) -> None:
    mcu = room.stack.client("mcu")
    try:
        stats = await mcu.call("GET", f"/v1/legs/{room.members[who].leg}/stats", reply=LegStats)
    finally:
        await mcu.close()
    assert stats.security == SECURITY[who]


async def test_a_telephone_that_holds_disturbs_nobody(room: Room) -> None:
    """While it holds nobody hears it, it is sent nothing, and all others hear each other; then it is back.

    What it is sent is heard at the MCU: baresip 1.0 plays on after a hold, but without its recording in between.
    """
    udp, browser = room.members["Udp"], room.members["Browser"]
    assert isinstance(udp, SipMember)
    await udp.phone.hold()
    heard = await without(browser, "Udp")
    assert min(level(heard, HERTZ[who]) for who in ("Tcp", "Tls", "Sdes", "Dtls", "Phone")) > HEARD_DBFS
    assert level(await room.stack.tap(udp.leg, "out", 1), HERTZ["Browser"]) < UNHEARD_DBFS
    await udp.phone.resume()
    async with asyncio.timeout(PATIENCE_S):
        while level(await listen(browser), HERTZ["Udp"]) < HEARD_DBFS:
            pass
    assert level(await room.stack.tap(udp.leg, "out", 1), HERTZ["Browser"]) > HEARD_DBFS


async def test_who_hangs_up_is_gone_for_the_others(room: Room) -> None:
    sdes, browser = room.members["Sdes"], room.members["Browser"]
    assert isinstance(sdes, SipMember) and isinstance(browser, WebRtcMember)
    await sdes.hang_up()
    async with asyncio.timeout(5):
        while any(one["display_name"] == "Sdes" for one in browser.roster.values()):  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)
    heard = await without(browser, "Sdes")
    assert level(heard, HERTZ["Tls"]) > HEARD_DBFS


async def without(member: Member, who: str) -> Signal:
    """What it hears once ``who`` is not heard any more: soon, but a busy machine's receiver may be behind."""
    async with asyncio.timeout(PATIENCE_S):
        while level(heard := await listen(member), HERTZ[who]) > HEARD_DBFS - 15:
            pass
    return heard
