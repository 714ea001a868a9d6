"""ClientHellos of OpenSSL, cut anywhere, and bytes that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confero.protocols.clienthello import Hello, Malformed, read_hello

from ...support.hellos import hello, in_records

WHOLE = hello(["h2", "http/1.1"])
SAID = Hello("meet.example", ("h2", "http/1.1"))


def test_what_stands_in_it() -> None:
    assert read_hello(WHOLE) == SAID
    assert read_hello(hello()) == Hello("meet.example", ())
    assert read_hello(WHOLE + b"more") == SAID


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 31, 200, 10_000])
def test_in_records_of_any_length(size: int) -> None:
    assert read_hello(in_records(WHOLE, size)) == SAID


@pytest.mark.parametrize("data", [WHOLE, in_records(WHOLE, 7)])
def test_cut_at_each_byte_it_wants_more_and_never_more_than_there_will_be(data: bytes) -> None:
    for at in range(1, len(data)):
        wanted = read_hello(data[:at])
        assert isinstance(wanted, int) and at < wanted <= len(data)


def test_asked_again_as_it_wants_it_ends() -> None:
    data, at, turns = in_records(WHOLE, 100), 1, 0
    while isinstance(wanted := read_hello(data[:at]), int):
        at, turns = wanted, turns + 1
    assert turns <= 2 * (len(WHOLE) // 100 + 2), "a record costs two turns: for its head, and for the rest"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x17" + WHOLE[1:], "not a record of a handshake"),
        (b"\x16\x02" + WHOLE[2:], "not a record of a handshake"),
        (b"\x16\x03\x01\x00\x00" + WHOLE, "of that length"),
        (b"\x16\x03\x01\x40\x01" + WHOLE, "of that length"),
        (WHOLE[:5] + b"\x02" + WHOLE[6:], "not a ClientHello"),
        (b"\x16\x03\x01\x00\x04\x01\x00\x00\x00", "an empty ClientHello"),
        (WHOLE[:43] + b"\xff" + WHOLE[44:], "points beyond"),  # the session's id
    ],
)
def test_what_is_none(data: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read_hello(data)


def handmade(extensions: bytes) -> bytes:
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00" + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message


def extension(number: int, content: bytes) -> bytes:
    return number.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content


def vector(content: bytes, width: int = 2) -> bytes:
    return len(content).to_bytes(width, "big") + content


def test_one_without_extensions() -> None:
    assert read_hello(handmade(b"")) == Hello()


def test_names_that_are_no_text() -> None:
    name = extension(0, vector(b"\x00" + vector(b"caf\xe9")))
    alpn = extension(16, vector(vector(b"\xff", 1)))
    assert read_hello(handmade(vector(name + alpn))) == Hello("", ("\xff",))
    other = extension(0, vector(b"\x05" + vector(b"x") + b"\x00" + vector(b"Meet.Example")))
    assert read_hello(handmade(vector(other))) == Hello("meet.example")


def test_many_protocols_are_not_all_kept() -> None:
    alpn = extension(16, vector(vector(b"x", 1) * 500))
    found = read_hello(handmade(vector(alpn)))
    assert isinstance(found, Hello) and len(found.alpn) == 64


@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=40), st.integers(0, 600))
def test_whatever_is_changed_in_it_nothing_else_is_raised(at: int, put: bytes, size: int) -> None:
    data = (WHOLE[:at] + put + WHOLE[at + len(put) :])[:size]
    try:
        found = read_hello(data)
    except Malformed:
        return
    assert isinstance(found, Hello) or found > len(data)
