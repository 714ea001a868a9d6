"""Browsers' messages: msgspec reads here what the wire models of pydantic take, every field with its bounds, and nothing more."""

from __future__ import annotations

import json
import os
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from confero import models
from confero.notifier import wire

EXAMPLES = 2000 if os.environ.get("CONFERO_TEST_LONG") else 50
MODELS = TypeAdapter[models.ClientMessage](models.ClientMessage)
PAIRS = {
    models.Hello: wire.Hello,
    models.Offer: wire.Offer,
    models.Mute: wire.Mute,
    models.Leave: wire.Leave,
    models.Ping: wire.Ping,
    models.Position: wire.Place,
    models.Opening: wire.Opening,
}


def by_model(data: bytes) -> Any:
    try:
        return MODELS.validate_json(data).model_dump(mode="json")
    except ValidationError:
        return None


def by_structure(data: bytes) -> Any:
    try:
        return msgspec.to_builtins(wire.read_browser(data))
    except wire.Malformed:
        return None


def agree(data: bytes) -> Any:
    read = by_structure(data)
    assert read == by_model(data), data
    return read


def test_structures_have_the_fields_of_the_models() -> None:
    for model, structure in PAIRS.items():
        fields = {name for name in model.model_fields if name != "type"}
        assert fields == set(structure.__struct_fields__)


ids = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), st.sampled_from(["", "a b", "a\n", "é", "x" * 65])
)
whole = st.one_of(st.integers(-2, 3), st.sampled_from([2**53 - 1, 2**53, 2**70, 1.0, 1.5, True, "1", None]))
texts = st.one_of(
    st.text(max_size=20), st.sampled_from(["", "x" * 4096, "x" * 4097, "y" * 65_536, "y" * 65_537, 5, None])
)
places = st.fixed_dictionaries(
    {"topic": st.one_of(st.text(max_size=100), st.none()), "epoch": ids, "seq": whole}, optional={"more": st.just(1)}
)
FIELDS = {
    "token": texts,
    "resume": st.one_of(ids, st.none(), st.just(3)),
    "seen": st.one_of(st.lists(places, max_size=3), st.lists(places, min_size=9, max_size=9), st.none()),
    "id": whole,
    "sdp": texts,
    "leg": st.one_of(ids, st.none()),
    "muted": st.sampled_from([True, False, 0, 1, "true", "on", None]),
    "more": st.just(1),
}
KINDS = {
    "hello": "token",
    "offer": "id sdp",
    "mute": "id muted",
    "leave": "id",
    "ping": "id",
    "publish": "",
    "Hello": "token",
}


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """Mostly the fields of its kind, sometimes others, sometimes not all."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    wanted = set(KINDS[kind].split())
    extra = draw(st.sets(st.sampled_from(sorted(FIELDS)), max_size=1))
    absent = (
        draw(st.sets(st.sampled_from(sorted(wanted)), max_size=1)) if wanted and draw(st.integers(0, 4)) == 0 else set()
    )
    usual = {"resume", "seen"} if kind == "hello" else {"leg"} if kind == "offer" else set()
    chosen = (wanted | extra | draw(st.sets(st.sampled_from(sorted(usual or wanted or {"more"}))))) - absent
    return {"type": kind, **{name: draw(FIELDS[name]) for name in sorted(chosen)}}


@settings(max_examples=EXAMPLES, deadline=None)
@given(messages())
def test_both_read_the_same(message: dict[str, Any]) -> None:
    agree(json.dumps(message).encode())


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_malformed(data: bytes) -> None:
    for read in (
        wire.read_browser,
        wire.read_opening,
        wire.read_publication,
        wire.type_of,
        wire.read_change,
        wire.read_control,
    ):
        try:
            read(data)
        except wire.Malformed:
            continue


OPENING = {
    "resume": FIELDS["resume"],
    "seen": FIELDS["seen"],
    "wait_s": st.one_of(st.floats(), st.integers(-1, 27), st.sampled_from(["1", True, None])),
    "greet": FIELDS["muted"],
}


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.fixed_dictionaries({}, optional=OPENING))
def test_openings_are_read_alike(opening: dict[str, Any]) -> None:
    data = json.dumps(opening).encode()
    try:
        by_pydantic = models.Opening.model_validate_json(data).model_dump(mode="json")
    except ValidationError:
        by_pydantic = None
    try:
        read = msgspec.to_builtins(wire.read_opening(data))
    except wire.Malformed:
        read = None
    assert read == by_pydantic


GOOD = [
    b'{"type":"hello","token":"t"}',
    b'{"type":"hello","token":"t","resume":"ses_1","seen":[{"topic":"room:a","epoch":"e","seq":0}]}',
    b'{"id":0,"sdp":"v=0\\r\\n","type":"offer","leg":null}',
    '{"type":"offer","id":9007199254740991,"sdp":"\U0001f600"}'.encode(),
    b'{"type":"mute","id":1,"muted":false}',
    b' {"type" : "ping", "id": 1}\n',
]


@pytest.mark.parametrize("data", GOOD)
def test_good_messages(data: bytes) -> None:
    assert agree(data) is not None


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(GOOD), st.integers(0, 120), st.binary(min_size=0, max_size=3))
def test_damaged_messages_are_judged_alike(data: bytes, at: int, put: bytes) -> None:
    """Both take or refuse it; which of two equal names counts is all that they may differ in."""
    damaged = data[:at] + put + data[at + 1 :]
    assert (by_structure(damaged) is None) == (by_model(damaged) is None), damaged
