"""IPv6 from end to end: a client and a peer in a network of global-looking addresses, relayed over UDP and TCP."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from confero.models.turn import MediaPlace
from confero.protocols.stun import IPV4, IPV6
from confero.protocols.stun import attributes as a

from ..support.namespaces import inside, namespace, run, settle
from .caller import Caller
from .conftest import HouseMaker
from .house import Echo, House

SERVER, OTHERS = "2001:db8:85::1", "2001:db8:85::2"
"""Of the documentation (RFC 3849): special, so that the peer is reached only as a media server's place."""
MEDIA = MediaPlace(host=OTHERS, low=21_000, high=29_999)
PEER, SHUT = (OTHERS, 21_000), (OTHERS, 30_000)
CHANNEL = 0x4000


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    cable = f"cf6{os.getpid() % 10**8}"
    with namespace("ipv6") as name:
        run("ip", "link", "add", cable, "type", "veth", "peer", "name", "there", "netns", name)
        run("ip", "address", "add", f"{SERVER}/64", "dev", cable, "nodad")
        run("ip", "link", "set", cable, "up")
        settle(name, {"there": f"{OTHERS}/64"})
        yield name


@pytest.fixture
async def house(network: str, make_house: HouseMaker) -> House:
    made: House = await make_house(bind=[SERVER], reach=[])
    made.app.reaching.told([MEDIA])
    return made


@pytest.fixture
async def peer(network: str) -> AsyncIterator[Echo]:
    def bound() -> socket.socket:
        made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        made.bind(PEER)
        return made

    sock = inside(network, bound)
    transport, echo = await asyncio.get_running_loop().create_datagram_endpoint(Echo, sock=sock)
    yield echo
    transport.close()


async def call(network: str, house: House, kind: socket.SocketKind = socket.SOCK_DGRAM) -> Caller:
    port = house.port("udp" if kind == socket.SOCK_DGRAM else "tcp")

    def connected() -> socket.socket:
        made = socket.socket(socket.AF_INET6, kind)
        made.settimeout(5)
        made.connect((SERVER, port))
        return made

    return Caller(await asyncio.to_thread(inside, network, connected), *house.credentials())


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
async def test_media_is_relayed(network: str, house: House, peer: Echo, kind: socket.SocketKind) -> None:
    caller = await call(network, house, kind)
    client = caller.client
    await caller.ask(lambda now: client.allocate(now, a.REQUESTED_ADDRESS_FAMILY.of(IPV6)))
    assert [host for host, _ in client.relayed] == [SERVER] and client.mapped is not None and client.mapped[0] == OTHERS
    await caller.ask(lambda now: client.create_permission(now, PEER))
    client.send(PEER, b"by an indication")
    found = await caller.heard()
    assert (found.peer, found.data) == (PEER, b"echo by an indication")
    await caller.ask(lambda now: client.bind_channel(now, CHANNEL, PEER))
    for size in (1, 1200):
        client.send_on(CHANNEL, bytes(size))
        assert (await caller.heard()).data == b"echo " + bytes(size)
    assert {source[:2] for _, source in peer.heard} == set(client.relayed)
    (row,) = await house.get("/v1/allocations")
    assert row["relayed"] == ["[{}]:{}".format(*client.relayed[0])] and row["client"].startswith(f"[{OTHERS}]:")
    caller.close()


async def test_other_ports_of_the_media_server_are_shut(network: str, house: House, peer: Echo) -> None:
    caller = await call(network, house)
    client = caller.client
    await caller.ask(lambda now: client.allocate(now, a.REQUESTED_ADDRESS_FAMILY.of(IPV6)))
    assert await caller.code(lambda now: client.bind_channel(now, CHANNEL, SHUT)) == 403
    await caller.ask(lambda now: client.create_permission(now, SHUT))  # of the address; ports are looked at one by one
    client.send(SHUT, b"nobody hears this")
    client.send(PEER, b"and this somebody")
    assert (await caller.heard()).data == b"echo and this somebody"
    assert await house.metric("drops", reason="port") == 1
    caller.close()


@pytest.mark.parametrize("other", [SERVER, "2001:db8:85::3", "fe80::1", "::ffff:10.82.0.1"])
async def test_other_addresses_are_refused(network: str, house: House, other: str) -> None:
    caller = await call(network, house)
    client = caller.client
    await caller.ask(lambda now: client.allocate(now, a.REQUESTED_ADDRESS_FAMILY.of(IPV6)))
    assert await caller.code(lambda now: client.create_permission(now, (other, PEER[1]))) == 403
    assert await caller.code(lambda now: client.create_permission(now, ("10.82.0.1", PEER[1]))) == 443
    caller.close()


async def test_where_there_is_no_ipv4_nobody_need_ask_for_ipv6(network: str, house: House) -> None:
    """As browsers do not; who wants IPv4 is told that there is none."""
    caller = await call(network, house)
    await caller.ask(caller.client.allocate)
    assert [host for host, _ in caller.client.relayed] == [SERVER]
    caller.close()
    caller = await call(network, house)
    assert await caller.code(lambda now: caller.client.allocate(now, a.REQUESTED_ADDRESS_FAMILY.of(IPV4))) == 440
    caller.close()
