"""Trunks: kamailio as a PBX that we register at, call through and are called by; it goes, it returns, another takes its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from confero.lab.members import Baresip, Line
from confero.lab.members.loopback import gather_loopback
from confero.lab.signals import analysis
from confero.lab.stack import Stack

from ..mcu.rig import ulaw_encode
from ..support.waiting import until
from .kamailio import Kamailio
from .siplab import Admin, becomes, known, sipp, started, trunk_state
from .sipp import SCENARIOS

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 72
GATEWAY = f"127.0.{NETWORK}.14"
PBX, SPARE, SCRIPT = f"127.0.{NETWORK}.21", f"127.0.{NETWORK}.22", f"127.0.{NETWORK}.23"
PASSWORD = "a-long-password"
ALICE_HZ, CAROL_HZ = 433, 1151
HEARD_DBFS = -40.0
TELEPHONE_RATE = 8000


def trunk(name: str, address: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "servers": [{"uri": f"sip:{address}", "priority": 1}],
        "domain": "pbx.test",
        "user": "conference",
        "secret": Kamailio.PASSWORD,
        "realm": "pbx.test",
        "expires": 60,
        "options_s": 1,
    } | changes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pbx(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kamailio]:
    async with Kamailio(tmp_path_factory.mktemp("pbx"), "pbx", address=PBX) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory, pbx: Kamailio) -> AsyncIterator[Stack]:
    gather_loopback()
    async with started(Stack(tmp_path_factory.mktemp("state"), network=NETWORK)) as running:
        admin = Admin(running)
        account = {"user": "alice", "realm": "confero", "password": PASSWORD, "display_name": "Alice"}
        await admin.add("accounts", account | {"may_call_out": True, "call_out_patterns": ["."]})
        await admin.add("trunks", trunk("pbx", PBX, registers=True, registrar=f"sip:{PBX}"))
        await admin.add("trunks", trunk("dead", SPARE, options_s=0))
        for position, pattern, target in ((10, "0.", "pbx"), (20, "1.", "dead,pbx"), (30, "2.", "script")):
            rule = {"position": position, "direction": "in", "source": "account", "pattern": pattern}
            await admin.add("rules", rule | {"action": "trunk", "target": target, "strip": 1, "prepend": ""})
        await admin.add(
            "rules",
            {
                "position": 40,
                "direction": "in",
                "source": "trunk",
                "pattern": "conference",
                "action": "room",
                "target": "lobby",
            },
        )
        await known(running, "sip_accounts", 1)
        yield running
    assert Kamailio.PASSWORD not in running.output


def alice(home: Path) -> Baresip:
    line = Line(registrar=GATEWAY, password=PASSWORD)
    return Baresip(home / "alice", hertz=ALICE_HZ, user="alice", line=line)


def carol(home: Path) -> Baresip:
    """At the PBX."""
    line = Line(registrar=PBX, password=Kamailio.PASSWORD)
    return Baresip(home / "carol", hertz=CAROL_HZ, user="carol", line=line)


async def is_so(stack: Stack, name: str, **fields: Any) -> None:
    """Until the gateway says that of a trunk; without fields until it knows none of this name."""

    async def look() -> bool:
        state = await trunk_state(stack, name)
        return all(state.get(key) == value for key, value in fields.items()) and bool(state) == bool(fields)

    await becomes(look, f"{name} is {fields}")


async def is_registered(stack: Stack, name: str) -> None:
    await is_so(stack, name, registration="registered")


def hears(telephone: Baresip, hertz: float) -> bool:
    return analysis.tone_db(telephone.heard(), hertz, window_s=0.5) > HEARD_DBFS


async def hear_each_other(one: Baresip, other: Baresip) -> None:
    await until(lambda: one.saw("CALL_ESTABLISHED") and other.saw("CALL_ESTABLISHED"), "they are connected", 25)
    await until(lambda: hears(one, CAROL_HZ) and hears(other, ALICE_HZ), "they hear each other")


async def talk(caller: Baresip, called: Baresip) -> None:
    await hear_each_other(caller, called)
    await caller.hang_up()
    await until(lambda: called.saw("CALL_CLOSED"), "the other one is hung up on")


async def test_it_registers_with_a_digest(stack: Stack) -> None:
    await is_registered(stack, "pbx")
    state = await trunk_state(stack, "pbx")
    assert state["available"] and 0 < state["registered_s"] <= 60
    assert state["servers"][0]["state"] == "up"


async def test_a_telephone_here_calls_one_there(stack: Stack, tmp_path: Path) -> None:
    """The PBX asks for a digest, and stays on the way by Record-Route."""
    await is_registered(stack, "pbx")
    async with alice(tmp_path) as here, carol(tmp_path) as there:
        await until(lambda: here.said("200 OK") and there.said("200 OK"), "both are registered")
        await here.dial(f"sip:0carol@{GATEWAY}")
        await talk(here, there)


async def test_a_telephone_there_calls_a_room_here(stack: Stack, tmp_path: Path) -> None:
    await is_registered(stack, "pbx")
    async with alice(tmp_path) as here, carol(tmp_path) as there:
        await until(lambda: here.said("200 OK") and there.said("200 OK"), "both are registered")
        await there.dial(f"sip:conference@{PBX}")
        await here.dial(f"sip:lobby@{GATEWAY}")
        await hear_each_other(here, there)
        for one in (here, there):
            await one.hang_up()
            await until(lambda one=one: one.saw("CALL_CLOSED"), "it leaves")  # type: ignore[misc]


async def test_the_next_trunk_is_tried_when_one_is_silent(stack: Stack, tmp_path: Path) -> None:
    await is_registered(stack, "pbx")
    async with alice(tmp_path) as here, carol(tmp_path) as there:
        await until(lambda: here.said("200 OK") and there.said("200 OK"), "both are registered")
        await here.dial(f"sip:1carol@{GATEWAY}")
        await talk(here, there)
        # It has been asked since, and is known to be away: no waiting.
        await is_so(stack, "dead", available=False)
        assert (await trunk_state(stack, "dead"))["servers"][0]["state"] == "down"


async def test_what_the_called_says_is_final(stack: Stack, tmp_path: Path) -> None:
    await is_registered(stack, "pbx")
    async with alice(tmp_path) as here:
        await until(lambda: here.said("200 OK"), "alice is registered")
        await here.dial(f"sip:0nobody@{GATEWAY}")
        await until(lambda: here.saw("CALL_CLOSED"), "alice hears of it")
        assert "404" in here.saw("CALL_CLOSED")[-1]["param"]


async def test_a_trunk_is_lost_and_returns(stack: Stack, pbx: Kamailio, tmp_path: Path) -> None:
    await is_registered(stack, "pbx")
    await pbx.stop()
    await is_so(stack, "pbx", available=False)
    async with alice(tmp_path) as here:
        await until(lambda: here.said("200 OK"), "alice is registered")
        await here.dial(f"sip:0carol@{GATEWAY}")
        await until(lambda: here.saw("CALL_CLOSED"), "alice hears of it", 25)
        assert here.saw("CALL_CLOSED")[-1]["param"][:3] in ("503", "408")
    await pbx.start()
    await is_so(stack, "pbx", available=True)
    async with alice(tmp_path / "again") as here, carol(tmp_path) as there:
        await until(lambda: here.said("200 OK") and there.said("200 OK"), "both are registered")
        await here.dial(f"sip:0carol@{GATEWAY}")
        await talk(here, there)


async def test_changes_are_followed(stack: Stack) -> None:
    admin = Admin(stack)
    await admin.change("trunks", "pbx", {"user": "other"})
    await is_so(stack, "pbx", registration="registered")
    await admin.change("trunks", "pbx", {"secret": "not-the-password"})
    await is_so(stack, "pbx", registration="refused")
    assert (await trunk_state(stack, "pbx"))["status"] == 401
    await admin.change("trunks", "pbx", {"user": "conference", "secret": Kamailio.PASSWORD})
    await is_registered(stack, "pbx")
    await admin.remove("trunks", "dead")
    await is_so(stack, "dead")


CHALLENGE_STRANGER = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="asks for a password in another realm, then in the right one">
  <recv request="INVITE" crlf="true"/>
  <send><![CDATA[
      SIP/2.0 407 Proxy Authentication Required
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]a[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Proxy-Authenticate: Digest realm="{realm}", nonce="4711", algorithm=MD5, qop="auth"
      Content-Length: 0
  ]]></send>
  <recv request="ACK"/>
  {again}
</scenario>
"""
AGAIN = """
  <recv request="INVITE" crlf="true"><action>
    <ereg regexp="username=.conference., realm=.pbx.test." search_in="hdr" header="Proxy-Authorization:" check_it="true"
      assign_to="1"/>
    <log message="[$1]"/>
  </action></recv>
  <send><![CDATA[
      SIP/2.0 603 Decline
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]b[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0
  ]]></send>
  <recv request="ACK"/>
"""


