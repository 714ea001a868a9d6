"""Messages from the wire: what is promised of them, what is tolerated, what is refused and with which status, and all bounds."""

from __future__ import annotations

import pytest

from confero.protocols.sip import Limits, Message, Request, Response, SipError, parse, response_to

LINES = {
    "Via": "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1",
    "From": "<sip:alice@example.com>;tag=a",
    "To": "<sip:room@confero.example>",
    "Call-ID": "call-1",
    "CSeq": "1 INVITE",
}
FIRST = "INVITE sip:room@confero.example SIP/2.0"


def text(first: str = FIRST, body: str = "", line_end: str = "\r\n", **changes: str | None) -> bytes:
    """A request; ``Max_Forwards="1"`` adds or changes a field, None leaves it out."""
    fields = LINES | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [first, *(f"{name}: {value}" for name, value in fields.items() if value is not None)]
    return (line_end.join([*lines, "", ""]) + body).encode()


def refused(data: bytes, limits: Limits | None = None) -> SipError:
    with pytest.raises(SipError) as caught:
        parse(data, limits or Limits())
    return caught.value


def test_what_is_promised() -> None:
    message = parse(text(Max_Forwards="70", Content_Type="Application / SDP ;x=y", body="v=0"))
    assert isinstance(message, Request) and (message.method, message.uri) == ("INVITE", "sip:room@confero.example")
    assert (
        message.top_via.host == "192.0.2.1" and message.top_via.port == 5060 and message.top_via.branch == "z9hG4bK-1"
    )
    assert message.from_.tag == "a" and message.to.tag is None and message.call_id == "call-1"
    assert message.max_forwards == 70 and message.content_type == "application/sdp" and message.body == b"v=0"
    assert message.expires is None and message.contact is None and message.routes == [] and not message.is_wildcard


def test_a_response() -> None:
    message = parse(text("sip/2.0 180 Da läutet es"))
    assert isinstance(message, Response) and (message.status, message.reason) == (180, "Da läutet es")
    assert parse(text("SIP/2.0 200")) == parse(text("SIP/2.0 200 "))


