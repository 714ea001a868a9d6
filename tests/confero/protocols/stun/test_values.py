"""Each kind of value: what is written is read again; what is malformed is StunError for who reads, ValueError for who writes."""

from __future__ import annotations

from typing import Any

import pytest

from confero.protocols.stun import Algorithm, ErrorCode, FamilyError, Kind, Message, Method, StunError, build
from confero.protocols.stun import attributes as a
from confero.protocols.stun.attributes import ATTRIBUTES, Attribute

from .test_message import ID, raw, row

PAIRS: list[tuple[Attribute[Any], Any, str]] = [
    (a.MAPPED_ADDRESS, ("192.0.2.1", 32853), "0001 8055 c0000201"),
    (a.XOR_MAPPED_ADDRESS, ("192.0.2.1", 32853), "0001 a147 e112a643"),
    (a.XOR_PEER_ADDRESS, ("2001:db8::1", 1), "0002 2113 0113a9fa 00010203 04050607 08090a0a"),
    (a.ALTERNATE_SERVER, ("2001:db8::1", 443), "0002 01bb 20010db8 00000000 00000000 00000001"),
    (a.USERNAME, "1800000000:ann", "313830303030303030303a616e6e"),
    (a.CHANNEL_NUMBER, 0x4001, "40010000"),
    (a.LIFETIME, 600, "00000258"),
    (a.REQUESTED_TRANSPORT, 17, "11000000"),
    (a.REQUESTED_ADDRESS_FAMILY, 2, "02000000"),
    (a.EVEN_PORT, True, "80"),
    (a.EVEN_PORT, False, "00"),
    (a.DONT_FRAGMENT, True, ""),
    (a.RESERVATION_TOKEN, b"12345678", "3132333435363738"),
    (a.CONNECTION_ID, 0xFEDCBA98, "fedcba98"),
    (a.ERROR_CODE, ErrorCode(438, "Stale Nonce"), "0000 04 26 5374616c65204e6f6e6365"),
    (a.ADDRESS_ERROR_CODE, FamilyError(2, 440, "no"), "0200 04 28 6e6f"),
    (a.UNKNOWN_ATTRIBUTES, (0x0003, 0x001A), "0003001a"),
    (a.PASSWORD_ALGORITHMS, (Algorithm(2), Algorithm(1)), "0002 0000 0001 0000"),
    (a.PASSWORD_ALGORITHMS, (Algorithm(7, b"abc"), Algorithm(1)), "0007 0003 61626300 0001 0000"),
    (a.PASSWORD_ALGORITHM, Algorithm(2), "0002 0000"),
]


@pytest.mark.parametrize(("attribute", "value", "wire"), PAIRS)
def test_written_and_read(attribute: Attribute[Any], value: Any, wire: str) -> None:
    data = build(Method.ALLOCATE, Kind.REQUEST, ID, [attribute.of(value)])
    assert data[20:] == row(attribute.number, bytes.fromhex(wire))
    assert Message.parse(data).get(attribute) == value


@pytest.mark.parametrize(
    ("attribute", "wire"),
    [
        (a.XOR_PEER_ADDRESS, ""),
        (a.XOR_PEER_ADDRESS, "00"),
        (a.XOR_PEER_ADDRESS, "0001a147e112a6"),
        (a.XOR_PEER_ADDRESS, "0001a147e112a64300"),
        (a.XOR_PEER_ADDRESS, "0003a147e112a643"),
        (a.XOR_PEER_ADDRESS, "0002a147e112a643"),
        (a.XOR_MAPPED_ADDRESS, "0001" + "00" * 18),
        (a.USERNAME, ""),
        (a.USERNAME, "ff"),
        (a.USERNAME, "61" * 764),
        (a.REALM, "c328"),
        (a.NONCE, "61" * 764),
        (a.LIFETIME, "000258"),
        (a.LIFETIME, "0000025800"),
        (a.CHANNEL_NUMBER, "4001"),
        (a.REQUESTED_TRANSPORT, "11"),
        (a.EVEN_PORT, ""),
        (a.EVEN_PORT, "8000"),
        (a.DONT_FRAGMENT, "00"),
        (a.RESERVATION_TOKEN, "31323334353637"),
        (a.USERHASH, "00" * 31),
        (a.ERROR_CODE, "000004"),
        (a.ERROR_CODE, "00000226"),
        (a.ERROR_CODE, "00000726"),
        (a.ERROR_CODE, "00000464"),
        (a.ADDRESS_ERROR_CODE, ""),
        (a.UNKNOWN_ATTRIBUTES, "000300"),
        (a.PASSWORD_ALGORITHMS, "0002"),
        (a.PASSWORD_ALGORITHMS, "00020004"),
        (a.PASSWORD_ALGORITHM, ""),
        (a.PASSWORD_ALGORITHM, "0002000000010000"),
    ],
)
def test_malformed(attribute: Attribute[Any], wire: str) -> None:
    message = Message.parse(raw(row(attribute.number, bytes.fromhex(wire))))
    with pytest.raises(StunError, match=attribute.name):
        message.get(attribute)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (a.XOR_PEER_ADDRESS, ("192.0.2", 1)),
        (a.XOR_PEER_ADDRESS, ("192.0.2.256", 1)),
        (a.XOR_PEER_ADDRESS, ("::g", 1)),
        (a.XOR_PEER_ADDRESS, ("192.0.2.1", 65536)),
        (a.LIFETIME, -1),
        (a.LIFETIME, 1 << 32),
        (a.USERNAME, ""),
        (a.USERNAME, "a" * 509),
        (a.NONCE, b"a" * 764),
        (a.RESERVATION_TOKEN, b"1234567"),
        (a.CHANNEL_NUMBER, 1 << 16),
        (a.ERROR_CODE, ErrorCode(299, "")),
        (a.ERROR_CODE, ErrorCode(700, "")),
        (a.REQUESTED_TRANSPORT, 256),
    ],
)
def test_what_cannot_be_said(attribute: Attribute[Any], value: Any) -> None:
    with pytest.raises(ValueError):
        build(Method.ALLOCATE, Kind.REQUEST, ID, [attribute.of(value)])


def test_reserved_bytes_are_not_looked_at() -> None:
    """RFC 8489 section 14.8, RFC 8656 sections 18.1, 18.6 to 18.8, 18.11."""
    rows = (row(0x000C, b"\x40\x01\xff\xff"), row(0x0019, b"\x11\xff\xff\xff"), row(0x0018, b"\xff"))
    message = Message.parse(raw(*rows, row(0x0009, b"\xff\xff\xfc\x00")))
    assert message.get(a.CHANNEL_NUMBER) == 0x4001 and message.get(a.REQUESTED_TRANSPORT) == 17
    assert message.get(a.EVEN_PORT) is True and message.get(a.ERROR_CODE) == ErrorCode(400, "")


def test_the_table_has_each_number_and_name_once() -> None:
    assert len({one.name for one in ATTRIBUTES.values()}) == len(ATTRIBUTES) == 34
    assert all(number == one.number for number, one in ATTRIBUTES.items())
