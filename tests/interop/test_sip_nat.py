"""A telephone behind a NAT that forgets soon: it is called, calls, hears and is heard, though it names an inner address."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from confero.lab.members import Baresip, Line
from confero.lab.members.telephone import Here
from confero.lab.stack import Stack

from ..e2e.listening import HEARD_DBFS, level
from ..support.nat import INSIDE, MEMORY_S, OUTSIDE, ROUTER, House, house_behind_nat
from ..support.waiting import until
from .siplab import Admin, known, started

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"CONFERO_SIPGW_FLOW_TIMER_S": str(MEMORY_S - 1)}
PASSWORD = "a-long-password"
HOUSE_HZ, CITY_HZ = 433, 1151


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with house_behind_nat() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(house: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """On the address that the house can reach, with a telephone's account for each side."""
    async with started(Stack(tmp_path_factory.mktemp("state"), host=OUTSIDE, settings=SETTINGS)) as running:
        admin = Admin(running)
        for user, symmetric in (("house", True), ("city", False)):
            account = {"user": user, "realm": "confero", "password": PASSWORD, "display_name": user.title()}
            await admin.add("accounts", account | {"symmetric": symmetric})
        await known(running, "sip_accounts", 2)
        yield running


@contextlib.asynccontextmanager
async def telephones(house: House, home: Path) -> AsyncIterator[tuple[Baresip, Baresip]]:
    """One in the house, one outside; both have registered."""
    line = Line(registrar=OUTSIDE, password=PASSWORD)
    kept = Line(registrar=OUTSIDE, password=PASSWORD, keep_alive=True)
    async with (
        Baresip(home / "house", hertz=HOUSE_HZ, user="house", place=house, line=kept) as inner,
        Baresip(home / "city", hertz=CITY_HZ, user="city", place=Here(OUTSIDE), line=line) as outer,
    ):
        await until(lambda: inner.registered and outer.registered, "both have registered")
        yield inner, outer


async def talk(inner: Baresip, outer: Baresip) -> None:
    await until(lambda: inner.established and outer.established, "they are connected")
    await until(lambda: level(inner.heard(), CITY_HZ) > HEARD_DBFS, "who is outside is heard in the house")
    await until(lambda: level(outer.heard(), HOUSE_HZ) > HEARD_DBFS, "the house is heard outside")
    assert f"c=IN IP4 {INSIDE}" in inner.log, "it names its inner address"


async def test_it_is_called_when_the_nat_would_have_forgotten_it(stack: Stack, house: House, tmp_path: Path) -> None:
    async with telephones(house, tmp_path) as (inner, outer):
        with silent(house) as (speaker, ear):
            before = heard_from(speaker, ear)
            await asyncio.sleep(MEMORY_S + 2.5)
            after = heard_from(speaker, ear)
        assert before[0] == after[0] == ROUTER and before[1] != after[1], "this NAT does not forget"
        await outer.dial(f"sip:house@{OUTSIDE}")
        await talk(inner, outer)
        await outer.hang_up()
        await until(lambda: inner.closed, "the house is hung up on")


async def test_it_calls_a_room(stack: Stack, house: House, tmp_path: Path) -> None:
    async with telephones(house, tmp_path) as (inner, outer):
        for one in (outer, inner):
            await one.dial(f"sip:lobby@{OUTSIDE}")
        await talk(inner, outer)
        await inner.hang_up()
        await until(lambda: inner.closed, "it has left")


@contextlib.contextmanager
def silent(house: House) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Somebody in the house who says nothing between two words, and who hears them outside."""

    def opened(host: str) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((host, 0))
        sock.settimeout(2)
        return sock

    with opened(OUTSIDE) as ear, house.inside(lambda: opened(INSIDE)) as speaker:
        yield speaker, ear


def heard_from(speaker: socket.socket, ear: socket.socket) -> tuple[str, int]:
    """Where a word comes from, as it is seen outside."""
    speaker.sendto(b"here", ear.getsockname())
    _, source = ear.recvfrom(16)
    host, port = source
    return host, port
