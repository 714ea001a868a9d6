"""Whom clients may reach: every special network in every spelling, its edges, exceptions, and the allow-list (R01)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest

from confero import ports
from confero.protocols.stun import IPV6, Method
from confero.protocols.stun import attributes as a
from confero.protocols.turn import ANY, TCP, PeerPolicy, Reach, Settings
from confero.protocols.turn.client import Failed
from confero.protocols.turn.peers import MAX_KNOWN, NAT64

from .world import BOTH, PEER, World

DENIED_IPV4 = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24"),
    *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32"),
]
"""Written out from IANA's registry, not taken from the table under test."""
DENIED_IPV6 = [
    *("::/128", "::1/128", "::ffff:0:0/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001::/32"),
    *("2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48"),
    *("3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "::/96", "::ffff:0:0:0/96"),
]
METADATA = ["169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"]
OPEN = ["8.8.8.8", "1.1.1.1", "193.0.6.139", "2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888"]


def edges(network: str) -> Iterator[tuple[str, bool]]:
    """The first and the last address, one in the middle, and one outside at each end."""
    net = ip_network(network)
    kind = IPv4Address if net.version == 4 else IPv6Address
    first, last = int(net[0]), int(net[-1])
    yield from ((str(kind(value)), True) for value in {first, (first + last) // 2, last})
    yield from ((str(kind(value)), False) for value in (first - 1, last + 1) if 0 <= value < 1 << net.max_prefixlen)


def covered(ip: str) -> bool:
    """Whether another of the written-out networks has it, or it is no global unicast at all."""
    address = IPv4Address(ip) if "." in ip else IPv6Address(ip)
    nets = [ip_network(one) for one in (DENIED_IPV4 if address.version == 4 else DENIED_IPV6)]
    return any(address in net for net in nets) or (address.version == 6 and address not in ip_network("2000::/3"))


def spellings(ip: str) -> list[str]:
    """An IPv4 address in each form of IPv6 that has one inside."""
    v4 = int(IPv4Address(ip))
    teredo = 0x2001_0000 << 96 | 0x08080808 << 64 | 0xFFFF << 32
    return [
        str(IPv6Address(value))
        for value in (
            0xFFFF << 32 | v4,  # mapped
            v4,  # compatible
            0xFFFF << 48 | v4,  # translated
            0x2002 << 112 | v4 << 80,  # 6to4
            0x2002 << 112 | v4 << 80 | 1,
            0x64_FF9B << 96 | v4,  # NAT64
            0x64_FF9B_0001 << 80 | v4,  # NAT64 of local use
            0x64_FF9B_0001 << 80 | v4 << 24,
            teredo | v4 ^ 0xFFFFFFFF,  # Teredo: client, and server
            0x2001_0000 << 96 | v4 << 64,
            0x2606_4700 << 96 | 0x0000_5EFE << 32 | v4,  # ISATAP
            0x2606_4700 << 96 | 0x0200_5EFE << 32 | v4,
        )
    ]


POLICY = PeerPolicy()


@pytest.mark.parametrize("network", [*DENIED_IPV4, *DENIED_IPV6])
def test_networks_and_their_edges(network: str) -> None:
    for ip, inside in edges(network):
        if inside:
            assert POLICY.ports(ip) is None and not POLICY.admits((ip, 5000)), ip
            assert POLICY.ports(ip, tcp=True) is None, ip
        elif not covered(ip):
            assert POLICY.ports(ip) == ANY and POLICY.admits((ip, 5000)), ip


@pytest.mark.parametrize("network", DENIED_IPV4)
def test_other_spellings(network: str) -> None:
    for ip, inside in edges(network):
        for spelling in spellings(ip) if inside else []:
            assert POLICY.ports(spelling) is None, f"{ip} as {spelling}"


def test_the_matrix_is_wide() -> None:
    """Of a hundred and more networks and spellings (R01 wants 40 in 7)."""
    count = sum(len(spellings(ip)) for network in DENIED_IPV4 for ip, inside in edges(network) if inside)
    assert count > 600 and len(DENIED_IPV4) + len(DENIED_IPV6) >= 40


@pytest.mark.parametrize("ip", METADATA)
def test_metadata_of_clouds(ip: str) -> None:
    assert POLICY.ports(ip) is None


@pytest.mark.parametrize("ip", OPEN)
def test_the_world_is_open(ip: str) -> None:
    assert POLICY.ports(ip) == ANY and POLICY.ports(ip, tcp=True) == ANY
    assert POLICY.admits((ip, 1)) and not POLICY.admits((ip, 0))


def test_what_stays_reachable_in_another_spelling() -> None:
    """NAT64 is how a network of IPv6 alone reaches IPv4; ISATAP decides nothing of a public address. The others are gone."""
    reached = [POLICY.ports(one) == ANY for one in spellings("8.8.8.8")]
    assert reached == [False, False, False, False, False, True, False, False, False, False, True, True]


def test_a_networks_own_nat64() -> None:
    policy = PeerPolicy(nat64=["2606:4700:64::/96"])
    assert policy.ports("2606:4700:64::10.0.0.1".replace("10.0.0.1", "a00:1")) is None
    assert policy.ports("2606:4700:64::808:808") == ANY and POLICY.ports("2606:4700:64::a00:1") == ANY
    assert NAT64 == "64:ff9b::/96"


def test_own_addresses() -> None:
    """Of the server's listeners and relayed addresses, of the database: in each spelling that is open otherwise."""
    own = ["8.8.8.8", "2606:4700::1111"]
    policy = PeerPolicy(own=own)
    assert [policy.ports(ip) for ip in own] == [None, None]
    assert all(policy.ports(one) is None for one in spellings("8.8.8.8"))
    assert policy.ports("8.8.8.9") == ANY


# -- exceptions --


def test_an_exception_is_an_address_and_ports() -> None:
    policy = PeerPolicy([Reach.parse("10.0.0.5:5000-15000")])
    assert policy.ports("10.0.0.5") == ((5000, 5059), (5062, 14039), (14041, 14048), (14050, 15000))
    assert policy.ports("10.0.0.4") is None and policy.ports("10.0.0.6") is None
    assert policy.admits(("10.0.0.5", 5000)) and not policy.admits(("10.0.0.5", 4999))
    assert policy.admits(("10.0.0.5", 5059)) and policy.admits(("10.0.0.5", 15000))
    assert not policy.admits(("10.0.0.5", 5060)) and not policy.admits(("10.0.0.5", 15001))


def test_no_exception_opens_a_port_of_the_port_map() -> None:
    policy = PeerPolicy([Reach.parse(f"10.0.0.5:{low}-{high}") for low, high in ((1024, 20000),)], reserved=())
    assert policy.ports("10.0.0.5") == ((1024, 20000),)
    policy = PeerPolicy([Reach.parse("10.0.0.5:4000-20001")])
    assert not any(policy.admits(("10.0.0.5", port)) for port in ports.reserved())


def test_an_exception_is_matched_in_its_own_spelling_alone() -> None:
    policy = PeerPolicy([Reach.parse("10.0.0.5:5000-6000"), Reach.parse("[fd00::5]:5000-6000")])
    assert policy.admits(("fd00::5", 5000)) and not policy.admits(("fd00::6", 5000))
    assert all(policy.ports(one) is None for one in spellings("10.0.0.5"))


def test_networks_and_unions() -> None:
    policy = PeerPolicy(
        [Reach.parse("10.0.0.0/24:5000-6000"), Reach.parse("10.0.0.7:5500-7000"), Reach.parse("10.0.0.7:7001")],
        reserved=(),
    )
    assert policy.ports("10.0.0.9") == ((5000, 6000),) and policy.ports("10.0.0.7") == ((5000, 7001),)


def test_tcp_never_reaches_an_exception() -> None:
    policy = PeerPolicy([Reach.parse("10.0.0.5:5000-6000"), Reach.parse("8.8.8.8:5000-6000")])
    assert policy.ports("10.0.0.5", tcp=True) is None and not policy.admits(("10.0.0.5", 5000), tcp=True)
    # An address that is open anyway has lost nothing.
    assert policy.ports("8.8.8.8") == ANY == policy.ports("8.8.8.8", tcp=True)


def test_an_own_address_as_media_server() -> None:
    """One machine for everything: media ports of it are reached, its services are not, and TCP not at all."""
    policy = PeerPolicy([Reach.parse("8.8.8.8:5000-15000")], own=["8.8.8.8"])
    assert policy.admits(("8.8.8.8", 5004)) and not policy.admits(("8.8.8.8", 5060))
    assert not policy.admits(("8.8.8.8", 443)) and policy.ports("8.8.8.8", tcp=True) is None


def test_the_allow_list() -> None:
    policy = PeerPolicy([Reach.parse("10.0.0.5:5000-6000"), Reach.parse("8.8.8.8:5000-6000")], only=True)
    assert policy.admits(("10.0.0.5", 5004)) and policy.admits(("8.8.8.8", 5004))
    assert not policy.admits(("8.8.8.8", 4000)) and not any(policy.ports(ip) == ANY for ip in OPEN)
    assert policy.ports("8.8.8.8", tcp=True) is None and policy.ports("1.1.1.1", tcp=True) is None
    assert PeerPolicy(only=True).ports("1.1.1.1") is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "10.0.0.5", "10.0.0.5:", "10.0.0.5:5000-", "10.0.0.5:-5000", "10.0.0.5:6000-5000", "10.0.0.5:80-90"),
        *("10.0.0.5:5000-70000", "fd00::5:5000-6000", "[10.0.0.5]:5000-6000", "10.0.0.300:5000-6000", "host:5000-6000"),
        *(
            "10.0.0.5/24:5000-6000",
            "0.0.0.0/0:5000-6000",
            "0.0.0.0:5000-6000",
            "8.0.0.0/7:5000-6000",
            "[::/0]:5000-6000",
        ),
        *("[::2]:5000-6000", "[::ffff:10.0.0.5]:5000-6000", "[2002::1]:5000-6000", "[2001::1]:5000-6000"),
        *("224.0.0.1:5000-6000", "255.255.255.255:5000-6000", "[ff02::1]:5000-6000", "[fd00::/16]:5000-6000"),
    ],
)
def test_exceptions_that_are_no_good(text: str) -> None:
    with pytest.raises(ValueError):
        Reach.parse(text)


