"""What went by: ladders, watchers who are slow, what nobody is to read, and the mirror as sngrep reads it."""

from __future__ import annotations

import asyncio
import socket
import struct
import subprocess
from pathlib import Path

from confero.clock import FakeClock
from confero.protocols.sip.target import Target
from confero.sipgw.redact import redacted
from confero.sipgw.trace import JUST_NOW, RUNGS, WAITING, HepMirror, Seen, Trace, title_of
from confero.sipgw.watching import shown

from ..support.waiting import until

US, PEER = ("192.0.2.1", 5060), ("192.0.2.9", 5070)
OPTIONS = (
    b"OPTIONS sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
    b"To: <sip:x@192.0.2.1>\r\nCall-ID: c1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


def message(
    call: str = "c1", at: float = 1.0, *, came: bool = True, line: str = "OPTIONS sip:x SIP/2.0", data: bytes = b""
) -> Seen:
    data = data or f"{line}\r\nCSeq: 1 OPTIONS\r\n\r\n".encode()
    return Seen(at, came, Target("udp", *PEER), data, call, lambda peer: US)


def test_a_ladder_begins_with_what_brought_the_call() -> None:
    trace = Trace(FakeClock())
    trace.saw(message("other"))
    trace.saw(message(line="INVITE sip:x SIP/2.0"))
    trace.follow("c1")
    trace.saw(message(at=2.0, came=False, line="SIP/2.0 200 OK"))
    ladder = trace.ladder("c1")
    assert [(rung.at, rung.came, rung.peer, rung.title) for rung in ladder.rungs] == [
        (1.0, True, PEER, "INVITE sip:x (1 OPTIONS)"),
        (2.0, False, PEER, "200 OK (1 OPTIONS)"),
    ]
    assert trace.take("c1") is ladder and trace.take("c1").rungs == []


def test_a_ladder_is_bounded() -> None:
    trace = Trace(FakeClock())
    trace.follow("c1")
    for _ in range(RUNGS + 5):
        trace.saw(message())
    assert len(trace.ladder("c1").rungs) == RUNGS and trace.ladder("c1").more == 5
    for number in range(JUST_NOW + 1):
        trace.saw(message(f"x{number}"))
    trace.follow("x0")
    assert trace.ladder("x0").rungs == []  # too long ago


async def test_a_slow_watcher_is_told_what_it_missed() -> None:
    trace = Trace(FakeClock())
    trace.saw(message(line="SIP/2.0 180 before"))
    with trace.watch() as watcher:
        assert (await watcher.next()).title == "180 before (1 OPTIONS)"
        for number in range(WAITING + 7):
            trace.saw(message(at=float(number)))
        assert watcher.missed == 7 and (await watcher.next()).at == 0
    trace.saw(message())
    assert len(watcher.queue) == WAITING - 1


def test_nothing_is_worked_out_where_nobody_looks() -> None:
    """What a message is called, and our own address towards its peer, cost as much as reading it."""
    asked: list[Target] = []

    def here(peer: Target) -> tuple[str, int]:
        asked.append(peer)
        return US

    trace, mirrored = Trace(FakeClock()), Trace(FakeClock(), mirror=lambda message: None)
    for one in (trace, mirrored):
        one.saw(Seen(1.0, True, Target("udp", *PEER), OPTIONS, "c1", here))
        assert len(asked) == (one is mirrored)
    with trace.watch() as watcher:
        assert shown(watcher.queue[0])["destination"] == list(US)


def test_titles() -> None:
    for data, title in (
        (OPTIONS, "OPTIONS sip:x@192.0.2.1 (1 OPTIONS)"),
        (b"\r\n\r\nSIP/2.0 180 Ringing\r\ncseq :  7 INVITE \r\n\r\n", "180 Ringing (7 INVITE )"),
        (b"ACK sip:\xff SIP/2.0\r\n\r\n", "ACK sip:\ufffd (?)"),
        (b"", " (?)"),
    ):
        assert title_of(data) == title
    assert message("").title == "malformed"


INVITE = """\
INVITE sip:x SIP/2.0
Authorization: Digest username="a", nonce="n", cnonce="0a4f", response="6629fae4"
Content-Type: application/sdp

a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3|2^20
a=ice-pwd:abcdef
"""


def test_nobody_reads_what_lets_in() -> None:
    found = redacted(INVITE.replace("\n", "\r\n"))
    for secret in ("6629fae4", "0a4f", "d0RmdmcmVCspeEc3", "abcdef"):
        assert secret not in found
    assert 'username="a"' in found and "|2^20" in found
    for kind, body in (("application/dtmf-relay", "Signal=7\r\nDuration=160\r\n"), ("application/dtmf", "7")):
        text = redacted(f"INFO sip:x SIP/2.0\r\nContent-Type: {kind}\r\n\r\n{body}")
        assert "7" not in text.partition("\r\n\r\n")[2]


def test_a_line_for_a_watcher() -> None:
    trace = Trace(FakeClock())
    with trace.watch() as watcher:
        trace.saw(message())
    line = shown(watcher.queue[0])
    assert line["source"] == list(PEER) and line["call"] == "c1" and line["text"].startswith("OPTIONS")


async def test_sngrep_reads_the_mirror(tmp_path: Path) -> None:
    """Somebody else's reading of the format: what it takes for SIP goes into a capture."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    capture = tmp_path / "seen.pcap"
    command = ["sngrep", "-N", "-q", "-L", f"udp:127.0.0.1:{port}", "-O", str(capture)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    mirror = HepMirror(("127.0.0.1", port), agent=2133)
    try:

        def taken() -> bool:
            mirror(message(at=1_700_000_000.25, data=OPTIONS).message)
            return capture.exists() and OPTIONS in capture.read_bytes()

        await until(taken, "a message in the capture", 20)
        data = capture.read_bytes()
        packet = data[data.index(OPTIONS) - 28 : data.index(OPTIONS)]
    finally:
        process.terminate()
        await process.wait()
        mirror.close()
    assert (socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])) == (PEER[0], US[0])
    assert struct.unpack("!HH", packet[20:24]) == (PEER[1], US[1])
