"""TURN against servers that answer as they are told: each refusal has its words."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from confero.lab.doctor import line, turn, visit
from confero.lab.doctor.findings import NotTried, Unwell, Verdict
from confero.lab.doctor.patient import Patient
from confero.lab.doctor.place import Spot
from confero.lab.doctor.turnurl import read, relays
from confero.models import IceServer
from confero.protocols.sdp.model import Candidate
from confero.protocols.stun import ErrorCode, Kind, Message, build
from confero.protocols.stun import attributes as a

from .rig import HOST, datagrams, patient, place, streams

MCU = Candidate("1", 1, "udp", 1, "192.0.2.7", 5000, "host")
Answer = Callable[[bytes], bytes | None]


def visited(*servers: IceServer, candidates: tuple[Candidate, ...] = (MCU,)) -> visit.Visit:
    return visit.Visit("room", servers, candidates, "ours", "theirs", "p" * 22)


def server(spot: Spot, transport: str = "udp") -> IceServer:
    return IceServer(urls=[f"turn:{spot}?transport={transport}"], username="u", credential="hush")


@contextlib.asynccontextmanager
async def told_of(*servers: IceServer, inside: bool = True) -> AsyncIterator[Patient]:
    """A patient whose join has named these."""

    async def known() -> visit.Visit:
        return visited(*servers)

    async with patient(place(inside=inside)) as one:
        await one.learn("visit", known)
        yield one


def refusing(code: int) -> Answer:
    def answer(data: bytes) -> bytes:
        asked = Message.parse(data)
        return build(asked.method, Kind.ERROR, asked.transaction_id, [a.ERROR_CODE.of(ErrorCode(code, "no"))])

    return answer


def bound(data: bytes) -> bytes:
    asked = Message.parse(data)
    return build(asked.method, Kind.SUCCESS, asked.transaction_id, [a.XOR_MAPPED_ADDRESS.of(("198.51.100.4", 4000))])


async def test_a_binding_tells_of_a_nat() -> None:
    async with datagrams(bound) as udp, told_of(server(udp.spot)) as one:
        found = await turn.binding("udp")(one)
    assert found.verdict is Verdict.OK and "seen at 198.51.100.4: there is a NAT" in found.what
    async with streams(bound) as tcp, told_of(server(tcp, "tcp")) as one:
        assert (await turn.binding("tcp")(one)).verdict is Verdict.OK


@pytest.mark.parametrize("code", [*filter(None, turn.REFUSALS), 420])
async def test_each_refusal_has_its_words(code: int) -> None:
    async with datagrams(refusing(code)) as udp, told_of(server(udp.spot)) as one:
        found = await turn.relaying("udp")(one)
    words = turn.REFUSALS.get(code, ("it answers 420 no", "log"))[0]
    assert found.verdict is Verdict.FAIL and words in found.what and str(code) in found.what and found.advice
    assert "hush" not in found.what + found.advice


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x46", b"220 mail\r\n"]
)
async def test_another_program_on_the_port(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr(line, "ASK_S", 0.2)
    async with streams(lambda _: said) as tcp, told_of(server(tcp, "tcp")) as one:
        for check in (turn.binding("tcp"), turn.relaying("tcp")):
            found = await check(one)
            assert found.verdict is Verdict.FAIL and "does not speak TURN" in found.what


async def test_nobody_there() -> None:
    async with told_of(server(Spot(HOST, 1)), server(Spot(HOST, 1), "tcp")) as one:
        assert "nothing listens" in (await turn.binding("udp")(one)).what
        assert "nothing listens" in (await turn.relaying("tcp")(one)).what


async def test_ways_that_browsers_are_not_told_of() -> None:
    async with told_of() as one:
        with pytest.raises(NotTried, match="names no TURN server"):
            await turn.relaying("udp")(one)
    async with told_of(server(Spot(HOST, 1))) as one:
        with pytest.raises(NotTried, match="TCP"):
            await turn.relaying("tcp")(one)
        with pytest.raises(NotTried, match="no public authority"):
            await turn.relaying("tls")(one)


async def test_stun_is_tried_where_it_should_be_though_nobody_can_join() -> None:
    async with datagrams(bound) as udp, patient(place({("turn", "udp"): udp.spot})) as one:
        assert (await turn.binding("udp")(one)).verdict is Verdict.OK
    async with patient(place(inside=False)) as one:
        with pytest.raises(NotTried, match="nobody can join"):
            await turn.binding("udp")(one)


def test_families_have_to_meet() -> None:
    assert turn._peers(visited(), ("203.0.113.1", 50_000)) == [("192.0.2.7", 5000)]
    with pytest.raises(Unwell, match="IPv6"):
        turn._peers(visited(), ("2001:db8::1", 50_000))


@pytest.mark.parametrize(
    ("url", "transport", "spot"),
    [
        ("turn:a.example", "udp", Spot("a.example", 3478)),
        ("turn:a.example:14049?transport=udp", "udp", Spot("a.example", 14049)),
        ("TURN:a.example:443?transport=TCP", "tcp", Spot("a.example", 443)),
        ("turns:a.example:443?transport=tcp", "tls", Spot("a.example", 443)),
        ("turns:a.example", "tls", Spot("a.example", 5349)),
        ("turn:[2001:db8::1]:14049", "udp", Spot("2001:db8::1", 14049)),
    ],
)
def test_urls(url: str, transport: str, spot: Spot) -> None:
    (found,) = read(IceServer(urls=[url], username="u", credential="hush"))
    assert (found.transport, found.spot, found.username, found.password) == (transport, spot, "u", "hush")
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    "url", ["stun:a.example", "turns:a?transport=udp", "turn:a:70000", "turn:a:0", "turn:", "turn:a/b", ""]
)
def test_what_is_no_way_is_left_out(url: str) -> None:
    assert relays([IceServer(urls=[url])]) == {}


def test_the_first_way_of_each_transport_counts() -> None:
    found = relays([IceServer(urls=["turn:a", "turn:b", "turn:c?transport=tcp"])])
    assert {name: relay.spot.host for name, relay in found.items()} == {"udp": "a", "tcp": "c"}
