"""Tokens: what is signed comes back; what is bent, of another kind, late or foreign does not, and never as another error."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confero.errors import LocalError
from confero.tokens import (
    MAX_TOKEN,
    TokenExpired,
    TokenInvalid,
    check_service_token,
    service_token,
    sign,
    verify,
)

SECRET = b"s" * 32
NOW = 1_800_000_000.0
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def make(**claims: Any) -> str:
    return sign(claims or {"room": "r"}, kind="join", secret=SECRET, expires=NOW + 60)


@given(st.dictionaries(st.text(max_size=8).filter(lambda name: name != "exp"), JSON, max_size=4))
@settings(max_examples=150, deadline=None)
def test_claims_come_back(claims: dict[str, Any]) -> None:
    token = sign(claims, kind="join", secret=SECRET, expires=NOW + 60)
    assert verify(token, kind="join", secret=SECRET, now=NOW) == {**claims, "exp": NOW + 60}
    assert set(token) <= set(ALPHABET + ".")


@given(st.text() | st.from_regex(r"[A-Za-z0-9_=-]{0,40}\.[A-Za-z0-9_=-]{0,60}", fullmatch=True))
@settings(max_examples=300, deadline=None)
def test_anything_else_is_invalid_and_nothing_but_invalid(token: str) -> None:
    with pytest.raises(TokenInvalid):
        verify(token, kind="join", secret=SECRET, now=NOW)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_bent_token_passes(data: st.DataObject) -> None:
    """Whatever single character is replaced, added or lost, also where base64 would not care."""
    token = make(name="Zoë", n=[1, 2])
    at = data.draw(st.integers(0, len(token) - 1))
    new = data.draw(st.sampled_from([*ALPHABET, ".", "=", "+", "/", " ", "\n", ""]))
    bent = data.draw(st.sampled_from([token[:at] + new + token[at + 1 :], token[:at] + new + token[at:]]))
    if bent != token:
        with pytest.raises(TokenInvalid):
            verify(bent, kind="join", secret=SECRET, now=NOW)


@pytest.mark.parametrize("token", [None, b"a.b", 7, "", ".", "a.b.c", "é.é", "\ud800.x", "a" * (MAX_TOKEN + 1)])
def test_odd_values(token: Any) -> None:
    with pytest.raises(TokenInvalid):
        verify(token, kind="join", secret=SECRET, now=NOW)


def test_kind_and_secret_are_bound_in() -> None:
    token = make()
    for kind, secret in (("service", SECRET), ("join2", SECRET), ("", SECRET), ("join", b"t" * 32)):
        with pytest.raises(TokenInvalid):
            verify(token, kind=kind, secret=secret, now=NOW)


def test_expiry_and_leeway() -> None:
    token = make()
    assert verify(token, kind="join", secret=SECRET, now=NOW + 59.9)
    with pytest.raises(TokenExpired):
        verify(token, kind="join", secret=SECRET, now=NOW + 60)
    assert verify(token, kind="join", secret=SECRET, now=NOW + 69, leeway=10)
    with pytest.raises(TokenExpired):
        verify(token, kind="join", secret=SECRET, now=NOW + 70, leeway=10)


def test_errors_are_for_the_peer() -> None:
    assert (TokenInvalid().status, TokenInvalid().code) == (401, "token-invalid")
    assert (TokenExpired().status, TokenExpired().code) == (401, "token-expired")


@pytest.mark.parametrize(
    "payload",
    [b"[1]", b"{}", b'{"exp": "soon"}', b'{"exp": true}', b'{"exp": NaN}', b"\xff", b'{"exp": -1e999}', b"[" * 2000],
)
def test_what_another_holder_of_the_secret_signs_wrongly(payload: bytes) -> None:
    text = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    key = hmac.digest(SECRET, b"confero token 1\0join", "sha256")
    tag = base64.urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")).rstrip(b"=").decode()
    with pytest.raises((TokenInvalid, TokenExpired)):
        verify(f"{text}.{tag}", kind="join", secret=SECRET, now=NOW)


def test_the_format_is_what_the_module_says() -> None:
    payload, tag = make(a=1).split(".")
    assert json.loads(base64.urlsafe_b64decode(payload + "==")) == {"a": 1, "exp": NOW + 60}
    assert len(base64.urlsafe_b64decode(tag + "=")) == 32


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"a": object()},
        {"a": float("nan")},
        {"a": "x" * MAX_TOKEN},
        {"a": "\ud800"},
        {1: "int key", (2,): 0},
    ],
)
def test_misuse_is_our_own_error(claims: dict[str, Any]) -> None:
    with pytest.raises(LocalError):
        sign(claims, kind="join", secret=SECRET, expires=NOW)


def test_a_short_secret_or_an_endless_token_is_our_own_error() -> None:
    with pytest.raises(LocalError):
        sign({}, kind="join", secret=b"short", expires=NOW)
    with pytest.raises(LocalError):
        sign({}, kind="join", secret=SECRET, expires=float("inf"))


def test_service_tokens() -> None:
    token = service_token("mcu", "notifier", secret=SECRET, now=NOW)
    assert check_service_token(token, audience="notifier", secret=SECRET, now=NOW + 30) == "mcu"
    assert check_service_token(token, audience="notifier", secret=SECRET, now=NOW + 69) == "mcu", "clocks may differ"
    with pytest.raises(TokenInvalid):
        check_service_token(token, audience="appserver", secret=SECRET, now=NOW)
    with pytest.raises(TokenExpired):
        check_service_token(token, audience="notifier", secret=SECRET, now=NOW + 71)
    with pytest.raises(TokenInvalid):
        check_service_token(make(), audience="notifier", secret=SECRET, now=NOW)


def test_a_service_token_must_name_its_caller() -> None:
    token = sign({"aud": "mcu", "iss": 7}, kind="service", secret=SECRET, expires=NOW + 60)
    with pytest.raises(TokenInvalid):
        check_service_token(token, audience="mcu", secret=SECRET, now=NOW)