@pytest.mark.parametrize(
    "text",
    ["10.0.0.5:5000", "10.0.0.0/24:5000-6000", "[fd00::/64]:5000-6000", "127.0.0.1:5000-6000", "[::1]:5000-6000"],
)
def test_an_exception_reads_what_it_writes(text: str) -> None:
    assert Reach.parse(str(Reach.parse(text))) == Reach.parse(text)


@pytest.mark.parametrize("text", ["10.0.0.0/8:1024-65535", "[fd00::/32]:1024-65535"])
def test_the_widest_exceptions(text: str) -> None:
    assert PeerPolicy([Reach.parse(text)], reserved=()).ports("10.0.0.1" if "." in text else "fd00::1") == (
        (1024, 65535),
    )


def test_more_ranges_than_the_data_path_checks() -> None:
    eight = PeerPolicy([Reach.parse(f"10.0.0.5:{5000 + 10 * n}") for n in range(8)], reserved=())
    assert len(eight.ports("10.0.0.5") or ()) == 8
    with pytest.raises(ValueError):
        PeerPolicy([Reach.parse(f"10.0.0.5:{5000 + 10 * n}") for n in range(9)], reserved=())


def test_what_is_known_is_bounded() -> None:
    policy = PeerPolicy()
    for number in range(2 * MAX_KNOWN + 10):
        policy.ports(str(IPv4Address(number)))
    assert len(policy._known) <= MAX_KNOWN


