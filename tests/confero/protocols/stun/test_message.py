"""Heads, attributes in order, what may be read behind integrity, and what is refused."""

from __future__ import annotations

import struct

import pytest

from confero.protocols.stun import Integrity, Kind, Message, Method, StunError, build, has_true_fingerprint, proves
from confero.protocols.stun import attributes as a

ID = bytes(range(12))
KEY = b"key"


def row(number: int, value: bytes, padding: bytes = b"\0\0\0") -> bytes:
    return struct.pack("!HH", number, len(value)) + value + padding[: -len(value) % 4]


def raw(*rows: bytes, head: int = 0x0001, length: int | None = None, cookie: bytes = b"\x21\x12\xa4\x42") -> bytes:
    body = b"".join(rows)
    return struct.pack("!HH4s12s", head, len(body) if length is None else length, cookie, ID) + body


@pytest.mark.parametrize("method", [*Method, 0x000, 0x00F, 0x0FF, 0x555, 0xFFF])
@pytest.mark.parametrize("kind", list(Kind))
def test_method_and_kind_share_their_bits(method: int, kind: Kind) -> None:
    message = Message.parse(build(method, kind, ID))
    assert (message.method, message.kind, message.transaction_id) == (method, kind, ID)


@pytest.mark.parametrize(
    ("method", "kind", "bits"),
    [
        (Method.BINDING, Kind.REQUEST, 0x0001),
        (Method.BINDING, Kind.SUCCESS, 0x0101),
        (Method.ALLOCATE, Kind.ERROR, 0x0113),
        (Method.SEND, Kind.INDICATION, 0x0016),
        (Method.DATA, Kind.INDICATION, 0x0017),
        (Method.CHANNEL_BIND, Kind.SUCCESS, 0x0109),
        (Method.CONNECTION_ATTEMPT, Kind.INDICATION, 0x001C),
    ],
)
def test_known_types(method: int, kind: Kind, bits: int) -> None:
    assert build(method, kind, ID)[:2] == struct.pack("!H", bits)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        raw()[:19],
        raw(head=0x4001),
        raw(head=0x8001),
        raw(cookie=b"\x21\x12\xa4\x43"),
        raw(length=4),
        raw(row(0x8022, b"abcd"), length=4),
        raw(row(0x8022, b"abcd")) + b"\0",
        raw(b"\x80\x22\x00\x05abcd"),
        raw(b"\x80\x22\xff\xffabcd"),
        raw(row(0x8028, b"abcd"), row(0x8022, b"")),
        raw(*[row(0x8022, b"")] * 129),
    ],
    ids=[
        *("nothing", "short", "bits 01", "bits 10", "another cookie", "too short", "too long", "a byte more"),
        *("past the end", "far past the end", "fingerprint not last", "too many attributes"),
    ],
)
def test_refused(data: bytes) -> None:
    with pytest.raises(StunError):
        Message.parse(data)


def test_the_first_of_several_counts() -> None:
    """Section 14."""
    message = Message.parse(raw(row(0x0006, b"ann"), row(0x0006, b"bob")))
    assert message.get(a.USERNAME) == "ann"
    assert message.all(a.USERNAME) == ["ann", "bob"]


def test_padding_is_not_looked_at_but_covered() -> None:
    """Section 14: padding may be anything; as the sender wrote it it is under the integrity."""
    message = Message.parse(raw(row(0x0006, b"ann", b"\xff\xff\xff")))
    assert message.get(a.USERNAME) == "ann"
    assert bytes(message) == raw(row(0x0006, b"ann"))


def test_what_integrity_does_not_cover_is_not_read() -> None:
    """Sections 14.5 and 14.6: behind it come MESSAGE-INTEGRITY-SHA256 and FINGERPRINT alone."""
    head = build(Method.ALLOCATE, Kind.REQUEST, ID, [a.USERNAME.of("ann")], integrity=Integrity(KEY))
    message = Message.parse(raw(head[20:], row(0x0014, b"realm"), row(0x0006, b"bob"), head=0x0003))
    assert message.get(a.REALM) is None and a.REALM not in message
    assert message.get(a.USERNAME) == "ann" and message.all(a.USERNAME) == ["ann"]
    assert message.unknown(()) == (a.USERNAME.number, a.MESSAGE_INTEGRITY.number)
    # The length in the head is not what was covered, section 14.5: it is set back for the check.
    assert proves(message, KEY)


