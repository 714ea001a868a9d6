"""Clients over TCP and TLS: framing split anywhere, slow and dead clients, silent ones, certificates."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from confero.relay import Adopt, Client, Disconnected, RelayConfig, RelayError, RelayFull, Request

from .relay_rig import (
    CLIENT,
    PEER,
    RELAYED,
    Rig,
    allocate,
    channel,
    ended,
    read_channel,
    read_data_indication,
    read_exactly,
    running,
    send_indication,
    udp,
)

KINDS = ("tcp", "tls")


class Certificates:
    """A CA of the test's own, certificates of it as files, and clients that trust it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = trustme.CA()

    def install(self, rig: Rig, name: str = "turn.test") -> None:
        cert = self.ca.issue_cert(name)
        chain, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        chain.write_bytes(b"".join(blob.bytes() for blob in cert.cert_chain_pems))
        key.write_bytes(cert.private_key_pem.bytes())
        rig.relay.certificate(chain, key)

    def context(self, *, check: bool = True) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.check_hostname = check
        self.ca.configure_trust(context)
        return context


@pytest.fixture
def rig() -> Iterator[Rig]:
    with running() as rig:
        yield rig


@pytest.fixture
def certificates(rig: Rig, tmp_path: Path) -> Certificates:
    certificates = Certificates(tmp_path)
    certificates.install(rig)
    return certificates


def connected(rig: Rig, certificates: Certificates, kind: str) -> tuple[socket.socket, Client]:
    """A client that has asked for something, and been heard."""
    s = rig.connect()[0] if kind == "tcp" else rig.tls(certificates.context())[0]
    s.sendall(allocate())
    flow = rig.event(Request).client
    assert flow.transport == kind and flow.peer == s.getsockname()[:2]
    return s, flow


@pytest.mark.parametrize("kind", KINDS)
def test_channels_and_indications_both_ways(rig: Rig, certificates: Certificates, kind: str) -> None:
    s, flow = connected(rig, certificates, kind)
    peer = udp(PEER)
    number, relayed = rig.open(flow)
    rig.relay.permit(number, PEER, rig.until(60))
    rig.relay.reply(flow, b"\x01\x03\x00\x00")
    assert read_exactly(s, 4) == b"\x01\x03\x00\x00"
    peer.sendto(b"hello", relayed)
    message = read_exactly(s, 20)
    message += read_exactly(s, struct.unpack("!H", message[2:4])[0])
    assert read_data_indication(message) == (peer.getsockname(), b"hello")
    rig.relay.bind(number, 0x4000, peer.getsockname(), rig.until(60))
    rig.relay.reply(flow, b"bound")
    assert read_exactly(s, 5) == b"bound"
    for size in (0, 1, 2, 3, 4, 1000, 20000, 65000):
        data = bytes([size % 251]) * size
        s.sendall(channel(0x4000, data, padded=True))
        assert peer.recv(65536) == data
        peer.sendto(data, relayed)
        assert read_channel(s) == (0x4000, data)
    s.sendall(send_indication(peer.getsockname(), b"by indication"))
    assert peer.recv(100) == b"by indication"
    assert rig.relay.stats().by_transport[kind].to_peer_packets == 9


