"""Telephones with accounts: baresip registers here, is called and calls, alone and with others under one name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from confero.lab.members import Baresip, Line
from confero.lab.members.loopback import gather_loopback
from confero.lab.members.telephone import Transport
from confero.lab.signals import analysis
from confero.lab.stack import Stack

from ..support.waiting import until
from .siplab import Admin, figure, known, started

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 71
GATEWAY = f"127.0.{NETWORK}.14"
PASSWORD = "a-long-password"
ALICE_HZ, BOB_HZ = 433, 1151
HEARD_DBFS = -40.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    gather_loopback()
    async with started(Stack(tmp_path_factory.mktemp("state"), network=NETWORK)) as running:
        admin = Admin(running)
        for user in ("alice", "bob"):
            await admin.add(
                "accounts", {"user": user, "realm": "confero", "password": PASSWORD, "display_name": user.title()}
            )
        await known(running, "sip_accounts", 2)
        yield running


def phone(
    home: Path,
    user: str,
    hertz: int,
    *,
    password: str = PASSWORD,
    transport: Transport = "udp",
    answers: bool = True,
) -> Baresip:
    line = Line(transport, registrar=GATEWAY, password=password, answers=answers)
    return Baresip(home / user, hertz=hertz, user=user, line=line)


async def registered(telephone: Baresip) -> None:
    await until(lambda: telephone.said("200 OK"), f"{telephone.user} is registered")


def hears(telephone: Baresip, hertz: float) -> bool:
    return analysis.tone_db(telephone.heard(), hertz, window_s=0.5) > HEARD_DBFS


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_telephone_calls_another_one(stack: Stack, tmp_path: Path, transport: Transport) -> None:
    async with (
        phone(tmp_path, "alice", ALICE_HZ, transport=transport) as alice,
        phone(tmp_path, "bob", BOB_HZ, transport=transport) as bob,
    ):
        await registered(alice)
        await registered(bob)
        assert await figure(stack, "sip_bindings") == 2
        await alice.dial(f"sip:bob@{GATEWAY}")
        await until(lambda: bob.saw("CALL_ESTABLISHED"), "bob answers")
        await until(lambda: alice.saw("CALL_ESTABLISHED"), "alice is answered")
        await until(lambda: hears(alice, BOB_HZ) and hears(bob, ALICE_HZ), "they hear each other")
        await bob.hang_up()
        await until(lambda: alice.saw("CALL_CLOSED"), "alice is hung up on")


async def test_a_telephone_that_rings_and_declines(stack: Stack, tmp_path: Path) -> None:
    async with (
        phone(tmp_path, "alice", ALICE_HZ) as alice,
        phone(tmp_path, "bob", BOB_HZ, answers=False) as bob,
    ):
        await registered(alice)
        await registered(bob)
        await alice.dial(f"sip:bob@{GATEWAY}")
        await until(lambda: alice.saw("CALL_RINGING") and bob.saw("CALL_INCOMING"), "it rings at both ends")
        await bob.hang_up()
        await until(lambda: alice.saw("CALL_CLOSED"), "alice hears of it")
        assert "486" in alice.saw("CALL_CLOSED")[-1]["param"]


async def test_the_caller_gives_up(stack: Stack, tmp_path: Path) -> None:
    async with (
        phone(tmp_path, "alice", ALICE_HZ) as alice,
        phone(tmp_path, "bob", BOB_HZ, answers=False) as bob,
    ):
        await registered(alice)
        await registered(bob)
        await alice.dial(f"sip:bob@{GATEWAY}")
        await until(lambda: bob.saw("CALL_INCOMING"), "it rings")
        await alice.hang_up()
        await until(lambda: bob.saw("CALL_CLOSED"), "it rings no more")


async def test_all_telephones_of_an_account_ring_and_the_first_has_the_call(stack: Stack, tmp_path: Path) -> None:
    async with (
        phone(tmp_path, "alice", ALICE_HZ) as alice,
        phone(tmp_path / "desk", "bob", BOB_HZ, answers=False) as desk,
        phone(tmp_path / "mobile", "bob", BOB_HZ, answers=False) as mobile,
    ):
        for one in (alice, desk, mobile):
            await registered(one)
        await alice.dial(f"sip:bob@{GATEWAY}")
        await until(lambda: desk.saw("CALL_INCOMING") and mobile.saw("CALL_INCOMING"), "both ring")
        await mobile.command("accept")
        await until(lambda: alice.saw("CALL_ESTABLISHED"), "alice is answered")
        await until(lambda: desk.saw("CALL_CLOSED"), "the other one rings no more")
        await until(lambda: hears(alice, BOB_HZ) and hears(mobile, ALICE_HZ), "they hear each other")
        assert not mobile.saw("CALL_CLOSED")


async def test_a_telephone_goes_into_a_room(stack: Stack, tmp_path: Path) -> None:
    async with (
        phone(tmp_path, "alice", ALICE_HZ) as alice,
        phone(tmp_path, "bob", BOB_HZ) as bob,
    ):
        for one in (alice, bob):
            await registered(one)
            await one.dial(f"sip:lobby@{GATEWAY}")
            await until(lambda one=one: one.saw("CALL_ESTABLISHED"), "the room answers")
        await until(lambda: hears(alice, BOB_HZ) and hears(bob, ALICE_HZ), "they hear each other")


async def test_a_wrong_password_gets_nobody_in(stack: Stack, tmp_path: Path) -> None:
    wrong = await figure(stack, "sip_wrong_passwords")
    async with phone(tmp_path, "alice", ALICE_HZ, password="not-the-password") as alice:
        await until(lambda: alice.said("401 Unauthorized"), "it is refused")
        await alice.dial(f"sip:lobby@{GATEWAY}")
        await until(lambda: alice.saw("CALL_CLOSED"), "the call is refused as well")
        assert "401" in alice.saw("CALL_CLOSED")[-1]["param"]
    assert await figure(stack, "sip_wrong_passwords") > wrong


async def test_nobody_answers_for_a_telephone_that_is_not_there(stack: Stack, tmp_path: Path) -> None:
    async with phone(tmp_path, "alice", ALICE_HZ) as alice:
        await registered(alice)
        await alice.dial(f"sip:bob@{GATEWAY}")
        await until(lambda: alice.saw("CALL_CLOSED"), "alice hears of it")
        assert "480" in alice.saw("CALL_CLOSED")[-1]["param"]


async def test_registrations_outlive_the_gateway(stack: Stack, tmp_path: Path) -> None:
    """Killed and restarted by ``confero up``: the telephone is called before it has refreshed."""
    async with (
        phone(tmp_path, "alice", ALICE_HZ) as alice,
        phone(tmp_path, "bob", BOB_HZ) as bob,
    ):
        await registered(alice)
        await registered(bob)
        await asyncio.sleep(1.5)  # it is written down a second later
        before = stack.kill("sipgw")
        await until(lambda: _restarted(stack, before), "the gateway is there again")
        await stack.wait_ready()
        assert await figure(stack, "sip_bindings") == 2
        await alice.dial(f"sip:bob@{GATEWAY}")
        await until(lambda: bob.saw("CALL_ESTABLISHED") and alice.saw("CALL_ESTABLISHED"), "bob answers")
        await alice.hang_up()
        await until(lambda: bob.saw("CALL_CLOSED"), "bob is hung up on")


def _restarted(stack: Stack, before: int) -> bool:
    try:
        return stack.pid("sipgw") != before
    except LookupError:
        return False
