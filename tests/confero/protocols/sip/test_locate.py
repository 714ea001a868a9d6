"""RFC 3263 against tables of DNS records: what is asked for, in which order, and where it leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

import pytest

from confero.protocols.sip.locate import (
    MAX_HOPS,
    Answer,
    Destination,
    Hop,
    Naptr,
    Question,
    Srv,
    by_weight,
    locate,
)
from confero.protocols.sip.target import Transport

Table = Mapping[tuple[str, str], Answer]


def look(destination: Destination, table: Table, supported: Sequence[Transport] = ("udp", "tcp", "tls")) -> list[Hop]:
    return ask(destination, table, supported)[0]


def ask(
    destination: Destination, table: Table, supported: Sequence[Transport] = ("udp", "tcp", "tls")
) -> tuple[list[Hop], list[Question]]:
    looking = locate(destination, Random(1), supported)
    asked = []
    try:
        question = next(looking)
        while True:
            asked.append(question)
            question = looking.send(table.get((question.kind, question.name), ()))
    except StopIteration as end:
        return end.value, asked


FULL: Table = {
    ("NAPTR", "example.com"): [
        Naptr(90, 50, "s", "SIP+D2T", "_sip._tcp.example.com."),
        Naptr(100, 50, "s", "SIP+D2U", "_sip._udp.example.com."),
        Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com."),
        Naptr(10, 1, "u", "E2U+sip", ""),
    ],
    ("SRV", "_sips._tcp.example.com"): [Srv(0, 1, 5061, "secure.example.com.")],
    ("SRV", "_sip._tcp.example.com"): [
        Srv(2, 0, 5062, "second.example.com."),
        Srv(1, 0, 5060, "first.example.com."),
    ],
    ("SRV", "_sip._udp.example.com"): [Srv(0, 0, 5070, "first.example.com.")],
    ("ADDRESS", "secure.example.com"): ["192.0.2.1"],
    ("ADDRESS", "first.example.com"): ["2001:db8::2", "192.0.2.2"],
    ("ADDRESS", "second.example.com"): ["192.0.2.3"],
    ("ADDRESS", "example.com"): ["192.0.2.9"],
}


def test_the_domain_says_which_transport_it_prefers() -> None:
    hops = look(Destination("example.com"), FULL)
    assert hops == [
        Hop("tls", "192.0.2.1", 5061, "example.com"),
        Hop("tcp", "2001:db8::2", 5060, "example.com"),
        Hop("tcp", "192.0.2.2", 5060, "example.com"),
        Hop("tcp", "192.0.2.3", 5062, "example.com"),
        Hop("udp", "2001:db8::2", 5070, "example.com"),
        Hop("udp", "192.0.2.2", 5070, "example.com"),
    ]


def test_transports_that_we_have_not_are_passed_over() -> None:
    assert [hop.transport for hop in look(Destination("example.com"), FULL, ["udp"])] == ["udp", "udp"]


def test_a_secure_uri_goes_by_tls_only() -> None:
    assert look(Destination("example.com", secure=True), FULL) == [Hop("tls", "192.0.2.1", 5061, "example.com")]
    assert look(Destination("example.com", secure=True), FULL, ["udp", "tcp"]) == []


@pytest.mark.parametrize(
    ("destination", "hop"),
    [
        (Destination("192.0.2.7"), Hop("udp", "192.0.2.7", 5060, "192.0.2.7")),
        (Destination("192.0.2.7", 5080), Hop("udp", "192.0.2.7", 5080, "192.0.2.7")),
        (Destination("2001:db8::7", None, "tcp"), Hop("tcp", "2001:db8::7", 5060, "2001:db8::7")),
        (Destination("192.0.2.7", None, "tcp", True), Hop("tls", "192.0.2.7", 5061, "192.0.2.7")),
        (Destination("192.0.2.7", secure=True), Hop("tls", "192.0.2.7", 5061, "192.0.2.7")),
    ],
)
def test_an_address_needs_no_records(destination: Destination, hop: Hop) -> None:
    assert ask(destination, {}) == ([hop], [])


def test_a_port_leaves_only_the_address_to_be_asked_for() -> None:
    hops, asked = ask(Destination("example.com", 5090), FULL)
    assert hops == [Hop("udp", "192.0.2.9", 5090, "example.com")]
    assert asked == [Question("ADDRESS", "example.com")]


def test_a_transport_without_port_asks_for_its_servers() -> None:
    hops, asked = ask(Destination("example.com", None, "udp"), FULL)
    assert hops[0] == Hop("udp", "2001:db8::2", 5070, "example.com")
    assert asked[0] == Question("SRV", "_sip._udp.example.com")


def test_without_naptr_records_servers_are_asked_for_by_transport() -> None:
    table = {key: value for key, value in FULL.items() if key[0] != "NAPTR"}
    hops, asked = ask(Destination("example.com"), table)
    assert [hop.transport for hop in hops] == ["udp", "udp", "tcp", "tcp", "tcp", "tls"]
    assert [one.kind for one in asked[:2]] == ["NAPTR", "SRV"]


def test_without_any_records_the_name_itself_is_the_server() -> None:
    table: Table = {("ADDRESS", "phone.example"): ["192.0.2.9"]}
    assert look(Destination("phone.example"), table) == [Hop("udp", "192.0.2.9", 5060, "phone.example")]
    assert look(Destination("phone.example", None, "tcp"), table) == [Hop("tcp", "192.0.2.9", 5060, "phone.example")]
    assert look(Destination("phone.example", secure=True), table) == [Hop("tls", "192.0.2.9", 5061, "phone.example")]


def test_the_root_as_server_means_that_there_is_none() -> None:
    table: Table = {("SRV", "_sip._udp.example.com"): [Srv(0, 0, 5060, ".")]}
    assert look(Destination("example.com", None, "udp"), table) == []


def test_what_leads_nowhere_ends_without_hops() -> None:
    assert look(Destination("nowhere.example"), {}) == []


def test_answers_without_end_give_a_bounded_number_of_hops() -> None:
    table: Table = {
        ("SRV", "_sip._udp.example.com"): [Srv(0, 0, 5060, f"h{n}.example.com") for n in range(1000)],
        **{("ADDRESS", f"h{n}.example.com"): [f"192.0.2.{n % 250}"] * 9 for n in range(1000)},
    }
    hops, asked = ask(Destination("example.com", None, "udp"), table)
    assert len(hops) == MAX_HOPS
    assert len(asked) < 1 + MAX_HOPS


def test_weights_share_the_load() -> None:
    random = Random(7)
    records = [Srv(0, 75, 1, "a"), Srv(0, 25, 2, "b"), Srv(0, 0, 3, "c"), Srv(1, 100, 4, "d")]
    firsts = [by_weight(records, random)[0].target for _ in range(4000)]
    assert 0.70 < firsts.count("a") / 4000 < 0.79
    assert 0.20 < firsts.count("b") / 4000 < 0.29
    assert 0 < firsts.count("c") < 120
    assert {by_weight(records, random)[-1].target for _ in range(50)} == {"d"}
