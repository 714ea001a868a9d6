"""Attended transfers by telephones: who was asked, and whoever it is for, are brought together; the one in the middle leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from confero.lab.members import Baresip, Line, Linphone, RtpMember
from confero.lab.members.loopback import gather_loopback
from confero.lab.stack import Stack

from ..e2e.listening import HEARD_DBFS, UNHEARD_DBFS, level, tone
from ..support.waiting import until
from .siplab import Admin, known, started
from .sipp import nobody_left

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 84
GATEWAY = f"127.0.{NETWORK}.14"
PASSWORD = "a-long-password"
HERTZ = {"alice": 528, "bob": 788, "carol": 1188}
ROOM_HZ = 1559


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    gather_loopback()
    async with started(Stack(tmp_path_factory.mktemp("state"), network=NETWORK)) as running:
        admin = Admin(running)
        for user in HERTZ:
            account = {"user": user, "realm": "confero", "password": PASSWORD, "display_name": user.title()}
            await admin.add("accounts", account)
        await known(running, "sip_accounts", len(HERTZ))
        yield running


def line() -> Line:
    return Line(registrar=GATEWAY, password=PASSWORD)


def alice(home: Path) -> Linphone:
    return Linphone(home / "alice", hertz=HERTZ["alice"], user="alice", line=line())


def baresip(home: Path, user: str) -> Baresip:
    return Baresip(home / user, hertz=HERTZ[user], user=user, line=line())


async def holds(caller: Linphone) -> None:
    await caller.hold()
    await until(lambda: "is now paused" in caller.log, "its call is on hold")


async def calls(caller: Linphone, called: Baresip, number: int) -> None:
    """Its call ``number``."""
    await caller.dial(f"sip:{called.user}@{GATEWAY}")
    await until(lambda: f"for call {number} (audio)" in caller.log and called.established, f"{called.user} answers")
    await until(lambda: level(called.heard(), caller.hertz) > HEARD_DBFS, f"{called.user} hears")


async def test_two_who_were_called_are_left_with_each_other(stack: Stack, tmp_path: Path) -> None:
    async with alice(tmp_path) as referrer, baresip(tmp_path, "bob") as bob, baresip(tmp_path, "carol") as carol:
        await until(lambda: all(one.registered for one in (referrer, bob, carol)), "all are registered")
        await calls(referrer, bob, 1)
        await holds(referrer)
        await calls(referrer, carol, 2)
        await referrer.command("transfer 1 --to-call 2")
        await until(lambda: level(bob.heard(), HERTZ["carol"]) > HEARD_DBFS, "bob hears carol")
        await until(lambda: level(carol.heard(), HERTZ["bob"]) > HEARD_DBFS, "carol hears bob")
        await until(lambda: len(referrer.closed) == 2, "alice is out of both calls")
        await until(lambda: level(carol.heard(), HERTZ["alice"]) < UNHEARD_DBFS, "alice is not heard any more")
        assert not bob.closed and not carol.closed
        await bob.hang_up()
        await until(lambda: carol.closed, "carol is hung up on")


async def test_who_was_asked_comes_into_the_room(stack: Stack, tmp_path: Path) -> None:
    """The room stays what it is; who has brought the other one there leaves."""
    mcu = stack.client("mcu")
    phone = RtpMember("Phone", tone(ROOM_HZ), mcu=mcu, room="lobby", host=f"127.0.{NETWORK}.120")
    try:
        async with alice(tmp_path) as referrer, baresip(tmp_path, "carol") as carol:
            await until(lambda: referrer.registered and carol.registered, "both are registered")
            await referrer.dial(f"sip:lobby@{GATEWAY}")
            await until(lambda: referrer.established, "the room answers")
            await phone.join()
            await holds(referrer)
            await calls(referrer, carol, 2)
            await referrer.command("transfer 1 --to-call 2")
            await until(lambda: level(carol.heard(), ROOM_HZ) > HEARD_DBFS, "carol hears the room")
            await until(
                lambda: level(phone.heard.signal()[-48_000:], HERTZ["carol"]) > HEARD_DBFS, "and is heard there"
            )
            await until(lambda: len(referrer.closed) == 2, "alice has left")
            assert not carol.closed
        await nobody_left(stack, but=(phone.participant,))
    finally:
        await phone.leave()
        await mcu.close()
