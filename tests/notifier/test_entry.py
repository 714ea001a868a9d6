"""The gate: Origin, query, limits, and whose word on the client's address counts."""

from __future__ import annotations

from typing import Any

import pytest

from confero.errors import Refused, RemoteError
from confero.notifier.entry import Gate, Upgrade, normal_origin


def gate(**changes: Any) -> Gate:
    values: dict[str, Any] = {
        "allowed_origins": ["https://portal.example"],
        "total": 3,
        "per_source": 2,
        "is_proxy": lambda token: token == "of the appserver",
    }
    return Gate(**(values | changes))


def upgrade(**changes: Any) -> Upgrade:
    values: dict[str, Any] = {
        "origins": ["https://meet.example"],
        "host": "meet.example",
        "scheme": "http",
        "remote": "127.0.0.1",
        "forwarded_for": "192.0.2.7",
        "forwarded_proto": "https",
        "bearer": "of the appserver",
        "query": {},
    }
    return Upgrade(**(values | changes))


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://Meet.Example", "https://meet.example"),
        ("https://meet.example:443", "https://meet.example"),
        ("http://meet.example:80", "http://meet.example"),
        ("https://meet.example:8443", "https://meet.example:8443"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("null", None),
        ("", None),
        ("meet.example", None),
        ("file://", None),
        ("https://", None),
        ("https://meet.example/", None),
        ("https://meet.example?x", None),
        ("https://user@meet.example", None),
        ("https://meet.example:99999", None),
        ("https://[::1", None),
        ("chrome-extension://abc", None),
    ],
)
def test_normal_origin(text: str, normal: str | None) -> None:
    assert normal_origin(text) == normal


def test_own_origin_as_forwarded() -> None:
    assert gate().judge(upgrade()) == "192.0.2.7"


def test_configured_origin() -> None:
    assert gate().judge(upgrade(origins=["https://portal.example"])) == "192.0.2.7"


@pytest.mark.parametrize(
    "origins",
    [
        [],
        ["null"],
        ["https://evil.example"],
        ["https://meet.example.evil.example"],
        ["https://evilmeet.example"],
        ["https://meet.example.", "https://meet.example"],
        ["http://meet.example"],
        ["https://meet.example:8443"],
        ["https://meet.example/"],
    ],
)
def test_foreign_origins(origins: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        gate().judge(upgrade(origins=origins))
    assert (caught.value.status, caught.value.code) == (403, "origin-refused")


@pytest.mark.parametrize("bearer", ["", "forged"])
def test_forwarded_headers_of_a_stranger_do_not_count(bearer: str) -> None:
    with pytest.raises(Refused):
        gate().judge(upgrade(bearer=bearer))
    direct = upgrade(bearer=bearer, origins=["http://meet.example"], remote="198.51.100.1")
    assert gate().judge(direct) == "198.51.100.1"


@pytest.mark.parametrize("query", [{"token": "x"}, {"anything": ""}])
def test_nothing_goes_into_the_query(query: dict[str, str]) -> None:
    with pytest.raises(RemoteError) as caught:
        gate().judge(upgrade(query=query))
    assert (caught.value.status, caught.value.code) == (400, "query-not-allowed")


def test_limit_per_source_and_its_release() -> None:
    tested = gate()
    with tested.slot("a"), tested.slot("a"):
        with pytest.raises(Refused) as caught, tested.slot("a"):
            pass
        assert (caught.value.status, caught.value.code) == (429, "too-many-connections")
        with tested.slot("b"):
            assert tested.count == 3
    assert tested.count == 0
    with tested.slot("a"):
        assert tested.count == 1


def test_limit_of_all() -> None:
    tested = gate(per_source=100)
    with tested.slot("a"), tested.slot("b"), tested.slot("c"), pytest.raises(Refused), tested.slot("d"):
        pass


def test_slot_is_released_on_error() -> None:
    tested = gate()
    with pytest.raises(ZeroDivisionError), tested.slot("a"):
        raise ZeroDivisionError
    assert tested.count == 0
