"""Connections that are passed on: RFC 6062's data connections, and HTTP inside TLS that was taken for TURN."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from confero.relay import Closed, RelayConfig, RelayError, Request, UnknownFlow

from .relay_rig import PATIENCE_S, Rig, allocate, ended, read_exactly, running, send_indication
from .test_relay_tcp import Certificates


@pytest.fixture
def rig() -> Iterator[Rig]:
    with running() as rig:
        yield rig


@pytest.fixture
def certificates(rig: Rig, tmp_path: Path) -> Certificates:
    certificates = Certificates(tmp_path)
    certificates.install(rig)
    return certificates


def pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE_S)
    return ours, theirs


def test_http_inside_tls_is_passed_on_with_its_first_bytes(rig: Rig, certificates: Certificates) -> None:
    s, number = rig.tls(certificates.context())
    s.sendall(b"GET / HTTP/1.1\r\n\r\n")
    found = rig.not_stun()
    assert (found.client.connection, found.client.transport, found.data) == (number, "tls", b"GET / HTTP/1.1\r\n\r\n")
    ours, theirs = pair()
    rig.relay.join(number, theirs.detach())
    assert read_exactly(ours, 18) == b"GET / HTTP/1.1\r\n\r\n"
    ours.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    assert read_exactly(s, 19) == b"HTTP/1.1 200 OK\r\n\r\n"
    s.sendall(b"more")
    assert read_exactly(ours, 4) == b"more"
    ours.close()
    assert ended(s)
    assert rig.disconnected().client.connection == number


def test_a_data_connection_begins_behind_its_reply(rig: Rig) -> None:
    s, number = rig.connect()
    s.sendall(allocate())
    flow = rig.event(Request).client
    peer, theirs = pair()
    peer.sendall(b"the peer was first")
    assert flow.connection == number
    rig.relay.join(number, theirs.detach(), b"bound")
    assert read_exactly(s, 23) == b"boundthe peer was first"
    s.sendall(b"\xff\xfe anything")
    assert read_exactly(peer, 11) == b"\xff\xfe anything"
    s.close()
    assert ended(peer)
    rig.disconnected()


def test_what_is_said_at_joining_has_a_bound(rig: Rig) -> None:
    _, number = rig.connect()
    ours, theirs = pair()
    with pytest.raises(RelayError):
        rig.relay.join(number, theirs.fileno(), bytes(1501))
    theirs.close()
    ours.close()


def test_an_allocation_without_sockets_keeps_its_connection_and_sends_nothing() -> None:
    """Of RFC 6062: its peers come by other connections, and it may be silent between its requests."""
    with running(config=RelayConfig(connections=64, idle_s=0.3)) as rig:
        s, _ = rig.connect()
        s.sendall(allocate())
        flow = rig.event(Request).client
        number = rig.relay.open(flow, rig.until(60))
        rig.relay.permit(number, "127.0.0.3", rig.until(60))
        s.sendall(send_indication(("127.0.0.3", 7), b"data"))
        rig.dropped("family")
        time.sleep(1.2)
        s.sendall(allocate())
        assert rig.event(Request).client == flow
        rig.relay.withdraw(number, 4)
        rig.relay.close_allocation(number)
        assert rig.event(Closed).reason == 0
        rig.relay.withdraw(number, 4)
        assert ended(s)


@pytest.mark.parametrize("kind", ["tcp", "tls"])
@pytest.mark.parametrize("way", ["to", "from"])
def test_much_is_passed_whole_at_the_pace_of_who_reads(
    rig: Rig, certificates: Certificates, kind: str, way: str
) -> None:
    s, number = rig.connect() if kind == "tcp" else rig.tls(certificates.context())
    s.sendall(b"\xff")
    rig.not_stun()
    ours, theirs = pair()
    rig.relay.join(number, theirs.detach())
    assert read_exactly(ours, 1) == b"\xff"
    sender, receiver = (s, ours) if way == "to" else (ours, s)
    data = os.urandom(8 << 20)
    thread = threading.Thread(target=sender.sendall, args=(data,))
    thread.start()
    assert read_exactly(receiver, len(data)) == data
    thread.join()


def test_what_nobody_takes_ends_in_time_and_a_join_that_comes_too_late_closes(rig: Rig) -> None:
    s, number = rig.connect()
    s.sendall(b"hello?")
    rig.not_stun()
    rig.relay.hang_up(number)
    assert ended(s)
    rig.disconnected()
    ours, theirs = pair()
    try:
        rig.relay.join(number, theirs.detach())
    except UnknownFlow:
        pytest.fail("its number is known until it is used again")
    assert ended(ours)
