"""Header fields: names in any spelling, lists between commas, places that changes keep."""

from __future__ import annotations

import pytest

from confero.protocols.sip import Headers, SipError


def fields() -> Headers:
    return Headers(
        [("v", "SIP/2.0/UDP a"), ("Via", "SIP/2.0/UDP b, SIP/2.0/UDP c"), ("X-Mine", "1"), ("to", "<sip:a@b>")]
    )


@pytest.mark.parametrize("name", ["Via", "VIA", "via", "v", "V"])
def test_names_in_any_case_and_form(name: str) -> None:
    assert fields().get(name) == "SIP/2.0/UDP a"
    assert fields().all(name) == ["SIP/2.0/UDP a", "SIP/2.0/UDP b", "SIP/2.0/UDP c"]
    assert name in fields()


def test_items_spell_compact_names_out() -> None:
    assert [name for name, _ in fields().items()] == ["Via", "Via", "X-Mine", "to"]


def test_absent() -> None:
    headers = fields()
    assert headers.get("Route") is None and headers.all("Route") == [] and "Route" not in headers
    headers.remove("Route")
    assert len(headers) == 4


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("", []),
        (" , a ,, b ,", ["a", "b"]),
        ('"A, B" <sip:a,b@c>;x="1,2", <sip:d@e>', ['"A, B" <sip:a,b@c>;x="1,2"', "<sip:d@e>"]),
        (r'"a\", b" <sip:a@b>,*', [r'"a\", b" <sip:a@b>', "*"]),
    ],
)
def test_lists(value: str, items: list[str]) -> None:
    assert Headers([("Contact", value)]).all("m") == items


@pytest.mark.parametrize("value", ['"a, <sip:a@b>', "<sip:a@b, c", "a>, b", '"a" "b, c'])
def test_a_list_whose_quotes_or_brackets_are_open(value: str) -> None:
    with pytest.raises(SipError, match="Contact"):
        Headers([("Contact", value)]).all("Contact")


def test_what_is_no_list_is_not_split() -> None:
    value = 'Digest realm="a", nonce="b"'
    assert Headers([("Authorization", value)]).all("authorization") == [value]
    assert Headers([("Subject", "one, two")]).all("s") == ["one, two"]


def test_changes_keep_places() -> None:
    headers = fields()
    headers.set("VIA", "new")
    assert headers.items() == [("VIA", "new"), ("X-Mine", "1"), ("to", "<sip:a@b>")]
    headers.prepend("via", "newer")
    headers.prepend("Route", "first")
    headers.add("x-mine", "2")
    assert headers.items()[:2] == [("Route", "first"), ("via", "newer")]
    assert headers.all("X-Mine") == ["1", "2"]
    headers.set_all("X-Mine", ["3", "4"])
    assert [value for _, value in headers.items()] == ["first", "newer", "new", "3", "4", "<sip:a@b>"]
    headers.set_all("X-Mine", [])
    assert "X-Mine" not in headers


def test_copies_are_apart() -> None:
    headers = fields()
    copy = headers.copy()
    assert copy == headers
    copy.remove("v")
    assert copy != headers and len(headers) == 4 and headers != "headers"


def test_equal_however_names_are_spelled() -> None:
    assert Headers([("v", "a"), ("to", "b")]) == Headers([("Via", "a"), ("T", "b")])
    assert Headers([("v", "a"), ("to", "b")]) != Headers([("to", "b"), ("v", "a")])
