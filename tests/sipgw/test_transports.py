"""Transports against plain sockets: whole messages in and out, keep-alive, connections found again, and what fails is told."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme

from confero.errors import LocalError
from confero.protocols.sip.keepalive import binding_answer
from confero.protocols.sip.target import Target
from confero.runtime.accepting import Connections
from confero.sipgw.transports import base, stream
from confero.sipgw.transports.stream import StreamTransport
from confero.sipgw.transports.udp import UdpTransport

from ..support.waiting import until

HOST = "127.0.0.1"
MESSAGE = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\nContent-Length: 4\r\n\r\nbody"


class Ear:
    """Keeps what transports tell."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, Target]] = []
        self.failures: list[tuple[Target, str]] = []

    def received(self, data: bytes, source: Target) -> None:
        self.messages.append((data, source))

    def failed(self, target: Target, reason: str) -> None:
        self.failures.append((target, reason))


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
async def udp(ear: Ear) -> AsyncIterator[UdpTransport]:
    transport = UdpTransport(ear)
    await transport.start([HOST], 0)
    yield transport
    await transport.close()


@pytest.fixture
async def tcp(ear: Ear) -> AsyncIterator[StreamTransport]:
    transport = StreamTransport("tcp", ear, Connections(4, 3))
    await transport.start([HOST], 0)
    yield transport
    await transport.close()


async def test_a_datagram_is_a_message_and_is_answered_from_where_it_came(ear: Ear, udp: UdpTransport) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((HOST, 0))
        phone.settimeout(5)
        phone.sendto(MESSAGE, (HOST, udp.locals[0].port))
        await until(lambda: ear.messages)
        data, source = ear.messages[0]
        assert data == MESSAGE and source[:3] == ("udp", *phone.getsockname())
        udp.send(b"answer", source)
        assert phone.recvfrom(100) == (b"answer", (HOST, udp.locals[0].port))


async def test_a_keep_alive_is_answered_where_it_came_from(ear: Ear, udp: UdpTransport) -> None:
    question = bytes.fromhex("000100002112a442") + b"twelve bytes"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((HOST, 0))
        phone.settimeout(2)
        phone.sendto(question, (HOST, udp.locals[0].port))
        phone.sendto(b"\x01" * 30, (HOST, udp.locals[0].port))
        phone.sendto(MESSAGE, (HOST, udp.locals[0].port))
        await until(lambda: ear.messages)
        answer = phone.recv(100)
        assert answer == binding_answer(question, *phone.getsockname())
        assert [data for data, _ in ear.messages] == [MESSAGE]


async def test_what_has_come_is_taken_at_one_turn_of_the_loop(ear: Ear, udp: UdpTransport) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        for number in range(50):
            phone.sendto(b"%d" % number, (HOST, udp.locals[0].port))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [data for data, _ in ear.messages] == [b"%d" % number for number in range(50)]


async def test_no_way_there_is_told(ear: Ear, udp: UdpTransport) -> None:
    nowhere = Target("udp", "255.255.255.255", 9)  # the kernel sends no broadcast unless it is told to
    udp.send(b"x", nowhere)
    await until(lambda: [target for target, _ in ear.failures] == [nowhere])


async def test_what_no_datagram_holds_or_no_socket_reaches_is_told(ear: Ear, udp: UdpTransport) -> None:
    far, other_family = Target("udp", HOST, 9), Target("udp", "::1", 9)
    udp.send(bytes(65_508), far)
    udp.send(b"x", other_family)
    assert ear.failures == [], "not from within send"
    await until(lambda: len(ear.failures) == 2)
    assert [target for target, _ in ear.failures] == [far, other_family]


async def test_an_address_that_cannot_be_used_is_named(ear: Ear, udp: UdpTransport) -> None:
    with pytest.raises(LocalError, match=f"cannot listen on UDP {HOST}:{udp.locals[0].port}"):
        await UdpTransport(ear).start([HOST], udp.locals[0].port)
    with pytest.raises(LocalError, match=r"cannot listen on TCP 192\.0\.2\.1:0"):
        await StreamTransport("tcp", ear, Connections(1, 1)).start(["192.0.2.1"], 0)


