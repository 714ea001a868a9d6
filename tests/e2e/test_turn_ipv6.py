"""A browser in a network of IPv6 alone, whose media may go through the TURN server only, is heard and hears."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from confero.lab.members import RtpMember
from confero.lab.stack import Stack
from confero.models import LegStats

from ..support import namespaces
from ..support.namespaces import namespace, run, settle
from .relayed import CHOSEN, WAYS, hear_each_other, page_over, phone_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOST, THERE = "2001:db8:86::1", "2001:db8:86::2"
SETTINGS = {"CONFERO_APPSERVER_ICE_POLICY": "relay", "CONFERO_APPSERVER_TURNS_TRUSTED": "true"}


@pytest.fixture(scope="module", autouse=True)
def network() -> Iterator[str]:
    cable = f"cf6{os.getpid() % 10**8}"
    with namespace("ipv6") as name:
        run("ip", "link", "add", cable, "type", "veth", "peer", "name", "there", "netns", name)
        run("ip", "address", "add", f"{HOST}/64", "dev", cable, "nodad")
        run("ip", "link", "set", cable, "up")
        settle(name, {"there": f"{THERE}/64"})
        yield name


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phone(stack: Stack) -> AsyncIterator[RtpMember]:
    async with phone_at(stack, HOST) as made:
        yield made


@pytest.mark.parametrize("way", WAYS)
async def test_a_browser_is_heard_over_ipv6_alone(
    network: str, stack: Stack, phone: RtpMember, tmp_path: Path, way: str
) -> None:
    program = namespaces.program(network, tmp_path, "chromium")
    async with page_over(stack, way, program=program) as ada:
        await hear_each_other(ada, phone)
        assert await ada.value(CHOSEN) == ["relay", way]
        mcu = stack.client("mcu")
        stats = await mcu.call("GET", f"/v1/legs/{await ada.leg()}/stats", reply=LegStats)
        await mcu.close()
        assert stats is not None and stats.remote.startswith(f"[{HOST}]:"), "from a relayed address of IPv6"
