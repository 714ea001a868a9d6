"""The client of a registrar, against our own registrar's parts and against answers that registrars really give."""

from __future__ import annotations

import random

import pytest

from confero.errors import LocalError
from confero.protocols.sip import Account, Login, Policy, Request, Response, Verifier, make_ha1, response_to
from confero.protocols.sip.registration import Enrolment, Pace, Registration

US = "sip:49301234@192.0.2.1:5060"
PLACE = Enrolment("sip:provider.example", "sip:49301234@provider.example", expires=600)
NOW = 1000.0


def client(password: str = "right", pace: Pace = Pace()) -> Registration:  # noqa: B008
    login = Login(Account("49301234", password, frozenset({"provider"})), random.Random(1))
    return Registration(PLACE, login, random.Random(2), pace)


def answer(request: Request, status: int, **headers: str) -> Response:
    response = response_to(request, status, to_tag="t")
    for name, value in headers.items():
        response.headers.add(name.replace("_", "-"), value)
    return response


def test_it_registers_and_refreshes_before_the_end() -> None:
    one = client()
    assert one.next_deadline() == 0.0
    request = one.compose(US)
    assert request.uri == "sip:provider.example" and str(request.to) == "<sip:49301234@provider.example>"
    assert one.next_deadline() is None
    assert one.answered(request, answer(request, 200, Contact=f"<{US}>;expires=120"), NOW) is None
    assert one.state == "registered" and one.is_registered(NOW + 119) and not one.is_registered(NOW + 120)
    due = one.next_deadline()
    assert due is not None and NOW + 60 <= due <= NOW + 115
    again = one.compose(US)
    assert again.call_id == request.call_id and again.cseq.number == request.cseq.number + 1


def test_a_short_interval_is_refreshed_in_time_too() -> None:
    one = client()
    request = one.compose(US)
    one.answered(request, answer(request, 200, Contact=f"<{US}>;expires=8"), NOW)
    assert one.next_deadline() == NOW + 4


@pytest.mark.parametrize(
    ("contact", "expires", "granted"), [("<sip:x@198.51.100.1>;expires=50", "70", 70), ("", "", 600)]
)
def test_registrars_that_rewrite_contacts_or_list_none(contact: str, expires: str, granted: int) -> None:
    one = client()
    request = one.compose(US)
    headers = {name: value for name, value in (("Contact", contact), ("Expires", expires)) if value}
    one.answered(request, answer(request, 200, **headers), NOW)
    assert one.registered_until == NOW + granted


def test_it_proves_its_password_once_and_keeps_the_nonce() -> None:
    one, server = client(), Verifier(Policy("provider"), random.Random(3))
    ha1 = {name: make_ha1("49301234", "provider", "right", name) for name in ("MD5", "SHA-256")}
    request = one.compose(US)
    challenge = response_to(request, 401, to_tag="t")
    for row in server.challenges("192.0.2.1", NOW):
        challenge.headers.add("WWW-Authenticate", str(row))
    again = one.answered(request, challenge, NOW)
    for proof in (again, None):
        proof = proof or one.compose(US)
        claim = server.claim(proof)
        assert claim is not None and claim.credentials.algorithm == "SHA-256"
        assert server.check(claim, ha1[claim.ha1_algorithm], "192.0.2.1", NOW) == "proven"
        one.answered(proof, answer(proof, 200), NOW)


def test_a_wrong_password_is_not_tried_again_and_again() -> None:
    one, server = client("wrong"), Verifier(Policy("provider"), random.Random(3))
    request: Request | None = one.compose(US)
    sent = 0
    while request is not None:
        sent += 1
        response = response_to(request, 401, to_tag="t")
        for row in server.challenges("192.0.2.1", NOW):
            response.headers.add("WWW-Authenticate", str(row))
        request = one.answered(request, response, NOW)
    assert sent == 2 and one.state == "refused"
    assert (one.next_deadline() or 0) >= NOW + 300


def test_a_foreign_realm_gets_no_digest() -> None:
    one = client()
    request = one.compose(US)
    response = answer(request, 401, WWW_Authenticate='Digest realm="elsewhere", nonce="1", algorithm=MD5, qop="auth"')
    assert one.answered(request, response, NOW) is None
    assert one.state == "refused" and "Authorization" not in one.compose(US).headers


def test_too_brief_an_interval_is_asked_for_longer() -> None:
    one = client()
    request = one.compose(US)
    again = one.answered(request, answer(request, 423, Min_Expires="1800"), NOW)
    assert again is not None and again.expires == 1800
    assert one.compose(US).expires == 1800


@pytest.mark.parametrize("least", ["", "60", "99999999"])
def test_a_423_that_makes_no_sense_is_a_refusal(least: str) -> None:
    one = client()
    request = one.compose(US)
    assert one.answered(request, answer(request, 423, Min_Expires=least), NOW) is None
    assert one.state == "refused"


def test_failures_are_met_with_more_and_more_patience() -> None:
    one, waits = client(), []
    for _ in range(10):
        one.compose(US)
        one.unanswered(NOW)
        waits.append((one.next_deadline() or 0) - NOW)
    assert all(4 * 2**n / 2 <= wait <= 4 * 2**n * 1.1 for n, wait in enumerate(waits[:6]))
    assert max(waits) <= 330 and one.state == "unreachable"
    one.try_soon(NOW)
    assert one.next_deadline() == NOW


def test_retry_after_is_kept() -> None:
    one = client()
    request = one.compose(US)
    one.answered(request, answer(request, 503, Retry_After="77 (busy)"), NOW)
    assert NOW + 77 <= (one.next_deadline() or 0) <= NOW + 85


def test_while_it_cannot_refresh_what_was_granted_still_holds() -> None:
    one = client()
    request = one.compose(US)
    one.answered(request, answer(request, 200), NOW)
    one.compose(US)
    one.unanswered(NOW + 500)
    assert one.state == "unreachable" and one.is_registered(NOW + 599)


def test_it_takes_its_binding_away() -> None:
    one = client()
    request = one.compose(US)
    one.answered(request, answer(request, 200), NOW)
    last = one.compose(US, 0)
    assert last.expires == 0 and ";expires=0" in (last.headers.get("Contact") or "")
    one.answered(last, answer(last, 200), NOW)
    assert one.state == "idle" and one.next_deadline() is None and not one.is_registered(NOW)


def test_what_is_no_address_is_our_own_fault() -> None:
    with pytest.raises(LocalError):
        Registration(
            Enrolment("sip:provider.example", "nobody"), Login(Account("a", "b"), random.Random(1)), random.Random(2)
        )