@pytest.mark.parametrize("before", ["", "\r\n", "\r\n\r\n\r\n", "\n"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_line_ends(before: str, line_end: str) -> None:
    data = text(line_end=line_end, body="v=0\r\n\n", Subject=f"a{line_end} b{line_end}\t c", Content_Length="5")
    message = parse(before.encode() + data)
    assert message.headers.get("Subject") == "a b c" and message.body == b"v=0\r\n"
    assert b"\nSubject: a b c\r\n" in bytes(message)


@pytest.mark.parametrize(
    "data",
    [
        text(line_end="\n").replace(b"\nTo", b"\r\nTo"),
        text().replace(b"\r\nTo", b"\nTo"),
        text()[:-4] + b"\n\n",
        text(line_end="\n")[:-2] + b"\r\n\r\n",
        text().replace(b"\r\nTo", b"\rTo"),
    ],
)
def test_line_ends_are_of_one_kind(data: bytes) -> None:
    """Two readers of a mixture may see two messages, of which one was not looked at by who stands between."""
    assert refused(data).status == 400


def test_one_message_however_it_is_spelled() -> None:
    plain = parse(text(Contact="<sip:alice@192.0.2.1>", Supported="timer"))
    other = (
        text().replace(b"Via", b"V").replace(b"From", b"fROM").replace(b"Call-ID:", b"i \t:").replace(b"To: ", b"t:")
    )
    assert parse(other[:-2] + b"m:<sip:alice@192.0.2.1>\r\nk:\r\n  timer\r\n\r\n") == plain


def test_the_length_of_a_body() -> None:
    assert parse(text(body="12345")).body == b"12345"
    cut = parse(text(body="12345", Content_Length="3"))
    assert cut.body == b"123" and bytes(cut).endswith(b"Content-Length: 3\r\n\r\n123")
    error = refused(text(body="12345", Content_Length="6"))
    assert error.status == 400 and isinstance(error.message, Request)
    for bad in ("-1", "x", "5, 5", "", "9" * 30):
        assert refused(text(body="12345", Content_Length=bad)).status == 400


@pytest.mark.parametrize("name", LINES)
def test_what_each_message_has(name: str) -> None:
    assert "there is no" in refused(text(**{name.replace("-", "_"): None})).detail


@pytest.mark.parametrize(
    "name", ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type", "Expires"]
)
def test_what_no_message_has_twice(name: str) -> None:
    once = LINES.get(name, "1/1" if name == "Content-Type" else "0")
    data = text(**{name.replace("-", "_"): once})
    assert isinstance(parse(data), Request)
    assert f"{name} appears twice" in refused(data[:-2] + f"{name.upper()}: {once}\r\n\r\n".encode()).detail


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Via", "SIP/2.0/UDP"),
        ("Via", "SIP/3.0/UDP a"),
        ("Via", "SIP/2.0/UDP a:0"),
        ("Via", "SIP/2.0/UDP a:65536"),
        ("Via", "SIP/2.0/UDP 1.2.3.400"),
        ("Via", "SIP/2.0/UDP [::1;branch=z9hG4bK1"),
        ("Via", "SIP/2.0/UDP [fe80::1%eth0]"),
        ("Via", "SIP/2.0/UDP a;branch=1;branch=2"),
        ("Via", "SIP/2.0/UDP a b"),
        ("From", "<sip:a@b>;tag=1;TAG=2"),
        ("From", "<sip:a@b>;tag"),
        ("To", "<sip:a@b>;tag="),
        ("From", "<sip:a@b"),
        ("From", '"a <sip:a@b>'),
        ("From", "sip:a@b?c=d"),
        ("From", "sip:a@b,sip:c@d"),
        ("To", "<sip:a@@b>"),
        ("To", "<sip:@b>"),
        ("To", "<sip:a@b:>"),
        ("To", "<sip:a@>"),
        ("To", "<sip:a%4@b>"),
        ("To", "<no uri>"),
        ("To", "<sip:a@b;x=1;x=2>"),
        ("To", "*"),
        ("Call-ID", ""),
        ("Call-ID", "a b"),
        ("Call-ID", "a" * 513),
        ("CSeq", "1"),
        ("CSeq", "2147483648 INVITE"),
        ("CSeq", "-1 INVITE"),
        ("CSeq", "٣ INVITE"),
        ("CSeq", "1 invite"),
        ("CSeq", "1 BYE"),
        ("Max-Forwards", "256"),
        ("Max-Forwards", "70 71"),
        ("Content-Type", "sdp"),
        ("Content-Type", "application/sdp junk"),
    ],
)
def test_malformed_fields(name: str, value: str) -> None:
    error = refused(text(**{name.replace("-", "_"): value}))
    assert error.status == 400 and isinstance(error.message, Request)
    assert error.message.headers.get(name) == value.strip()


@pytest.mark.parametrize(
    ("first", "status"),
    [
        ("INVITE sip:a@b SIP/2.1", 505),
        ("INVITE sip:a@b SIP/7.0", 505),
        ("INVITE sip:a@b  SIP/2.0", 400),
        ("INVITE sip:a@b", 400),
        ("INV ITE sip:a@b SIP/2.0", 400),
        ("INV(ITE sip:a@b SIP/2.0", 400),
        ("INVITE sip:a@[::1 SIP/2.0", 400),
        ("INVITE sip: SIP/2.0", 400),
        ("INVITE nothing SIP/2.0", 400),
        ("SIP/2.0 099 Low", 400),
        ("SIP/2.0 700 High", 400),
        ("SIP/2.0 2000 Long", 400),
        ("GET / HTTP/1.1", 400),
        ("", 400),
    ],
)
def test_start_lines(first: str, status: int) -> None:
    assert refused(text(first)).status == status


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"INVITE",
        text()[:-2],
        text(Subject="a\x00b"),
        text(Subject="\x1b[2J"),
        text().replace(b"call", b"\xff"),
    ]
    + [text().replace(b"Call-ID:", name) for name in (b"Call ID:", b":", b"x", b"Call\x00ID:", b"C" * 129 + b":")],
)
def test_no_message(data: bytes) -> None:
    error = refused(data)
    assert error.status == 400 and error.message is None


