"""What a configuration field is, seen from outside: its kind, its option, how text becomes its value, how it is described."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

SEQUENCES = (list, tuple, set, frozenset)
WORDS = {"SecretStr": "text", "str": "text", "bool": "true|false", "Path": "path", "int": "number", "float": "number"}


def kinds(annotation: Any) -> Iterator[Any]:
    """The plain types of an annotation, without Annotated, unions and None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from kinds(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for part in get_args(annotation):
            yield from kinds(part)
    elif annotation is not type(None):
        yield annotation


def is_list(info: FieldInfo) -> bool:
    return any((get_origin(kind) or kind) in SEQUENCES for kind in kinds(info.annotation))


def is_flag(info: FieldInfo) -> bool:
    return any(kind is bool for kind in kinds(info.annotation))


def is_secret(info: FieldInfo) -> bool:
    return any(kind is SecretStr for kind in kinds(info.annotation))


def option_name(name: str) -> str:
    """``http_port`` -> ``--http-port``"""
    return "--" + name.replace("_", "-")


def from_text(info: FieldInfo, text: str) -> Any:
    """Lists are split at commas; all else is left to pydantic, which reads numbers, truth values and paths from text."""
    if is_list(info):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def describe_kind(info: FieldInfo) -> str:
    """The values that a field takes, in a few words."""
    names: list[str] = []
    for kind in kinds(info.annotation):
        if get_origin(kind) is Literal:
            names += [str(value) for value in get_args(kind)]
        elif (get_origin(kind) or kind) in SEQUENCES:
            names.append("list")
        else:
            names.append(WORDS.get(kind.__name__, kind.__name__.lower()))
    return "|".join(dict.fromkeys(names))


def describe_default(info: FieldInfo) -> str:
    """The default as text; never a secret. ``json_schema_extra={"default": ...}`` describes one that depends on the machine."""
    extra = info.json_schema_extra
    if isinstance(extra, dict) and "default" in extra:
        return str(extra["default"])
    if info.is_required():
        return "must be given"
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is None or is_secret(info):
        return "none"
    if isinstance(value, SEQUENCES):
        return ",".join(map(str, value)) or "empty"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if value != "" else "empty"
