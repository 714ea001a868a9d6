"""One address for all: browsers come through the front door, stay while it restarts, and are let in while others crowd it."""

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

from confero.lab.members import RtpMember
from confero.lab.members.chromium import Chromium
from confero.lab.page import Page
from confero.lab.stack import Stack

from ..support.hellos import hello
from .listening import HEARD_DBFS, level, listen, tone, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOST = "127.0.54.1"
ROOM = "lobby"
ADA_HZ, PHONE_HZ = 433.0, 1151.0
IDLE, CLOSED_WITHIN_S = 2000, 12.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ada(stack: Stack) -> AsyncIterator[Page]:
    async with Chromium(tone(ADA_HZ)) as browser:
        page = Page(browser, stack.page_url)
        await page.join(ROOM, "Ada")
        yield page
        await page.connected()  # again, as every service has been killed
        await page.leave()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phone(stack: Stack) -> AsyncIterator[RtpMember]:
    mcu = stack.client("mcu")
    made = RtpMember("Phone", tone(PHONE_HZ), mcu=mcu, room=ROOM, host=HOST)
    await made.join()
    yield made
    with contextlib.suppress(Exception):  # the MCU has been killed meanwhile
        await made.leave()
    await mcu.close()


async def metric(stack: Stack, line: str) -> float:
    """The value of a line of the front door's metrics; 0 for one that is not there."""
    async with aiohttp.ClientSession() as http, http.get(stack.url("edge") + "/metrics") as response:
        text = await response.text()
    return next((float(one.split()[-1]) for one in text.splitlines() if one.startswith(line + " ")), 0.0)


async def handed(stack: Stack, kind: str) -> float:
    return await metric(stack, f'confero_edge_connections_total{{kind="{kind}",outcome="handed-on"}}')


async def page_answers(stack: Stack) -> float:
    """Seconds that it takes."""
    started = time.monotonic()
    connector = aiohttp.TCPConnector(ssl=stack.tls(), force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http, http.get(stack.page_url + "/") as response:
        assert response.status == 200
    return time.monotonic() - started


async def test_a_browser_joins_through_the_front_door(stack: Stack, ada: Page, phone: RtpMember) -> None:
    assert await handed(stack, "https") > 0
    heard = await listen(phone, 1.0)
    assert level(heard, ADA_HZ) > HEARD_DBFS
    heard = await ada.hear(1.0)
    assert level(heard, PHONE_HZ) > HEARD_DBFS


async def test_only_the_door_listens_on_the_public_port(stack: Stack) -> None:
    port = f":{stack.port('edge', 'https'):04X}"
    rows = open(f"/proc/{stack.pid('appserver')}/net/tcp").read().splitlines()[1:]  # noqa: ASYNC230, PTH123, SIM115
    listening = [row.split() for row in rows if row.split()[1].endswith(port) and row.split()[3] == "0A"]
    here = socket.inet_aton(HOST)[::-1].hex().upper()
    assert [row[1] for row in listening if row[1].startswith(here)] == [here + port]


async def test_plain_http_and_clients_without_alpn(stack: Stack) -> None:
    port = stack.port("edge", "https")
    async with aiohttp.ClientSession() as http:
        url = f"http://{HOST}:{port}/r/lobby?x=1"
        async with http.get(url, allow_redirects=False) as response:
            assert response.status == 301
            assert response.headers["Location"] == f"{stack.page_url}/r/lobby?x=1"
    before = await handed(stack, "tls")
    await page_answers(stack)
    assert await handed(stack, "tls") == before + 1, "no TURN server is there, so the page is"


async def test_idle_connections_half_hellos_and_garbage_keep_nobody_out(
    stack: Stack, ada: Page, phone: RtpMember
) -> None:
    seeded = random.Random(3)
    whole = hello(["h2", "http/1.1"])
    said = [b"", whole[:300], b"\x16\x03\x01\x3f\xff\x01\x00", b"GET / HTTP/1.1\r\nX: ", b"\x00\x01"]
    address = (HOST, stack.port("edge", "https"))
    crowd = []
    for number in range(IDLE):
        made = await asyncio.to_thread(socket.create_connection, address, 10, (f"127.0.49.{number % 200 + 1}", 0))
        made.send(said[number % len(said)]) if said[number % len(said)] else None
        crowd.append(made)
    rude = [asyncio.open_connection(*address) for _ in range(100)]
    for _, writer in await asyncio.gather(*rude):
        writer.write(seeded.randbytes(2000))
        writer.close()
    assert await metric(stack, "confero_edge_undecided") > IDLE / 4
    assert max([await page_answers(stack) for _ in range(10)]) < 5
    heard, back = await asyncio.gather(listen(phone, 1.0), ada.hear(1.0))
    assert level(heard, ADA_HZ) > HEARD_DBFS and level(back, PHONE_HZ) > HEARD_DBFS
    await until(lambda: all(map(ended, crowd)), CLOSED_WITHIN_S, "all of them are closed")
    assert await metric(stack, "confero_edge_undecided") == 0
    for made in crowd:
        made.close()


def ended(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


async def test_who_is_in_does_not_notice_that_the_door_restarts(stack: Stack, ada: Page, phone: RtpMember) -> None:
    counts = await ada.value("window.confero.counts")
    old = stack.kill("edge")
    await stack.wait_ready()
    assert stack.pid("edge") != old
    heard = await listen(phone, 1.0)
    assert level(heard, ADA_HZ) > HEARD_DBFS
    await ada.mute(True)  # over the WebSocket that was there before
    await ada.mute(False)
    assert await ada.value("window.confero.counts") == counts, "nothing was connected again"
    await page_answers(stack)


@pytest.mark.parametrize("service", ["notifier", "mcu", "sipgw", "appserver"])
async def test_each_service_dies_and_the_page_is_there(stack: Stack, service: str) -> None:
    stack.kill(service)
    if service == "appserver":  # what is handed to it in its last moment dies with it
        async with asyncio.timeout(2):
            while await metric(stack, 'confero_edge_service_up{service="appserver"}'):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.01)
    await page_answers(stack)  # until the application server is back, the door keeps who comes
    await stack.wait_ready()
    await page_answers(stack)
