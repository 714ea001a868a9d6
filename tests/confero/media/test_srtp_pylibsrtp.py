"""Our SRTP against libsrtp, each opening what the other has sealed, under losses, swaps, repeats and roll-overs."""

from __future__ import annotations

import errno
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from pylibsrtp import Error, Policy, Session

from confero.media import _core

ffi: Any = _core.ffi
lib: Any = _core.lib

SSRC = 0xCAFEBABE
OVERHEAD = 20
"""Bytes of the longest trailer (SRTCP with GCM)."""


@dataclass(frozen=True)
class Profile:
    name: str
    number: int
    """Of DTLS-SRTP, as cf_srtp_new takes it."""
    libsrtp: int
    key: int
    salt: int


PROFILES = (
    Profile("AES128_CM_SHA1_80", 1, Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
    Profile("AES128_CM_SHA1_32", 2, Policy.SRTP_PROFILE_AES128_CM_SHA1_32, 16, 14),
    Profile("AEAD_AES_128_GCM", 7, Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    Profile("AEAD_AES_256_GCM", 8, Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12),
)


class Peer(Protocol):
    """What both implementations can do; a refused packet raises Refused."""

    def protect(self, packet: bytes) -> bytes: ...
    def unprotect(self, packet: bytes) -> bytes: ...
    def protect_rtcp(self, packet: bytes) -> bytes: ...
    def unprotect_rtcp(self, packet: bytes) -> bytes: ...


class Refused(Exception):
    pass


class Ours:
    """One direction of conferocore's SRTP."""

    def __init__(self, profile: Profile, master: bytes) -> None:
        key, salt = master[: profile.key], master[profile.key :]
        context = lib.cf_srtp_new(profile.number, key, len(key), salt, len(salt))
        assert context != ffi.NULL
        self._context = ffi.gc(context, lib.cf_srtp_free)

    def _call(self, function: Callable[..., int], packet: bytes, *, room: int = 0) -> bytes:
        buffer = bytearray(packet) + bytes(room)
        more = (len(buffer),) if room else ()
        length = function(self._context, ffi.from_buffer("uint8_t[]", buffer), len(packet), *more)
        if length < 0:
            raise Refused(errno.errorcode[-length])
        return bytes(buffer[:length])

    def protect(self, packet: bytes) -> bytes:
        return self._call(lib.cf_srtp_protect, packet, room=OVERHEAD)

    def unprotect(self, packet: bytes) -> bytes:
        return self._call(lib.cf_srtp_unprotect, packet)

    def protect_rtcp(self, packet: bytes) -> bytes:
        return self._call(lib.cf_srtcp_protect, packet, room=OVERHEAD)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        return self._call(lib.cf_srtcp_unprotect, packet)


class Theirs:
    """One direction of libsrtp."""

    def __init__(self, profile: Profile, master: bytes, *, inbound: bool) -> None:
        kind = Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND
        self._session = Session(Policy(key=master, ssrc_type=kind, srtp_profile=profile.libsrtp))

    @staticmethod
    def _call(method: Callable[[bytes], bytes], packet: bytes) -> bytes:
        try:
            return method(packet)
        except Error as error:
            raise Refused(str(error)) from error

    def protect(self, packet: bytes) -> bytes:
        return self._call(self._session.protect, packet)

    def unprotect(self, packet: bytes) -> bytes:
        return self._call(self._session.unprotect, packet)

    def protect_rtcp(self, packet: bytes) -> bytes:
        return self._call(self._session.protect_rtcp, packet)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        return self._call(self._session.unprotect_rtcp, packet)


@pytest.fixture(params=PROFILES, ids=lambda profile: profile.name)
def profile(request: pytest.FixtureRequest) -> Profile:
    chosen: Profile = request.param
    return chosen


@pytest.fixture
def master(profile: Profile) -> bytes:
    return random.Random(profile.number).randbytes(profile.key + profile.salt)


@pytest.fixture(params=["ours-to-theirs", "theirs-to-ours"])
def pair(request: pytest.FixtureRequest, profile: Profile, master: bytes) -> tuple[Peer, Peer]:
    """A sender and a receiver of different make, with one key."""
    if request.param == "ours-to-theirs":
        return Ours(profile, master), Theirs(profile, master, inbound=True)
    return Theirs(profile, master, inbound=False), Ours(profile, master)


def rtp(index: int, *, ssrc: int = SSRC, payload: bytes | None = None, extension: bytes = b"", csrcs: int = 0) -> bytes:
    """A packet whose payload tells its index, roll-overs included: a wrong one cannot decrypt to it."""
    first = 0x80 | csrcs | (0x10 if extension else 0)
    head = struct.pack("!BBHII", first, 111, index & 0xFFFF, index * 960 & 0xFFFFFFFF, ssrc) + bytes(4 * csrcs)
    return head + extension + (struct.pack("!Q", index) * 3 if payload is None else payload)


def sender_report(ssrc: int = SSRC) -> bytes:
    return struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, 1, 2, 3, 4)


def refused(method: Callable[[bytes], bytes], packet: bytes) -> bool:
    try:
        method(packet)
    except Refused:
        return True
    return False


def test_same_bytes(profile: Profile, master: bytes) -> None:
    ours, theirs = Ours(profile, master), Theirs(profile, master, inbound=False)
    for index in range(65500, 65600):
        assert ours.protect(rtp(index)) == theirs.protect(rtp(index))


def test_same_rtcp_bytes(profile: Profile, master: bytes) -> None:
    ours, theirs = Ours(profile, master), Theirs(profile, master, inbound=False)
    ours.protect_rtcp(sender_report())  # libsrtp counts from 1, we from 0: both are allowed
    for _ in range(50):
        assert ours.protect_rtcp(sender_report()) == theirs.protect_rtcp(sender_report())


def test_every_payload_size(pair: tuple[Peer, Peer]) -> None:
    sender, receiver = pair
    rng = random.Random(1)
    for index, size in enumerate([*range(130), 1000, 1199, 1300]):
        packet = rtp(index, payload=rng.randbytes(size))
        assert receiver.unprotect(sender.protect(packet)) == packet


def test_header_parts_stay_readable(pair: tuple[Peer, Peer]) -> None:
    sender, receiver = pair
    extension = bytes.fromhex("bede0002 10aa21bb cc000000")
    for index, csrcs in enumerate(range(16)):
        packet = rtp(index, extension=extension, csrcs=csrcs)
        sealed = sender.protect(packet)
        clear = 12 + 4 * csrcs + len(extension)
        assert sealed[:clear] == packet[:clear]
        assert sealed[clear : len(packet)] != packet[clear:]
        assert receiver.unprotect(sealed) == packet


def test_rtcp(pair: tuple[Peer, Peer]) -> None:
    sender, receiver = pair
    for size in range(100):
        report = sender_report() + bytes(4 * size)
        sealed = sender.protect_rtcp(report)
        assert receiver.unprotect_rtcp(sealed) == report
        assert refused(receiver.unprotect_rtcp, sealed)


def near_wraps(first: int, wraps: int) -> Iterator[tuple[int, bool]]:
    """Every index within 300 of each roll-over, and gaps of up to 25,000 between; with each, whether it may be lost too."""
    yield first, False
    for wrap in range(1, wraps + 1):
        start = wrap * 65536
        yield from ((index, False) for index in range(start - 40000, start - 300, 20000) if index > first)
        yield from ((index, True) for index in range(start - 300, start + 300))


@pytest.mark.parametrize("loss", [0, 0.3, 0.9])
@pytest.mark.parametrize("first", [0, 20000])
def test_roll_overs_with_loss(pair: tuple[Peer, Peer], loss: float, first: int) -> None:
    """The sender seals all; the receiver gets some, and must open every one that it gets."""
    sender, receiver = pair
    rng = random.Random(f"{loss} {first}")
    opened = 0
    for index, may_be_lost in near_wraps(first, 6):
        sealed = sender.protect(rtp(index))
        if may_be_lost and rng.random() < loss:
            continue
        assert receiver.unprotect(sealed) == rtp(index), index
        opened += 1
    assert opened > 200


def test_a_long_call(pair: tuple[Peer, Peer]) -> None:
    """Twenty-five minutes of audio without a gap in the sequence, a third of it lost in bursts, over a roll-over."""
    sender, receiver = pair
    rng = random.Random(3)
    lost = 0
    for index in range(40000, 115000):
        sealed = sender.protect(rtp(index))
        lost = lost - 1 if lost > 0 else int(rng.random() < 0.03) * rng.randrange(1, 30)
        if lost == 0:
            assert receiver.unprotect(sealed) == rtp(index), index


def test_first_sequence_number_in_the_upper_half(pair: tuple[Peer, Peer]) -> None:
    sender, receiver = pair
    for index in range(65530, 65545):
        assert receiver.unprotect(sender.protect(rtp(index))) == rtp(index)


def test_each_ssrc_rolls_over_by_itself(pair: tuple[Peer, Peer]) -> None:
    sender, receiver = pair
    for step in range(300):
        for ssrc in range(1, 15):
            packet = rtp(65536 - 15 * ssrc + step, ssrc=ssrc)
            assert receiver.unprotect(sender.protect(packet)) == packet


def shuffled(rng: random.Random, packets: list[bytes], reach: int) -> list[bytes]:
    """Each packet moved by up to ``reach`` places, a fifth of them lost, a fifth of the rest repeated later."""
    kept = [(at, packet) for at, packet in enumerate(packets) if at == 0 or rng.random() > 0.2]
    again = [(at + rng.randrange(2 * reach), packet) for at, packet in kept if rng.random() < 0.2]
    moved = [(at + (rng.randrange(reach) if at else 0), packet) for at, packet in kept]
    return [packet for _, packet in sorted(moved + again, key=lambda item: item[0])]


@pytest.mark.parametrize("reach", [2, 20, 150, 400])
def test_same_judgement_of_every_packet(profile: Profile, master: bytes, reach: int) -> None:
    """Around a roll-over, with packets late by up to ``reach``: we open what libsrtp opens and refuse what it refuses."""
    rng = random.Random(reach)
    sender = Ours(profile, master)
    ours, theirs = Ours(profile, master), Theirs(profile, master, inbound=True)
    opened = late = 0
    for packet in shuffled(rng, [sender.protect(rtp(index)) for index in range(65000, 67000)], reach):
        results = []
        for receiver in (ours, theirs):
            try:
                results.append(receiver.unprotect(packet))
            except Refused:
                results.append(b"")
        assert results[0] == results[1]
        opened += results[0] != b""
        late += results[0] == b""
    assert opened > 600
    assert late > 100


def test_replays_are_refused(pair: tuple[Peer, Peer]) -> None:
    sender, receiver = pair
    sealed = [sender.protect(rtp(index)) for index in range(65400, 65700)]
    for packet in sealed:
        receiver.unprotect(packet)
    assert all(refused(receiver.unprotect, packet) for packet in sealed)


def test_every_changed_byte_is_refused(pair: tuple[Peer, Peer]) -> None:
    sender, receiver = pair
    for method, sealed in (
        (receiver.unprotect, sender.protect(rtp(9))),
        (receiver.unprotect_rtcp, sender.protect_rtcp(sender_report())),
    ):
        for at in range(len(sealed)):
            forged = bytearray(sealed)
            forged[at] ^= 0x21
            assert refused(method, bytes(forged)), at
        method(sealed)


def test_other_key_is_refused(profile: Profile, master: bytes) -> None:
    sender = Theirs(profile, master, inbound=False)
    receiver = Ours(profile, bytes([master[0] ^ 1]) + master[1:])
    with pytest.raises(Refused, match="EKEYREJECTED"):
        receiver.unprotect(sender.protect(rtp(1)))
    with pytest.raises(Refused, match="EKEYREJECTED"):
        receiver.unprotect_rtcp(sender.protect_rtcp(sender_report()))


def test_other_salt_is_refused(profile: Profile, master: bytes) -> None:
    sender = Theirs(profile, master, inbound=False)
    receiver = Ours(profile, master[:-1] + bytes([master[-1] ^ 1]))
    with pytest.raises(Refused, match="EKEYREJECTED"):
        receiver.unprotect(sender.protect(rtp(1)))
