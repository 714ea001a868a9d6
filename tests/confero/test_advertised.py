"""Addresses as an operator writes them."""

from __future__ import annotations

import pytest

from confero.advertised import Advertised, parse_advertised, parse_ip
from confero.errors import LocalError


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("203.0.113.5", Advertised("203.0.113.5")),
        (" 203.0.113.5 = 10.0.0.1 ", Advertised("203.0.113.5", "10.0.0.1")),
        ("2001:DB8::5=fd00::1", Advertised("2001:db8::5", "fd00::1")),
    ],
)
def test_an_address_or_a_pair(entry: str, found: Advertised) -> None:
    assert parse_advertised(entry) == found


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("meet.example", "not an IP address"),
        ("", "not an IP address"),
        ("192.0.2.1=", "not an IP address"),
        ("=192.0.2.1", "not an IP address"),
        ("192.0.2.1=2001:db8::1", "of one family"),
        ("0.0.0.0", "wildcard"),
        ("::=::1", "wildcard"),
        ("fe80::1%eth0", "scoped"),
        ("::ffff:192.0.2.1", "IPv4-mapped"),
    ],
)
def test_what_is_none_says_why(entry: str, fault: str) -> None:
    with pytest.raises(LocalError, match=fault):
        parse_advertised(entry)


def test_addresses_are_written_as_they_usually_are() -> None:
    assert str(parse_ip(" 2001:DB8:0::1 ")) == "2001:db8::1"
