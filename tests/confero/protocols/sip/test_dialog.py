"""Dialogs: what is kept of the messages that set them up, and the requests that are made of it (RFC 3261 section 12)."""

from __future__ import annotations

import pytest

from confero.errors import LocalError
from confero.protocols.sip import Headers, Request, SipError, response_to
from confero.protocols.sip.dialog import Dialog


def invite(*more: tuple[str, str]) -> Request:
    headers = [
        ("Via", "SIP/2.0/UDP a.invalid;branch=z9hG4bK1"),
        ("From", '"A" <sip:a@a.invalid>;tag=ta'),
        ("To", "sip:b@b.invalid"),
        ("Call-ID", "c1"),
        ("CSeq", "7 INVITE"),
        ("Contact", "<sip:a@192.0.2.1:5070;transport=tcp>"),
        *more,
    ]
    return Request("INVITE", "sip:b@b.invalid", Headers(headers), b"")


ROUTES = [("Record-Route", "<sip:p2.invalid;lr>"), ("Record-Route", "<sip:p1.invalid;lr>")]


def test_the_callee_keeps_routes_in_order_and_the_caller_the_other_way_round() -> None:
    callee = Dialog.of_callee(invite(*ROUTES), "tb", 100)
    assert callee.routes == ["<sip:p2.invalid;lr>", "<sip:p1.invalid;lr>"]
    response = response_to(invite(*ROUTES), 180, to_tag="tb")
    response.headers.add("Contact", "<sip:b@192.0.2.2>")
    caller = Dialog.of_caller(invite(), response)
    assert caller.routes == ["<sip:p1.invalid;lr>", "<sip:p2.invalid;lr>"]
    assert callee.id == ("c1", "tb", "ta") and caller.id == ("c1", "ta", "tb")
    assert not caller.confirmed and not callee.confirmed


def test_a_request_of_the_callee() -> None:
    request = Dialog.of_callee(invite(*ROUTES), "tb", 100).request("BYE")
    assert request.uri == "sip:a@192.0.2.1:5070;transport=tcp"
    assert request.headers.get("From") == "sip:b@b.invalid;tag=tb"
    assert request.headers.get("To") == '"A" <sip:a@a.invalid>;tag=ta'
    assert request.headers.get("CSeq") == "101 BYE"
    assert request.headers.rows("Route") == ["<sip:p2.invalid;lr>", "<sip:p1.invalid;lr>"]


def test_a_strict_router_stands_in_the_request_uri() -> None:
    strict = [("Record-Route", "<sip:old.invalid>, <sip:p1.invalid;lr>")]
    request = Dialog.of_callee(invite(*strict), "tb", 1).request("BYE")
    assert request.uri == "sip:old.invalid"
    assert request.headers.rows("Route") == ["<sip:p1.invalid;lr>", "<sip:a@192.0.2.1:5070;transport=tcp>"]


def test_numbers_grow_to_the_last() -> None:
    dialog = Dialog.of_callee(invite(), "tb", 2**31 - 2)
    assert dialog.request("INFO").cseq.number == 2**31 - 1
    with pytest.raises(LocalError):
        dialog.request("INFO")
    assert dialog.request("ACK", 7).cseq.number == 7


@pytest.mark.parametrize(("number", "taken"), [(8, True), (900, True), (7, False), (6, False)])
def test_the_order_of_the_peers_requests(number: int, taken: bool) -> None:
    dialog = Dialog.of_callee(invite(), "tb", 1)
    request = invite()
    request.headers.set("CSeq", f"{number} INFO")
    if taken:
        dialog.take(request)
        assert dialog.remote_seq == number
        return
    with pytest.raises(SipError) as caught:
        dialog.take(request)
    assert caught.value.status == 500 and dialog.remote_seq == 7


def test_an_invite_without_a_contact_makes_no_dialog() -> None:
    bare = invite()
    bare.headers.remove("Contact")
    with pytest.raises(SipError) as caught:
        Dialog.of_callee(bare, "tb", 1)
    assert caught.value.status == 400


def test_peers_without_tags() -> None:
    old = invite()
    old.headers.set("From", "<sip:a@a.invalid>")
    dialog = Dialog.of_callee(old, "tb", 1)
    assert dialog.id == ("c1", "tb", "") and dialog.request("BYE").headers.get("To") == "<sip:a@a.invalid>"


def test_a_target_refresh() -> None:
    dialog = Dialog.of_callee(invite(), "tb", 1)
    moved = invite()
    moved.headers.set("Contact", "<sip:a@192.0.2.77>")
    dialog.refresh(moved)
    assert dialog.target == "sip:a@192.0.2.77"
    moved.headers.remove("Contact")
    dialog.refresh(moved)
    assert dialog.target == "sip:a@192.0.2.77"


def test_a_dialog_survives_a_restart() -> None:
    dialog = Dialog.of_callee(invite(*ROUTES), "tb", 5)
    assert Dialog.from_json(dialog.to_json()) == dialog
