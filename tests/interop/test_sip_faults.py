"""Garbage, and services that die, while telephones talk: calls go on or end properly, new ones work, no leg is left."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from confero.errors import Refused
from confero.lab.members import RtpMember, SipMember, baresip_member
from confero.lab.stack import Stack
from confero.models import RoomSpec, RoomState
from confero.protocols.sip import SipError, parse

from ..e2e.listening import HEARD_DBFS, level, listen, tone
from .sipp import SIP_PORT, Sipp, nobody_left, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 77
SETTINGS = {"CONFERO_APPSERVER_STRANGERS_PER_MINUTE": "10000"}
HOST, STRANGER = f"127.0.{NETWORK}.101", f"127.0.{NETWORK}.102"
PHONE_HZ, BARESIP_HZ = 1607, 613
DATAGRAMS, STREAM_MESSAGES = 8000, 2000
"""Ten thousand together."""
NEW_CALLS_WITHIN_S = 3.0
CALLS = 50
RENEW_S = 2.0
"""How often the gateway asks the MCU for its legs."""
LEASE_S = 10.0
"""After it the MCU ends legs whose gateway is silent (``owner_lease_s``)."""
GOOD = (
    b"INVITE sip:lobby@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.77.102:5060;branch=z9hG4bK%d\r\nFrom: <sip:a@b>;tag=%d\r\n"
    b"To: <sip:lobby@example.com>\r\nCall-ID: %d@x\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.77.102>\r\nMax-Forwards: 70\r\n"
    b"Content-Type: application/sdp\r\nContent-Length: 4\r\n\r\nv=0\n"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phone(stack: Stack) -> AsyncIterator[RtpMember]:
    mcu = stack.client("mcu")
    member = RtpMember("Phone", tone(PHONE_HZ), mcu=mcu, room="lobby", host=f"127.0.{NETWORK}.120")
    await mcu.call("PUT", "/v1/rooms/lobby", body=RoomSpec(), reply=RoomState)
    await member.join()
    yield member
    with contextlib.suppress(Refused):  # its MCU was killed meanwhile
        await member.leave()
    await mcu.close()


@contextlib.asynccontextmanager
async def talking(stack: Stack, home: Path) -> AsyncIterator[SipMember]:
    mcu = stack.client("mcu")
    member = baresip_member("Caller", BARESIP_HZ, gateway=stack.addresses["sipgw"], room="lobby", mcu=mcu, home=home)
    try:
        await member.join()
        yield member
    finally:
        await member.leave()
        await mcu.close()


def malformed(count: int) -> Iterator[bytes]:
    """Messages bent at one to four places, random bytes, and cut ones; none that can be read."""
    seeded = random.Random(4)
    number = 0
    while number < count:
        data = bytearray(GOOD % (number, number, number))
        for _ in range(seeded.randint(1, 4)):
            place = seeded.randrange(len(data))
            data[place : place + seeded.randint(0, 4)] = seeded.randbytes(seeded.randint(0, 4))
        kind = seeded.random()
        found = seeded.randbytes(seeded.randint(1, 300)) if kind < 0.1 else bytes(data)
        found = found[: seeded.randrange(1, len(found) + 1)] if kind > 0.8 else found
        try:
            parse(found)
        except SipError:
            number += 1
            yield found


async def by_udp(gateway: str, messages: list[bytes]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((STRANGER, 0))
        for index, message in enumerate(messages):
            sender.sendto(message, (gateway, SIP_PORT))
            if index % 20 == 0:
                await asyncio.sleep(0.005)


async def by_tcp(gateway: str, messages: list[bytes]) -> None:
    """Each on a connection of its own: what cannot be read ends it."""
    for message in messages:
        with contextlib.suppress(ConnectionError):
            _, writer = await asyncio.open_connection(gateway, SIP_PORT, local_addr=(STRANGER, 0))
            writer.write(message)
            writer.close()


async def test_ten_thousand_malformed_messages_touch_no_call(stack: Stack, phone: RtpMember, tmp_path: Path) -> None:
    gateway = stack.addresses["sipgw"]
    messages = list(malformed(DATAGRAMS + STREAM_MESSAGES))
    async with talking(stack, tmp_path) as caller:
        await listen(phone, 1.0)
        idle = stack.descriptors("sipgw")
        phone.heard.clear()
        begun = time.monotonic()
        await asyncio.gather(by_udp(gateway, messages[:DATAGRAMS]), by_tcp(gateway, messages[DATAGRAMS:]))
        await Sipp("plain", tmp_path, gateway=gateway, host=HOST).run()
        heard = phone.heard.signal()
        assert phone.heard.seconds > 0.9 * (time.monotonic() - begun), "sound has stopped"
        windows = heard[: heard.size // 24_000 * 24_000].reshape(-1, 24_000)
        assert min(level(window, BARESIP_HZ, 0.25) for window in windows) > HEARD_DBFS
        assert not caller.phone.closed
        assert level(await listen(caller, 1.0), PHONE_HZ) > HEARD_DBFS
        assert stack.descriptors("sipgw") <= idle + 2
    await nobody_left(stack, but=(phone.participant,))


async def test_a_killed_gateway_is_back_and_leaves_no_leg(stack: Stack, phone: RtpMember, tmp_path: Path) -> None:
    gateway = stack.addresses["sipgw"]
    running = Sipp("surviving", tmp_path, gateway=gateway, host=HOST, calls=CALLS, rate=50, hold_ms=9000, seconds=40)
    await running.start()
    await somebody(stack, CALLS + 1)
    old = stack.kill("sipgw")
    await stack.wait_ready()
    restarted = time.monotonic()
    assert stack.pid("sipgw") != old
    await Sipp("plain", tmp_path, gateway=gateway, host=STRANGER).run()
    assert time.monotonic() - restarted < NEW_CALLS_WITHIN_S, "new calls work again"
    await running.passes()
    await nobody_left(stack, seconds=LEASE_S + 5, but=(phone.participant,))


@pytest.mark.parametrize("scenario", ["moved", "glare"])
async def test_a_call_survives_its_mcu(stack: Stack, tmp_path: Path, scenario: str) -> None:
    """The gateway finds the call another leg and re-invites; glare of both kinds is got over."""
    gateway = stack.addresses["sipgw"]
    call = Sipp(scenario, tmp_path, gateway=gateway, host=HOST, seconds=60)
    await call.start()
    await somebody(stack, 1)
    await asyncio.sleep(RENEW_S + 0.5)  # the gateway has come to know the MCU's process
    stack.kill("mcu")
    await stack.wait_ready()
    await call.passes()
    await nobody_left(stack)
    await Sipp("plain", tmp_path, gateway=gateway, host=HOST).run()
