"""What goes from an INVITE to a page and back: what is configured, whole, and nothing that breaks a message."""

from __future__ import annotations

from confero.protocols.sip.headers import Headers
from confero.protocols.sip.uui import unpack
from confero.sipgw.userdata import MAX_VALUE, Told, to_tell, told_by

PASSED = ["X-Customer", "X-Note"]


def test_what_an_invite_tells() -> None:
    headers = Headers(
        [
            ("User-to-User", "48690a;encoding=hex"),
            ("x-customer", "4711\x00\x1b[2J"),
            ("X-Secret", "no"),
            ("X-Note", "n" * 600),
        ]
    )
    told = told_by(headers, PASSED)
    assert (told.user_data, told.headers) == ("Hi\n", {"X-Customer": "4711[2J"})
    assert told_by(Headers(), PASSED).headers == {}


def test_what_a_page_tells() -> None:
    wish = {"x-customer": "4711", "X-Secret": "no", "X-Note": "a\r\nContact: <sip:evil@evil.test>", "From": "me"}
    fields = to_tell(Told("Grüße", wish), PASSED)
    assert fields[0] == ("X-Customer", "4711") and len(fields) == 2
    assert (fields[1][0], unpack(fields[1][1])) == ("User-to-User", "Grüße")
    assert to_tell(Told("", {"X-Note": "n" * (MAX_VALUE + 1)}), PASSED) == ()


def test_the_last_word_of_each_kind_counts() -> None:
    said = Told("first", {"X-Note": "1"}).after(Told("", {"X-Note": "2"}))
    assert (said.user_data, said.headers) == ("first", {"X-Note": "2"})
    assert said.after(Told("second")) == Told("second", {"X-Note": "2"})
