"""Writes the stored corpus of the network fuzz targets: messages that are right, each with broken twins.

``python native/fuzz/make_corpus.py`` writes ``native/fuzz/corpus/{stun,ice,rtp,rtcp,srtp,red,event,framing,relay}/*.bin`` anew, the
same bytes each time. Every kind of message, attribute and error that a parser tells apart is in it, so that a run without any new
input already passes through nearly every line.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
COOKIE = 0x2112A442
TXID = bytes(range(12))
PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
"""Of RFC 5769; fuzz_stun checks integrity with it."""

RFC5769 = {
    "rfc5769-request": """000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff
        80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
        80280004e57a3bcf""",
    "rfc5769-response4": """0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643
        000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96""",
    "rfc5769-response6": """010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f722000200014
        0002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c""",
    "rfc5769-long-term": """000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b90000
        0015001c662f2f3439396b39353464364f4c33346f4c3946535476793634734100140 00b6578616d706c652e6f72670000080014
        f67024656dd64a3e02b8e0712e85c9a28ca89666""",
}


def unhex(text: str) -> bytes:
    return bytes.fromhex("".join(text.split()))


def attribute(kind: int, value: bytes = b"") -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def message(kind: int, *attributes: bytes, sign: bool = False, mark: bool = True) -> bytes:
    """A STUN message, with MESSAGE-INTEGRITY and FINGERPRINT as asked for."""

    def header(length: int) -> bytes:
        return struct.pack("!HHI", kind, length, COOKIE) + TXID

    body = b"".join(attributes)
    if sign:
        body += attribute(8, hmac.new(PASSWORD, header(len(body) + 24) + body, hashlib.sha1).digest())
    if mark:
        body += attribute(0x8028, struct.pack("!I", zlib.crc32(header(len(body) + 8) + body) ^ 0x5354554E))
    return header(len(body)) + body


USERNAME = attribute(6, b"evtj:h6vY")
PRIORITY = attribute(0x24, b"\x6e\x7f\x1e\xff")
CONTROLLING = attribute(0x802A, bytes(8))
CONTROLLED = attribute(0x8029, bytes(8))
USE_CANDIDATE = attribute(0x25)


def twins(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The message, and the same one cut short, grown by a word, and with its length field raised."""
    yield name, data
    yield f"{name}-cut", data[:-3]
    yield f"{name}-grown", data + bytes(4)
    yield f"{name}-length", data[:2] + struct.pack("!H", (int.from_bytes(data[2:4], "big") + 4) & 0xFFFF) + data[4:]


def stun() -> Iterator[tuple[str, bytes]]:
    for name, text in RFC5769.items():
        yield from twins(name, unhex(text))
    yield from twins("check", message(1, USERNAME, PRIORITY, CONTROLLING, USE_CANDIDATE, sign=True))
    yield from twins("indication", message(0x11))
    unknown = [attribute(kind) for kind in (0x7FF0, 0x7FF1, 0x7FF0, *range(0x7000, 0x7010), 0xC057)]
    yield from twins("unknown", message(1, *unknown))
    error = attribute(9, b"\0\0\x04\x14Unknown Attribute") + attribute(10, b"\x7f\xf0\x7f\xf1")
    yield from twins("error", message(0x111, error))
    yield "error-class", message(0x111, attribute(9, b"\0\0\x07\x00"))
    yield "mapped-family", message(0x101, attribute(0x20, b"\0\x03" + bytes(6)))
    yield "mapped-size", message(0x101, attribute(0x20, b"\0\x02" + bytes(6)))
    yield "mapped-old", message(0x101, attribute(1, b"\0\x01" + bytes(6)))
    yield "priority-size", message(1, attribute(0x24, b"\1\2\3"))
    yield "attribute-over", message(1, b"\x80\x22\x00\x40", mark=False)
    yield "username-long", message(1, attribute(6, b"u" * 509))
    yield "username-plain", message(1, attribute(6, b"nocolon"))
    yield "after-integrity", message(1, USERNAME, attribute(8, bytes(20)), USE_CANDIDATE, attribute(0x7FF0))
    yield "after-fingerprint", message(1, attribute(0x8028, bytes(4)), USERNAME, mark=False)
    yield "twice", message(1, USERNAME, attribute(6, b"other:one"), PRIORITY, PRIORITY)
    yield "not-stun", b"\x16\xfe\xfd" + bytes(40)
    yield "empty", b""


