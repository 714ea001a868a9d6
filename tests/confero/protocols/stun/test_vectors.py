"""The vectors of the specifications, which prove themselves by HMAC and CRC; and that each bit of them is covered."""

from __future__ import annotations

import pytest

from confero.protocols.stun import (
    MD5,
    PASSWORD_ALGORITHMS_BIT,
    SHA256,
    USERNAME_ANONYMITY_BIT,
    Kind,
    Message,
    Method,
    StunError,
    features_of,
    has_true_fingerprint,
    make_key,
    proves,
    user_hash,
)
from confero.protocols.stun import attributes as a

from . import vectors as v

LONG_TERM_KEY = make_key(v.USERNAME, v.REALM, v.PASSWORD, MD5)
SHA256_KEY = make_key(v.USERNAME, v.REALM, v.PASSWORD, SHA256)
KEYS = {
    "rfc5769-2.1-request": v.SHORT_TERM_KEY,
    "rfc5769-2.2-ipv4-response": v.SHORT_TERM_KEY,
    "rfc5769-2.3-ipv6-response": v.SHORT_TERM_KEY,
    "rfc5769-2.4-long-term": LONG_TERM_KEY,
    "rfc8489-b.1-erratum-6268": SHA256_KEY,
}


def test_every_vector_is_there() -> None:
    assert set(v.VECTORS) == set(KEYS)


def test_request() -> None:
    message = Message.parse(v.REQUEST)
    assert (message.method, message.kind) == (Method.BINDING, Kind.REQUEST)
    assert message.get(a.SOFTWARE) == "STUN test client"
    assert message.get(a.USERNAME) == "evtj:h6vY"
    assert message.get(a.PRIORITY) == 0x6E0001FF
    assert message.get(a.ICE_CONTROLLED) == bytes.fromhex("932ff9b151263b36")
    assert has_true_fingerprint(message)


def test_ipv4_response() -> None:
    message = Message.parse(v.IPV4_RESPONSE)
    assert message.kind == Kind.SUCCESS
    assert message.get(a.XOR_MAPPED_ADDRESS) == ("192.0.2.1", 32853)
    assert message.get(a.SOFTWARE) == "test vector" and has_true_fingerprint(message)


def test_ipv6_response() -> None:
    message = Message.parse(v.IPV6_RESPONSE)
    assert message.get(a.XOR_MAPPED_ADDRESS) == ("2001:db8:1234:5678:11:2233:4455:6677", 32853)
    assert has_true_fingerprint(message)


def test_long_term_credentials() -> None:
    message = Message.parse(v.LONG_TERM)
    assert message.get(a.USERNAME) == v.USERNAME and message.get(a.REALM) == v.REALM
    nonce = message.get(a.NONCE)
    assert nonce == b"f//499k954d6OL34oL9FSTvy64sA" and features_of(nonce) is None
    assert not has_true_fingerprint(message)


def test_hashed_name_and_sha256() -> None:
    message = Message.parse(v.SHA256_REQUEST)
    assert message.get(a.USERHASH) == user_hash(v.USERNAME, v.REALM)
    assert message.get(a.PASSWORD_ALGORITHM) == SHA256
    nonce = message.get(a.NONCE)
    # AAAC: bit 22 of the features, which is not assigned.
    assert nonce is not None and features_of(nonce) == 0b10
    assert not 0b10 & (PASSWORD_ALGORITHMS_BIT | USERNAME_ANONYMITY_BIT)


@pytest.mark.parametrize("name", KEYS)
def test_every_bit_is_covered(name: str) -> None:
    """A vector proves itself; with any bit turned it does not, or is no STUN any more, but for padding and fingerprint."""
    data, key = v.VECTORS[name], KEYS[name]
    message = Message.parse(data)
    assert proves(message, key) and not proves(message, key + b"x")
    attribute = a.MESSAGE_INTEGRITY if a.MESSAGE_INTEGRITY in message else a.MESSAGE_INTEGRITY_SHA256
    end = message.places[attribute.number] + (24 if attribute is a.MESSAGE_INTEGRITY else 36)
    for bit in range(8 * end):
        bent = bytearray(data)
        bent[bit // 8] ^= 0x80 >> bit % 8
        try:
            assert not proves(Message.parse(bytes(bent)), key), f"bit {bit}"
        except StunError:
            continue


@pytest.mark.parametrize("name", [name for name in KEYS if "2.4" not in name and "b.1" not in name])
def test_a_fingerprint_covers_every_bit(name: str) -> None:
    data = v.VECTORS[name]
    for bit in range(8 * len(data)):
        bent = bytearray(data)
        bent[bit // 8] ^= 0x80 >> bit % 8
        try:
            assert not has_true_fingerprint(Message.parse(bytes(bent))), f"bit {bit}"
        except StunError:
            continue
