"""linphone, written on other libraries than all else here: it calls and is called by every transport and protection that it has."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from confero.lab.members import Baresip, Line, Linphone, SipMember, room_uri
from confero.lab.stack import Stack
from confero.models import LegStats
from confero.runtime.client import ServiceClient

from ..e2e.listening import HEARD_DBFS, UNHEARD_DBFS, level, listen
from ..support.waiting import until
from .hearing import hear_each_other
from .siplab import Admin, known
from .sipp import nobody_left

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 82
GATEWAY = f"127.0.{NETWORK}.14"
PASSWORD = "a-long-password"
LINES = {
    "Udp": Line("udp", codecs="PCMU/8000/1"),
    "Tcp": Line("tcp", codecs="G722/16000/1"),
    "Tls": Line("tls", "srtp-mand", codecs="opus/48000/2"),
    "Dtls": Line("udp", "dtls_srtp", codecs="opus/48000/2"),
}
SECURITY = {"Udp": "plain", "Tcp": "plain", "Tls": "sdes", "Dtls": "dtls"}
OFFERED = {
    "Udp": {},
    "Tcp": {},
    "Tls": {"media_security": "required"},
    "Dtls": {"media_security": "required", "key_exchange": "dtls"},
    "Old": {"media_security": "required", "key_exchange": "dtls"},
}
"""By us: a telephone that wants its sound protected refuses what is offered in the clear."""
HERTZ = {"Udp": 528, "Tcp": 676, "Tls": 788, "Dtls": 1188}
CALLER_HZ = 433


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mcu(stack: Stack) -> AsyncIterator[ServiceClient]:
    client = stack.client("mcu")
    yield client
    await client.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(
    stack: Stack, mcu: ServiceClient, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, SipMember]]:
    name = await stack.make_room(talkers=0)
    members = {
        who: SipMember(
            who,
            Linphone(tmp_path_factory.mktemp(who), hertz=HERTZ[who], user=who.lower(), name=who, line=line),
            called=room_uri(name, GATEWAY, line),
            room=name,
            mcu=mcu,
        )
        for who, line in LINES.items()
    }
    async with contextlib.AsyncExitStack() as cleanup:
        for member in members.values():
            cleanup.push_async_callback(member.leave)
        await asyncio.gather(*(one.join() for one in members.values()))
        yield members
    await nobody_left(stack, name)


async def test_they_call_a_room_and_hear_each_other(room: dict[str, SipMember]) -> None:
    await hear_each_other(room, HERTZ)


@pytest.mark.parametrize("who", LINES)
async def test_media_is_protected_as_it_was_agreed(room: dict[str, SipMember], mcu: ServiceClient, who: str) -> None:
    stats = await mcu.call("GET", f"/v1/legs/{room[who].leg}/stats", reply=LegStats)
    assert stats.security == SECURITY[who]


async def test_one_that_holds_hears_nothing_and_then_all_again(room: dict[str, SipMember]) -> None:
    """It sends on, as its tone is its music on hold as well, but that is not for the room."""
    held, other = room["Dtls"], room["Udp"]
    await held.phone.hold()
    await until(lambda: "is now paused" in held.phone.log, "it holds")
    held.heard.clear()
    other.heard.clear()
    await asyncio.sleep(1.5)
    assert held.heard.seconds < 0.5, "it is sent something"
    assert level(other.heard.last(0.5), HERTZ["Dtls"]) < UNHEARD_DBFS, "its music is heard"
    assert level(other.heard.last(0.5), HERTZ["Tcp"]) > HEARD_DBFS, "the others are not"
    await held.phone.resume()
    heard = (await listen(held, 1.5))[24_000:]
    assert min(level(heard, hertz) for who, hertz in HERTZ.items() if who != "Dtls") > HEARD_DBFS
    await until(lambda: level(other.heard.last(0.5), HERTZ["Dtls"]) > HEARD_DBFS, "it is heard again")


async def test_they_are_called(stack: Stack, tmp_path: Path) -> None:
    """Each registers by its own transport, and is called by a baresip of its own, all at once."""
    admin = Admin(stack)
    for who in OFFERED:
        for user in (who, f"Caller{who}"):
            account = {"user": user.lower(), "realm": "confero", "password": PASSWORD, "display_name": user}
            await admin.add("accounts", account | (OFFERED[who] if user == who else {}))
    await known(stack, "sip_accounts", 2 * len(OFFERED))
    async with asyncio.TaskGroup() as group:
        for who in LINES:
            group.create_task(is_called(who, tmp_path))
        group.create_task(is_told(tmp_path))


async def is_called(who: str, home: Path) -> None:
    line = dataclasses.replace(LINES[who], registrar=GATEWAY, password=PASSWORD)
    caller = f"caller{who.lower()}"
    async with (
        Linphone(home / who, hertz=HERTZ[who], user=who.lower(), line=line) as called,
        Baresip(home / caller, hertz=CALLER_HZ, user=caller, line=Line(registrar=GATEWAY, password=PASSWORD)) as phone,
    ):
        await until(lambda: called.registered and phone.registered, f"{who} is registered")
        await phone.dial(f"sip:{who.lower()}@{GATEWAY}")
        await until(lambda: phone.established and called.established, f"{who} answers")
        await until(lambda: level(phone.heard(), HERTZ[who]) > HEARD_DBFS, f"{who} is heard")
        await until(lambda: level(called.heard(), CALLER_HZ) > HEARD_DBFS, f"{who} hears")
        await phone.hang_up()
        await until(lambda: called.closed, f"{who} is hung up on")


async def is_told(home: Path) -> None:
    """DTLS without rtcp-mux is no answer to what we offer: whoever has called must not go on hearing that it rings."""
    line = Line(encryption="dtls_srtp", rtcp_mux=False, registrar=GATEWAY, password=PASSWORD)
    async with (
        Linphone(home / "old", hertz=HERTZ["Dtls"], user="old", line=line) as called,
        Baresip(
            home / "caller", hertz=CALLER_HZ, user="callerold", line=Line(registrar=GATEWAY, password=PASSWORD)
        ) as phone,
    ):
        await until(lambda: called.registered and phone.registered, "both are registered")
        await phone.dial(f"sip:old@{GATEWAY}")
        await until(lambda: called.closed, "it is hung up on")
        await until(lambda: phone.closed, "the caller is told")
        assert phone.closed[0].startswith("502")
