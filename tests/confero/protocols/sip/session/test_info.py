"""INFO: keys in the spellings of phones, other kinds as configured, and the rest refused."""

from __future__ import annotations

import pytest

from confero.protocols.sip.session import Digit, Info, SessionConfig

from .line import Line

RELAY = "application/dtmf-relay"


def running() -> Line:
    line = Line(b=SessionConfig("<sip:b@192.0.2.2>", info_packages=("conference",)))
    line.establish()
    return line


@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        (RELAY, b"Signal=5\r\nDuration=250\r\n", Digit("5", 250)),
        (RELAY, b"Signal= #\nDuration= 160", Digit("#", 160)),
        (RELAY, b"signal=10\r\n", Digit("*", 160)),
        (RELAY, b"Signal=d\r\nDuration=99999999\r\n", Digit("D", 10_000)),
        (RELAY + ";charset=utf-8", b"Duration=80\r\nSignal=0\r\n", Digit("0", 80)),
        ("application/dtmf", b"9", Digit("9", 160)),
        ("application/dtmf", b" *\r\n", Digit("*", 160)),
    ],
)
def test_keys(kind: str, body: bytes, digit: Digit) -> None:
    line = running()
    line.do(line.a, line.a.it.info(kind, body, line.now))
    line.run()
    assert line.trace == ["A INFO", "B 200 INFO"] and line.b.last(Digit) == digit


@pytest.mark.parametrize("body", [b"", b"Signal=", b"Signal=55\r\n", b"Signal=x\r\n", b"\xff\xfe", b"Signal" * 1000])
def test_what_is_no_key(body: bytes) -> None:
    line = running()
    line.do(line.a, line.a.it.info(RELAY, body, line.now))
    line.run()
    assert line.trace[-1] == "B 400 INFO" and not line.b.has(Digit)


@pytest.mark.parametrize(
    ("kind", "headers", "status", "told"),
    [
        ("application/media_control+xml", [], 200, True),
        ("text/plain", [], 415, False),
        ("text/plain", [("Info-Package", "conference")], 200, True),
        ("text/plain", [("Info-Package", "unheard-of")], 469, False),
    ],
)
def test_other_kinds(kind: str, headers: list[tuple[str, str]], status: int, told: bool) -> None:
    line = running()
    line.do(line.a, line.a.it.info(kind, b"body", line.now, headers))
    line.run()
    assert line.trace[-1] == f"B {status} INFO" and line.b.has(Info) is told


def test_an_info_without_a_body_is_a_sign_of_life() -> None:
    line = running()
    dialog = line.a.it.dialog
    assert dialog is not None
    line._send(line.a, dialog.request("INFO"))
    line.run()
    assert line.trace[-1] == "B 200 INFO"


def test_a_peer_that_does_not_know_the_call_ends_it() -> None:
    line = running()
    line.do(line.b, line.b.it.hang_up(line.now))
    line.take("BYE")
    line.do(line.a, line.a.it.info(RELAY, b"Signal=1", line.now))
    line.run()
    assert line.trace[-4:] == ["A INFO", "B 481 INFO", "A BYE", "B 200 BYE"]
