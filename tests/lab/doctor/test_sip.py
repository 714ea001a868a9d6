"""OPTIONS against gateways that answer as they are told."""

from __future__ import annotations

import pytest

from confero.lab.doctor import sip
from confero.lab.doctor.findings import NotTried, Unwell, Verdict
from confero.lab.doctor.place import Spot
from confero.protocols.sip import Request, parse, response_to

from .rig import HOST, certificate, datagrams, patient, place, streams


def answering(status: int) -> object:
    def answer(data: bytes) -> bytes:
        request = parse(data)
        assert isinstance(request, Request) and request.method == "OPTIONS"
        return bytes(response_to(request, status, to_tag="t"))

    return answer


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, Verdict.OK), (404, Verdict.OK), (401, Verdict.OK), (503, Verdict.WARN), (500, Verdict.FAIL)],
)
async def test_answers_over_udp(status: int, verdict: Verdict) -> None:
    async with datagrams(answering(status)) as server, patient(place({sip.SIP: server.spot})) as one:  # type: ignore[arg-type]
        found = await sip.over("udp")(one)
    assert found.verdict is verdict and str(status) in found.what


async def test_a_lost_datagram_is_sent_again() -> None:
    answers = [None, answering(200)]

    def second(data: bytes) -> bytes | None:
        how = answers.pop(0)
        return how(data) if how else None  # type: ignore[operator, no-any-return]

    async with datagrams(second) as server, patient(place({sip.SIP: server.spot})) as one:
        assert (await sip.over("udp")(one)).verdict is Verdict.OK
    assert len(server.heard) == 2 and server.heard[0] == server.heard[1]


async def test_over_tcp_and_tls() -> None:
    async with streams(answering(200)) as spot, patient(place({sip.SIP: spot})) as one:  # type: ignore[arg-type]
        assert (await sip.over("tcp")(one)).verdict is Verdict.OK
    async with streams(answering(200), certificate()[1]) as spot, patient(place({sip.SIPS: spot})) as one:  # type: ignore[arg-type]
        assert (await sip.over("tls")(one)).verdict is Verdict.OK


async def test_silence_refusal_and_nonsense_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip, "AGAIN_S", 0.01)
    async with datagrams(lambda _: None) as server, patient(place({sip.SIP: server.spot})) as one:
        silent = await sip.over("udp")(one)
    assert silent.what == f"no answer from {server.spot} (UDP)" and "let UDP" in silent.advice
    assert len(server.heard) == sip.TRIES
    async with patient(place({sip.SIP: Spot(HOST, 1)})) as one:
        for transport in ("udp", "tcp"):
            assert "nothing listens" in (await sip.over(transport)(one)).what  # type: ignore[arg-type]
    async with streams(lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n") as spot, patient(place({sip.SIP: spot})) as one:
        with pytest.raises(Unwell, match="not SIP"):
            await sip.over("tcp")(one)
    async with patient(place()) as one:
        with pytest.raises(NotTried, match="no SIP gateway"):
            await sip.over("udp")(one)


async def test_a_port_that_is_cut() -> None:
    async with streams(lambda _: b"") as spot, patient(place({sip.SIP: spot})) as one:
        assert "cut the connection" in (await sip.over("tcp")(one)).what


async def test_telephones_may_know_the_gateway_by_another_name() -> None:
    async with streams(lambda _: None, certificate("sip.test")[1]) as spot, patient(place({sip.SIPS: spot})) as one:
        found = await sip.certificate(one)
    assert found.verdict is Verdict.WARN and "sip.test" in found.what
