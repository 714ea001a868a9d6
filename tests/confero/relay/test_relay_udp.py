"""Relaying over UDP: channels, indications, permissions, time, limits, addresses, with real sockets."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Iterator

import pytest

from confero.relay import Closed, Relay, RelayConfig, RelayError, RelayFull, Request, UnknownFlow

from .relay_rig import (
    CLIENT,
    PEER,
    SERVER,
    Rig,
    allocate,
    channel,
    read_data_indication,
    running,
    send_indication,
    stun,
    udp,
)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with running() as rig:
        yield rig


def silent(s: socket.socket) -> bool:
    return not select.select([s], [], [], 0.05)[0]


def test_a_channel_carries_data_both_ways(rig: Rig) -> None:
    client, flow = rig.udp_client()
    peer = udp(PEER)
    number, relayed = rig.open(flow)
    rig.relay.permit(number, PEER, rig.until(60))
    rig.relay.bind(number, 0x4001, peer.getsockname(), rig.until(60))
    rig.settle(flow, client)
    for size in (0, 1, 2, 3, 100, 1400, 9000, 60000):
        data = os.urandom(size)
        client.sendto(channel(0x4001, data), rig.address)
        assert peer.recvfrom(65536) == (data, relayed)
        peer.sendto(data, relayed)
        assert client.recvfrom(65536) == (channel(0x4001, data), rig.address)
    traffic = rig.relay.traffic(number)
    assert traffic.to_peer_packets == traffic.to_client_packets == 8
    assert traffic.to_peer_bytes == traffic.to_client_bytes == 70506
    assert rig.relay.stats().by_transport["udp"].to_peer_bytes == 70506


def test_indications_carry_data_of_a_permitted_peer(rig: Rig) -> None:
    client, flow = rig.udp_client()
    peer, stranger = udp(PEER), udp("127.0.0.9")
    number, relayed = rig.open(flow)
    rig.relay.permit(number, PEER, rig.until(60))
    rig.settle(flow, client)
    for size in (0, 1, 2, 3, 4, 1200):
        data = os.urandom(size)
        client.sendto(send_indication(peer.getsockname(), data), rig.address)
        assert peer.recvfrom(2048) == (data, relayed)
        peer.sendto(data, relayed)
        assert read_data_indication(client.recv(2048)) == (peer.getsockname(), data)
    client.sendto(send_indication(stranger.getsockname(), b"no"), rig.address)
    stranger.sendto(b"no", relayed)
    rig.dropped("no_permission", 2)
    assert silent(client) and silent(stranger)


def test_a_reply_does_not_overtake_the_channel_that_it_speaks_of(rig: Rig) -> None:
    client, flow = rig.udp_client()
    peer = udp(PEER)
    number, _ = rig.open(flow)
    rig.relay.permit(number, PEER, rig.until(60))
    for n in range(60):
        rig.relay.bind(number, 0x4000 + n, (PEER, 20000 + n) if n != 59 else peer.getsockname(), rig.until(60))
        rig.settle(flow, client)
    client.sendto(channel(0x4000 + 59, b"x"), rig.address)
    assert peer.recv(10) == b"x"


def test_time_ends_permissions_channels_and_allocations_to_the_moment(rig: Rig) -> None:
    client, flow = rig.udp_client()
    peer = udp(PEER)
    number, relayed = rig.open(flow)
    short = rig.until(0.3)
    rig.relay.permit(number, PEER, short)
    rig.relay.bind(number, 0x4000, peer.getsockname(), short)
    rig.settle(flow, client)
    client.sendto(channel(0x4000, b"in time"), rig.address)
    assert peer.recv(100) == b"in time"
    time.sleep(max(0.0, short - rig.relay.now()) + 0.01)
    client.sendto(channel(0x4000, b"late"), rig.address)
    peer.sendto(b"late", relayed)
    rig.dropped("no_channel")
    rig.dropped("no_permission")
    rig.relay.permit(number, PEER, rig.until(60))
    rig.relay.bind(number, 0x4000, peer.getsockname(), rig.until(60))
    rig.relay.refresh(number, rig.until(-1))
    rig.settle(flow, client)
    client.sendto(channel(0x4000, b"late"), rig.address)
    peer.sendto(b"late", relayed)
    rig.dropped("no_allocation", 2)
    assert silent(client) and silent(peer)


def test_ports_of_an_excepted_address(rig: Rig) -> None:
    client, flow = rig.udp_client()
    good, bad = udp(PEER), udp(PEER)
    port = good.getsockname()[1]
    number, relayed = rig.open(flow)
    rig.relay.permit(number, PEER, rig.until(60), [(1, 2), (port, port)])
    rig.relay.bind(number, 0x4000, good.getsockname(), rig.until(60))
    rig.relay.bind(number, 0x4001, bad.getsockname(), rig.until(60))
    rig.settle(flow, client)
    for s in (bad, good):
        client.sendto(send_indication(s.getsockname(), b"one"), rig.address)
        s.sendto(b"two", relayed)
    client.sendto(channel(0x4001, b"no"), rig.address)
    client.sendto(channel(0x4000, b"three"), rig.address)
    assert client.recv(100) == channel(0x4000, b"two")
    assert [good.recv(100), good.recv(100)] == [b"one", b"three"]
    rig.dropped("port", 2)
    rig.dropped("no_channel")
    rig.relay.permit(number, PEER, rig.until(60), [(1, 2)])
    rig.settle(flow, client)
    client.sendto(channel(0x4000, b"no longer"), rig.address)
    rig.dropped("port", 3)
    assert silent(good) and silent(bad) and silent(client)


def test_a_rate_is_kept_each_way(rig: Rig) -> None:
    client, flow = rig.udp_client()
    peer = udp(PEER)
    number, _ = rig.open(flow, rate=400_000)
    rig.relay.permit(number, PEER, rig.until(60))
    rig.relay.bind(number, 0x4000, peer.getsockname(), rig.until(60))
    rig.settle(flow, client)
    for _ in range(300):
        client.sendto(channel(0x4000, bytes(1000)), rig.address)
    rig.settle(flow, client)
    traffic = rig.relay.traffic(number)
    assert traffic.drops["rate"] + traffic.to_peer_packets == 300
    # A quarter of a second's worth at once, and what the test's own time adds.
    assert 100 <= traffic.to_peer_packets < 250


def test_what_is_not_relayed_says_why(rig: Rig) -> None:
    client, flow = rig.udp_client()
    client.sendto(channel(0x4000, b"no allocation"), rig.address)
    client.sendto(b"what is this", rig.address)
    rig.dropped("no_allocation")
    rig.dropped("malformed")
    number, _ = rig.open(flow)
    rig.settle(flow, client)
    client.sendto(channel(0x4000, b"no channel"), rig.address)
    client.sendto(channel(0x4000, b"cut short")[:-3], rig.address)
    client.sendto(stun(0x0016, (0x0013, b"no peer")), rig.address)
    client.sendto(send_indication(("::1", 5), b"x"), rig.address)
    rig.dropped("no_permission")
    rig.relay.permit(number, "::1", rig.until(60))
    rig.settle(flow, client)
    client.sendto(send_indication(("::1", 5), b"x"), rig.address)
    for reason, n in (("no_allocation", 1), ("malformed", 3), ("no_channel", 1), ("no_permission", 1), ("family", 1)):
        assert rig.dropped(reason, n) == n


def test_unknown_attributes_that_must_be_understood_spoil_an_indication(rig: Rig) -> None:
    client, flow = rig.udp_client()
    peer = udp(PEER)
    number, _ = rig.open(flow)
    rig.relay.permit(number, PEER, rig.until(60))
    rig.settle(flow, client)
    client.sendto(send_indication(peer.getsockname(), b"1", (0x7FFF, b"?")), rig.address)
    client.sendto(send_indication(peer.getsockname(), b"2", (0xFFFF, b"?")), rig.address)
    client.sendto(send_indication(peer.getsockname(), b"3", (0x001A, b"")), rig.address)
    assert [peer.recv(10), peer.recv(10)] == [b"2", b"3"]
    assert rig.dropped("malformed") == 1


def headers(raw: socket.socket, port: int) -> bytes:
    """The IP header of the next datagram to this port."""
    while True:
        packet = raw.recv(65536)
        if int.from_bytes(packet[22:24]) == port:
            return packet[:20]


def test_dont_fragment_sets_the_bit_for_that_datagram_only(rig: Rig) -> None:
    client, flow = rig.udp_client()
    peer = udp(PEER)
    number, _ = rig.open(flow)
    rig.relay.permit(number, PEER, rig.until(60))
    rig.settle(flow, client)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
        raw.settimeout(10)
        bits = []
        for attributes in ((), ((0x001A, b""),), ()):
            client.sendto(send_indication(peer.getsockname(), b"x", *attributes), rig.address)
            bits.append(bool(headers(raw, peer.getsockname()[1])[6] & 0x40))
    assert bits == [False, True, False]


def test_a_wildcard_socket_answers_from_the_address_that_was_asked() -> None:
    with running("0.0.0.0") as rig:
        for asked in ("127.0.0.1", "127.0.0.77"):
            s, peer = udp(CLIENT), udp(PEER)
            address = (asked, rig.address[1])
            s.sendto(allocate(), address)
            flow = rig.event(Request).client
            assert flow.local == address
            number, relayed = rig.open(flow)
            rig.relay.permit(number, PEER, rig.until(60))
            rig.relay.reply(flow, b"reply")
            assert s.recvfrom(100) == (b"reply", address)
            peer.sendto(b"data", relayed)
            assert s.recvfrom(100)[1] == address


@pytest.mark.parametrize("host", ["::1", "::"])
def test_ipv6_and_both_families_of_a_wildcard(host: str) -> None:
    with running(host) as rig:
        asked = ("::1", rig.address[1])
        s, peer = udp("::1"), udp("::1")
        s.sendto(allocate(), asked)
        flow = rig.event(Request).client
        assert flow.local == asked
        number, relayed = rig.open(flow, "::1")
        rig.relay.permit(number, "::1", rig.until(60))
        rig.settle(flow, s)
        s.sendto(send_indication(peer.getsockname()[:2], b"six"), asked)
        data, source = peer.recvfrom(100)
        assert (data, source[:2]) == (b"six", relayed)
        peer.sendto(b"back", source)
        assert read_data_indication(s.recv(200)) == (peer.getsockname()[:2], b"back")


def test_an_allocation_of_both_families(rig: Rig) -> None:
    client, flow = rig.udp_client()
    four, six, peer4, peer6 = udp("127.0.0.4"), udp("::1"), udp(PEER), udp("::1")
    number = rig.relay.open(flow, rig.until(60), relay4=os.dup(four.fileno()), relay6=os.dup(six.fileno()))
    rig.relay.permit(number, PEER, rig.until(60))
    rig.relay.permit(number, "::1", rig.until(60))
    rig.settle(flow, client)
    for peer, relayed in ((peer4, four), (peer6, six)):
        client.sendto(send_indication(peer.getsockname()[:2], b"x"), rig.address)
        data, source = peer.recvfrom(100)
        assert (data, source) == (b"x", relayed.getsockname())
        peer.sendto(b"y", source)
        assert read_data_indication(client.recv(200)) == (peer.getsockname()[:2], b"y")


def test_a_burst_keeps_its_order_and_its_bounds(rig: Rig) -> None:
    """Equal datagrams in a row leave as one that the kernel cuts; a shorter one ends it."""
    client, flow = rig.udp_client()
    peer = udp(PEER)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    number, relayed = rig.open(flow)
    rig.relay.permit(number, PEER, rig.until(60))
    rig.relay.bind(number, 0x4000, peer.getsockname(), rig.until(60))
    rig.settle(flow, client)
    sent = [
        n.to_bytes(2) + bytes(size) for n, size in enumerate([200] * 30 + [100] * 5 + [0, 0, 200, 200, 300] + [50] * 20)
    ]
    for data in sent:
        client.sendto(channel(0x4000, data), rig.address)
    assert [peer.recv(2048) for _ in sent] == sent
    for data in sent:
        peer.sendto(data, relayed)
    assert [client.recv(2048)[4:] for _ in sent] == sent


def test_a_closed_allocation_is_told_with_its_counters_and_its_place_is_used_again() -> None:
    with running(config=RelayConfig(allocations=2, connections=4)) as rig:
        seen = set()
        for _ in range(5):
            s, flow = rig.udp_client()
            number, relayed = rig.open(flow)
            seen.add(number)
            rig.settle(flow, s)
            udp(PEER).sendto(b"nobody asked", relayed)
            rig.dropped("no_permission", len(seen))
            rig.relay.close_allocation(number)
            closed = rig.event(Closed)
            assert (closed.allocation, closed.reason) == (number, 0)
            assert closed.traffic.drops["no_permission"] == 1
            with udp(relayed[0], relayed[1]):  # its port is free
                pass
            with pytest.raises(UnknownFlow):
                rig.relay.refresh(number, rig.until(60))
            rig.relay.close_allocation(number)  # passed over
        assert len(seen) == 5
        assert rig.relay.stats().allocations == 0


def test_what_is_full_or_wrong_is_refused() -> None:
    with running(config=RelayConfig(allocations=1, connections=4)) as rig:
        _, flow = rig.udp_client()
        number, _ = rig.open(flow)
        second = udp("127.0.0.4")
        with pytest.raises(RelayFull):
            rig.relay.open(flow, rig.until(60), relay4=second.fileno())
        with pytest.raises(RelayError):
            rig.relay.permit(number, "no address", rig.until(60))
        with pytest.raises(RelayError):
            rig.relay.bind(number, 0x5000, (PEER, 1), rig.until(60))
        with pytest.raises(RelayError):
            rig.relay.reply(flow, bytes(1501))
        with pytest.raises(UnknownFlow):
            rig.relay.traffic(number + 1)
    with pytest.raises(RelayError):
        Relay(RelayConfig(threads=0))
    with pytest.raises(RelayError):
        rig.relay.stats()


def test_a_client_that_has_an_allocation_gets_no_second_one(rig: Rig) -> None:
    _, flow = rig.udp_client()
    rig.open(flow)
    second, _ = rig.open(flow)
    closed = rig.event(Closed)
    assert closed.allocation == second and closed.reason != 0


def test_two_threads_share_a_port() -> None:
    relay = Relay(RelayConfig(threads=2, connections=4))
    port = 0
    for thread in range(2):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind((SERVER, port))
        port = s.getsockname()[1]
        relay.listen(s.detach(), thread)
    with relay:
        rig = Rig(relay, (SERVER, port))
        flows = [rig.udp_client() for _ in range(40)]
        peer = udp(PEER)
        for s, flow in flows:
            number, _ = rig.open(flow)
            relay.permit(number, PEER, rig.until(60))
            rig.settle(flow, s)
            s.sendto(send_indication(peer.getsockname(), b"here"), rig.address)
            assert peer.recv(10) == b"here"
        assert {flow.thread for _, flow in flows} == {0, 1}
        assert relay.stats(0).allocations + relay.stats(1).allocations == 40