def record(what: int, which: int, data: bytes) -> bytes:
    return struct.pack("!BBH", what, which, len(data)) + data


SIGN, MARK, WAIT = 1, 2, 4


def ice() -> Iterator[tuple[str, bytes]]:
    """fuzz_ice.c signs and marks what a record asks for."""

    def check(which: int, *more: bytes, what: int = SIGN | MARK, kind: int = 1) -> bytes:
        return record(what, which, message(kind, USERNAME, PRIORITY, *more, mark=False))

    yield (
        "nominate",
        check(1, CONTROLLING) + check(2, CONTROLLING, USE_CANDIDATE) + check(1, CONTROLLING, USE_CANDIDATE),
    )
    yield "many-paths", b"".join(check(n, CONTROLLING, *[USE_CANDIDATE] * (n % 3 == 0)) for n in range(20))
    yield "conflict", check(1, CONTROLLED, USE_CANDIDATE) + check(1, CONTROLLING)
    yield "unknown", check(1, attribute(0x7FF0), attribute(0x7FF1))
    yield "unsigned", check(1, CONTROLLING, what=MARK) + check(1, CONTROLLING)
    yield "unmarked", check(1, CONTROLLING, what=SIGN) + check(1, CONTROLLING, what=0)
    yield "other-user", record(SIGN | MARK, 1, message(1, attribute(6, b"xxxx:h6vY"), mark=False))
    yield "other-remote", record(SIGN | MARK, 1, message(1, attribute(6, b"evtj:xxxx"), mark=False)) + bytes(1)
    yield "no-user", record(SIGN | MARK, 1, message(1, PRIORITY, mark=False))
    yield "wrong-password", record(MARK, 1, message(1, USERNAME, attribute(8, bytes(20)), mark=False))
    yield "flood", b"".join(check(1, what=MARK) for _ in range(15)) + check(1, what=MARK | WAIT)
    kinds = (0x11, 0x101, 0x111, 0x3)
    yield "not-requests", b"".join(check(1, USE_CANDIDATE, kind=kind) for kind in kinds)
    yield "cut", check(1, CONTROLLING)[:-7]


