"""The fields of SIP's extensions: the examples of their RFCs, what is refused, and that what is written is read again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confero.protocols.sip import Headers, Parameters, Request, SipError, fields
from confero.protocols.sip.fields import (
    Event,
    MinSE,
    RAck,
    Reason,
    Replaces,
    RetryAfter,
    RSeq,
    SessionExpires,
    SubscriptionState,
    Warning,
)
from confero.protocols.sip.identity import Privacy, UserToUser, asserted_identities


def message(**values: str) -> Request:
    return Request("INVITE", "sip:a@b", Headers([(name.replace("_", "-"), value) for name, value in values.items()]))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4000;refresher=uac", SessionExpires(4000, "uac")),
        ("1800 ; Refresher = UAS ; x=y", SessionExpires(1800, "uas")),
        ("90", SessionExpires(90)),
        ("3600", MinSE(3600)),
        ("90;x", MinSE(90)),
        ("988789", RSeq(988789)),
        ("776656 1 INVITE", RAck(776656, 1, "INVITE")),
        (
            "425928@bobster.example.org;to-tag=7743;from-tag=6472",
            Replaces("425928@bobster.example.org", "7743", "6472"),
        ),
        (
            "98732@s.example;from-tag=r33th4x0r;to-tag=ff87ff;early-only",
            Replaces("98732@s.example", "ff87ff", "r33th4x0r", True),
        ),
        ('SIP ;cause=200 ;text="Call completed elsewhere"', Reason("SIP", 200, "Call completed elsewhere")),
        ('Q.850 ;cause=16 ;text="Terminated"', Reason("Q.850", 16, "Terminated")),
        ("preemption", Reason("preemption")),
        ("18000;duration=3600", RetryAfter(18000, 3600)),
        (r"120 (I'm in a \(long\) meeting)", RetryAfter(120)),
        ("5", RetryAfter(5)),
        ('370 devnull "Choose a bigger \\"pipe\\""', Warning(370, "devnull", 'Choose a bigger "pipe"')),
        ("refer;id=93809824", Event("refer", "93809824")),
        ("presence", Event("presence")),
        ("active;expires=60", SubscriptionState("active", 60)),
        ("Terminated;reason=noresource", SubscriptionState("terminated", None, "noresource")),
        ("header; user; id", Privacy(frozenset({"header", "user", "id"}))),
        (
            "56a390f3d2b7310023a2;encoding=hex;purpose=foo",
            UserToUser("56a390f3d2b7310023a2", Parameters({"encoding": "hex", "purpose": "foo"})),
        ),
        ('"a; b";encoding=text', UserToUser("a; b", Parameters({"encoding": "text"}))),
    ],
)
def test_examples(text: str, value: Any) -> None:
    kind = type(value)
    assert kind.parse(text) == value
    assert kind.parse(str(value)) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (SessionExpires, ""),
        (SessionExpires, "0"),
        (SessionExpires, "90;refresher=me"),
        (SessionExpires, "9" * 30),
        (MinSE, "-1"),
        (RSeq, "0"),
        (RSeq, "4294967296"),
        (RAck, "1 INVITE"),
        (RAck, "1 2147483648 INVITE"),
        (Replaces, "a;to-tag=1"),
        (Replaces, ";to-tag=1;from-tag=2"),
        (Reason, "SIP;cause=x"),
        (Reason, "a b"),
        (RetryAfter, "soon"),
        (RetryAfter, "5 (open"),
        (Warning, "200 a b"),
        (Warning, '100 a "b"'),
        (Event, "a b"),
        (SubscriptionState, "active;expires=x"),
        (Privacy, "id;"),
        (UserToUser, ""),
        (UserToUser, "a" * 2049),
        (UserToUser, '"open'),
    ],
)
def test_refused(kind: Any, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        kind.parse(text)


def test_read() -> None:
    request = message(x="1800;refresher=uas", Reason='SIP;cause=200, Q.850;cause=16;text="a, b"', RSeq="none")
    assert fields.read(request, SessionExpires) == SessionExpires(1800, "uas")
    assert fields.read(request, MinSE) is None
    assert [(one.protocol, one.text) for one in fields.read_all(request, Reason)] == [("SIP", ""), ("Q.850", "a, b")]
    with pytest.raises(SipError, match="RSeq"):
        fields.read(request, RSeq)


def test_options_and_methods() -> None:
    request = message(k="Timer, replaces", Require="100rel", Allow="INVITE, BYE")
    assert [fields.supports(request, tag) for tag in ("timer", "100rel", "tdialog")] == [True, True, False]
    assert [fields.allows(request, method) for method in ("BYE", "UPDATE")] == [True, False]
    assert fields.allows(message(), "UPDATE") is None


def test_transfers() -> None:
    request = message(r="<sip:bob@b?Replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3>", Referred_By="Alice <sip:a@b>;cid=x")
    to, by = fields.refer_to(request), fields.referred_by(request)
    assert to and Replaces.parse(to.uri.header("Replaces") or "") == Replaces("1", "2", "3")
    assert by and by.name == "Alice" and by.uri.user == "a"
    assert fields.refer_to(message()) is None and fields.referred_by(message()) is None


def test_asserted_identities() -> None:
    """RFC 3325 section 9.1."""
    request = message(P_Asserted_Identity='"Cullen Jennings" <sip:fluffy@cisco.com>, tel:+14085264000')
    assert [str(one.uri) for one in asserted_identities(request)] == ["sip:fluffy@cisco.com", "tel:+14085264000"]
    assert asserted_identities(message()) == []
    for bad in ("<sip:a@b>, <sip:c@d>", "tel:+1, tel:+2", "<sip:a@b>, tel:+1, <sip:c@d>", "<sip:a@b"):
        with pytest.raises(SipError):
            asserted_identities(message(P_Asserted_Identity=bad))


def test_privacy() -> None:
    assert Privacy.parse("id").hides_identity and not Privacy.parse("none").hides_identity
    assert not Privacy.parse("critical").hides_identity and Privacy.parse("ID, critical").hides_identity


def test_user_data_of_octets() -> None:
    value = UserToUser.of(b"\x00ticket 7", purpose="app", content="x")
    assert UserToUser.parse(str(value)).octets == b"\x00ticket 7" and value.parameters["purpose"] == "app"
    assert UserToUser.parse("hello;encoding=text").octets == b"hello"
    with pytest.raises(SipError):
        _ = UserToUser.parse("hello").octets
    with pytest.raises(ValueError, match="1024"):
        UserToUser.of(bytes(1025))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=1024))
def test_any_user_data(octets: bytes) -> None:
    assert UserToUser.parse(str(UserToUser.of(octets))).octets == octets


KINDS: list[Any] = [
    *(
        Event,
        MinSE,
        Privacy,
        RAck,
        Reason,
        Replaces,
        RetryAfter,
        RSeq,
        SessionExpires,
        SubscriptionState,
        UserToUser,
        Warning,
    ),
]
pieces = st.sampled_from(
    ['"', "\\", ";", "=", ",", " ", "1", "90", "a", "<", ">", "tag", "to-tag", "from-tag", "text", "("]
)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.one_of(
        st.text(st.characters(exclude_characters="\r\n"), max_size=40), st.lists(pieces, max_size=20).map("".join)
    ),
)
def test_noise(kind: Any, text: str) -> None:
    try:
        value = kind.parse(text)
    except ValueError as error:
        assert str(error)
        return
    assert kind.parse(str(value)) == value
