"""What first bytes say: each kind, cut at each byte, and garbage.

The invariant: whatever comes, and however it is cut, there is an answer; nothing is raised, no answer but More changes when more
bytes come, and what More wants is more than there is and never more than may be peeked at.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from confero.protocols.sniff import MAX_HEAD, MAX_HELLO, MAX_PEEK, Kind, More, Request, Sniffed, sniff

from ...support.hellos import hello, in_records

ALLOCATE = bytes.fromhex("000300082112a442") + b"transaction." + bytes.fromhex("0019000411000000")
PAGE = b"GET /r/lobby?x=1 HTTP/1.1\r\nHost: meet.example:443\r\nAccept: */*\r\n\r\n"
C0_C1 = b"\x03" + bytes(4) + b"\x80\x00\x07\x02" + b"random"
CASES: list[tuple[bytes, Kind]] = [
    (ALLOCATE, Kind.TURN),
    (b"\x00\x01\x00\x00" + ALLOCATE[4:20], Kind.TURN),
    (hello(["h2", "http/1.1"]), Kind.HTTPS),
    (hello(["http/1.1"]), Kind.HTTPS),
    (hello(), Kind.TLS),
    (hello(["stun.turn"]), Kind.TURNS),
    (hello(["stun.nat-discovery"]), Kind.TURNS),
    (hello(["c-webrtc"]), Kind.TURNS),
    (hello(["sip/2"]), Kind.SIPS),
    (hello(["acme-tls/1"]), Kind.OTHER_TLS),
    (hello(["new", "http/1.1", "stun.turn"]), Kind.HTTPS),
    (in_records(hello(["h2"]), 90), Kind.HTTPS),
    (PAGE, Kind.HTTP),
    (b"POST /api/v1/rooms HTTP/1.1\r\nHost: x\r\n\r\n{}", Kind.HTTP),
    *((b"POST /%s/1 HTTP/1.1\r\n" % word, Kind.RTMPT) for word in (b"open", b"send", b"idle", b"close", b"fcs")),
    (C0_C1, Kind.RTMP),
    (b"SSH-2.0-OpenSSH_9.2\r\n", Kind.UNKNOWN),
    (b"\x80\x2e\x01\x03\x01", Kind.UNKNOWN),  # a ClientHello of SSL 2
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Kind.UNKNOWN),
    (b"OPTIONS sip:x SIP/2.0\r\n\r\n", Kind.UNKNOWN),
    (b"GETX / HTTP/1.1\r\n\r\n", Kind.UNKNOWN),
    (b"\x00\x03\x00\x07" + ALLOCATE[4:], Kind.UNKNOWN),  # a length that is not of words
    (b"\x00\x03\x00\x08" + bytes(20), Kind.UNKNOWN),  # no cookie
    (b"\x16\x03\x01\x00\x05hello", Kind.UNKNOWN),
    (b"\x40\x00\x00\x04abcd", Kind.UNKNOWN),
]


@pytest.mark.parametrize(("data", "kind"), CASES)
def test_each_kind_cut_at_each_byte(data: bytes, kind: Kind) -> None:
    answers = [sniff(data[:at]) for at in range(len(data) + 1)]
    assert isinstance(answers[-1], Sniffed) and answers[-1].kind is kind
    certain = [isinstance(answer, Sniffed) for answer in answers]
    assert certain == sorted(certain), "what was certain stays so"
    assert all(answer == answers[-1] for answer in answers if isinstance(answer, Sniffed))
    for at, answer in enumerate(answers):
        assert isinstance(answer, Sniffed) or at < answer.wanted <= len(data)


def test_what_is_told_beside_the_kind() -> None:
    found = sniff(hello(["h2"], "meet.example"))
    assert isinstance(found, Sniffed) and found.hello is not None and found.hello.server_name == "meet.example"
    assert sniff(PAGE) == Sniffed(Kind.HTTP, request=Request("GET", "/r/lobby?x=1", "meet.example:443"))


@pytest.mark.parametrize("fields", [b"", b"Host: a\r\nHost: b\r\n", b"Host: a b\r\n", b"Host: \xff\r\n"])
def test_a_host_that_is_none(fields: bytes) -> None:
    found = sniff(b"GET / HTTP/1.1\r\n" + fields + b"\r\n")
    assert found == Sniffed(Kind.HTTP, request=Request("GET", "/", ""))


def test_bounds() -> None:
    head = b"GET / HTTP/1.1\r\nX: "
    assert sniff(head + b"x" * (MAX_HEAD - len(head) - 1)) == More(MAX_HEAD)
    assert sniff(head + b"x" * MAX_HEAD) == Sniffed(Kind.UNKNOWN)
    endless = b"\x16\x03\x01\x40\x00\x01\x00\xff\xff"
    assert sniff(endless + bytes(100)) == Sniffed(Kind.UNKNOWN), "it could not end within what is looked at"
    long = b"\x16\x03\x01\x3f\x00\x01\x00\x3e\xfc"
    assert isinstance(sniff(long), More)
    assert sniff(in_records(hello(), 1)) == sniff(hello())
    assert max(MAX_HELLO, MAX_HEAD) <= MAX_PEEK


STARTS = [case for case, _ in CASES]


@given(st.sampled_from([b"", *STARTS]), st.integers(0, 600), st.binary(max_size=300))
@example(b"\x16\x03\x01\x00\x01\x01", 6, b"\x16\x03\x01\x00\x03\x00\x00\x00")
def test_garbage_behind_true_beginnings_cut_anywhere(start: bytes, size: int, rest: bytes) -> None:
    data = start[:size] + rest
    settled = None
    for at in range(0, len(data) + 1, max(1, len(data) // 40)):
        answer = sniff(data[:at])
        if isinstance(answer, More):
            assert settled is None and at < answer.wanted <= MAX_PEEK
        else:
            assert settled is None or answer == settled
            settled = answer
