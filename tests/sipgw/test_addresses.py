"""Which address a peer is told."""

from __future__ import annotations

import pytest

from confero.advertised import Advertised
from confero.clock import FakeClock
from confero.errors import LocalError
from confero.runtime.routes import route_to
from confero.sipgw.addresses import REMEMBERED_S, OwnAddresses, advertised

ROUTES = {"198.51.100.9": "192.0.2.1", "10.0.0.9": "10.0.0.1", "2001:db8::9": "2001:db8::1", "192.0.2.1": "192.0.2.1"}


def own(*told: str) -> OwnAddresses:
    return OwnAddresses(FakeClock(), advertised(told), ROUTES.get)


def test_without_settings_it_is_our_address_on_the_way() -> None:
    assert own().towards("198.51.100.9") == "192.0.2.1"
    assert own().towards("10.0.0.9", "0.0.0.0") == "10.0.0.1"
    assert own().towards("10.0.0.9", "192.0.2.7") == "192.0.2.7"


def test_behind_nat_it_is_the_address_that_the_nat_has() -> None:
    one = own("203.0.113.5=192.0.2.1")
    assert one.towards("198.51.100.9") == "203.0.113.5"
    assert one.towards("10.0.0.9") == "10.0.0.1", "phones inside are told the inner address"


def test_a_plain_entry_is_for_everybody_of_its_family() -> None:
    one = own("203.0.113.5")
    assert one.towards("10.0.0.9") == "203.0.113.5"
    assert one.towards("2001:db8::9") == "2001:db8::1"


def test_own_addresses_are_known() -> None:
    one = own("203.0.113.5=192.0.2.1")
    assert one.is_own("203.0.113.5") and one.is_own("192.0.2.1") and not one.is_own("198.51.100.9")


@pytest.mark.parametrize("entry", ["meet.example", "192.0.2.1=", "192.0.2.1=2001:db8::1", "=192.0.2.1", ""])
def test_nonsense_is_refused_at_the_start(entry: str) -> None:
    with pytest.raises(LocalError, match="sip_advertise"):
        advertised([entry])


def test_the_kernel_is_asked_now_and_then() -> None:
    asked = []
    clock = FakeClock()
    one = OwnAddresses(clock, (), lambda peer: asked.append(peer) or "192.0.2.1")
    for _ in range(3):
        one.towards("198.51.100.9")
    assert len(asked) == 1
    clock.advance(REMEMBERED_S)
    one.towards("198.51.100.9")
    assert len(asked) == 2


def test_the_kernel_knows_loopback() -> None:
    assert route_to("127.0.0.7") == "127.0.0.1"
    assert OwnAddresses(FakeClock(), [Advertised("127.0.0.9")]).towards("127.0.0.1") == "127.0.0.9"
