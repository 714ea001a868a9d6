"""Services die and come back, and garbage arrives everywhere: the browsers hear each other again, and nothing is left over."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from confero.lab.members.chromium import Chromium
from confero.lab.page import Page
from confero.lab.signals import analysis, sources
from confero.lab.stack import Stack
from confero.models import RoomState

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOM = "lobby"
ADA_HZ, GRACE_HZ = 433.0, 719.0
HEARD_DBFS = -40.0
BACK_WITHIN_S = 10.0
SETTLED_WITHIN_S = 5.0
"""A page that has just joined needs a moment until its first sound."""
PROBE_S = 0.3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(stack: Stack) -> AsyncIterator[tuple[Page, Page]]:
    """Two talking browsers."""
    async with contextlib.AsyncExitStack() as cleanup:
        pages = []
        for name, hertz in (("Ada", ADA_HZ), ("Grace", GRACE_HZ)):
            browser = await cleanup.enter_async_context(Chromium(sources.tone(hertz, 60.0, dbfs=-14)))
            pages.append(Page(browser, stack.page_url))
            await pages[-1].join(ROOM, name)
        yield pages[0], pages[1]


async def hear_each_other(pair: tuple[Page, Page]) -> bool:
    """True if right now each hears the other."""
    ada, grace = await asyncio.gather(
        *(_hears(page, hertz) for page, hertz in zip(pair, (GRACE_HZ, ADA_HZ), strict=True))
    )
    return ada and grace


async def _hears(page: Page, hertz: float) -> bool:
    try:
        signal = await page.hear(PROBE_S)
    except Exception:  # a page without sound raises whatever its browser raises
        return False
    return analysis.tone_db(signal, hertz) > HEARD_DBFS


async def back_after(pair: tuple[Page, Page], since: float) -> float:
    """Seconds from ``since`` until both hear each other; gives up after 30 s."""
    while time.monotonic() - since < 30:
        if await hear_each_other(pair) and all(
            [await page.value("window.confero.state") in ("good", "fair", "poor") for page in pair]
        ):
            return time.monotonic() - since
    return float("inf")


@pytest.mark.parametrize("service", ["notifier", "mcu", "appserver"])
async def test_browsers_come_back_after_a_service_was_killed(
    stack: Stack, pair: tuple[Page, Page], service: str
) -> None:
    assert await back_after(pair, time.monotonic()) < SETTLED_WITHIN_S
    old = stack.kill(service)
    killed_at = time.monotonic()
    await stack.wait_ready()
    assert stack.pid(service) != old
    assert await back_after(pair, killed_at) < BACK_WITHIN_S
    for page in pair:
        await page.until("window.confero.signalling === 'open'", BACK_WITHIN_S)
    await exactly_two_legs(stack)


async def exactly_two_legs(stack: Stack) -> None:
    """No orphaned leg, at the MCU or in anybody's roster."""
    mcu = stack.client("mcu")
    try:
        async with asyncio.timeout(20):
            while True:
                state = await mcu.call("GET", f"/v1/rooms/{ROOM}", reply=RoomState)
                assert state is not None
                if len(state.participants) == 2:
                    return
                await asyncio.sleep(0.2)
    finally:
        await mcu.close()


async def test_garbage_on_every_port_changes_nothing(stack: Stack, pair: tuple[Page, Page]) -> None:
    seeded = random.Random(7)
    tcp = [
        (stack.addresses["appserver"], stack.port("appserver", "https")),
        (stack.addresses["appserver"], stack.port("appserver", "http")),
    ]
    tcp += [(stack.addresses[service], stack.port(service, "http")) for service in ("notifier", "mcu")]
    await asyncio.gather(*(_tcp_garbage(host, port, seeded.randbytes(4096)) for host, port in tcp for _ in range(20)))
    await asyncio.to_thread(_udp_garbage, stack.addresses["mcu"], await _media_ports(stack), seeded)
    assert await back_after(pair, time.monotonic()) < SETTLED_WITHIN_S
    assert all([await page.value("window.confero.counts.offers") >= 1 for page in pair])
    await stack.wait_ready()


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
    """2,000 datagrams a port: random, and random behind first bytes of STUN, DTLS and RTP (RFC 7983)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for port in ports:
            for index in range(2000):
                first = (b"", b"\x00\x01\x00\x08\x21\x12\xa4\x42", b"\x16\xfe\xfd", b"\x80\x6f")[index % 4]
                sender.sendto(first + seeded.randbytes(seeded.randrange(1200)), (host, port))


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