def rtp() -> Iterator[tuple[str, bytes]]:
    head = "80 6f 1234 000003c0 cafebabe"
    body = "0102030405060708"
    yield from twins("plain", unhex(head + body))
    yield from twins("no-payload", unhex(head))
    yield from twins("csrc", unhex("82 ef 1234 000003c0 cafebabe 11111111 22222222" + body))
    yield from twins("one-byte", unhex("90 6f ffff 000003c0 cafebabe bede 0003 10aa 00 21bbcc 3f" + "55" * 5 + body))
    yield "one-byte-all", unhex("90 6f 0000 00000000 cafebabe bede 0007" + "".join(f"{i:x}0aa" for i in range(1, 15)))
    yield "one-byte-15", unhex("90 6f 0000 00000000 cafebabe bede 0001 f0aa10bb")
    yield "one-byte-0", unhex("90 6f 0000 00000000 cafebabe bede 0001 02aabbcc")
    yield "one-byte-over", unhex("90 6f 0000 00000000 cafebabe bede 0001 10aa2fbb")
    yield from twins("two-byte", unhex("90 6f 0000 00000000 cafebabe 1000 0003 0100 0201aa 00 ff03bbccdd 00" + body))
    yield "two-byte-over", unhex("90 6f 0000 00000000 cafebabe 100f 0001 02 ff aabb")
    yield "two-byte-cut", unhex("90 6f 0000 00000000 cafebabe 1000 0001 0100 00 02")
    yield "other-profile", unhex("90 6f 0000 00000000 cafebabe abcd 0001 10aa0000")
    yield from twins("padding", unhex("a0 6f 1234 000003c0 cafebabe" + body + "00000004"))
    yield "padding-zero", unhex("a0 6f 1234 000003c0 cafebabe 0000")
    yield "padding-over", unhex("b0 6f 1234 000003c0 cafebabe bede 0001 10aa0000 0004")
    yield "padding-none", unhex("a0 6f 1234 000003c0 cafebabe")
    yield "csrc-over", unhex("8f 6f 1234 000003c0 cafebabe" + body)
    yield "extension-over", unhex("90 6f 1234 000003c0 cafebabe bede ffff 10aa0000")
    yield "extension-cut", unhex("90 6f 1234 000003c0 cafebabe bede")
    yield "version", unhex("40 6f 1234 000003c0 cafebabe")
    yield "rtcp", unhex("80 c8 0001 0000000a 00000000")
    jumps = (0x8000, 0x8001, 0x8001, 0x7FFF, 0xFFFF, 0, 5, 4, 0x4000, 0x5000, 0x5001, 0x4F00)
    yield "sequence", b"".join(struct.pack("!HI", seq, seq * 160) for seq in jumps)


BLOCK = "000000bb 40fffffe 00010005 00000007 11223344 55667788"
RTCP = {
    "sr": "81c8000c 0000000a 01020304 05060708 090a0b0c 00000001 00000002" + BLOCK,
    "rr": "82c9000d 0000000a" + BLOCK + BLOCK,
    "rr-empty": "80c90001 0000000a",
    "sdes": "82ca0007 0000000a 02024142 01016100 0000000b 01046162 63640000 00000000",
    "bye": "82cb0004 0000000a 0000000b 05626f72 65640000",
    "app": "80cc0002 0000000a 6e616d65",
    "nack": "81cd0003 0000000a 0000000b 00640001",
    "pli": "81ce0002 0000000a 0000000b",
    "remb": "8fce0005 0000000a 00000000 52454d42 010c8000 0000000b",
    "xr": "80cf0001 0000000a",
    "padding": "a0c90002 0000000a 00000004",
}
BROKEN_RTCP = {
    "blocks-over": "9fc90001 0000000a",
    "sr-short": "80c80005 0000000a 01020304 05060708 090a0b0c 00000001",
    "rr-short": "80c90000",
    "sdes-over": "81ca0002 0000000a 01ff6162",
    "sdes-cut": "81ca0002 0000000a 02006101",
    "sdes-no-end": "81ca0002 0000000a 01026162",
    "sdes-one-of-two": "82ca0003 0000000a 01036162 63000000",
    "bye-over": "9fcb0001 0000000a",
    "feedback-short": "81cd0001 0000000a",
    "padding-zero": "a0c90002 0000000a 00000000",
    "padding-odd": "a0c90002 0000000a 00000003",
    "padding-over": "a0c90002 0000000a 0000000c",
    "padding-first": "a0c90002 0000000a 00000004 81cb0001 0000000a",
    "version": "40c90001 0000000a",
    "type-191": "80bf0001 0000000a",
    "type-224": "80e00001 0000000a",
    "empty": "",
}


def rtcp() -> Iterator[tuple[str, bytes]]:
    for name, text in RTCP.items():
        yield from twins(name, unhex(text))
    for name, text in BROKEN_RTCP.items():
        yield name, unhex(text)
    yield from twins("compound", unhex("".join(text for name, text in RTCP.items() if name != "padding")))


