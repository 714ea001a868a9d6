"""Whatever comes in, the parser answers with a Session that survives a round trip and an answer, or with SdpError; nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confero.protocols.sdp import (
    Fingerprint,
    LocalPorts,
    LocalSecurity,
    LocalStream,
    LocalTransport,
    SdpError,
    Session,
    answer_rtp,
    answer_webrtc,
    apply_answer,
    offer_rtp,
    parse,
    write,
)

DATA = Path(__file__).parents[3] / "data" / "sdp"
LINES = sorted({line for path in DATA.glob("*.sdp") for line in path.read_text().splitlines()})
STREAM = LocalStream(session_id=1, ssrc=2)
PORTS = LocalPorts("127.0.0.1", 6000, 6001)
TRANSPORT = LocalTransport((("127.0.0.1", 5000),), "abcdefgh", "p" * 24, Fingerprint("sha-256", bytes(32)))
OFFER = offer_rtp(STREAM, PORTS)
SECURE = LocalSecurity("optional", best_effort=True, fingerprint=TRANSPORT.fingerprint)
SECURE_OFFER = offer_rtp(STREAM, PORTS, security=SECURE)

lines = st.one_of(st.sampled_from(LINES), st.text(max_size=60), st.builds("a={}:{}".format, st.sampled_from(
    ["mid", "rtpmap", "fmtp", "candidate", "extmap", "group", "fingerprint", "setup", "rtcp", "ssrc", "msid", "ptime", "crypto"]
), st.text(max_size=40)))  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A capture with some lines dropped, doubled, swapped for others or bent by a character."""
    text = draw(st.sampled_from(sorted(DATA.glob("*.sdp")))).read_text().splitlines()
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text) - 1))
        line = text[at]
        cut = draw(st.integers(0, len(line)))
        bend = line[:cut] + draw(st.text(max_size=3)) + line[cut + draw(st.integers(0, 3)) :]
        text[at : at + 1] = draw(st.sampled_from([[], [line, line], [bend], [draw(lines)], [draw(lines), line]]))
        text = text or ["v=0"]
    return "\r\n".join(text)


def check(text: str | bytes) -> None:
    try:
        session = parse(text)
    except SdpError as error:
        assert error.status == 422 and error.detail
        return
    assert parse(write(session)) == session
    attempts: list[Callable[[Session], object]] = [
        lambda s: parse(write(answer_webrtc(s, STREAM, TRANSPORT).description)),
        lambda s: parse(write(answer_rtp(s, STREAM, PORTS).description)),
        lambda s: parse(write(answer_rtp(s, STREAM, PORTS, SECURE).description)),
        lambda s: apply_answer(OFFER, s),
        lambda s: apply_answer(SECURE_OFFER, s),
    ]
    for attempt in attempts:
        try:
            attempt(session)
        except SdpError as error:
            assert error.status == 422 and error.detail


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_mutated_captures(text: str) -> None:
    check(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(lines, max_size=30).map("\n".join))
def test_lines_in_any_order(text: str) -> None:
    check("v=0\no=- 1 1 IN IP4 127.0.0.1\n" + text)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.text(max_size=400)))
def test_noise(text: str | bytes) -> None:
    check(text)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(DATA.glob("*.sdp"))), st.data())
def test_every_cut(path: Path, data: st.DataObject) -> None:
    whole = path.read_bytes()
    check(whole[: data.draw(st.integers(0, len(whole)))])
