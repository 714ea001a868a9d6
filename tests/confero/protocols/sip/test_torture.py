"""The torture messages of RFC 4475 and RFC 5118, each with the verdict that the RFC expects, and what must have been understood."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from confero.protocols.sip import Request, Response, SipError, parse, response_to
from confero.protocols.sip.events import RequestIn
from confero.protocols.sip.framing import StreamFramer
from confero.protocols.sip.inspection import METHODS, Abilities, refusal
from confero.protocols.sip.verifier import Policy, Verifier

from .layers import Driven

DATA = Path(__file__).parents[3] / "data" / "sip"
DROPPED = 0
"""A response that is malformed: nobody is told."""

VERDICTS: dict[str, int] = {
    # RFC 4475 section 3.1.1: valid messages.
    "rfc4475/wsinv": 200,
    "rfc4475/intmeth": 501,  # Well-formed, of a method that nobody knows.
    "rfc4475/esc01": 200,
    "rfc4475/escnull": 200,
    "rfc4475/esc02": 501,  # RE%47IST%45R is not REGISTER.
    "rfc4475/lwsdisp": 200,
    "rfc4475/longreq": 200,
    "rfc4475/dblreq": 200,
    "rfc4475/semiuri": 200,
    "rfc4475/transports": 200,
    "rfc4475/mpart01": 415,  # Well-formed; we take no multipart/signed.
    "rfc4475/unreason": 200,
    "rfc4475/noreason": 200,
    # Section 3.1.2: invalid messages.
    "rfc4475/badinv01": 400,
    "rfc4475/clerr": 400,
    "rfc4475/ncl": 400,
    "rfc4475/scalar02": 400,
    "rfc4475/scalarlg": DROPPED,
    "rfc4475/quotbal": 400,
    "rfc4475/ltgtruri": 400,
    "rfc4475/lwsruri": 400,
    "rfc4475/lwsstart": 400,
    "rfc4475/trws": 400,
    "rfc4475/escruri": 400,
    "rfc4475/baddate": 200,  # 400 or, as here, nobody reads the Date.
    "rfc4475/regbadct": 400,
    "rfc4475/badaspec": 400,
    "rfc4475/baddn": 400,
    "rfc4475/badvers": 505,
    "rfc4475/mismatch01": 400,
    "rfc4475/mismatch02": 400,  # Or 501.
    "rfc4475/bigcode": DROPPED,
    # Section 3.2: see test_a_branch_that_is_the_cookie_alone.
    "rfc4475/badbranch": 200,
    # Section 3.3: application layer.
    "rfc4475/insuf": 400,
    "rfc4475/unkscm": 416,
    "rfc4475/novelsc": 416,
    "rfc4475/unksm2": 200,  # To and From may be of any scheme; whether it can be registered is the registrar's to say.
    "rfc4475/bext01": 420,
    "rfc4475/invut": 415,
    "rfc4475/regaut01": 200,  # See test_credentials_of_a_scheme_that_nobody_knows.
    "rfc4475/multi01": 400,
    "rfc4475/mcl01": 400,
    "rfc4475/bcast": 200,  # Well-formed; see test_a_response_that_is_for_others.
    "rfc4475/zeromf": 200,  # A proxy answers 483; to a user agent it has arrived.
    "rfc4475/cparam01": 200,
    "rfc4475/cparam02": 200,
    "rfc4475/regescrt": 200,
    "rfc4475/sdp01": 406,
    # Section 3.4: peers of RFC 2543.
    "rfc4475/inv2543": 200,
    # RFC 5118 section 4.
    "rfc5118/ipv6-good": 200,
    "rfc5118/ipv6-bad": 400,
    "rfc5118/port-ambiguous": 200,
    "rfc5118/port-unambiguous": 200,
    "rfc5118/via-received-param-with-delim": 200,
    "rfc5118/via-received-param-no-delim": 200,
    "rfc5118/ipv6-in-sdp": 200,
    "rfc5118/mult-ip-in-header": 200,
    "rfc5118/mult-ip-in-sdp": 200,
    "rfc5118/ipv4-mapped-ipv6": 200,
    "rfc5118/ipv6-bug-abnf-3-colons": 200,
    "rfc5118/ipv6-correct-abnf-2-colons": 200,
}
RESPONSES = {"rfc4475/unreason", "rfc4475/noreason", "rfc4475/bcast"}
ABILITIES = Abilities(methods=tuple(sorted(METHODS)))


def data(name: str) -> bytes:
    found = (DATA / f"{name}.dat").read_bytes()
    # The archive of RFC 4475 has left out one blank line.
    return found + b"\r\n" if name == "rfc4475/baddn" else found


def request(name: str) -> Request:
    message = parse(data(name))
    assert isinstance(message, Request)
    return message


def verdict(name: str) -> int:
    try:
        message = parse(data(name))
    except SipError as error:
        return error.status if isinstance(error.message, Request) else DROPPED
    found = refusal(message, ABILITIES) if isinstance(message, Request) else None
    return found.status if found else 200


def test_all_of_them_are_here() -> None:
    assert {f"{path.parent.name}/{path.stem}" for path in DATA.glob("rfc*/*.dat")} == set(VERDICTS)
    assert len(VERDICTS) == 49 + 12


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict(name: str) -> None:
    assert verdict(name) == VERDICTS[name]


@pytest.mark.parametrize("name", [name for name, status in VERDICTS.items() if status != DROPPED])
def test_what_is_understood_is_written_and_read_again(name: str) -> None:
    try:
        message = parse(data(name))
    except SipError:
        return
    again = parse(bytes(message))
    assert again == message and bytes(again) == bytes(message)


@pytest.mark.parametrize("name", [name for name, status in VERDICTS.items() if status >= 400])
def test_what_is_refused_is_answered(name: str) -> None:
    """The answer has what the peer needs to know it by, even if all else is broken."""
    try:
        answer = refusal(request(name), ABILITIES, to_tag="ours")
    except SipError as error:
        assert isinstance(error.message, Request)
        answer = response_to(error.message, error.status)
    assert answer is not None
    assert [row.split(";")[0] for row in answer.headers.rows("Via")]
    assert (answer.headers.get("Call-ID") or name == "rfc4475/insuf") and answer.headers.get("CSeq")


def test_short_and_tortuous() -> None:
    """3.1.1.1."""
    message = request("rfc4475/wsinv")
    assert message.to.tag == "1918181833n" and message.from_.name == 'J Rosenberg \\"'
    assert message.max_forwards == 68 and str(message.cseq) == "9 INVITE" and len(message.body) == 150
    assert [(via.transport, via.host, via.branch) for via in message.vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert message.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    contact = message.contact
    assert contact and contact.name == 'Quoted string ""' and contact.parameters["newparam"] == "newvalue"
    assert contact.parameters["q"] == "0.33" and contact.parameters["secondparam"] is None
    assert message.routes[0].uri.parameters["unknownwith"] == "value" and "lr" in message.routes[0].uri.parameters


def test_wide_range_of_characters() -> None:
    """3.1.1.2."""
    message = request("rfc4475/intmeth")
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~" == message.cseq.method
    assert message.to.name == "BEL:\x07 NUL:\x00 DEL:\x7f" and message.to.uri.host == "example.com"
    assert message.from_.tag == "_token~1'+`*%!-." and message.from_.name == "token1~` token2'+_ token3*%!.-"
    assert "работающий" in (message.from_.parameters["fromParam''~+*_!.-%"] or "")


def test_escapes() -> None:
    """3.1.1.3 to 3.1.1.5: an escaped separator separates nothing, an escaped name is the same name in URIs and only there."""
    message = request("rfc4475/esc01")
    assert message.target.username == "sips:user@example.com" and message.target.host == "example.net"
    assert message.to.uri.username == "user" and message.from_.uri.username == "I have spaces"
    contact = message.contact
    assert contact and contact.uri.username == "caller" and "lr" in contact.uri.parameters
    assert contact.uri.parameters["name"] == "value%41"
    assert [one.uri.username for one in request("rfc4475/escnull").contacts] == ["\x00", "\x00\x00"]
    unescaped = request("rfc4475/esc02")
    assert unescaped.to.name == "%Z%45" and len(unescaped.contacts) == 2 and "C%6Fntact" in unescaped.headers


def test_no_blank_before_the_bracket() -> None:
    """3.1.1.6."""
    assert request("rfc4475/lwsdisp").from_.name == "caller"


def test_long_values() -> None:
    """3.1.1.7."""
    message = request("rfc4475/longreq")
    assert len(message.vias) == 34 and len(message.to.name) > 100 and len(message.call_id) > 140


def test_two_requests_in_one_datagram() -> None:
    """3.1.1.8: a datagram is one message; on a stream the second is one of its own."""
    whole = data("rfc4475/dblreq")
    assert request("rfc4475/dblreq").body == b""
    # The RFC's second is longer than its Content-Length says: that is where a connection ends.
    first, second, rest = StreamFramer().feed(whole)
    with pytest.raises(SipError):
        parse(rest)
    assert [parse(one).cseq.method for one in (first, second)] == ["REGISTER", "INVITE"]


def test_semicolon_in_the_user() -> None:
    """3.1.1.9."""
    target = request("rfc4475/semiuri").target
    assert target.username == "user;par=u@example.net" and target.host == "example.com" and not target.parameters


def test_transports() -> None:
    """3.1.1.10."""
    assert [via.transport for via in request("rfc4475/transports").vias] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_a_body_of_any_bytes() -> None:
    """3.1.1.11."""
    message = request("rfc4475/mpart01")
    assert message.content_type == "multipart/mixed" and b"\x00" in message.body
    assert message.media_type and message.media_type.parameters["boundary"] == "7a9cbec02ceef655"


def test_reasons_of_other_alphabets_and_none() -> None:
    """3.1.1.12 and 3.1.1.13."""
    message = parse(data("rfc4475/unreason"))
    assert isinstance(message, Response) and message.reason.startswith("= 2**3 * 5**2 но сто девяносто девять")
    message = parse(data("rfc4475/noreason"))
    assert isinstance(message, Response) and (message.status, message.reason) == (100, "")


def test_whose_parameter_it_is() -> None:
    """3.3.13 and 3.3.14: without brackets the field's, within them the URI's."""
    first, second = request("rfc4475/cparam01").contact, request("rfc4475/cparam02").contact
    assert first and "unknownparam" in first.parameters and not first.uri.parameters
    assert second and "unknownparam" in second.uri.parameters and not second.parameters


def test_what_a_contact_asks_for() -> None:
    """3.3.15."""
    contact = request("rfc4475/regescrt").contact
    assert contact and contact.uri.header("Route") == "<sip:sip.example.com>"


def test_unsupported_extensions_are_named() -> None:
    """3.3.4."""
    found = refusal(request("rfc4475/bext01"), ABILITIES)
    assert found and found.headers.get("Unsupported") == "nothingsupportsthis, nothingsupportsthiseither"


def test_ipv6() -> None:
    """RFC 5118 sections 4.3 to 4.5, 4.9 and 4.10."""
    assert request("rfc5118/port-ambiguous").target.port is None
    assert request("rfc5118/port-unambiguous").target.port == 5070
    with_brackets, without = (request(f"rfc5118/via-received-param-{how}-delim") for how in ("with", "no"))
    assert with_brackets.top_via.parameters["received"] == "[2001:db8::9:255]"
    assert without.top_via.parameters["received"] == "2001:db8::9:255"
    mapped = request("rfc5118/ipv4-mapped-ipv6")
    assert [(via.host, via.port) for via in mapped.vias] == [
        ("[::ffff:192.0.2.10]", 19823),
        ("[::ffff:192.0.2.2]", None),
    ]
    assert mapped.contact and mapped.contact.uri.host == "[::ffff:192.0.2.2]"


def test_a_branch_that_is_the_cookie_alone() -> None:
    """3.2.1: it is not unique, so that the request is told from others by what RFC 2543 has."""
    driven = Driven()
    first, other = request("rfc4475/badbranch"), request("rfc4475/badbranch")
    other.headers.set("Call-ID", "another")
    assert [len(driven.receive(one)) for one in (first, other, request("rfc4475/badbranch"))] == [1, 1, 0]


def test_a_response_that_is_for_others() -> None:
    """3.3.10."""
    driven = Driven()
    assert driven.receive(parse(data("rfc4475/bcast"))) == [] and driven.sent == []


def test_credentials_of_a_scheme_that_nobody_knows() -> None:
    """3.3.7: as if there were none."""
    assert Verifier(Policy("example.com"), Random(1)).claim(request("rfc4475/regaut01")) is None


@pytest.mark.parametrize("name", [name for name, status in VERDICTS.items() if status == 200 and name not in RESPONSES])
def test_what_is_understood_reaches_its_user_once(name: str) -> None:
    driven = Driven()
    assert [type(event) for event in driven.receive(request(name))] == [RequestIn]
    assert driven.receive(request(name)) == []
