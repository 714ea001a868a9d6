"""The door with real sockets: who goes where, untouched; and whoever is slow, silent, cut or rude costs little and not for long."""

from __future__ import annotations

import asyncio
import random
import socket
import struct

import pytest

from confero.edge import app, door, farewell
from confero.edge.answers import NO_APPLICATION_PROTOCOL
from confero.edge.routes import ROUTES, SERVICES
from confero.protocols.sniff import Kind
from confero.runtime.accepting import Acceptor

from ..support.hellos import hello, in_records
from ..support.waiting import until
from .house import House, answered, ended

ALLOCATE = bytes.fromhex("000300082112a442") + b"transaction." + bytes.fromhex("0019000411000000")
ALL = ("appserver", "turn", "flash")


@pytest.mark.parametrize(
    ("data", "kind", "service"),
    [
        (hello(["h2", "http/1.1"]), "https", "appserver"),
        (hello(), "tls", "turn"),
        (hello(["stun.turn"]), "turns", "turn"),
        (ALLOCATE, "turn", "turn"),
        (b"POST /open/1 HTTP/1.1\r\n", "rtmpt", "flash"),
        (b"\x03" + bytes(8), "rtmp", "flash"),
    ],
)
async def test_each_kind_goes_to_its_service_untouched(house: House, data: bytes, kind: str, service: str) -> None:
    await house.start(*ALL)
    client = house.call(data)
    connection, said, peer = await house.services[service].take()
    assert said == kind and peer == client.getsockname()
    assert connection.getpeername() == client.getsockname()
    assert connection.recv(65_536) == data
    assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT) == 1
    connection.send(b"answer")
    await until(lambda: client.recv(10, socket.MSG_PEEK) == b"answer" if not ended(client) else False)
    assert house.count(kind, "handed-on") == 1
    connection.close()


async def test_byte_by_byte(house: House) -> None:
    await house.start("appserver")
    data = in_records(hello(["http/1.1"]), 50)
    client = house.call()
    for at in range(len(data)):
        client.send(data[at : at + 1])
        await asyncio.sleep(0)
    connection, _, _ = await house.services["appserver"].take()
    assert connection.recv(65_536) == data
    connection.close()


async def test_without_turn_the_application_server_has_tls_without_alpn(house: House) -> None:
    await house.start("appserver")
    house.call(hello())
    connection, kind, _ = await house.services["appserver"].take()
    assert kind == "tls"
    connection.close()
    await house.services["turn"].start()
    house.call(hello())
    connection, _, _ = await house.services["turn"].take()
    connection.close()
    house.services["turn"].stop()
    await asyncio.sleep(0.01)
    house.call(hello())
    connection, _, _ = await house.services["appserver"].take()
    connection.close()


