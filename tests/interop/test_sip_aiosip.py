"""aiosip 0.2.0 as a telephone: it registers with MD5 without qop, which its account may, and calls a room.

What it does beside the rules (an ACK for everything, no Route, nothing sent twice) has to leave the gateway untouched.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from multidict import CIMultiDict

from confero.lab.members.loopback import gather_loopback
from confero.lab.stack import Stack
from confero.sipgw.compat import aiosip

from .siplab import Admin, becomes, figure, known, started

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 73
GATEWAY = f"127.0.{NETWORK}.14"
PHONE = f"127.0.{NETWORK}.101"
PASSWORD = "an-old-password"
SDP = (
    "v=0\r\no=- 1 1 IN IP4 {phone}\r\ns=-\r\nc=IN IP4 {phone}\r\nt=0 0\r\n"
    "m=audio 9990 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
).replace("{phone}", PHONE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    gather_loopback()
    async with started(Stack(tmp_path_factory.mktemp("state"), network=NETWORK)) as running:
        admin = Admin(running)
        for user, old in (("old", True), ("new", False)):
            account = {"user": user, "realm": "confero", "password": PASSWORD, "display_name": user}
            await admin.add("accounts", account | {"allow_md5_without_qop": old})
        await known(running, "sip_accounts", 2)
        yield running


async def dialog(app: Any, user: str, to: str, port: int) -> Any:
    return await app.start_dialog(
        from_uri=f"sip:{user}@{GATEWAY}:5060",
        to_uri=f"sip:{to}@{GATEWAY}:5060",
        contact_uri=f"sip:{user}@{PHONE}:{port}",
        local_addr=(PHONE, port),
        remote_addr=(GATEWAY, 5060),
        password=PASSWORD,
        dialog=aiosip.repaired_dialog(),
    )


async def test_an_old_telephone_registers_and_calls(stack: Stack) -> None:
    app = aiosip.load().Application(loop=asyncio.get_running_loop())
    phone = await dialog(app, "old", "old", 5081)
    async with asyncio.timeout(10):
        assert (await phone.register(expires=120)).status_code == 200
    assert await figure(stack, "sip_bindings") == 1
    call = await dialog(app, "old", "lobby", 5082)
    async with asyncio.timeout(10):
        answer = await call.invite(headers=CIMultiDict({"Content-Type": "application/sdp"}), sdp=SDP)
        assert answer.status_code == 200, answer.status_message
        assert "m=audio" in answer.payload
        call.to_details = answer.to_details
        call.send_message("ACK")
        await becomes(lambda: in_lobby(stack), "it is in the room")
        call.cseqs["BYE"] = call.cseqs[
            "INVITE"
        ]  # it counts each method for itself; within a dialog there is one count (12.2.1.1)
        assert (await call.send_message("BYE")).status_code == 200


async def in_lobby(stack: Stack) -> bool:
    return "leg joined" in stack.output and "room=lobby" in stack.output


async def test_it_is_not_let_in_where_the_account_may_not(stack: Stack) -> None:
    loaded = aiosip.load()
    app = loaded.Application(loop=asyncio.get_running_loop())
    phone = await dialog(app, "new", "new", 5083)
    async with asyncio.timeout(10):
        answer = await phone.register(expires=120)
    assert answer.status_code == 400, "it sends our qop back without what belongs to it"
    assert await figure(stack, "sip_bindings") == 1
