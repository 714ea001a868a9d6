"""User-to-User information: what we pack comes out again; what others send is text, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confero.protocols.sip.uui import MAX_DATA, pack, unpack


@pytest.mark.parametrize("text", ["", "order=4711", "Grüße, 電話", 'a "quoted"; value, with commas', "two\nlines"])
def test_what_is_packed_comes_out(text: str) -> None:
    assert unpack(pack(text)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("48656c6c6f;encoding=hex", "Hello"),
        ("48656C6C6F", "Hello"),
        ("  48656c6c6f ; purpose=isdn-uui ; encoding=HEX", "Hello"),
        ('"order 4711";encoding=text', "order 4711"),
        ('"say \\"hi\\"";encoding=ascii', 'say "hi"'),
        ("order-4711", "order-4711"),
        ("ff00ff;encoding=hex", ""),
        ("610062;encoding=hex", "ab"),
        (";encoding=hex", ""),
        ("61" * (MAX_DATA + 1), ""),
        ("61" * MAX_DATA, "a" * MAX_DATA),
    ],
)
def test_what_others_send(value: str, text: str) -> None:
    assert unpack(value) == text


@given(st.text(max_size=300))
def test_whatever_comes(value: str) -> None:
    """Text without control characters, of bounded length."""
    text = unpack(value)
    assert len(text.encode(errors="replace")) <= MAX_DATA
    assert not any(ord(c) < 32 and c not in "\t\r\n" for c in text)