async def test_plain_http_is_sent_to_https(house: House) -> None:
    await house.start("appserver")
    answer = await answered(house.call(b"GET /r/lobby HTTP/1.1\r\nHost: meet.example\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 301 ") and b"\r\nLocation: https://meet.example/r/lobby\r\n" in answer
    client = house.call(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n" + bytes(30_000))
    await asyncio.sleep(0.02)
    client.send(bytes(60_000))
    assert (await answered(client)).startswith(b"HTTP/1.1 308 "), "the rest of the body is no reason to lose the answer"
    client.close()
    await until(lambda: len(house.app._farewells) == 0)


async def test_refusals(house: House) -> None:
    await house.start("appserver")
    assert (await answered(house.call(b"POST /open/1 HTTP/1.1\r\n\r\n"))).startswith(b"HTTP/1.1 503 ")
    assert await answered(house.call(hello(["x"]))) == NO_APPLICATION_PROTOCOL
    client = house.call(b"SSH-2.0-x\r\n")
    await until(lambda: ended(client))
    assert (
        house.count("unknown", "refused") == house.count("rtmpt", "refused") == house.count("other-tls", "refused") == 1
    )


async def test_a_service_that_is_away_is_waited_for(house: House) -> None:
    await house.start()
    client = house.call(hello(["h2"]))
    await until(lambda: len(house.app._givers["appserver"]) == 1)
    assert not ended(client)
    await house.services["appserver"].start()
    connection, _, _ = await house.services["appserver"].take()
    connection.close()


@pytest.mark.parametrize("data", [b"", hello()[:200], hello()[:5], ALLOCATE[:7], b"GET / HTTP/1.1\r\nHost: "])
async def test_whoever_does_not_say_what_it_is_is_closed_in_time(house: House, data: bytes) -> None:
    await house.start("appserver", classify_s=0.2)
    client = house.call(data)
    await asyncio.sleep(0.05)
    assert not ended(client)
    await until(lambda: ended(client))
    assert house.count("none", "silent") == 1 and house.undecided == 0


@pytest.mark.parametrize("data", [b"", hello()[:200], ALLOCATE[:7], b"GET / HTT"])
async def test_whoever_closes_before_is_forgotten_at_once(house: House, data: bytes) -> None:
    await house.start("appserver", classify_s=60)
    client = house.call(data)
    await until(lambda: house.undecided == 1)
    await asyncio.sleep(0.02)
    client.shutdown(socket.SHUT_WR)
    await until(lambda: ended(client), seconds=1)
    cut = house.call(data)
    await until(lambda: house.undecided == 1)
    cut.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    cut.close()
    await until(lambda: house.undecided == 0, seconds=1)
    assert house.count("none", "gone") == 2


async def test_half_a_hello_takes_no_time(house: House) -> None:
    """A peeked socket stays readable: a door that only waited for that would go round and round."""
    await house.start("appserver", classify_s=60)
    for _ in range(50):
        house.call(hello()[:300])
    await until(lambda: house.undecided == 50)
    await asyncio.sleep(0.1)
    looks = Looks()
    sniff, door.sniff = door.sniff, looks
    try:
        await asyncio.sleep(0.5)
    finally:
        door.sniff = sniff
    assert looks.count == 0


class Looks:
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, data: bytes) -> object:
        self.count += 1
        raise AssertionError("nothing new has come")


async def test_woken_too_early_it_looks_again_by_the_clock(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel does when it is short of memory."""
    monkeypatch.setattr(door.socket, "SO_RCVLOWAT", socket.SO_KEEPALIVE)  # asked for, and not granted
    await house.start("appserver", classify_s=60)
    whole = hello(["h2"])
    client = house.call(whole[:300])
    await until(lambda: house.undecided == 1)
    await asyncio.sleep(4 * door.LOOK_AGAIN_S)
    client.send(whole[300:])
    connection, _, _ = await house.services["appserver"].take()
    assert connection.recv(65_536) == whole
    connection.close()


async def test_when_it_is_crowded_the_oldest_goes(house: House) -> None:
    await house.start("appserver", max_undecided=5, max_undecided_per_source=3, classify_s=60)
    first = [house.call(source=f"127.0.0.{n}") for n in (2, 2, 2, 3, 3)]
    await until(lambda: house.undecided == 5)
    fourth = house.call(source="127.0.0.2")
    await until(lambda: ended(first[0]))
    late = house.call(source="127.0.0.4")
    await until(lambda: ended(first[1]))
    assert not any(map(ended, [*first[2:], fourth, late])) and house.count("none", "crowded") == 2
    house.call(hello(["h2"]), source="127.0.0.5")
    connection, _, client = await house.services["appserver"].take()
    assert client[0] == "127.0.0.5"
    connection.close()


async def test_hundreds_who_say_nothing_keep_nobody_out(house: House) -> None:
    await house.start("appserver", max_undecided=600, max_undecided_per_source=10_000, classify_s=60)
    half = hello()[:100]
    crowd = []
    for n in range(500):
        crowd.append(house.call(b"" if n % 2 else half, source=f"127.0.1.{n % 200 + 1}"))
        await until(lambda: house.undecided == len(crowd))
    for _ in range(20):
        house.call(hello(["h2"]))
        connection, _, _ = await house.services["appserver"].take()
        connection.close()
    assert house.undecided == len(crowd) and not any(map(ended, crowd))


async def test_garbage_of_any_kind(house: House) -> None:
    await house.start(*ALL, classify_s=0.3)
    seeded = random.Random(5)
    starts = [b"", b"\x00", b"\x16\x03\x01", b"GET ", b"POST /", hello()[:60], b"\x03"]
    clients = [house.call(seeded.choice(starts) + seeded.randbytes(seeded.randrange(1, 3000))) for _ in range(200)]
    got = [house.services[name].got for name in ("turn", "flash")]
    await until(lambda: sum(map(ended, clients)) + sum(map(len, got)) == 200, "each is closed or handed on")
    assert house.undecided == 0
    house.call(hello(["h2"]))
    connection, kind, _ = await house.services["appserver"].take()
    assert kind == "https"
    connection.close()


async def test_farewells_are_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(farewell, "LIMIT", 3)
    await house.start("appserver")
    request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    clients = [house.call(request) for _ in range(5)]
    for client in clients:
        assert (await answered(client)).startswith(b"HTTP/1.1 301 ")
    await until(lambda: house.count("http", "redirected") == 5)
    assert len(house.app._farewells) <= 3
    await until(lambda: len(house.app._farewells) == 0, seconds=3 * farewell.LINGER_S)


async def test_established_connections_outlive_the_door(house: House) -> None:
    await house.start("appserver")
    client = house.call(hello(["h2"]))
    connection, _, _ = await house.services["appserver"].take()
    connection.recv(65_536)
    waiting = house.call(b"\x16")
    await until(lambda: house.undecided == 1)
    await house.app.drain()
    with pytest.raises(ConnectionRefusedError):
        house.call()
    await house.app.stop()
    assert ended(waiting) and not ended(client)
    client.send(b"on")
    await until(lambda: connection.recv(10, socket.MSG_PEEK) == b"on")
    connection.close()


def test_every_kind_has_a_route() -> None:
    assert set(ROUTES) == set(Kind) and set(SERVICES) == {"appserver", "turn", "flash"}


def test_the_lobby_leaves_files_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.resource, "getrlimit", lambda _: (1000, 2000))
    assert app.half_the_files() == 500
    monkeypatch.setattr(app.resource, "getrlimit", lambda _: (app.resource.RLIM_INFINITY, 0))
    assert app.half_the_files() > 1 << 20


async def test_a_connection_that_is_cut_before_it_is_looked_at(house: House) -> None:
    await house.start("appserver")
    ours, other = socket.socketpair()
    other.close()
    lone = socket.socket()  # not connected: as one that was reset between accept and our look
    house.app._door.take(lone, "127.0.0.1")
    assert lone.fileno() == -1 and house.count("none", "gone") == 1
    ours.close()
    assert isinstance(house.app._acceptors[0], Acceptor)