@pytest.mark.parametrize(("realm", "status"), [("pbx.test", "603"), ("elsewhere.test", "502")])
async def test_a_digest_is_answered_to_the_trunks_realm_only(
    stack: Stack, tmp_path: Path, realm: str, status: str
) -> None:
    scenario = tmp_path / "uas.xml"
    scenario.write_text(CHALLENGE_STRANGER.format(realm=realm, again=AGAIN if status == "603" else ""))
    admin = Admin(stack)
    await admin.add("trunks", trunk("script", f"{SCRIPT}:5070", options_s=0))
    try:
        await is_so(stack, "script", registration="none")
        async with alice(tmp_path) as here, asyncio.TaskGroup() as group:
            await until(lambda: here.said("200 OK"), "alice is registered")
            peer = group.create_task(sipp("-sf", str(scenario), "-i", SCRIPT, "-p", "5070", "-m", "1", seconds=12))
            await asyncio.sleep(0.5)
            await here.dial(f"sip:24711@{GATEWAY}")
            await until(lambda: here.saw("CALL_CLOSED"), "alice hears of it")
            code, said = await peer
            assert code == 0, said
            assert status in here.saw("CALL_CLOSED")[-1]["param"]
    finally:
        await admin.remove("trunks", "script")


async def test_an_announcement_of_a_trunk_is_heard(stack: Stack, tmp_path: Path) -> None:
    """Before anything is answered, and nothing is: early media, then 404."""
    t = np.arange(3 * TELEPHONE_RATE) / TELEPHONE_RATE
    (tmp_path / "announcement.ulaw").write_bytes(
        ulaw_encode((8000 * np.sin(2 * np.pi * CAROL_HZ * t)).astype(np.int16))
    )
    admin = Admin(stack)
    await admin.add("trunks", trunk("script", f"{SCRIPT}:5070", options_s=0))
    try:
        await is_so(stack, "script", registration="none")
        async with alice(tmp_path) as here, asyncio.TaskGroup() as group:
            await until(lambda: here.said("200 OK"), "alice is registered")
            there = ("-i", SCRIPT, "-mi", SCRIPT, "-p", "5070", "-mp", "9300")
            peer = group.create_task(
                sipp("-sf", str(SCENARIOS / "announces.xml"), *there, "-m", "1", seconds=15, folder=tmp_path)
            )
            await asyncio.sleep(0.5)
            await here.dial(f"sip:24711@{GATEWAY}")
            await until(lambda: hears(here, CAROL_HZ), "the announcement")
            assert not here.saw("CALL_ESTABLISHED") and here.saw("CALL_PROGRESS")
            await until(lambda: here.saw("CALL_CLOSED"), "alice hears of it")
            assert "404" in here.saw("CALL_CLOSED")[-1]["param"]
            code, said = await peer
            assert code == 0, said
    finally:
        await admin.remove("trunks", "script")