def test_sha256_may_follow_sha1_and_counts() -> None:
    """Section 14.5, 9.2.4: of both the stronger one is checked."""
    first = build(Method.ALLOCATE, Kind.REQUEST, ID, [a.USERNAME.of("ann")], integrity=Integrity(KEY))
    body = first[20:]
    second = Integrity(KEY, sha256=True).over(raw(body, head=0x0003, length=len(body) + 36))
    message = Message.parse(raw(body, row(0x001C, second), head=0x0003))
    assert proves(message, KEY)
    wrong = Message.parse(raw(body, row(0x001C, bytes(32)), head=0x0003))
    assert not proves(wrong, KEY)


def test_sha1_behind_sha256_is_not_read() -> None:
    first = build(Method.ALLOCATE, Kind.REQUEST, ID, integrity=Integrity(b"other", sha256=True))
    body = first[20:]
    second = Integrity(KEY).over(raw(body, head=0x0003, length=len(body) + 24))
    message = Message.parse(raw(body, row(0x0008, second), head=0x0003))
    assert a.MESSAGE_INTEGRITY not in message and not proves(message, KEY) and proves(message, b"other")


@pytest.mark.parametrize(("size", "least", "good"), [(32, 32, True), (28, 32, False), (28, 16, True), (16, 16, True)])
def test_truncation(size: int, least: int, good: bool) -> None:
    """Section 14.6: 16 bytes at least, and all 32 unless the usage says otherwise."""
    text = raw(head=0x0003, length=4 + size)
    message = Message.parse(raw(row(0x001C, Integrity(KEY, sha256=True).over(text)[:size]), head=0x0003))
    assert proves(message, KEY, least=least) is good


@pytest.mark.parametrize("size", [0, 4, 12, 15, 17, 18, 36])
def test_truncation_to_what_is_never_allowed(size: int) -> None:
    text = raw(head=0x0003, length=4 + size)
    value = (Integrity(KEY, sha256=True).over(text) * 2)[:size]
    assert not proves(Message.parse(raw(row(0x001C, value), head=0x0003)), KEY, least=0)


@pytest.mark.parametrize("size", [0, 16, 24])
def test_an_integrity_of_another_length_proves_nothing(size: int) -> None:
    assert not proves(Message.parse(raw(row(0x0008, bytes(size)))), KEY)


def test_both_and_a_fingerprint() -> None:
    rows = [a.REALM.of("r"), a.NONCE.of(b"n")]
    data = build(Method.REFRESH, Kind.SUCCESS, ID, rows, integrity=Integrity(KEY, sha256=True), fingerprint=True)
    message = Message.parse(data)
    assert bytes(message) == data and message == Message.parse(data)
    assert proves(message, KEY) and has_true_fingerprint(message)
    assert repr(message) == "<REFRESH SUCCESS 000102030405060708090a0b>"


def test_unknown_attributes_are_those_that_must_be_understood() -> None:
    message = Message.parse(raw(row(0x0003, b"abcd"), row(0x7FFF, b""), row(0x0006, b"ann"), row(0x8FFF, b"")))
    assert message.unknown({a.USERNAME.number}) == (0x0003, 0x7FFF)


@pytest.mark.parametrize("method", [-1, 0x1000])
def test_a_method_that_does_not_fit(method: int) -> None:
    with pytest.raises(ValueError):
        build(method, Kind.REQUEST, ID)


def test_a_message_that_does_not_fit() -> None:
    with pytest.raises(ValueError):
        build(Method.SEND, Kind.INDICATION, ID, [a.DATA.of(bytes(0xFFFF))])
    with pytest.raises(ValueError):
        build(Method.SEND, Kind.INDICATION, b"short")
