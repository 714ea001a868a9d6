"""What the door says: redirects that keep host and path, and nothing of what should not be said again."""

from __future__ import annotations

import pytest

from confero.edge.answers import NO_APPLICATION_PROTOCOL, answer, redirect
from confero.protocols.sniff import Kind, Request, Sniffed


def where(request: Request) -> tuple[str, str]:
    """Status and Location."""
    lines = redirect(request).decode("ascii").split("\r\n")
    return lines[0].split(" ")[1], next((line[10:] for line in lines if line.startswith("Location: ")), "")


@pytest.mark.parametrize(
    ("host", "location"),
    [
        ("meet.example", "https://meet.example/r/lobby?x=%20"),
        ("meet.example:80", "https://meet.example/r/lobby?x=%20"),
        ("meet.example:443", "https://meet.example/r/lobby?x=%20"),
        ("Meet.Example:8443", "https://Meet.Example:8443/r/lobby?x=%20"),
        ("192.0.2.1", "https://192.0.2.1/r/lobby?x=%20"),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/r/lobby?x=%20"),
        ("x", "https://x/r/lobby?x=%20"),
    ],
)
def test_host_and_path_are_kept(host: str, location: str) -> None:
    assert where(Request("GET", "/r/lobby?x=%20", host)) == ("301", location)
    assert where(Request("POST", "/r/lobby?x=%20", host)) == ("308", location)


@pytest.mark.parametrize(
    "host", ["", "a/b", "a@b", "a:b", "a:", ":80", "-", "[::1", "a b", "a\r\nX: y", "x" * 300, "a:123456"]
)
def test_a_host_that_is_none_is_not_said_again(host: str) -> None:
    assert where(Request("GET", "/", host)) == ("400", "")


@pytest.mark.parametrize("target", ["*", "http://other.example/", "meet.example:443"])
def test_a_target_that_is_no_path(target: str) -> None:
    assert where(Request("GET", target, "meet.example")) == ("400", "")


def test_a_whole_response() -> None:
    head, _, body = redirect(Request("GET", "/", "a")).partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head and b"Connection: close" in head
    assert redirect(Request("HEAD", "/", "a")) == head + b"\r\n\r\n"


def test_refusals_speak_the_protocol() -> None:
    assert answer(Sniffed(Kind.RTMPT)).startswith(b"HTTP/1.1 503 ")
    assert answer(Sniffed(Kind.OTHER_TLS)) == answer(Sniffed(Kind.SIPS)) == NO_APPLICATION_PROTOCOL
    for kind in (Kind.HTTPS, Kind.TLS, Kind.TURN, Kind.TURNS, Kind.RTMP, Kind.UNKNOWN):
        assert answer(Sniffed(kind)) == b""
