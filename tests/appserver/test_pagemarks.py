"""Marks of pages: what a caller makes up is refused before a database sees it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from confero.appserver.api.pagemarks import mark_of, read_mark
from confero.errors import RemoteError


def coded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(("values", "kinds"), [((1.5, "room"), (float, str)), ((7,), (int,)), (("ada",), (str,))])
def test_there_and_back(values: tuple[Any, ...], kinds: tuple[type, ...]) -> None:
    assert read_mark(mark_of(values), kinds) == values


@pytest.mark.parametrize(
    "mark",
    [
        "", "!", "\udc80",
        *map(coded, ('[NaN,"x"]', '[Infinity,"x"]', '[1e999,"x"]', '[1,"x"]', '[true,"x"]', '[1.5,"\\ud800"]', '[1.5,"\\u0000"]')),
        *map(coded, ("[1.5]", "{}", "[" * 5000, '[1.5,"x",2]')),
    ],
)  # fmt: skip
def test_what_is_none(mark: str) -> None:
    with pytest.raises(RemoteError) as caught:
        read_mark(mark, (float, str))
    assert (caught.value.status, caught.value.code) == (422, "page-invalid")


def test_numbers_that_no_column_holds() -> None:
    with pytest.raises(RemoteError):
        read_mark(mark_of([10**40]), (int,))