# the number modulo 3 is the profile; from 128 on libcrypto has the cipher
PROFILES: Mapping[str, int] = {
    "cm": 0,
    "gcm128": 1,
    "gcm256": 2,
    "libcrypto-cm": 129,
    "libcrypto-gcm128": 130,
    "libcrypto-gcm256": 128,
}
HOSTILE_RTP, HOSTILE_RTCP, SEND_RTP, SEND_RTCP, FLIP, TWICE = 0, 1, 2, 3, 4, 8


def srtp() -> Iterator[tuple[str, bytes]]:
    """fuzz_srtp.c protects what a record asks to send: the corpus needs no keys."""

    def packet(seq: int, ssrc: int = 0xCAFEBABE, first: int = 0x80) -> bytes:
        return struct.pack("!BBHII", first, 111, seq & 0xFFFF, seq * 960 & 0xFFFFFFFF, ssrc) + bytes(range(20))

    report = unhex(RTCP["sr"])
    for name, profile in PROFILES.items():
        head = bytes([profile, 7])
        lengths = (0, 1, 15, 16, 17, 95, 96, 97, 127, 128, 129, 300)
        yield (
            f"{name}-long",
            head + b"".join(record(SEND_RTP, 0, packet(n) + bytes(size)) for n, size in enumerate(lengths)),
        )
        yield f"{name}-stream", head + b"".join(record(SEND_RTP | TWICE, 0, packet(n)) for n in range(65530, 65545))
        yield (
            f"{name}-loss",
            head
            + b"".join(record(SEND_RTP | (FLIP if n % 3 else TWICE), n & 0xFF, packet(n)) for n in range(65500, 65560)),
        )
        yield (
            f"{name}-gaps",
            head + b"".join(record(SEND_RTP, 0, packet(n)) for n in (1, 70, 71, 199, 8000, 7990, 40000)),
        )
        yield f"{name}-back", head + b"".join(record(SEND_RTP, 0, packet(n)) for n in (500, 499, 436, 373, 372, 500))
        yield f"{name}-ssrcs", head + b"".join(record(SEND_RTP, 0, packet(9, ssrc)) for ssrc in range(20))
        yield (
            f"{name}-first-lost",
            head + record(SEND_RTP | FLIP, 200, packet(65535)) + record(SEND_RTP, 0, packet(65537)),
        )
        yield f"{name}-rtcp", head + record(SEND_RTCP | TWICE, 0, report) + record(SEND_RTCP | FLIP, 90, report)
        yield (
            f"{name}-rtcp-ssrcs",
            head + b"".join(record(SEND_RTCP, 0, unhex("80c90001") + struct.pack("!I", ssrc)) for ssrc in range(20)),
        )
        yield (
            f"{name}-hostile",
            head + record(HOSTILE_RTP, 0, packet(3) + bytes(16)) + record(HOSTILE_RTCP, 0, report + bytes(20)),
        )
        yield (
            f"{name}-short",
            head
            + b"".join(record(what, 0, packet(3)[:size]) for what in range(4) for size in (0, 7, 11, 12, 20, 27, 28)),
        )
        extended = unhex("92 6f 0001 00000000 cafebabe 11111111 22222222 bede 0001 10aa0000 0102")
        yield f"{name}-extension", head + record(SEND_RTP, 0, extended) + record(SEND_RTP, 0, extended[:21])
        yield f"{name}-no-payload", head + record(SEND_RTP | TWICE, 0, packet(1)[:12])
        yield (
            f"{name}-extension-over",
            head + record(SEND_RTP, 0, packet(1, first=0x90)) + record(SEND_RTP, 0, packet(1, first=0x8F)),
        )


