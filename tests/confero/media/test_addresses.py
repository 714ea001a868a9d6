"""Advertised addresses: defaults, 1:1 NAT pairs and refusals."""

from __future__ import annotations

import ipaddress

import pytest

from confero.clock import FakeClock
from confero.errors import LocalError
from confero.media.addresses import FRESH_S, Advertised, AdvertisedAddresses, advertised, machine_addresses

ANY = ("0.0.0.0", "::")
MACHINE = ("127.0.0.1", "192.0.2.10", "169.254.7.7", "::1", "2001:db8::10")


def externals(*args: object) -> list[str]:
    return [entry.external for entry in advertised(*args)]  # type: ignore[arg-type]


def test_wildcards_stand_for_the_machines_addresses() -> None:
    assert externals(ANY, (), MACHINE) == ["192.0.2.10", "2001:db8::10"]


def test_wildcard_stands_for_its_family_only() -> None:
    assert externals(("::",), (), MACHINE) == ["2001:db8::10"]


def test_loopback_only_if_there_is_nothing_else() -> None:
    assert externals(ANY, (), ("127.0.0.1", "::1")) == ["127.0.0.1", "::1"]
    assert externals(ANY, (), ("127.0.0.1", "192.0.2.10", "::1")) == ["192.0.2.10"]


def test_explicit_address_stands_for_itself() -> None:
    assert advertised(("127.0.0.7",), (), MACHINE) == (Advertised("127.0.0.7", "127.0.0.7"),)
    assert externals(("127.0.0.7", "::"), (), MACHINE) == ["127.0.0.7", "2001:db8::10"]


def test_pairs_map_external_to_internal() -> None:
    assert advertised(ANY, ("203.0.113.5=192.0.2.10", "2001:db8::10"), MACHINE) == (
        Advertised("203.0.113.5", "192.0.2.10"),
        Advertised("2001:db8::10", None),
    )


def test_plain_configured_address_that_is_bound_is_its_own_internal() -> None:
    assert advertised(("192.0.2.10",), ("192.0.2.10",), MACHINE) == (Advertised("192.0.2.10", "192.0.2.10"),)


def test_configured_replace_the_defaults_and_are_unique() -> None:
    assert externals(ANY, ("203.0.113.5", " 203.0.113.5 "), MACHINE) == ["203.0.113.5"]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("", "not an IP address"),
        ("example.org", "not an IP address"),
        ("203.0.113.5=", "not an IP address"),
        ("0.0.0.0", "wildcard"),
        ("203.0.113.5=2001:db8::10", "one family"),
        ("203.0.113.5=198.51.100.1", "not bound"),
        ("2001:db8::1", "no IPv6"),
        ("fe80::1%eth0", "scoped"),
        ("::ffff:192.0.2.1", "mapped"),
    ],
)
def test_entries_that_cannot_work_are_refused(entry: str, says: str) -> None:
    with pytest.raises(LocalError, match=says):
        advertised(("192.0.2.10",), (entry,), MACHINE)


def test_the_machine_has_loopback() -> None:
    found = machine_addresses()
    assert "127.0.0.1" in found
    assert all(not ipaddress.ip_address(a).is_link_local or ipaddress.ip_address(a).version == 4 for a in found)


class Machine:
    """Interfaces that change."""

    def __init__(self) -> None:
        self.addresses: list[str] | None = ["127.0.0.1", "192.0.2.10"]
        self.asked = 0

    def __call__(self) -> list[str]:
        self.asked += 1
        if self.addresses is None:
            raise OSError("no interfaces")
        return self.addresses


def test_a_wildcard_follows_the_machine() -> None:
    machine, clock = Machine(), FakeClock()
    addresses = AdvertisedAddresses(("0.0.0.0",), (), machine, clock.monotonic)
    machine.addresses = ["127.0.0.1", "192.0.2.20"]
    assert addresses.current() == (Advertised("192.0.2.10", "192.0.2.10"),) and machine.asked == 1
    clock.advance(FRESH_S)
    assert [addresses.current() for _ in range(9)][8] == (Advertised("192.0.2.20", "192.0.2.20"),)
    assert machine.asked == 2


@pytest.mark.parametrize("nothing", [None, []])
def test_a_machine_without_addresses_keeps_the_last_ones(nothing: list[str] | None) -> None:
    machine, clock = Machine(), FakeClock()
    addresses = AdvertisedAddresses(("0.0.0.0",), (), machine, clock.monotonic)
    machine.addresses = nothing
    clock.advance(FRESH_S)
    assert addresses.current() == (Advertised("192.0.2.10", "192.0.2.10"),) and machine.asked == 2


@pytest.mark.parametrize(("bind", "configured"), [(("192.0.2.10",), ()), (("0.0.0.0",), ("203.0.113.5=192.0.2.10",))])
def test_what_was_configured_stays(bind: tuple[str, ...], configured: tuple[str, ...]) -> None:
    machine, clock = Machine(), FakeClock()
    addresses = AdvertisedAddresses(bind, configured, machine, clock.monotonic)
    before = addresses.current()
    machine.addresses = ["192.0.2.20"]
    clock.advance(100 * FRESH_S)
    assert addresses.current() == before and machine.asked == 1