async def test_a_stream_is_cut_into_messages_and_pings_are_answered(ear: Ear, tcp: StreamTransport) -> None:
    reader, writer = await asyncio.open_connection(HOST, tcp.locals[0].port)
    for piece in (b"\r\n\r\n", MESSAGE[:30], MESSAGE[30:] + MESSAGE, b"\r\n"):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)
    await until(lambda: len(ear.messages) == 2)
    assert [data for data, _ in ear.messages] == [MESSAGE, MESSAGE]
    assert await reader.readexactly(2) == b"\r\n", "RFC 5626 section 4.4.1: a ping has its pong"
    tcp.send(b"answer", ear.messages[0][1])
    assert await reader.readexactly(6) == b"answer"
    writer.close()
    await until(lambda: ear.failures)
    assert ear.failures[0][0] == ear.messages[0][1]


async def test_what_is_no_sip_ends_the_connection(ear: Ear, tcp: StreamTransport) -> None:
    reader, writer = await asyncio.open_connection(HOST, tcp.locals[0].port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n")
    async with asyncio.timeout(5):
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
    writer.close()


async def test_connections_of_ours_are_used_again_both_ways(ear: Ear, tcp: StreamTransport) -> None:
    came: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    server = await asyncio.start_server(lambda r, w: came.append((r, w)), HOST, 0)
    target = Target("tcp", *server.sockets[0].getsockname()[:2])
    tcp.send(b"one", target)
    tcp.send(b"two", target)
    await until(lambda: came)
    assert await came[0][0].readexactly(6) == b"onetwo"
    came[0][1].write(MESSAGE)
    await until(lambda: ear.messages)
    source = ear.messages[0][1]
    assert source[:3] == target[:3] and source.connection is not None
    tcp.send(b"three", source)
    assert await came[0][0].readexactly(5) == b"three"
    assert len(came) == 1
    came[0][1].close()
    server.close()


async def test_nobody_there_is_told_to_all_who_sent(ear: Ear, tcp: StreamTransport) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        target = Target("tcp", *taken.getsockname())
        tcp.send(b"one", target)
        await until(lambda: ear.failures)
    assert target in [to for to, _ in ear.failures]
    assert len(tcp) == 0


async def test_a_peer_that_does_not_read_is_cut(ear: Ear, tcp: StreamTransport) -> None:
    _, writer = await asyncio.open_connection(HOST, tcp.locals[0].port, limit=1)
    writer.write(MESSAGE)
    await until(lambda: ear.messages)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    source = ear.messages[0][1]
    async with asyncio.timeout(10):
        while not ear.failures:
            tcp.send(bytes(65_536), source)
            await asyncio.sleep(0)
    assert ear.failures[0][0] == source
    writer.close()


async def test_connections_are_counted_by_source(ear: Ear, tcp: StreamTransport) -> None:
    pairs = [await asyncio.open_connection(HOST, tcp.locals[0].port) for _ in range(4)]
    async with asyncio.timeout(5):
        assert await pairs[3][0].read(1) == b"", "the fourth of three is closed"
    for _, writer in pairs:
        writer.close()


async def test_an_idle_connection_is_closed(ear: Ear, tcp: StreamTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = await asyncio.open_connection(HOST, tcp.locals[0].port)
    await until(lambda: len(tcp) == 1)
    monkeypatch.setattr(stream, "IDLE_S", 0.0)
    tcp._close_idle()
    async with asyncio.timeout(5):
        assert await reader.read(1) == b""
    writer.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def contexts(authority: trustme.CA, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's with a certificate for ``name``, and a client's that believes its authority."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


async def test_tls_both_ways_with_the_name_that_was_meant(ear: Ear, authority: trustme.CA) -> None:
    server, client = contexts(authority, "sip.example")
    one = StreamTransport("tls", ear, Connections(9, 9), server=server, client=client)
    await one.start([HOST], 0)
    there = Target("tls", HOST, one.locals[0].port)
    meant = one.open(there, "sip.example")
    assert one.open(there, "sip.example") == meant, "one connection for one name"
    assert one.open(there, "other.example").connection != meant.connection
    one.send(MESSAGE, meant)
    await until(lambda: ear.messages)
    assert ear.messages[0][0] == MESSAGE and ear.messages[0][1].transport == "tls"
    await until(lambda: ear.failures)
    assert "not accepted" in ear.failures[0][1], "the certificate is of another name"
    await one.close()


def test_bounds_are_sane() -> None:
    assert base.PER_SOURCE < base.CONNECTIONS and base.MAX_MESSAGE < base.MAX_WAITING
    assert base.authority("::1", 5) == "[::1]:5" and base.authority("a", 5) == "a:5"
