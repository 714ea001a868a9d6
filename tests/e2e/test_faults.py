"""Garbage arrives everywhere: the browsers hear each other all the same, and nothing is left over."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
import pytest_asyncio

from confero.lab.members import RtpMember
from confero.lab.members.chromium import Chromium
from confero.lab.page import Page
from confero.lab.stack import Stack
from confero.models import RoomState

from .listening import HEARD_DBFS, hears, level, listen, tone, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 42
ROOM = "lobby"
ADA_HZ, GRACE_HZ, PHONE_HZ = 433.0, 719.0, 1151.0
SETTLED_WITHIN_S = 5.0
"""A page that has just joined needs a moment until its first sound."""
GONE_WITHIN_S = 15.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def idle_descriptors(stack: Stack) -> int:
    """What the MCU has open before anybody has come."""
    return stack.descriptors("mcu")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(stack: Stack, idle_descriptors: int) -> AsyncIterator[tuple[Page, Page]]:
    """Two talking browsers."""
    async with contextlib.AsyncExitStack() as cleanup:
        pages = []
        for name, hertz in (("Ada", ADA_HZ), ("Grace", GRACE_HZ)):
            browser = await cleanup.enter_async_context(Chromium(tone(hertz)))
            pages.append(Page(browser, stack.page_url))
            await pages[-1].join(ROOM, name)
        yield pages[0], pages[1]


@contextlib.asynccontextmanager
async def telephone(stack: Stack) -> AsyncIterator[RtpMember]:
    """A phone that talks in the room."""
    mcu = stack.client("mcu")
    member = RtpMember("Phone", tone(PHONE_HZ), mcu=mcu, room=ROOM, host=f"127.0.{NETWORK}.101")
    try:
        await member.join()
        yield member
        await member.leave()
    finally:
        await mcu.close()


async def hear_each_other(pair: tuple[Page, Page]) -> bool:
    """True if right now each hears the other."""
    ada, grace = await asyncio.gather(
        *(hears(page, hertz) for page, hertz in zip(pair, (GRACE_HZ, ADA_HZ), strict=True))
    )
    return ada and grace


async def back_after(pair: tuple[Page, Page], since: float) -> float:
    """Seconds from ``since`` until both hear each other; gives up after 30 s."""
    while time.monotonic() - since < 30:
        if await hear_each_other(pair) and all(
            [await page.value("window.confero.state") in ("good", "fair", "poor") for page in pair]
        ):
            return time.monotonic() - since
    return float("inf")


async def legs_at_mcu(stack: Stack) -> list[list[str]]:
    """Participant and leg of everybody in the room."""
    mcu = stack.client("mcu")
    try:
        state = await mcu.call("GET", f"/v1/rooms/{ROOM}", reply=RoomState)
    finally:
        await mcu.close()
    assert state is not None
    return sorted([entry.id, entry.leg] for entry in state.participants)


def present(stack: Stack) -> list[tuple[object, ...]]:
    """Participants who have a session or a leg, as the application server has written down."""
    return stack.rows("SELECT id, session, leg_mcu FROM participants WHERE session IS NOT NULL OR leg_mcu IS NOT NULL")


async def test_garbage_on_every_port_changes_nothing(stack: Stack, pair: tuple[Page, Page]) -> None:
    seeded = random.Random(7)
    tcp = [(stack.addresses["appserver"], stack.port("appserver", purpose)) for purpose in ("https", "http")]
    tcp += [(stack.addresses[service], stack.port(service, "http")) for service in ("notifier", "mcu")]
    async with telephone(stack) as phone:
        assert await back_after(pair, time.monotonic()) < SETTLED_WITHIN_S
        before = [await page.value("window.confero.counts") for page in pair]
        legs = await legs_at_mcu(stack)
        ports = await _media_ports(stack)
        assert phone.remote is not None
        assert phone.remote[1] in ports
        await asyncio.gather(
            *(_tcp_garbage(host, port, seeded.randbytes(4096)) for host, port in tcp for _ in range(20))
        )
        await asyncio.to_thread(_udp_garbage, stack.addresses["mcu"], ports, seeded)
        for datagram in _datagrams(seeded, 200):
            phone.send_raw(datagram)
        assert await back_after(pair, time.monotonic()) < SETTLED_WITHIN_S
        await hear_the_phone_too(pair, phone)
        assert await legs_at_mcu(stack) == legs
        assert [await page.value("window.confero.counts") for page in pair] == before
    await stack.wait_ready()


async def hear_the_phone_too(pair: tuple[Page, Page], phone: RtpMember) -> None:
    heard = await listen(phone)
    assert min(level(heard, ADA_HZ), level(heard, GRACE_HZ)) > HEARD_DBFS
    assert all(await asyncio.gather(*(hears(page, PHONE_HZ) for page in pair)))


async def _tcp_garbage(host: str, port: int, data: bytes) -> None:
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(data)
            await writer.drain()
            await reader.read(1000)
            writer.close()


async def _media_ports(stack: Stack) -> list[int]:
    """The MCU's UDP ports, from the kernel's table."""
    table = await asyncio.to_thread(lambda: open("/proc/net/udp").read().splitlines()[1:])  # noqa: SIM115, PTH123
    packed = socket.inet_aton(stack.addresses["mcu"])[::-1].hex().upper()
    ports = [int(line.split()[1].split(":")[1], 16) for line in table if line.split()[1].startswith(packed)]
    assert ports
    return ports


def _udp_garbage(host: str, ports: list[int], seeded: random.Random) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for port in ports:
            for datagram in _datagrams(seeded, 2000):
                sender.sendto(datagram, (host, port))


def _datagrams(seeded: random.Random, count: int) -> Iterator[bytes]:
    """Random, and random behind first bytes of STUN, DTLS and RTP (RFC 7983)."""
    for index in range(count):
        first = (b"", b"\x00\x01\x00\x08\x21\x12\xa4\x42", b"\x16\xfe\xfd", b"\x80\x6f")[index % 4]
        yield first + seeded.randbytes(seeded.randrange(1200))


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/api/v1/rooms/no-such-room/join", b'{"display_name": "X"}', 404, "room-unknown"),
        ("POST", "/api/v1/rooms/lobby/join", b"{", 400, ""),
        ("POST", "/api/v1/rooms/lobby/join", b'{"display_name": ""}', 422, ""),
        (
            "POST",
            "/api/v1/rooms/lobby/join",
            b'{"display_name": "X", "previous_token": "forged.forged"}',
            401,
            "token-invalid",
        ),
        ("POST", "/api/v1/rooms/lobby/join", b'{"display_name": "' + b"x" * 100_000 + b'"}', 413, ""),
        ("DELETE", "/api/v1/rooms/lobby/join", b"", 405, ""),
        ("GET", "/no/such/page", b"", 404, ""),
    ],
)
async def test_bad_requests_get_their_problem(
    stack: Stack, method: str, path: str, body: bytes, status: int, code: str
) -> None:
    async with aiohttp.ClientSession() as http:
        headers = {"Content-Type": "application/json"}
        async with http.request(method, stack.page_url + path, data=body, headers=headers, ssl=stack.tls()) as response:
            assert response.status == status
            assert response.content_type == "application/problem+json"
            problem = await response.json(content_type=None)
    assert problem["status"] == status
    assert code in problem["type"]


async def test_a_forged_token_and_a_late_hello_are_closed_with_4401(stack: Stack) -> None:
    headers = {"Origin": stack.page_url}
    async with aiohttp.ClientSession() as http:
        for first in ({"type": "hello", "token": "forged.forged"}, None):
            async with http.ws_connect(f"{stack.page_url}/events", headers=headers, ssl=stack.tls()) as events:
                if first is not None:
                    await events.send_json(first)
                message = await events.receive(timeout=10)
                assert message.type is aiohttp.WSMsgType.CLOSE
                assert message.data == 4401


async def test_a_foreign_origin_is_refused_before_the_upgrade(stack: Stack) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(
                f"{stack.page_url}/events", headers={"Origin": "https://evil.example"}, ssl=stack.tls()
            )
    assert refused.value.status == 403


async def test_nothing_is_left_of_those_who_have_gone(
    stack: Stack, pair: tuple[Page, Page], idle_descriptors: int
) -> None:
    """The last test of this file: after garbage and refusals everybody leaves."""
    async with telephone(stack):
        assert len(await legs_at_mcu(stack)) == 3
        await until(lambda: len(present(stack)) == 3, GONE_WITHIN_S, "three are written down")
        assert stack.descriptors("mcu") > idle_descriptors
    for page in pair:
        await page.leave()
    await until(lambda: not present(stack), GONE_WITHIN_S, "nobody is written down any more")
    assert await legs_at_mcu(stack) == []
    await until(lambda: stack.descriptors("mcu") == idle_descriptors, GONE_WITHIN_S, "the MCU has closed its sockets")
