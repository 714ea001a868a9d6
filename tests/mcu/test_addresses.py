"""Which addresses a plain RTP leg uses and accepts."""

from __future__ import annotations

import pytest

from confero.mcu.legs.addresses import LocalAddress, check_remote, choose_local
from confero.media import Address, Advertised
from confero.protocols.sdp import Endpoint, SdpError
from confero.runtime.routes import route_to

NAT = (
    Advertised("203.0.113.5", "10.0.0.5"),
    Advertised("198.51.100.7", None),
    Advertised("2001:db8::1", "2001:db8::1"),
)
OWN = ("192.0.2.10", "2001:db8::10")


def test_the_address_on_the_route_is_taken() -> None:
    assert choose_local(4, ("0.0.0.0",), NAT, "10.0.0.5") == LocalAddress("10.0.0.5", "203.0.113.5")
    two = (Advertised("192.0.2.1", "192.0.2.1"), Advertised("192.0.2.2", "192.0.2.2"))
    assert choose_local(4, ("0.0.0.0",), two, "192.0.2.2").external == "192.0.2.2"
    assert choose_local(4, ("0.0.0.0",), two, "172.16.0.1").external == "192.0.2.1"
    assert choose_local(4, ("0.0.0.0",), two).external == "192.0.2.1"


def test_an_address_that_is_not_ours_is_reached_through_the_bound_one() -> None:
    assert choose_local(4, ("::", "0.0.0.0"), NAT[1:]) == LocalAddress("0.0.0.0", "198.51.100.7")
    assert choose_local(6, ("::", "0.0.0.0"), NAT) == LocalAddress("2001:db8::1", "2001:db8::1")


def test_no_address_of_the_family() -> None:
    with pytest.raises(SdpError, match="no IPv6 address"):
        choose_local(6, ("0.0.0.0",), NAT[:2])


def test_route_to() -> None:
    assert route_to("127.0.0.1") == "127.0.0.1"
    assert route_to("not an address") is None


@pytest.mark.parametrize(
    ("address", "port"),
    [("198.51.100.1", 9000), ("2001:db8::7", 1024), ("10.0.0.7", 9000), ("192.0.2.10", 65535), ("198.51.100.1", 5060)],
)
def test_good_addresses(address: str, port: int) -> None:
    assert check_remote(Endpoint(address, port), OWN) == Address(address, port)


@pytest.mark.parametrize(
    ("address", "port", "reason"),
    [
        ("phone.example.org", 9000, "not to the name"),
        ("224.0.0.5", 9000, "multicast"),
        ("ff02::1", 9000, "multicast"),
        ("0.0.0.0", 9000, "no address"),
        ("0.1.2.3", 9000, "no host"),
        ("255.255.255.255", 9000, "no host"),
        ("240.0.0.1", 9000, "no host"),
        ("169.254.1.1", 9000, "link-local"),
        ("127.0.0.1", 9000, "this machine"),
        ("127.9.9.9", 9000, "this machine"),
        ("::1", 9000, "this machine"),
        ("64:ff9b::7f00:1", 9000, "mapped"),
        ("2002:7f00:1::", 9000, "mapped"),
        ("::ffff:127.0.0.1", 9000, "mapped"),
        ("fe80::1", 9000, "link-local"),
        ("198.51.100.1", 53, "below 1024"),
        ("192.0.2.10", 14040, "service of our own"),
        ("2001:db8::10", 5060, "service of our own"),
    ],
)
def test_addresses_that_must_not_be_sent_to(address: str, port: int, reason: str) -> None:
    with pytest.raises(SdpError, match=reason) as caught:
        check_remote(Endpoint(address, port), OWN)
    assert (caught.value.status, caught.value.code) == (422, "sdp-invalid")


@pytest.mark.parametrize(("own", "loopback"), [(OWN, True), (("127.0.0.5",), False), (("::1", "192.0.2.10"), False)])
def test_this_machine_where_it_is_allowed_or_all_there_is(own: tuple[str, ...], loopback: bool) -> None:
    for host in ("127.0.0.1", "::1"):
        assert check_remote(Endpoint(host, 9000), own, loopback=loopback) == Address(host, 9000)
        with pytest.raises(SdpError, match="service of our own"):
            check_remote(Endpoint(host, 2131), own, loopback=loopback)
