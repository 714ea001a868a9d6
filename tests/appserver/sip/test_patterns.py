"""The pattern language: what it says, what it refuses, and that it agrees with a regular expression made by other means."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confero.appserver.sip.patterns import (
    LITERALS,
    MAX_PATTERN,
    MAX_USER,
    PatternError,
    matches_any,
    parse,
    plain_number,
)


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("4711", ["4711"], ["471", "47111", "4712", ""]),
        ("49X", ["490", "499"], ["49", "49a", "4900", "49²", "49٣"]),
        ("+49.", ["+491", "+49 30"], ["+49", "49", "+48123"]),
        (".", ["x", "0", "lobby", "a@b"], [""]),
        ("00X.", ["0012", "001x"], ["001", "00x2"]),
        ("\\X\\.1", ["X.1"], ["1.1", "Xa1"]),
        ("\\\\", ["\\"], ["\\\\"]),
        ("lobby", ["lobby"], ["Lobby", "lobbY"]),
        ("*6#", ["*6#"], ["6#"]),
    ],
)
def test_what_patterns_mean(pattern: str, fits: list[str], fits_not: list[str]) -> None:
    assert [text for text in fits if not parse(pattern).matches(text)] == []
    assert [text for text in fits_not if parse(pattern).matches(text)] == []


@pytest.mark.parametrize(
    "text",
    ["", "4.7", "..", "a b", "x\n", "[0-9]", "(a+)+$|", "\\d", "\\", "4\\", "{user}", "é", "\x00", "1" * 65, "^1"],
)
def test_what_is_no_pattern(text: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse(text)
    assert (caught.value.status, caught.value.code) == (422, "pattern-invalid")


def test_a_user_part_that_is_too_long_matches_nothing() -> None:
    assert parse(".").matches("1" * MAX_USER)
    assert not parse(".").matches("1" * (MAX_USER + 1))


@given(st.text(max_size=80))
def test_any_text_is_a_pattern_or_an_error_of_its_own(text: str) -> None:
    with contextlib.suppress(PatternError):
        assert len(parse(text).steps) <= MAX_PATTERN


TOKEN = st.sampled_from([*LITERALS, "X", "\\X", "\\.", "\\\\"])
PATTERNS = st.tuples(st.lists(TOKEN, min_size=1, max_size=12), st.sampled_from(["", "."])).map(
    lambda parts: "".join(parts[0]) + parts[1]
)


def as_regex(pattern: str) -> str:
    """The same by substitution in a regular expression, in place of a scanner."""
    body, rest = (pattern[:-1], ".+") if re.search(r"(?<!\\)(\\\\)*\.$", pattern) else (pattern, "")
    tokens = re.findall(r"\\.|.", body)
    return "".join("[0-9]" if t == "X" else re.escape(t[-1]) for t in tokens) + rest


@given(PATTERNS, st.data())
def test_agrees_with_a_regular_expression(pattern: str, data: st.DataObject) -> None:
    regex = re.compile(as_regex(pattern), re.DOTALL)
    near = st.from_regex(regex, fullmatch=True).filter(lambda text: len(text) <= MAX_USER)
    user = data.draw(st.one_of(near, st.text(alphabet="0123456789X.\\+ab", max_size=14)))
    assert parse(pattern).matches(user) == (regex.fullmatch(user) is not None)


@given(st.text(alphabet="0123456789().- +", max_size=40))
def test_plain_numbers_keep_their_digits(text: str) -> None:
    plain = plain_number(text)
    assert plain_number(plain) == plain
    if plain != text:
        assert re.fullmatch(r"\+?[0-9]+", plain)
        assert [c for c in plain if c.isdigit()] == [c for c in text if c.isdigit()]


def test_numbers_as_people_write_them() -> None:
    assert plain_number("+49 (30) 12-34.5") == "+493012345"
    assert [plain_number(text) for text in ("calm-otter-7kq3mw", "john.doe", "", "(030)")] == [
        "calm-otter-7kq3mw",
        "john.doe",
        "",
        "(030)",
    ]
    assert matches_any(["112", "+4930."], "+493012") and not matches_any([], "112")
