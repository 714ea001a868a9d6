"""A registrar's bindings: RFC 3261 section 10.3 step by step, with its refusals, over restarts and lost connections."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confero.protocols.sip import SipError, Target, parse
from confero.protocols.sip.bindings import Binding, BindingLimits, Bindings, contact_row
from confero.protocols.sip.message import Request

ALICE = "alice@confero"
NOW = 1_800_000_000.0
HERE = Target("tcp", "192.0.2.7", 40_000, 17)


def register(*contacts: str, cseq: int = 1, call_id: str = "one", headers: str = "") -> Request:
    lines = [
        "REGISTER sip:confero SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1",
        "From: <sip:alice@confero>;tag=1",
        "To: <sip:alice@confero>",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} REGISTER",
        *(f"Contact: {one}" for one in contacts),
        *headers.splitlines(),
    ]
    message = parse(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert isinstance(message, Request)
    return message


def uris(bindings: list[Binding]) -> list[str]:
    return [one.contact for one in bindings]


def test_a_binding_is_made_refreshed_and_ends() -> None:
    book = Bindings()
    (one,) = book.register(ALICE, register("<sip:a@192.0.2.7>;expires=100"), None, NOW)
    assert one.expires_at == NOW + 100
    (one,) = book.register(ALICE, register("<sip:a@192.0.2.7>;expires=100", cseq=2), None, NOW + 90)
    assert one.expires_at == NOW + 190
    assert book.of(ALICE, NOW + 189) and not book.of(ALICE, NOW + 190)
    book.sweep(NOW + 190)
    assert len(book) == 0


@pytest.mark.parametrize(
    ("contact", "headers", "seconds"),
    [
        ("<sip:a@192.0.2.7>", "", 3600),
        ("<sip:a@192.0.2.7>", "Expires: 90", 90),
        ("<sip:a@192.0.2.7>;expires=120", "Expires: 90", 120),
        ("<sip:a@192.0.2.7>;expires=99999", "", 3600),
        ("<sip:a@192.0.2.7>;expires=soon", "", 3600),
    ],
)
def test_the_interval_is_the_contacts_else_the_requests_else_ours(contact: str, headers: str, seconds: int) -> None:
    (one,) = Bindings().register(ALICE, register(contact, headers=headers), None, NOW)
    assert one.expires_at - NOW == seconds


def test_too_short_an_interval_is_423_and_changes_nothing() -> None:
    book = Bindings()
    with pytest.raises(SipError) as caught:
        book.register(ALICE, register("<sip:a@192.0.2.7>;expires=600", "<sip:b@192.0.2.7>;expires=5"), None, NOW)
    assert caught.value.status == 423
    assert not book.of(ALICE, NOW)


def test_zero_removes_one_and_the_star_removes_all() -> None:
    book = Bindings()
    book.register(ALICE, register("<sip:a@192.0.2.7>", "<sip:b@192.0.2.7>", "<sip:c@192.0.2.7>"), None, NOW)
    left = book.register(ALICE, register("<sip:b@192.0.2.7>;expires=0", cseq=2), None, NOW)
    assert sorted(uris(left)) == ["sip:a@192.0.2.7", "sip:c@192.0.2.7"]
    assert book.register(ALICE, register("*", cseq=3, headers="Expires: 0"), None, NOW) == []


@pytest.mark.parametrize("headers", ["", "Expires: 60"])
def test_the_star_goes_with_expires_zero(headers: str) -> None:
    with pytest.raises(SipError) as caught:
        Bindings().register(ALICE, register("*", headers=headers), None, NOW)
    assert caught.value.status == 400


def test_a_request_that_was_overtaken_changes_nothing() -> None:
    book = Bindings()
    book.register(ALICE, register("<sip:a@192.0.2.7>", cseq=7), None, NOW)
    for contact, headers in (("<sip:a@192.0.2.7>;expires=0", ""), ("*", "Expires: 0")):
        with pytest.raises(SipError) as caught:
            book.register(ALICE, register(contact, cseq=7, headers=headers), None, NOW)
        assert caught.value.status == 500
    assert len(book.of(ALICE, NOW)) == 1
    # Another Call-ID is a phone that has been started anew: it is believed.
    assert book.register(ALICE, register("*", cseq=1, call_id="two", headers="Expires: 0"), None, NOW) == []


def test_without_contact_it_is_a_question() -> None:
    book = Bindings()
    book.register(ALICE, register("<sip:a@192.0.2.7>;q=0.2", "<sip:b@192.0.2.7>;q=0.9"), None, NOW)
    assert uris(book.register(ALICE, register(cseq=2), None, NOW)) == ["sip:b@192.0.2.7", "sip:a@192.0.2.7"]


def test_contacts_are_compared_as_uris() -> None:
    book = Bindings()
    book.register(ALICE, register("<sip:a@Phone.Example;ob>"), None, NOW)
    book.register(ALICE, register("<sip:%61@phone.example;x=1>", cseq=2), None, NOW)
    assert len(book.of(ALICE, NOW)) == 1
    book.register(ALICE, register("<sip:a@phone.example:5060>", cseq=3), None, NOW)
    book.register(ALICE, register("<sip:a@phone.example;transport=tcp>", cseq=4), None, NOW)
    assert len(book.of(ALICE, NOW)) == 3


def test_of_too_many_contacts_the_oldest_goes() -> None:
    book = Bindings(BindingLimits(contacts=3))
    for n in range(5):
        book.register(ALICE, register(f"<sip:a@192.0.2.{n}>", cseq=n + 1), None, NOW + n)
    assert sorted(uris(book.of(ALICE, NOW))) == [f"sip:a@192.0.2.{n}" for n in (2, 3, 4)]


def test_of_too_many_addresses_the_last_is_refused() -> None:
    book = Bindings(BindingLimits(addresses=1))
    book.register(ALICE, register("<sip:a@192.0.2.7>"), None, NOW)
    with pytest.raises(SipError) as caught:
        book.register("bob@confero", register("<sip:b@192.0.2.7>"), None, NOW)
    assert caught.value.status == 503


def test_a_phone_with_two_flows_rings_once() -> None:
    book, instance = Bindings(), '+sip.instance="<urn:uuid:1>"'
    book.register(ALICE, register(f"<sip:a@192.0.2.7;ob>;{instance};reg-id=1"), HERE, NOW)
    book.register(ALICE, register(f"<sip:a@192.0.2.8;ob>;{instance};reg-id=2", cseq=2), HERE, NOW + 1)
    assert len(book.of(ALICE, NOW)) == 2
    assert uris(book.phones(ALICE, NOW)) == ["sip:a@192.0.2.8;ob"]
    # The same flow from elsewhere takes the old one's place (RFC 5626 section 6).
    book.register(ALICE, register(f"<sip:a@192.0.2.9;ob>;{instance};reg-id=2", cseq=3), HERE, NOW + 2)
    assert sorted(uris(book.of(ALICE, NOW))) == ["sip:a@192.0.2.7;ob", "sip:a@192.0.2.9;ob"]


def test_a_lost_connection_ends_a_flow_but_not_a_plain_contact() -> None:
    book, instance = Bindings(), '+sip.instance="<urn:uuid:1>"'
    book.register(ALICE, register(f"<sip:a@192.0.2.7>;{instance};reg-id=1"), HERE, NOW)
    book.register(ALICE, register("<sip:b@192.0.2.7>", cseq=2), HERE, NOW)
    book.connection_ended(17)
    (left,) = book.of(ALICE, NOW)
    assert left.contact == "sip:b@192.0.2.7" and left.flow is None


def test_a_script_is_gone_with_its_connection() -> None:
    """Nobody connects to a browser (RFC 7118 section 5), and what its Contact names is nowhere."""
    book, script = Bindings(), Target("wss", "203.0.113.9", 61_000, 18)
    book.register(ALICE, register("<sip:x@y.invalid;transport=ws>"), script, NOW)
    rows = [json.dumps(one.to_json()) for _, rows in book.take_changed() for one in rows]
    book.connection_ended(18)
    assert not book.of(ALICE, NOW)
    restarted = Bindings()
    restarted.restore(Binding.from_json(json.loads(row)) for row in rows)
    assert not restarted.of(ALICE, NOW)
    restarted.sweep(NOW)
    assert dict(restarted.take_changed()) == {ALICE: []}, "it is to be gone from the disk too"


def test_what_was_written_down_is_the_same_after_a_restart() -> None:
    book, udp = Bindings(), Target("udp", "203.0.113.9", 61_000, 0)
    book.register(
        ALICE, register("<sip:a@10.0.0.5>;q=0.5", headers="Path: <sip:p.example;lr>\nUser-Agent: x"), udp, NOW
    )
    book.register(ALICE, register("<sip:b@10.0.0.5>", cseq=2), HERE, NOW)
    rows = [json.dumps(one.to_json()) for _, rows in book.take_changed() for one in rows]
    again = Bindings()
    again.restore(Binding.from_json(json.loads(row)) for row in rows)
    by_uri = {one.contact: one for one in again.of(ALICE, NOW)}
    assert by_uri["sip:a@10.0.0.5"].flow == Target("udp", "203.0.113.9", 61_000)
    assert by_uri["sip:a@10.0.0.5"].path == ("<sip:p.example;lr>",)
    assert by_uri["sip:b@10.0.0.5"] == replace(book.of(ALICE, NOW)[0], flow=None)


def test_the_answer_says_what_is_left() -> None:
    instance = '+sip.instance="<urn:uuid:1>"'
    (one,) = Bindings().register(ALICE, register(f"<sip:a@192.0.2.7>;q=0.5;{instance};reg-id=1"), HERE, NOW)
    row = contact_row(one, NOW + 600)
    assert row == f"<sip:a@192.0.2.7>;expires=3000;q=0.5;{instance};reg-id=1"


def test_accounts_that_are_gone_are_not_reached() -> None:
    book = Bindings()
    book.register(ALICE, register("<sip:a@192.0.2.7>"), None, NOW)
    book.keep_only({"bob@confero"})
    assert len(book) == 0
    assert [(address, rows) for address, rows in book.take_changed()] == [(ALICE, [])]


PIECES = st.sampled_from(
    [
        *(
            "*",
            "<sip:a@192.0.2.7>",
            "sip:b@192.0.2.7",
            "<tel:+49>",
            "<sip:a@[::1]>",
            ";expires=",
            ";q=",
            ";reg-id=",
            "0",
            "-1",
        ),
        *(
            "1.5",
            "99999999999",
            ";+sip.instance=",
            '"<urn:uuid:1>"',
            ",",
            "<",
            ">",
            '"',
            " ",
            ";expires=100",
            ";reg-id=1",
            "x",
        ),
    ]
)


@given(
    st.lists(st.lists(PIECES, max_size=8).map("".join), max_size=4),
    st.sampled_from(["", "0", "100", "-", "4294967295"]),
)
@settings(max_examples=300, deadline=None)
def test_whatever_a_contact_says_it_is_taken_or_a_sip_error(contacts: list[str], expires: str) -> None:
    """No other error, no binding beyond the bounds, and what is kept can be written down and read again."""
    book = Bindings(BindingLimits(contacts=3))
    message = register(cseq=9)
    for contact in contacts:
        message.headers.add("Contact", contact)
    if expires:
        message.headers.set("Expires", expires)
    try:
        held = book.register(ALICE, message, HERE, NOW)
    except SipError:
        assert not book.of(ALICE, NOW)
        return
    assert len(held) <= 3 and all(NOW < one.expires_at <= NOW + 3600 for one in held)
    for one in held:
        assert Binding.from_json(json.loads(json.dumps(one.to_json()))).key == one.key
        assert contact_row(one, NOW)
