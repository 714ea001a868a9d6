"""Keys, names as OpaqueString has them, and the cookies of nonces."""

from __future__ import annotations

import pytest

from confero.protocols.stun import MD5, SHA256, features_of, make_key, nonce_cookie, opaque_string


def test_the_key_of_the_specification() -> None:
    """RFC 8489 section 9.2.2."""
    assert make_key("user", "realm", "pass", MD5).hex() == "8493fbc53ba582fb4c044c456bdc40eb"
    assert len(make_key("user", "realm", "pass", SHA256)) == 32


@pytest.mark.parametrize(
    ("given", "prepared"),
    [
        ("ann", "ann"),
        ("correct horse", "correct horse"),
        ("caf\u0065\u0301", "caf\u00e9"),
        ("a\u3000b\u00a0c", "a b c"),
        ("Ann", "Ann"),
        ("\u30de\u30c8", "\u30de\u30c8"),
        ("\u2168", "\u2168"),
    ],
)
def test_opaque_string(given: str, prepared: str) -> None:
    """RFC 8265 section 4.2: spaces become ASCII, NFC, no folding of case, and compatibility forms stay."""
    assert opaque_string(given) == prepared
    assert opaque_string(prepared) == prepared


@pytest.mark.parametrize("given", ["", "a\0", "a\n", "a\u00ad", "a\u200b", "a\ue000", "a\ud800", "a\uffff"])
def test_opaque_string_forbids_what_nobody_sees(given: str) -> None:
    with pytest.raises(ValueError):
        opaque_string(given)


@pytest.mark.parametrize("features", [0, 1, 1 << 23, 1 << 22 | 1 << 23, 0xFFFFFF])
def test_cookies(features: int) -> None:
    cookie = nonce_cookie(features)
    assert len(cookie) == 13 and features_of(cookie + b"rest") == features_of(cookie) == features


def test_the_cookie_of_no_features() -> None:
    """Section 9.2."""
    assert nonce_cookie(0) == b"obMatJos2AAAA"


@pytest.mark.parametrize(
    "nonce", [b"", b"obMatJos2", b"obMatJos2AAA", b"obMatJos1AAAA", b"obMatJos2A=AA", b"obMatJos2\xff\xff\xff\xff"]
)
def test_nonces_without_a_cookie(nonce: bytes) -> None:
    assert features_of(nonce) is None
