"""aioice as judge: what we write it reads as we meant it, and what it writes we read."""

from __future__ import annotations

from typing import Any

import pytest
from aioice import stun as theirs

from confero.protocols.stun import Integrity, Kind, Message, Method, build, has_true_fingerprint, proves
from confero.protocols.stun import attributes as a
from confero.protocols.stun.attributes import ATTRIBUTES, Attribute

from .test_message import ID

KEY = b"0123456789abcdef"
KINDS = {
    Kind.REQUEST: theirs.Class.REQUEST,
    Kind.INDICATION: theirs.Class.INDICATION,
    Kind.SUCCESS: theirs.Class.RESPONSE,
    Kind.ERROR: theirs.Class.ERROR,
}
# Those that aioice has, as it has them: REQUESTED-TRANSPORT is a word of 32 bits there, a flag is None.
VALUES: list[tuple[Attribute[Any], Any, Any]] = [
    (a.MAPPED_ADDRESS, ("192.0.2.7", 7), ("192.0.2.7", 7)),
    (a.USERNAME, "1800000000:\u00e9", "1800000000:\u00e9"),
    (a.ERROR_CODE, (486, "Allocation Quota Reached"), (486, "Allocation Quota Reached")),
    (a.CHANNEL_NUMBER, 0x4FFF, 0x4FFF),
    (a.LIFETIME, 3600, 3600),
    (a.XOR_PEER_ADDRESS, ("2001:db8::7", 65535), ("2001:db8::7", 65535)),
    (a.DATA, b"abc", b"abc"),
    (a.REALM, "confero", "confero"),
    (a.NONCE, b"nonce", b"nonce"),
    (a.XOR_RELAYED_ADDRESS, ("198.51.100.1", 49152), ("198.51.100.1", 49152)),
    (a.REQUESTED_TRANSPORT, 17, 17 << 24),
    (a.XOR_MAPPED_ADDRESS, ("2001:db8:1:2:3:4:5:6", 1), ("2001:db8:1:2:3:4:5:6", 1)),
    (a.PRIORITY, 0x6E0001FF, 0x6E0001FF),
    (a.USE_CANDIDATE, True, None),
    (a.SOFTWARE, "confero", "confero"),
    (a.ICE_CONTROLLED, b"\1\2\3\4\5\6\7\x08", 0x0102030405060708),
]


@pytest.mark.parametrize("method", list(theirs.Method))
@pytest.mark.parametrize("kind", list(Kind))
def test_methods_and_kinds(method: theirs.Method, kind: Kind) -> None:
    read = theirs.parse_message(build(int(method), kind, ID))
    assert (read.message_method, read.message_class, read.transaction_id) == (method, KINDS[kind], ID)


@pytest.mark.parametrize(("attribute", "ours", "its"), VALUES)
def test_what_we_write(attribute: Attribute[Any], ours: Any, its: Any) -> None:
    value = a.ErrorCode(*ours) if attribute is a.ERROR_CODE else ours
    data = build(Method.ALLOCATE, Kind.REQUEST, ID, [attribute.of(value)], integrity=Integrity(KEY), fingerprint=True)
    read = theirs.parse_message(data)
    assert read.attributes[attribute.name] == its
    assert read.check_message_integrity(KEY) and not read.check_message_integrity(b"other")


@pytest.mark.parametrize(("attribute", "ours", "its"), VALUES)
def test_what_it_writes(attribute: Attribute[Any], ours: Any, its: Any) -> None:
    written = theirs.Message(theirs.Method.ALLOCATE, theirs.Class.RESPONSE, ID, {attribute.name: its})
    written.add_message_integrity(KEY)
    message = Message.parse(bytes(written))
    assert message.get(attribute) == ours and message.kind == Kind.SUCCESS
    assert proves(message, KEY) and has_true_fingerprint(message) and not proves(message, b"other")


def test_numbers_are_the_same() -> None:
    common = {number for number in ATTRIBUTES if number in theirs.ATTRIBUTES_BY_TYPE}
    assert len(common) >= 18
    assert all(theirs.ATTRIBUTES_BY_TYPE[number][1] == ATTRIBUTES[number].name for number in common)
