"""Whatever comes in, the parser answers with a message that survives being written and read, or with SipError; nothing else."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confero.protocols.sip import Message, Request, Response, SipError, ack_for, cancel_for, parse, response_to
from confero.protocols.sip.framing import StreamFramer
from confero.protocols.sip.inspection import METHODS, Abilities, refusal

DATA = Path(__file__).parents[3] / "data" / "sip"
SEEDS = [path.read_bytes() for path in sorted(DATA.glob("rfc*/*.dat"))]
LINES = sorted({line for seed in SEEDS for line in seed.split(b"\r\n\r\n")[0].split(b"\r\n")})
ABILITIES = Abilities(tuple(METHODS))
NAMES = [
    "Via",
    "v",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "m",
    "Route",
    "Record-Route",
    "Max-Forwards",
    "l",
    "Accept",
    "c",
]
PIECES = [
    "<",
    ">",
    '"',
    "\\",
    ";",
    "=",
    ",",
    ":",
    "@",
    "%",
    "?",
    "[",
    "]",
    " ",
    "\t",
    "\r\n ",
    "sip:",
    "tag",
    "SIP/2.0/UDP",
    "1",
    "a",
    "é",
]

bends = st.one_of(
    st.binary(max_size=3), st.sampled_from([piece.encode() for piece in [*PIECES, ";tag", "\r", "\n", "\0"]])
)
values = st.lists(st.sampled_from(PIECES), max_size=16).map("".join)
lines = st.one_of(
    st.sampled_from(LINES),
    st.builds(
        lambda name, value: f"{name}: {value}".encode(), st.sampled_from(NAMES), st.one_of(values, st.text(max_size=30))
    ),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A torture message with lines dropped, doubled, swapped for others or bent by some bytes."""
    parts = draw(st.sampled_from(SEEDS)).split(b"\r\n")
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(parts) - 1))
        line = parts[at]
        cut = draw(st.integers(0, len(line)))
        bend = line[:cut] + draw(bends) + line[cut + draw(st.integers(0, 3)) :]
        parts[at : at + 1] = draw(st.sampled_from([[], [line, line], [bend], [draw(lines)], [draw(lines), line]]))
        parts = parts or [b""]
    return b"\r\n".join(parts)


def check(data: bytes) -> None:
    try:
        message = parse(data)
    except SipError as error:
        assert error.status in (400, 505, 513) and error.detail
        if isinstance(error.message, Request):
            read(response_to(error.message, error.status))
        return
    written = bytes(message)
    assert parse(written) == message and bytes(parse(written)) == written
    assert [parse(one) for one in StreamFramer().feed(written)] == [message]
    read(message)
    if isinstance(message, Request):
        follow(message)


def read(message: Message) -> None:
    """Each typed value is there, or its SipError."""
    for name in (
        "vias",
        "contacts",
        "routes",
        "record_routes",
        "expires",
        "max_forwards",
        "media_type",
        "cseq",
        "from_",
        "to",
    ):
        try:
            value = getattr(message, name)
            for one in value if isinstance(value, list) else [value]:
                assert one is None or isinstance(one, int) or type(one).parse(str(one)) == one
        except SipError as error:
            assert error.status == 400


def follow(request: Request) -> None:
    """What is made of a request can be read."""
    answer = response_to(request, 200, to_tag="tag")
    made: list[Message] = [answer, ack_for(request, answer), cancel_for(request)]
    found = refusal(request, ABILITIES, to_tag="tag")
    for message in made + ([found] if found else []):
        again = parse(bytes(message))
        assert again == message and again.call_id == request.call_id
    assert isinstance(parse(bytes(answer)), Response) and answer.to.tag


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_mutated_messages(data: bytes) -> None:
    check(data)


@settings(max_examples=120, deadline=None)
@given(st.lists(lines, max_size=20).map(b"\r\n".join))
def test_lines_in_any_order(data: bytes) -> None:
    head = (
        b"INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n"
        b"Call-ID: 1\r\nCSeq: 1 INVITE\r\n"
    )
    check(head + data + b"\r\n\r\n")


@settings(max_examples=120, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.text(max_size=300).map(str.encode)))
def test_noise(data: bytes) -> None:
    check(data)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SEEDS), st.data())
def test_every_cut(seed: bytes, data: st.DataObject) -> None:
    check(seed[: data.draw(st.integers(0, len(seed)))])
