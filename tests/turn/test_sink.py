"""R01 counted where packets leave: whatever is asked for and sent to forbidden peers, in each spelling, nothing goes out.

The server has a network whose every way out ends in a sink, and two counters of the kernel: of all packets for the sink, and of
all packets out of relayed ports to wherever, itself included.
"""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from confero.ports import find
from confero.protocols.stun import IPV4, IPV6
from confero.protocols.stun import attributes as a

from ..confero.protocols.turn.test_peers import DENIED_IPV4, DENIED_IPV6, METADATA, OPEN, edges, spellings
from ..support.namespaces import inside, namespace, run, settle
from .caller import Caller
from .process import credentials, turn_process

PLACES = {IPV4: "192.0.2.1", IPV6: "2001:db8:99::1"}
LENGTHS = {IPV4: 24, IPV6: 64}
PORTS = (22, 443, 2134, 5000, 14_049, 30_000)
OURS = 40_000
"""The client's port: no relayed one."""
RELAY = find("turn", "relay")
RULES = f"""\
table inet sink
delete table inet sink
table inet sink {{
  counter left {{ }}
  counter relayed {{ }}
  chain out {{
    type filter hook output priority filter;
    meta l4proto udp udp sport {RELAY.low}-{RELAY.high} counter name relayed
    icmpv6 type {{ nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld2-listener-report }} accept
    oifname "out" counter name left
  }}
}}
"""
"""Counters of each test's own. What IPv6 says of itself on a new cable is nobody's doing."""


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    with namespace("sink") as name:
        run("ip", "-n", name, "link", "add", "out", "type", "veth", "peer", "name", "sink")
        run("ip", "-n", name, "link", "set", "out", "arp", "off")  # so that packets go whoever is there to take them
        run("ip", "-n", name, "link", "set", "sink", "up")
        for family, place in PLACES.items():
            settle(name, {"out": f"{place}/{LENGTHS[family]}"})
            run("ip", "-n", name, *(["-6"] if family == IPV6 else []), "route", "add", "default", "dev", "out")
        yield name


@pytest.fixture
async def server(network: str, tmp_path: Path) -> AsyncIterator[None]:
    run("ip", "netns", "exec", network, "nft", "-f", "-", said=RULES)
    async with turn_process(tmp_path, namespace=network, bind=",".join(PLACES.values()), tcp_listen="false"):
        yield


def counted(network: str, counter: str) -> int:
    """Packets."""
    found = json.loads(run("ip", "netns", "exec", network, "nft", "-j", "list", "counter", "inet", "sink", counter))
    return next(int(one["counter"]["packets"]) for one in found["nftables"] if "counter" in one)


def denied(family: int) -> list[str]:
    """Of one family: networks at their edges, clouds' services, the server's own addresses, and IPv4 in each spelling of IPv6."""
    special = DENIED_IPV4 if family == IPV4 else DENIED_IPV6
    found = [ip for network in special for ip, within in edges(network) if within]
    found += [ip for ip in (*METADATA, *PLACES.values()) if ip_address(ip).version == (4 if family == IPV4 else 6)]
    if family == IPV6:
        found += [one for network in DENIED_IPV4 for ip, within in edges(network) if within for one in spellings(ip)]
    return list(dict.fromkeys(found))


async def called(network: str, family: int) -> Caller:
    """A client of the server with an allocation of this family, over IPv4."""

    def connected() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((PLACES[IPV4], OURS + family))
        made.connect((PLACES[IPV4], find("turn", "udp").number))
        return made

    caller = Caller(inside(network, connected), *credentials())
    await caller.ask(lambda now: caller.client.allocate(now, a.REQUESTED_ADDRESS_FAMILY.of(family)))
    return caller


async def push(caller: Caller, ip: str, number: int) -> None:
    """All that a client can do to reach a peer; each request is refused."""
    client = caller.client
    channel, place = 0x4000 + number % 0x1000, (ip, PORTS[number % len(PORTS)])
    assert await caller.code(lambda now: client.create_permission(now, place)) == 403, ip
    assert await caller.code(lambda now: client.bind_channel(now, channel, place)) == 403, ip
    client.send(place, b"by an indication")
    client.send_on(channel, b"over a channel")
    await caller.flush()


@pytest.mark.parametrize("family", PLACES)
async def test_nothing_leaves_for_forbidden_peers(network: str, server: None, family: int) -> None:
    caller, peers = await called(network, family), denied(family)
    assert len(peers) > (50 if family == IPV4 else 600)
    for number, ip in enumerate(peers):
        await push(caller, ip, number)
    await caller.ask(caller.client.binding)  # over the same socket: all before it has been read
    assert (counted(network, "left"), counted(network, "relayed")) == (0, 0)
    caller.close()


@pytest.mark.parametrize("family", PLACES)
async def test_the_counters_count(network: str, server: None, family: int) -> None:
    """A peer in the open: each of its packets is in both."""
    caller = await called(network, family)
    peer = next(ip for ip in OPEN if (":" in ip) == (family == IPV6))
    await caller.ask(lambda now: caller.client.create_permission(now, (peer, 5000)))
    for size in (1, 2, 3):  # equal ones would be handed to the kernel as one, and counted so
        caller.client.send((peer, 5000), bytes(size))
    await caller.ask(caller.client.binding)  # over the same socket: the three have been read before it
    assert (counted(network, "left"), counted(network, "relayed")) == (3, 3)
    caller.close()