def test_a_stream_split_at_every_byte(rig: Rig, certificates: Certificates) -> None:
    s, flow = connected(rig, certificates, "tcp")
    peer = udp(PEER)
    number, _ = rig.open(flow)
    rig.relay.permit(number, PEER, rig.until(60))
    rig.relay.bind(number, 0x4000, peer.getsockname(), rig.until(60))
    rig.relay.reply(flow, b"bound")
    assert read_exactly(s, 5) == b"bound"
    stream = (
        channel(0x4000, b"one", padded=True)
        + allocate()
        + send_indication(peer.getsockname(), b"two")
        + channel(0x4000, b"", padded=True)
        + channel(0x4000, b"three and more", padded=True)
    )
    for cut in range(1, len(stream)):
        s.sendall(stream[:cut])
        time.sleep(0.0005)
        s.sendall(stream[cut:])
        assert [peer.recv(100) for _ in range(4)] == [b"one", b"two", b"", b"three and more"]
        assert rig.event(Request).client == flow
    for byte in stream:
        s.sendall(bytes([byte]))
    assert [peer.recv(100) for _ in range(4)] == [b"one", b"two", b"", b"three and more"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_makes_no_sense_later_ends_the_connection(rig: Rig, certificates: Certificates, kind: str) -> None:
    s, flow = connected(rig, certificates, kind)
    s.sendall(b"\x80 and so on")
    assert rig.disconnected().client == flow
    assert ended(s)


@pytest.mark.parametrize("kind", KINDS)
def test_a_slow_client_loses_whole_messages_and_no_reply(rig: Rig, certificates: Certificates, kind: str) -> None:
    s, flow = connected(rig, certificates, kind)
    peer = udp(PEER)
    number, relayed = rig.open(flow)
    rig.relay.permit(number, PEER, rig.until(60))
    rig.relay.bind(number, 0x4000, peer.getsockname(), rig.until(60))
    sent = 0
    while rig.relay.stats().drops["slow"] < 50:
        for _ in range(20):
            peer.sendto(struct.pack("!I", sent) + bytes(1200), relayed)
            sent += 1
        time.sleep(0.001)
    for n in range(5):
        rig.relay.reply(flow, channel(0x4FFF, bytes([n]), padded=True))
    got: list[int] = []
    replies: list[int] = []
    while len(replies) < 5:
        number_, data = read_channel(s)
        if number_ == 0x4FFF:
            replies.append(data[0])
        else:
            assert len(data) == 1204
            got.append(struct.unpack("!I", data[:4])[0])
    assert replies == [0, 1, 2, 3, 4]
    assert got == sorted(set(got)) and len(got) < sent
    peer.sendto(b"again", relayed)
    while read_channel(s)[1] != b"again":
        pass


def test_a_client_that_never_reads_replies_is_hung_up(rig: Rig, certificates: Certificates) -> None:
    _s, flow = connected(rig, certificates, "tcp")
    deadline = time.monotonic() + 10
    while not (gone := [e for e in rig.relay.events() if isinstance(e, Disconnected)]):
        assert time.monotonic() < deadline
        for _ in range(100):
            rig.relay.reply(flow, bytes(1500))
        time.sleep(0.005)
    assert gone[0].client == flow


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_goes_is_told_and_its_peers_are_not_heard(
    rig: Rig, certificates: Certificates, kind: str
) -> None:
    s, flow = connected(rig, certificates, kind)
    peer = udp(PEER)
    number, relayed = rig.open(flow)
    rig.relay.permit(number, PEER, rig.until(60))
    s.close()
    assert rig.disconnected().client == flow
    peer.sendto(b"anybody?", relayed)
    rig.dropped("gone")
    assert rig.relay.stats().connections == 0
    rig.relay.reply(flow, b"too late")
    rig.relay.close_allocation(number)


@pytest.mark.parametrize("kind", KINDS)
def test_hanging_up_sends_what_was_said_before(rig: Rig, certificates: Certificates, kind: str) -> None:
    s, flow = connected(rig, certificates, kind)
    rig.relay.reply(flow, b"farewell")
    rig.relay.hang_up(flow.connection)
    assert read_exactly(s, 8) == b"farewell" and ended(s)
    assert rig.disconnected().reason == 0
    rig.relay.hang_up(flow.connection)


def test_silent_and_half_silent_connections_end_in_time(tmp_path: Path) -> None:
    with running(config=RelayConfig(connections=16, first_message_s=0.3, idle_s=0.5)) as rig:
        certificates = Certificates(tmp_path)
        certificates.install(rig)
        silent, half, hello = rig.connect()[0], rig.connect()[0], rig.connect()[0]
        half.sendall(allocate()[:19])
        hello.sendall(bytes.fromhex("1603010200010001fc0303"))
        shaken, _ = rig.tls(certificates.context())
        idle, flow = connected(rig, certificates, "tcp")
        busy, busy_flow = connected(rig, certificates, "tcp")
        rig.open(busy_flow)
        for s in (silent, half, hello, shaken, idle):
            assert ended(s)
        gone = {rig.disconnected().client.connection for _ in range(5)}
        assert flow.connection in gone and busy_flow.connection not in gone
        assert rig.relay.stats().timed_out == 5
        rig.relay.reply(busy_flow, b"still here")
        assert read_exactly(busy, 10) == b"still here"


def test_the_lobby_is_bounded_in_all_and_for_each_source() -> None:
    config = RelayConfig(connections=64, handshakes=4, handshakes_source=2)
    with running(config=config) as rig:
        first = [rig.connect(host="127.0.0.11")[0] for _ in range(3)]
        assert ended(first[2])  # the source's newest
        rig.disconnected()
        second = [rig.connect(host=f"127.0.0.{20 + n}")[0] for n in range(3)]
        assert ended(first[0])  # of all the oldest
        rig.disconnected()
        for s in (first[1], *second):
            s.sendall(allocate())
            assert rig.event(Request)
        assert rig.relay.stats().refused == 2


def test_no_more_connections_than_there_are_places() -> None:
    with running(config=RelayConfig(connections=2)) as rig:
        held = [rig.connect() for _ in range(2)]
        with pytest.raises(RelayFull):
            rig.connect()
        for s, _ in held:
            s.close()
        for _ in held:
            rig.disconnected()
        s, number = rig.connect()
        s.sendall(allocate())
        assert rig.event(Request).client.connection == number not in [n for _, n in held]


def test_a_first_byte_tells_what_it_is(rig: Rig, certificates: Certificates) -> None:
    plain, _ = rig.connect(Adopt.TLS)
    plain.sendall(allocate())
    assert ended(plain)
    tls, _ = rig.connect(Adopt.PLAIN)
    tls.sendall(b"\x16\x03\x01\x00\x05hello")
    assert rig.not_stun().data.startswith(b"\x16\x03\x01")


def test_tls_is_modern_and_offers_what_rfc_7443_names(rig: Rig, certificates: Certificates) -> None:
    context = certificates.context()
    context.set_alpn_protocols(["h2", "stun.turn"])
    first, _ = rig.tls(context)
    assert first.selected_alpn_protocol() == "stun.turn" and first.version() == "TLSv1.3"
    context = certificates.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    second, _ = rig.tls(context)
    cipher = second.cipher()
    assert cipher is not None and cipher[0].startswith("ECDHE") and ("GCM" in cipher[0] or "CHACHA" in cipher[0])
    context = certificates.context()
    context.set_ciphers("DEFAULT@SECLEVEL=0")  # or the client would not even ask
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        rig.tls(context)
    assert rig.disconnected().reason != 0
    assert rig.relay.stats().handshakes_failed == 1


def test_a_certificate_is_changed_and_connections_stay(rig: Rig, certificates: Certificates, tmp_path: Path) -> None:
    s, flow = connected(rig, certificates, "tls")
    certificates.install(rig, "other.test")
    with pytest.raises(ssl.SSLCertVerificationError):
        rig.tls(certificates.context())
    renewed, _ = rig.tls(certificates.context(check=False))
    assert renewed.getpeercert()["subjectAltName"] == (("DNS", "other.test"),)  # type: ignore[index]
    rig.relay.reply(flow, b"still here")
    assert read_exactly(s, 10) == b"still here"
    with pytest.raises(RelayError):
        rig.relay.certificate(tmp_path / "turn.test.pem", tmp_path / "other.test.key")
    with pytest.raises(RelayError):
        rig.relay.certificate(tmp_path / "nothing", tmp_path / "nothing")


def test_without_a_certificate_there_is_no_tls(rig: Rig) -> None:
    s, _ = rig.connect()
    s.sendall(bytes.fromhex("1603010200010001fc0303"))
    assert ended(s)
    assert rig.disconnected().reason != 0


def test_handshakes_do_not_hold_up_a_call(rig: Rig, certificates: Certificates) -> None:
    """Half a ClientHello from many sources, garbage after TLS began: the call goes on, and nothing of it is lost."""
    client, flow = rig.udp_client()
    peer = udp(PEER)
    number, _ = rig.open(flow)
    rig.relay.permit(number, PEER, rig.until(60))
    rig.relay.bind(number, 0x4000, peer.getsockname(), rig.until(60))
    rig.settle(flow, client)
    held = []
    for n in range(60):
        s, _ = rig.connect(host=f"127.0.1.{n + 1}")
        s.sendall(bytes.fromhex("1603010200010001fc0303") if n % 2 else b"\x16" + bytes(600))
        held.append(s)
        client.sendto(channel(0x4000, bytes([n])), rig.address)
        assert peer.recv(10) == bytes([n])
    assert RELAYED and CLIENT and select.select([], [client], [], 0)[1]
