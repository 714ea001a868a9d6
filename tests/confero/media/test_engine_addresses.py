"""The engine's ports and addresses: which are bound, and which peers are told."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest

from confero.clock import FakeClock
from confero.errors import LocalError, Refused
from confero.media import (
    Address,
    BindError,
    Engine,
    EngineConfig,
    EngineError,
    NoPortFree,
)
from confero.media.addresses import FRESH_S


def test_ports_run_out_in_words() -> None:
    config = EngineConfig(threads=1, seed=1, bind=("127.0.0.9",), port_low=14100, port_high=14102)
    with Engine(config) as engine:
        engine.add_room(1)
        engine.open_rtp(1, mux=True)
        engine.open_rtp(1, mux=True)
        with pytest.raises(NoPortFree) as caught:
            engine.open_rtp(1, mux=True)
        assert isinstance(caught.value, Refused)


def test_addresses_that_cannot_be_bound() -> None:
    with pytest.raises(BindError, match=r"192\.0\.2\.1"):
        Engine(EngineConfig(threads=1, bind=("192.0.2.1",)))
    with pytest.raises(LocalError, match="not an IP address"):
        Engine(EngineConfig(threads=1, bind=("localhost",)))
    with pytest.raises(EngineError, match="65 threads"):
        Engine(EngineConfig(threads=65, bind=("127.0.0.1",)))


def test_ipv4_and_ipv6_share_one_port_and_are_advertised() -> None:
    with Engine(EngineConfig(threads=1, seed=3, bind=("127.0.0.1", "::1"))) as engine:
        engine.add_room(1)
        port = engine.shared_port(0)
        assert engine.candidates(1) == (Address("127.0.0.1", port), Address("::1", port))


def test_one_to_one_nat_is_advertised() -> None:
    config = EngineConfig(threads=1, seed=3, bind=("0.0.0.0",), advertised=("203.0.113.5=127.0.0.1",))
    with Engine(config) as engine:
        engine.add_room(1)
        assert engine.candidates(1)[0].host == "203.0.113.5"
        assert engine.advertised[0].internal == "127.0.0.1"


def test_candidates_follow_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    address, clock = SimpleNamespace(ip="192.0.2.10"), FakeClock()
    monkeypatch.setattr("confero.media.addresses.ifaddr.get_adapters", lambda: [SimpleNamespace(ips=[address])])
    with Engine(EngineConfig(threads=1, seed=3, bind=("0.0.0.0",)), clock.monotonic) as engine:
        engine.add_room(1)
        assert [address.host for address in engine.candidates(1)] == ["192.0.2.10"]
        address.ip = "192.0.2.20"
        clock.advance(FRESH_S)
        assert [address.host for address in engine.candidates(1)] == ["192.0.2.20"]


def test_seeds_repeat_the_ports() -> None:
    with Engine(EngineConfig(threads=1, seed=11, bind=("127.0.0.31",))) as first:
        port = first.shared_port(0)
    with Engine(EngineConfig(threads=1, seed=11, bind=("127.0.0.31",))) as again:
        assert again.shared_port(0) == port


def test_tcp_listens_where_udp_does() -> None:
    config = EngineConfig(threads=2, seed=3, bind=("127.0.0.1", "::1"), tcp=True)
    with Engine(config) as engine:
        assert engine.tcp
        for thread in range(2):
            for host in ("127.0.0.1", "::1"):
                socket.create_connection((host, engine.shared_port(thread)), timeout=5).close()


def test_without_tcp_nothing_listens() -> None:
    with Engine(EngineConfig(threads=1, seed=3, bind=("127.0.0.1",))) as engine:
        assert not engine.tcp
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", engine.shared_port(0)), timeout=5)


def test_a_port_whose_tcp_is_taken_is_passed_over() -> None:
    with Engine(EngineConfig(threads=1, seed=3, bind=("127.0.0.9",), port_low=14110, port_high=14119)) as first:
        port = first.shared_port(0)
    with socket.create_server(("127.0.0.9", port)):
        config = EngineConfig(threads=1, seed=3, bind=("127.0.0.9",), port_low=14110, port_high=14119, tcp=True)
        with Engine(config) as engine:
            assert engine.shared_port(0) != port