def red() -> Iterator[tuple[str, bytes]]:
    """fuzz_red.c takes each record as the payload of the next packet of one stream."""

    def payload(*blocks: tuple[int, int, bytes], primary: bytes = b"new") -> bytes:
        heads = [struct.pack("!I", (0x80 | pt) << 24 | offset << 10 | len(data)) for pt, offset, data in blocks]
        return b"".join([*heads, b"\x6f", *(data for _, _, data in blocks), primary])

    two = payload((111, 1920, b"older"), (111, 960, b"old"))
    yield from twins("two", record(0, 0, two))
    yield "alone", record(0, 0, b"\x6fabc") + record(0, 0, b"\x6f")
    yield "stream", b"".join(record(0, 0, two) for _ in range(70))
    yield "losses", b"".join(record(lost, 0, two) for lost in (0, 1, 0, 2, 0, 3, 0, 31, 31, 31, 0))
    yield "pause", record(0, 0, two) + record(1 | 5 << 5, 0, payload((111, 5760, b"before")))
    yield "no-duration", record(0, 0, two) + record(2, 1, two)
    yield "other-stream", record(0, 0, two) + record(0, 255, two) + record(0, 0, two)
    yield "empty-block", record(0, 0, payload((111, 960, b""), (111, 960, b"old")))
    yield "most", record(0, 0, payload((127, 16383, bytes(1023)), primary=b""))
    yield "many", record(0, 0, payload(*[(96, n * 10, b"x") for n in range(31, 0, -1)]))
    yield "too-many", record(0, 0, payload(*[(96, n * 10, b"x") for n in range(32, 0, -1)]))
    yield "over", record(0, 0, two[:9] + b"new")
    yield "no-primary", record(0, 0, two[:8])
    yield "cut-header", record(0, 0, two[:6])
    yield "empty", record(0, 0, b"")


def event() -> Iterator[tuple[str, bytes]]:
    """fuzz_event.c: ``which`` steps clock and timestamp; bit 0 of ``what`` makes it a list of digits to send."""

    send, marker, other = 1, 4, 8
    same, on, segment, half, back, far = (n << 4 for n in range(6))

    def report(code: int, length: int, *, end: bool = False, step: int = same, what: int = 0) -> bytes:
        return record(what, step | 1, struct.pack("!BBH", code, end << 7 | 10, length))

    digit = report(5, 160, step=on, what=marker) + report(5, 320) + 3 * report(5, 800, end=True)
    yield from twins("digit", digit)
    yield "twice", digit + digit
    yield "no-end", report(5, 160, step=on, what=marker) + record(0, on | 15, b"\5\x0a\0\xa0")
    yield "all", b"".join(report(code, 800, end=True, step=on) for code in range(20))
    yield "long", digit + report(5, 0xFFFF, step=half) + report(5, 160, step=segment) + report(5, 320, end=True)
    yield "late", digit + report(4, 800, end=True, step=back) + report(3, 800, step=far)
    yield "sources", digit + report(5, 160, what=other) + report(5, 800, end=True, what=other)
    yield "packed", record(marker, on, bytes.fromhex("018a0140 10800140 020a00a0"))
    yield "many", record(0, on, bytes.fromhex("01800140") * 20)
    yield "short", record(0, 0, b"\1\x80\1") + record(0, 0, b"")
    yield "sent", record(send, 0, bytes(v for code in range(18) for v in (code, 10)))
    yield "sent-long", record(send, 1, b"\1\xff\2\4\1\x96") + record(send, 2, b"\1\xff\2\4")
    yield "sent-many", record(send, 3, b"\7\4" * 70)


def framing() -> Iterator[tuple[str, bytes]]:
    """fuzz_framing.c: the first byte cuts the rest, which is read as a stream of frames, and as puts (odd) and takes (even)."""

    def frame(data: bytes) -> bytes:
        return struct.pack("!H", len(data)) + data

    check = frame(message(1, USERNAME, PRIORITY, CONTROLLING, sign=True))
    media = frame(b"\x80\x6f" + bytes(200))
    for cut in (0, 1, 6, 40, 255):
        yield from twins(f"call-{cut}", bytes([cut]) + check + 3 * media)
    yield "empty-frames", b"\x02" + 5 * frame(b"") + check
    yield "longest", b"\xff" + frame(bytes(2048)) + check
    yield "too-long", b"\x10" + check + frame(bytes(2049)) + check
    yield "cut-head", b"\x00" + check[:1]
    yield "nothing", b""
    put_media, put_check, take, take_all = b"\1\x80\x0a", b"\1\1\x0a", b"\0\0\5", b"\0\0\x40"
    yield "queue", b"\0" + 20 * put_media + 40 * take_all + 3 * put_media
    yield "queue-begun", b"\0" + put_media + take + 30 * put_media + 90 * take
    yield (
        "queue-mixed",
        b"\0" + 9 * (put_check + put_media) + 9 * take_all + 20 * put_check + 30 * put_media + 60 * take_all,
    )
    yield "queue-largest", b"\0" + 17 * b"\1\x80\xff" + 40 * b"\0\7\xff"


