"""Browsers behind a NAT, and behind a firewall that passes 443/TCP alone, are heard: with one address and one certificate."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from confero.lab.members import RtpMember
from confero.lab.stack import Stack
from confero.models import LegStats

from ..support.nat import OUTSIDE, ROUTER, House, house_behind_nat
from .relayed import CHOSEN, hear_each_other, page_over, phone_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOST = OUTSIDE
SETTINGS = {"CONFERO_APPSERVER_TURNS_TRUSTED": "true"}
ELSEWHERE = 9000
SILENCE_S = 0.5


@pytest.fixture(scope="module", autouse=True)
def house() -> Iterator[House]:
    with house_behind_nat() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phone(stack: Stack) -> AsyncIterator[RtpMember]:
    async with phone_at(stack, HOST) as made:
        yield made


@pytest.fixture(scope="module")
def wall(house: House, stack: Stack) -> House:
    """The house from which nothing but the page's own port is reached; tests that want less come before."""
    house.pass_only(stack.port("edge", "https"))
    return house


def shown(house: House, stack: Stack, protocol: str) -> bytes:
    """The certificate that who speaks ``protocol`` is shown in the house, of the installation's own authority; DER."""
    place = (HOST, stack.port("edge", "https"))
    context = stack.tls()
    context.set_alpn_protocols([protocol])
    with (
        house.inside(lambda: socket.create_connection(place, timeout=5)) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as there,
    ):
        assert there.selected_alpn_protocol() == protocol
        return there.getpeercert(binary_form=True) or b""


async def test_a_browser_behind_a_nat_is_heard(house: House, stack: Stack, phone: RtpMember, tmp_path: Path) -> None:
    async with page_over(stack, program=house.program(tmp_path, "chromium")) as ada:
        await hear_each_other(ada, phone)
        assert (await ada.value(CHOSEN))[1] == "udp"
        mcu = stack.client("mcu")
        stats = await mcu.call("GET", f"/v1/legs/{await ada.leg()}/stats", reply=LegStats)
        await mcu.close()
        assert stats is not None and stats.remote.startswith(f"{ROUTER}:"), "from the router's outer address"


async def test_the_wall_passes_one_port_and_no_datagram(wall: House, stack: Stack) -> None:
    with (
        socket.create_server((HOST, ELSEWHERE)),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
        wall.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as here,
    ):
        there.bind((HOST, ELSEWHERE))
        there.settimeout(SILENCE_S)
        here.sendto(b"hello", (HOST, ELSEWHERE))
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(there.recv, 10)
        with pytest.raises(TimeoutError):
            wall.inside(lambda: socket.create_connection((HOST, ELSEWHERE), timeout=SILENCE_S))
    with contextlib.closing(
        wall.inside(lambda: socket.create_connection((HOST, stack.port("edge", "https")), timeout=5))
    ) as open_one:
        assert open_one.getpeername()[0] == HOST


async def test_a_browser_behind_the_wall_finds_its_way(
    wall: House, stack: Stack, phone: RtpMember, tmp_path: Path
) -> None:
    """Nobody tells it which: of all that it is offered one way gets through."""
    async with page_over(stack, program=wall.program(tmp_path, "chromium")) as ada:
        await hear_each_other(ada, phone)
        kind, carrier = await ada.value(CHOSEN)
        assert kind == "relay" and carrier in ("tcp", "tls")


async def test_where_only_tls_passes_it_is_heard_by_tls(
    wall: House, stack: Stack, phone: RtpMember, tmp_path: Path
) -> None:
    async with page_over(stack, "tls", program=wall.program(tmp_path, "chromium")) as ada:
        await hear_each_other(ada, phone)
        assert await ada.value(CHOSEN) == ["relay", "tls"]


async def test_page_and_turn_show_one_certificate(wall: House, stack: Stack) -> None:
    page, turn = [await asyncio.to_thread(shown, wall, stack, protocol) for protocol in ("http/1.1", "stun.turn")]
    assert page == turn and ssl.DER_cert_to_PEM_cert(page)
