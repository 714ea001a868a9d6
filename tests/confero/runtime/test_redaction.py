"""Nothing secret passes, whether its name or its shape tells; and nothing grows without bound."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confero.runtime.redaction import MASK, clean, clean_text, is_secret_name
from confero.tokens import sign

TOKEN = sign({"room": "r1"}, kind="join", secret=b"s" * 32, expires=1e9)


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "joinToken",
        "previous_token",
        "ice-pwd",
        "ice_pwd",
        "secret",
        "PASSWORD",
        "Authorization",
        "srtp_key",
        "apiKey",
        "Set-Cookie",
    ],
)
def test_telling_names(name: str) -> None:
    assert is_secret_name(name) and clean(name, "x") == MASK


@pytest.mark.parametrize("name", ["keyframe", "monkey", "room", "secretary", "tokenizer", "", "9", "passed"])
def test_harmless_names(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("v=0\r\na=ice-pwd:abcDEF123\r\na=x", "v=0\r\na=ice-pwd:***\r\na=x"),
        ("a=crypto:1 AEAD_AES_128_GCM inline:c2VjcmV0|2^20\r\n", "a=crypto:1 AEAD_AES_128_GCM inline:***\r\n"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer ***"),
        ("basic dXNlcg==", "basic ***"),
        ("mysql+aiomysql://me:pa%40ss@db:3306/x", "mysql+aiomysql://me:***@db:3306/x"),
        ("http://127.0.0.1:80/a@b", "http://127.0.0.1:80/a@b"),
        (f"got {TOKEN}, refused", "got ***, refused"),
    ],
)
def test_secrets_inside_texts(text: str, rest: str) -> None:
    assert clean_text(text) == rest


def test_nested_values() -> None:
    value = {"headers": {"Authorization": "x", "Host": "h"}, "list": [{"pwd": "p"}, TOKEN], "n": None, "token": None}
    assert clean("v", value) == {
        "headers": {"Authorization": MASK, "Host": "h"},
        "list": [{"pwd": MASK}, MASK],
        "n": None,
        "token": None,
    }
    assert clean("tokens", ["a", "b"]) == MASK and clean("has_token", True) is True


def test_bounds() -> None:
    assert len(clean("x", "y" * 100_000)) < 4100
    assert len(clean("x", list(range(1000)))) == 50
    deep: object = "end"
    for _ in range(100):
        deep = [deep]
    assert len(repr(clean("x", deep))) < 4200


class Odd:
    def __str__(self) -> str:
        return TOKEN


def test_other_objects_become_text() -> None:
    assert clean("x", Odd()) == MASK


@given(
    st.recursive(
        st.text() | st.binary(max_size=9) | st.floats(),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
        max_leaves=20,
    )
)
@settings(max_examples=100, deadline=None)
def test_anything_can_be_cleaned(value: object) -> None:
    clean("value", value)
