"""URIs: what is read is written again, escapes mean what they spell, and nothing else is taken for a URI."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confero.protocols.sip import URI


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@atlanta.com",
        "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone",
        "sips:1212@gateway.com",
        "sip:alice@192.0.2.4",
        "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
        "sip:alice;day=tuesday@atlanta.com",
        "sip:*31#0301234@pbx_1.local:5070",
        "sip:a%2Fb@[2001:db8::1]:5061;lr;maddr=[2001:db8::2]",
        "sip:localhost.",
        "tel:+1-201-555-0123",
        "tel:7042;phone-context=example.com",
        "isbn:2983792873",
        "http://www.example.com/?a=b",
    ],
)
def test_written_as_it_was_read(text: str) -> None:
    """RFC 3261 section 19.1.3 and some more."""
    assert str(URI.parse(text)) == text
    assert URI.parse(text.replace("sip:", "SIP:")) == URI.parse(text)


def test_parts() -> None:
    uri = URI.parse("sip:a%2Fb%20c:w@host.example:5070;Transport=TCP;lr;x=%41?Replaces=1%3Bto-tag%3D2&X=")
    assert (uri.user, uri.username, uri.password) == ("a%2Fb%20c", "a/b c", "w")
    assert (uri.host, uri.port) == ("host.example", 5070)
    assert uri.parameters["transport"] == "TCP" and uri.parameters["LR"] is None and uri.parameters["x"] == "A"
    assert uri.header("replaces") == "1;to-tag=2" and uri.header("x") == "" and uri.header("y") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("tel:+49-(30)-12.34", "+49301234"),
        ("sip:+49301234;phone-context=x@b;user=phone", "+49301234"),
        ("sip:49301234@b", None),
        ("tel:*31#", None),
        ("sip:+@b", None),
        ("sip:b", None),
    ],
)
def test_numbers(text: str, number: str | None) -> None:
    assert URI.parse(text).number == number


@pytest.mark.parametrize(
    "text",
    [
        *("", "sip", "sip:", "sip:@b", "sip:a@", "sip:a b@c", "sip:a@b c", "sip:a@b;", "sip:a@b;=1", "sip:a@b;x=%4"),
        *(
            "sip:a@b:x",
            "sip:a@b:0",
            "sip:a@b:70000",
            "sip:a@b:",
            "sip:a@1.2.3.256",
            "sip:a@[::1",
            "sip:a@::1",
            "sip:a@[1]",
        ),
        *(
            "sip:a@[fe80::1%25eth0]",
            "sip:a@-b",
            "sip:a@127.1",
            "sip:a@2130706433",
            "sip:a@0x7f.1",
            "sip:a@b.0x7F.",
            "sip:a@010.0.0.1",
            "sip:a@1.2.3.4.",
            "sip:a@b..c",
            "sip:<a@b>",
            'sip:"a"@b',
            "sip:a%zz@b",
            "sip:a@b@c",
            "sip:ä@b",
        ),
        *(
            "tel:",
            "tel:+",
            "tel:abcxyz",
            "tel:1;=",
            "1tel:2",
            "no uri",
            ":a",
            "x:",
            "x:a b",
            "sip:" + "a" * 256 + ".b:1x",
        ),
    ],
)
def test_no_uri(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        URI.parse(text)


@settings(max_examples=500, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_any_user(name: str) -> None:
    uri = URI.sip(name, "2001:db8::1", 5060, transport="tcp", lr=None)
    again = URI.parse(str(uri))
    assert again == uri and again.username == name and again.host == "[2001:db8::1]"


@settings(max_examples=500, deadline=None)
@given(st.text('sipstel:;=@?&%41[]ab.+#*-/<>" ', max_size=40).map(lambda text: "sip:" + text))
def test_noise(text: str) -> None:
    try:
        uri = URI.parse(text)
    except ValueError as error:
        assert str(error)
        return
    assert str(URI.parse(str(uri))) == str(uri)


def test_a_parameter_that_says_the_same_again_says_it_once() -> None:
    assert str(URI.parse("sip:lobby@192.0.2.1;transport=tls;transport=tls")) == "sip:lobby@192.0.2.1;transport=tls"
    with pytest.raises(ValueError, match="twice"):
        URI.parse("sip:lobby@192.0.2.1;transport=tls;transport=tcp")
