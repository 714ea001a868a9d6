"""Errors in words: each kind says what was met and what to change."""

from __future__ import annotations

import errno
import socket
import ssl

import aiohttp
import pytest

from confero.lab.doctor.place import Row, Spot
from confero.lab.doctor.table import CHECKS
from confero.lab.doctor.words import ADVICE, NAMES, SEEN, kind_of, met, port_of

SPOT = Spot("203.0.113.5", 2131)
MCU: Row = ("mcu", "http")


@pytest.mark.parametrize(
    ("error", "kind", "what", "advice"),
    [
        (ConnectionRefusedError(), "refused", "nothing listens at 203.0.113.5:2131", "confero-mcu"),
        (OSError(errno.ECONNREFUSED, "all failed"), "refused", "nothing listens", "mcu.http"),
        (TimeoutError(), "silent", "no answer from 203.0.113.5:2131", "let TCP 2131 in to 203.0.113.5"),
        (ConnectionResetError(), "cut", "cut the connection", "log"),
        (EOFError(), "cut", "cut the connection", "log"),
        (aiohttp.ServerDisconnectedError(), "cut", "cut the connection", "log"),
        (OSError(errno.EHOSTUNREACH, ""), "no-route", "no way to 203.0.113.5:2131", "routes"),
        (PermissionError(errno.EPERM, ""), "no-route", "no way", "outgoing firewall"),
        (socket.gaierror(), "no-name", "nobody knows the address of 203.0.113.5", "DNS"),
        (ssl.SSLError(1, "wrong version"), "no-tls", "does not speak TLS", "something else listens"),
        (ValueError("odd"), "other", "ValueError: odd", "log"),
    ],
)
def test_each_error_has_its_words(error: Exception, kind: str, what: str, advice: str) -> None:
    found = met(error, SPOT, MCU)
    assert kind_of(error) == kind
    assert what in found.what and advice in found.advice


def test_datagrams_are_said_to_be_datagrams() -> None:
    found = met(TimeoutError(), Spot("::1", 14049), ("turn", "udp"), udp=True)
    assert found.what == "no answer from [::1]:14049 (UDP)" and found.advice.startswith("let UDP 14049 in")


def test_each_kind_has_words_and_each_service_a_name() -> None:
    assert set(SEEN) == set(ADVICE)
    built = {check.row[0] for check in CHECKS if check.row and check.name not in ("flash", "mediaproc")}
    assert built <= set(NAMES)


def test_ports_as_they_are_shown() -> None:
    assert port_of(MCU, SPOT) == "2131/tcp"
    assert port_of(("sipgw", "sip"), Spot("a", 5070), "udp") == "5070/udp"
    assert port_of(("mcu", "media"), None) == "5000-15000/tcp/udp"
