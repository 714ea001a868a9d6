"""The wire models: requests are strict, replies patient, and nothing is without bound."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from confero import models
from confero.models import (
    ClientMessage,
    JoinRequest,
    LegCreate,
    Participant,
    Publish,
    Reply,
    Request,
    RoomCreate,
    RoomEvent,
    SessionNotice,
)

ALL = [
    value
    for value in vars(models).values()
    if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == models.__name__
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def test_an_unknown_field_of_a_request_is_an_error_and_of_a_reply_is_not() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        RoomCreate.model_validate({"nmae": "x"})
    one = {"id": "p", "display_name": "x", "kind": "rtp", "leg": "l", "later": 1}
    assert Participant.model_validate(one).id == "p"


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_models_are_frozen_and_know_no_infinity(kind: type[BaseModel]) -> None:
    assert kind.model_config["frozen"] is True
    assert issubclass(kind, Request | Reply) or kind is models.Problem
    if kind is not models.Problem:
        assert kind.model_config["allow_inf_nan"] is False


def test_not_a_number_is_no_time() -> None:
    for at in ("NaN", "Infinity", "1e999"):
        with pytest.raises(ValidationError, match="finite number"):
            SessionNotice.model_validate_json(
                f'{{"kind": "connected", "session": "s", "participant": "p", "room": "r", "at": {at}}}'
            )


@pytest.mark.parametrize("bad", ["", "a/b", "a b", "x" * 65, "é", "a\n"])
def test_ids(bad: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(models.Id).validate_python(bad)


def test_names_are_trimmed_and_bounded() -> None:
    assert JoinRequest(display_name="  Zoë  ").display_name == "Zoë"
    for bad in ("", "   ", "x" * 65):
        with pytest.raises(ValidationError):
            JoinRequest(display_name=bad)


def walk(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, dict):
        return [schema, *(inner for value in schema.values() for inner in walk(value))]
    return [inner for value in schema for inner in walk(value)] if isinstance(schema, list) else []


@pytest.mark.parametrize("kind", [kind for kind in ALL if issubclass(kind, Request)], ids=lambda kind: kind.__name__)
def test_every_text_and_list_of_a_request_has_a_bound(kind: type[BaseModel]) -> None:
    schema = kind.model_json_schema()
    own = {key: value for key, value in schema.items() if key != "$defs"}
    for part in walk(own):
        if part.get("type") == "array":
            assert "maxItems" in part, part
        if part.get("type") == "string":
            assert {"maxLength", "pattern", "enum", "const"} & set(part), part


@given(JSON)
@settings(max_examples=200, deadline=None)
def test_garbage_raises_nothing_but_validation_errors(value: Any) -> None:
    text = json.dumps(value)
    for kind in (ClientMessage, RoomEvent, LegCreate, Publish):
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        with pytest.raises(ValidationError):
            adapter.validate_json(text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ClientMessage, {"type": "offer", "id": 1, "sdp": "v=0"}),
        (RoomEvent, {"type": "speakers", "speakers": [{"participant": "p", "level": 3}]}),
        (LegCreate, {"kind": "rtp", "participant": "p", "display_name": "x"}),
    ],
)
def test_unions_are_told_apart_by_their_tag(kind: Any, value: dict[str, Any]) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    made = adapter.validate_python(value)
    assert adapter.validate_json(made.model_dump_json()) == made
