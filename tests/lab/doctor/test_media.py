"""Media addresses: a check of ICE and its answer, and what is said of addresses that answer or do not."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from confero.lab.doctor import media
from confero.lab.doctor.findings import Told, Verdict
from confero.lab.doctor.icecheck import IceCheck, unframed
from confero.lab.doctor.media import Tried
from confero.lab.doctor.place import Place, Spot
from confero.lab.doctor.visit import Visit
from confero.mcu.config import McuConfig
from confero.protocols.sdp.model import Candidate
from confero.protocols.stun import Integrity, Kind, Message, Method, build, has_true_fingerprint, proves
from confero.protocols.stun import attributes as a

from .rig import datagrams, patient, place, streams

KEY = b"p" * 22
MAPPED = ("8.8.4.4", 4000)


def check(seed: int = 1) -> IceCheck:
    return IceCheck(random.Random(seed), local_ufrag="ours", remote_ufrag="theirs", remote_password=KEY.decode())


def answer(request: bytes, key: bytes = KEY, kind: Kind = Kind.SUCCESS) -> bytes:
    asked = Message.parse(request)
    assert asked.get(a.USERNAME) == "theirs:ours" and proves(asked, KEY) and has_true_fingerprint(asked)
    rows = [a.XOR_MAPPED_ADDRESS.of(MAPPED)]
    return build(Method.BINDING, kind, asked.transaction_id, rows, integrity=Integrity(key), fingerprint=True)


def test_a_check_knows_its_answer() -> None:
    one = check()
    assert one.mapped(answer(one.request)) == MAPPED
    assert one.mapped(answer(one.request, b"another key")) is None
    assert one.mapped(answer(one.request, kind=Kind.ERROR)) is None
    assert one.mapped(answer(check(2).request)) is None
    assert one.mapped(b"noise") is None
    assert not Message.parse(one.request).get(a.USE_CANDIDATE)


def test_packets_of_a_stream() -> None:
    one = check()
    stream = one.framed + one.framed
    assert unframed(stream) == [one.request] * 2
    for end in range(len(one.framed)):
        assert unframed(stream[:end]) == []


def candidate(spot: Spot, transport: str = "udp") -> Candidate:
    return Candidate("1", 1, transport, 1, spot.host, spot.port, "host")


async def told(candidates: Sequence[Candidate], where: Place | None = None, transport: str = "udp") -> Told:
    async def known() -> Visit:
        return Visit("room", (), tuple(candidates), "ours", "theirs", KEY.decode())

    async with patient(where or place()) as one:
        await one.learn("visit", known)
        return await (media.udp(one) if transport == "udp" else media.tcp(one))


async def test_addresses_that_answer() -> None:
    async with datagrams(answer) as server:
        found = await told([candidate(server.spot)])
    assert found.verdict is Verdict.OK and str(server.spot) in found.what and "seen at 8.8.4.4" in found.what

    def framed(data: bytes) -> bytes:
        reply = answer(unframed(data)[0])
        return len(reply).to_bytes(2, "big") + reply

    async with streams(framed) as spot:
        found = await told([candidate(spot, "tcp")], transport="tcp")
    assert found.verdict is Verdict.OK and str(spot) in found.what


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "CHECK_WAITS_S", (0.01, 0.02))


async def test_one_that_is_silent_beside_one_that_answers(impatient: None) -> None:
    async with datagrams(answer) as good, datagrams(lambda _: None) as silent:
        found = await told([candidate(good.spot), candidate(silent.spot)])
    assert found.verdict is Verdict.WARN and f"silent: {silent.spot}" in found.what and len(silent.heard) == 2


async def test_all_silent(impatient: None) -> None:
    async with datagrams(lambda _: None) as silent:
        found = await told([candidate(silent.spot)], place(configs={"mcu": McuConfig(media_port_min=6000)}))
    assert found.verdict is Verdict.FAIL and f"no answer over UDP from the MCU's media at {silent.spot}" in found.what
    assert "let UDP 6000-15000 in" in found.advice


async def test_inner_addresses_seen_from_outside(impatient: None) -> None:
    async with datagrams(lambda _: None) as silent:
        found = await told([candidate(silent.spot)], place(inside=False))
    assert found.verdict is Verdict.FAIL and "addresses of an inner network" in found.what
    assert "media_advertise" in found.advice


async def test_no_address_at_all() -> None:
    assert "names no UDP address" in (await told([])).what
    assert (await told([], transport="tcp")).verdict is Verdict.SKIP
    off = place(configs={"mcu": McuConfig(media_tcp=False)})
    assert "media_tcp is off" in (await told([candidate(Spot("192.0.2.1", 1), "tcp")], off, "tcp")).what


def test_no_way_from_here_is_not_the_installations_fault() -> None:
    seen = Tried(Spot("192.0.2.1", 5000), MAPPED, "10.0.0.1", 0.01)
    unreachable = Tried(Spot("2001:db8::1", 5000), kind="no-route")
    assert media._partly([seen, unreachable], [seen], "good").verdict is Verdict.OK


@pytest.mark.parametrize(
    ("resolved", "told_addresses", "verdict", "words"),
    [
        (["8.8.4.4"], ["8.8.4.4"], Verdict.OK, "8.8.4.4"),
        (["8.8.4.4"], ["10.0.0.5"], Verdict.FAIL, "8.8.4.4=10.0.0.5"),
        (["8.8.4.4"], ["1.1.1.1"], Verdict.WARN, "1.1.1.1"),
        (["10.0.0.5"], ["10.0.0.5"], Verdict.OK, "this network only"),
        ([], ["8.8.4.4"], Verdict.OK, "8.8.4.4"),
    ],
)
async def test_what_browsers_are_told(
    monkeypatch: pytest.MonkeyPatch, resolved: list[str], told_addresses: list[str], verdict: Verdict, words: str
) -> None:
    async def known() -> Visit:
        return Visit("room", (), tuple(candidate(Spot(one, 5000)) for one in told_addresses), "o", "t", KEY.decode())

    async def addresses(_: object) -> list[str]:
        return resolved

    monkeypatch.setattr(media, "resolved", addresses)
    async with patient(place()) as one:
        await one.learn("visit", known)
        found = await media.addresses(one)
    assert found.verdict is verdict and words in found.what + found.advice


def bound(data: bytes) -> bytes:
    asked = Message.parse(data)
    return build(asked.method, Kind.SUCCESS, asked.transaction_id, [a.XOR_MAPPED_ADDRESS.of(MAPPED)])


@pytest.mark.parametrize(
    ("inside", "told_address", "verdict", "words"),
    [
        (True, "10.0.0.5", Verdict.WARN, "media_advertise to 8.8.4.4=127.0.0.1"),
        (True, "8.8.4.4", Verdict.OK, "tells it to browsers"),
        (False, "10.0.0.5", Verdict.OK, "there is a NAT"),
    ],
)
async def test_the_outer_address(inside: bool, told_address: str, verdict: Verdict, words: str) -> None:
    async def known() -> Visit:
        return Visit("room", (), (candidate(Spot(told_address, 5000)),), "o", "t", KEY.decode())

    async with datagrams(bound) as server, patient(place(inside=inside, stun=server.spot)) as one:
        await one.learn("visit", known)
        found = await media.outer_address(one)
    assert found.verdict is verdict and words in found.what + found.advice


async def test_a_stun_server_of_this_network_says_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.MAPPED", ("10.0.0.9", 4000))
    async with datagrams(bound) as server, patient(place(stun=server.spot)) as one:
        found = await media.outer_address(one)
    assert found.verdict is Verdict.OK and "in this network" in found.what


async def test_an_outer_stun_server_that_is_not_there() -> None:
    async with patient(place(stun=Spot("127.0.0.1", 1))) as one:
        found = await media.outer_address(one)
    assert found.verdict is Verdict.FAIL and "127.0.0.1:1" in found.what and "--stun" in found.advice