def test_controls_only_behind_a_backslash() -> None:
    message = parse(text(From='"a\\\x00b\\\x1b" <sip:a@b>;tag=1'))
    assert message.from_.name == "a\x00b\x1b" and parse(bytes(message)) == message


def test_an_answer_to_what_could_not_be_read() -> None:
    error = refused(text("INVITE sip:a@b SIP/9.0"))
    assert isinstance(error.message, Request)
    answer = parse(bytes(response_to(error.message, error.status, to_tag="x")))
    assert isinstance(answer, Response) and (answer.status, answer.to.tag) == (505, "x")


def test_an_answer_even_where_no_tag_can_be_put() -> None:
    error = refused(text(To="<broken"))
    assert error.message is not None and isinstance(error.message, Request)
    assert response_to(error.message, 400, to_tag="x").headers.get("To") == "<broken"


def test_bounds() -> None:
    assert refused(text(body="x" * 65_536)).status == 513
    assert refused(text(Subject="x" * 8_193)).status == 513
    assert parse(text(Subject="x" * 8_192)).headers.get("s") == "x" * 8_192
    assert refused(text(A="x" * 8_000, B="x" * 8_000, C="x" * 8_000)).status == 513
    assert refused(b"x" * 20_000).status == 513
    assert refused(text(**{f"X{number}": "" for number in range(124)})).status == 513
    assert isinstance(parse(text(**{f"X{number}": "" for number in range(123)})), Request)
    assert refused(text(Subject="\r\n a" * 200)).status == 513


@pytest.mark.parametrize(
    ("name", "value"), [("Via", LINES["Via"]), ("Route", "<sip:a;lr>"), ("Record-Route", "<sip:a;lr>")]
)
def test_hops_are_bounded(name: str, value: str) -> None:
    message = parse(text(**{name.replace("-", "_"): ",".join([value] * 70)}))
    assert len(message.headers.all(name)) == 70
    assert refused(text(**{name.replace("-", "_"): ",".join([value] * 71)})).status == 513


@pytest.mark.parametrize(
    "value", [" " * 8_000, "\t;" * 4_000, "(" * 8_000, '"' * 8_000, "\\" * 8_000, "<" * 8_000, "a " * 4_000]
)
@pytest.mark.parametrize("name", ["From", "Via", "Contact", "CSeq", "Content-Type", "Route"])
def test_long_nonsense_ends(name: str, value: str) -> None:
    """No grammar here tries all ways to take a text apart."""
    for data in (f"a{value}b", f"<sip:a@b>{value}", f'"{value}', f"SIP/2.0/UDP a{value};x"):
        try:
            touch(parse(text(**{name.replace("-", "_"): data[:8_000]})))
        except SipError as error:
            assert error.status in (400, 513)


def touch(message: Message) -> None:
    """Reads all that is typed."""
    _ = message.vias, message.from_, message.to, message.cseq, message.contacts, message.routes, message.record_routes
    _ = message.max_forwards, message.expires, message.media_type, message.is_wildcard


def test_a_field_that_nobody_reads_may_be_anything() -> None:
    message = parse(text(Contact="<broken", Date="yesterday"))
    with pytest.raises(SipError, match="Contact"):
        _ = message.contacts
    assert message.headers.get("Date") == "yesterday"


def test_typed_values_follow_their_fields() -> None:
    message = parse(text(Contact="<sip:a@b>, <sip:c@d>", Route="<sip:p;lr>"))
    assert isinstance(message, Request)
    assert [str(one.uri) for one in message.contacts] == ["sip:a@b", "sip:c@d"]
    message.contacts.clear()
    assert len(message.contacts) == 2
    message.headers.set("Contact", "*")
    assert message.contacts == [] and message.is_wildcard and message.contact is None
    message.headers.set("CSeq", "2 INVITE")
    assert message.cseq.number == 2
    message.headers.prepend("Route", "<sip:q;lr>")
    assert [one.uri.host for one in message.routes] == ["q", "p"]
    message.uri = "tel:+49-30-1234;phone-context=x"
    assert message.target.number == "+49301234" and message.target.scheme == "tel"