def relay() -> Iterator[tuple[str, bytes]]:
    """fuzz_relay.c: records of [what, which, length, bytes]: 0 a client's, 1 a peer's, 2 a stream, 3 an order (its number << 4)."""

    def record(what: int, which: int, data: bytes) -> bytes:
        return struct.pack("!BBH", what, which, len(data)) + data

    def channel(number: int, data: bytes) -> bytes:
        return struct.pack("!HH", number, len(data)) + data + bytes(-len(data) % 4)

    def send(host: int, *more: bytes) -> bytes:
        peer = struct.pack("!BBH", 0, 1, 1 ^ COOKIE >> 16) + bytes(
            a ^ b for a, b in zip(bytes((192, 0, 2, host)), struct.pack("!I", COOKIE), strict=True)
        )
        return message(0x16, attribute(0x12, peer), attribute(0x13, b"hello"), *more, mark=False)

    opened = b"".join(record(0x03, n, b"\0\xff") for n in range(3))
    permitted = b"".join(record(0x23, n, b"\1\xff") for n in range(3))
    bound = b"".join(record(0x33, n, b"\1\xff") for n in range(3))
    ready = opened + permitted + bound
    for name, data in (("channel", channel(0x4000, b"data")), ("send", send(1)), ("whole", send(1, attribute(0x1A)))):
        yield name, ready + record(0, 0, data) + record(0, 2, data) + record(1, 0, b"back") + record(1, 2, b"back")
        yield f"{name}-unasked", record(0, 0, data) + opened + record(0, 0, data) + record(1, 1, b"x")
        for cut, broken in twins(name, data):
            yield f"{cut}-broken", ready + record(0, 1, broken)
    mixed = channel(0x4000, b"one") + message(3, USERNAME) + send(1) + channel(0x4000, b"") + channel(0x4001, b"abcd")
    for step in (0, 1, 3, 7, 250):
        yield f"stream-{step}", ready + record(2, step, mixed) + record(2, step, mixed[:-5] + b"\xff" * 9)
    yield (
        "ports",
        opened
        + record(0x23, 32, b"\1\xff")
        + record(0, 0, send(1))
        + record(1, 0, b"x")
        + record(0x33, 0, b"\x11\xff"),
    )
    yield (
        "time",
        ready + record(0x73, 255, b"") + record(0, 0, send(1)) + record(0x73, 255, b"") + record(1, 0, b"late"),
    )
    yield (
        "gone",
        ready
        + record(0x53, 2, b"")
        + record(1, 2, b"x")
        + record(0x63, 2, b"")
        + record(1, 2, b"x")
        + record(0x03, 2, b""),
    )
    yield "six", opened + record(0x23, 0, b"\x09\xff") + record(1, 9, b"x") + record(0, 0, send(2))


TARGETS = {
    "stun": stun,
    "ice": ice,
    "rtp": rtp,
    "rtcp": rtcp,
    "srtp": srtp,
    "red": red,
    "event": event,
    "framing": framing,
    "relay": relay,
}


def main() -> None:
    for target, messages in TARGETS.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("*.bin"):
            stale.unlink()
        for name, data in messages():
            (folder / f"{name}.bin").write_bytes(data)


if __name__ == "__main__":
    main()
