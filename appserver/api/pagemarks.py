"""Marks of pages: where a list goes on, as text that callers give back and need not understand."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from math import isfinite
from typing import Any

from confero.errors import RemoteError


def mark_of(values: Sequence[Any]) -> str:
    """What the next page follows. Of JSON's plain values."""
    return base64.urlsafe_b64encode(json.dumps(list(values), separators=(",", ":")).encode()).rstrip(b"=").decode()


def read_mark(text: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """The values of a mark, of these kinds. Raises RemoteError 422 ``page-invalid``."""
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise invalid_page() from None
    if not isinstance(values, list) or len(values) != len(kinds):
        raise invalid_page()
    if not all(type(value) is kind and _is_storable(value) for value, kind in zip(values, kinds, strict=True)):
        raise invalid_page()
    return tuple(values)


def _is_storable(value: Any) -> bool:
    """JSON has numbers and texts that no database takes: NaN, 100 digits, half a character."""
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, int):
        return abs(value) < 1 << 63
    return isinstance(value, str) and value.isprintable()


def invalid_page() -> RemoteError:
    """What is shown as a mark is none."""
    return RemoteError("this is no mark of a page", status=422, code="page-invalid")