# -- as clients meet it --


@pytest.mark.parametrize(
    "network", [*DENIED_IPV4, *DENIED_IPV6, *(f"{ip}/{32 if '.' in ip else 128}" for ip in METADATA)]
)
def test_every_way_to_a_denied_peer(network: str) -> None:
    """CreatePermission, ChannelBind and Connect: 403, told, and nothing in the data path; a control peer still works."""
    world = World(Settings(families=BOTH, tcp=True))
    udp, tcp = world.caller(), world.caller(transport="tcp")
    both = a.ADDITIONAL_ADDRESS_FAMILY.of(IPV6)
    assert udp.allocate(both) == tcp.allocate(both, protocol=TCP) == 0
    for ip, inside in edges(network):
        for one in [ip, *(spellings(ip) if "." in ip else [])] if inside else []:
            assert udp.permit((one, 5000)) == udp.bind(0x4000, (one, 5000)) == 403, one
            tcp.turn.connect(world.now, (one, 5000))
            failure = tcp.run()
            assert isinstance(failure, Failed) and failure.code == 403 and tcp.permit((one, 5000)) == 403, one
            assert not udp.reaches((one, 5000)) and not tcp.reaches((one, 5000))
    assert all(entry.permits == {} and entry.channels == {} for entry in world.path.entries.values())
    assert world.path.told == []
    assert {getattr(event, "code", 403) for event in world.path.events} == {403}
    assert udp.permit(PEER) == udp.bind(0x4000, PEER) == 0 and udp.reaches(PEER)


def test_the_policy_changes_while_it_runs() -> None:
    """A media server comes: who asks from then on may reach it; what was permitted ends by itself."""
    world = World()
    caller = world.caller()
    assert caller.allocate() == 0 and caller.permit(PEER) == 0 and caller.permit(("10.0.0.5", 1)) == 403
    world.server.use(PeerPolicy([Reach.parse("10.0.0.5:5000-6000")], only=True))
    assert caller.permit(("10.0.0.5", 1)) == 0 and caller.permit(PEER) == 403 and caller.reaches(PEER)
    world.wait(300)
    assert not caller.reaches(PEER)


def test_the_allow_list_as_clients_meet_it() -> None:
    world = World(policy=PeerPolicy([Reach.parse("8.8.4.4:5000-6000")], only=True))
    caller = world.caller()
    assert caller.allocate() == 0
    assert caller.permit(PEER) == 0 and not caller.reaches(PEER) and caller.reaches((PEER[0], 5004))
    assert caller.bind(0x4000, PEER) == 403 and caller.permit(("1.1.1.1", 5004)) == 403
    assert world.server.replies[Method.CREATE_PERMISSION, 403] == 1
