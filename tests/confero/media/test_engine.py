"""The engine through its Python face: telephones over real sockets, ICE and DTLS, releases, errors."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import os
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from aioice import stun
from numpy.typing import NDArray

from confero.clock import FakeClock
from confero.errors import ConferoError, LocalError, Refused
from confero.media import (
    Address,
    BindError,
    Codec,
    CodecParams,
    DuplicateId,
    Engine,
    EngineClosed,
    EngineConfig,
    EngineError,
    Event,
    EventType,
    JitterBuffer,
    LegConfig,
    LegKind,
    NoPortFree,
    OtherThread,
    PayloadType,
    RtpSockets,
    SrtpKeys,
    SrtpProfile,
    StillInUse,
    TapPoint,
    UnknownId,
    build_info,
)
from confero.media._core import lib
from confero.media.addresses import FRESH_S

RATE = 8000
FRAME = 160
LOCAL = EngineConfig(threads=1, seed=7, bind=("127.0.0.1",))
PCMU = CodecParams(codec=Codec.PCMU)
OPUS = CodecParams(codec=Codec.OPUS)


def ulaw_encode(pcm: NDArray[np.int16]) -> bytes:
    """ITU-T G.711 mu-law."""
    sign = np.where(pcm < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(pcm.astype(np.int32)), 32635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8))


def ulaw_decode(data: bytes) -> NDArray[np.float64]:
    code = ~np.frombuffer(data, np.uint8) & 0xFF
    magnitude = (((code & 0x0F).astype(np.int32) << 3) + 132 << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.float64)


class Phone(asyncio.DatagramProtocol):
    """Says a tone in G.711 and keeps what it hears."""

    def __init__(self, hertz: float) -> None:
        t = np.arange(RATE) / RATE
        self.tone = (8000 * np.sin(2 * np.pi * hertz * t)).astype(np.int16)
        self.heard: list[bytes] = []
        self.others: list[bytes] = []
        self.sent = 0

    @classmethod
    async def open(cls, hertz: float, host: str) -> Phone:
        loop = asyncio.get_running_loop()
        transport, phone = await loop.create_datagram_endpoint(lambda: cls(hertz), local_addr=(host, 0))
        phone.transport = transport
        phone.address = Address(*transport.get_extra_info("sockname")[:2])
        return phone

    transport: asyncio.DatagramTransport
    address: Address

    def datagram_received(self, data: bytes, addr: object) -> None:
        is_rtp = len(data) >= 12 and data[0] == 0x80 and data[1] & 0x7F == 0
        (self.heard if is_rtp else self.others).append(data[12:] if is_rtp else data)

    def speak(self, to: Address) -> None:
        header = struct.pack("!BBHII", 0x80, 0, self.sent & 0xFFFF, self.sent * FRAME, self.address.port)
        at = self.sent * FRAME % RATE
        self.transport.sendto(header + ulaw_encode(self.tone[at : at + FRAME]), tuple(to))
        self.sent += 1

    def hears(self, hertz: float) -> float:
        """Amplitude of a frequency in the last half second."""
        pcm = ulaw_decode(b"".join(self.heard))[-RATE // 2 :]
        window = np.hanning(pcm.size)
        return float(
            2 * np.abs(np.sum(pcm * window * np.exp(-2j * np.pi * hertz * np.arange(pcm.size) / RATE))) / window.sum()
        )


class Running:
    """A started engine whose events are read by the event loop."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    def pump(self) -> None:
        self.events += self.engine.events()
        self._changed.set()

    async def wait_for(self, kind: EventType, *, leg: int = 0, room: int = 0) -> Event:
        """The first event of this kind (about this leg or room), past or future."""
        async with asyncio.timeout(10):
            while True:
                for event in self.events:
                    if (
                        event.type is kind
                        and (not leg or event.leg == leg)
                        and (not room or (event.room, event.leg) == (room, 0))
                    ):
                        return event
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def running(config: EngineConfig = LOCAL) -> AsyncIterator[Running]:
    loop = asyncio.get_running_loop()
    with Engine(config) as engine:
        state = Running(engine)
        loop.add_reader(engine.fileno(), state.pump)
        try:
            yield state
        finally:
            loop.remove_reader(engine.fileno())


async def talk(pairs: list[tuple[Phone, Address]], frames: int) -> None:
    """Everybody speaks for ``frames`` times 20 ms."""
    start = time.monotonic()
    for frame in range(frames):
        for phone, to in pairs:
            phone.speak(to)
        await asyncio.sleep(max(0.0, start + (frame + 1) * 0.02 - time.monotonic()))


def rtp_leg(leg: int, room: int, sockets: RtpSockets, remote: Address | None = None) -> LegConfig:
    return LegConfig(
        id=leg,
        room=room,
        kind=LegKind.RTP,
        tx=PCMU,
        tx_pt=0,
        rx=(PayloadType(0, Codec.PCMU, 8000),),
        sockets=sockets,
        remote_rtp=remote,
        symmetric=remote is None,
        cname="test",
    )


def webrtc_leg(leg: int, room: int, ufrag: str = "ours") -> LegConfig:
    return LegConfig(
        id=leg,
        room=room,
        kind=LegKind.WEBRTC,
        tx=OPUS,
        tx_pt=111,
        rx=(PayloadType(111, Codec.OPUS, 48000),),
        local_ufrag=ufrag,
        local_pwd="a password of our own",
        remote_ufrag="peer",
    )


def join(engine: Engine, leg: int, room: int, phone: Phone) -> Address:
    sockets = engine.open_rtp(room, mux=True)
    engine.add_leg(rtp_leg(leg, room, sockets, phone.address))
    return Address(sockets.address, sockets.rtp_port)


async def test_two_phones_hear_each_other_and_not_themselves() -> None:
    async with running() as state:
        engine = state.engine
        engine.add_room(1)
        a, b = await Phone.open(440, "127.0.0.2"), await Phone.open(1000, "127.0.0.3")
        to_a, to_b = join(engine, 10, 1, a), join(engine, 20, 1, b)
        tap = engine.tap(TapPoint.LEG_OUT, 10, milliseconds=3000)
        talking = [(a, to_a), (b, to_b)]
        await talk(talking, 60)
        for _ in range(10):  # a machine that stands still tears a hole into any half second: then the next one counts
            if min(a.hears(1000), b.hears(440)) > 4000:
                break
            await talk(talking, 30)
        await state.wait_for(EventType.MEDIA, leg=10)
        await state.wait_for(EventType.SPEAKERS, room=1)
        assert a.hears(1000) > 4000
        assert b.hears(440) > 4000
        assert a.hears(440) < 20
        assert b.hears(1000) < 20

        stats = engine.leg_stats(10)
        assert stats.leg["rx_packets"] > 30
        assert stats.leg["tx_packets"] > 30
        assert stats.playout["packets"] > 30
        assert "playout" not in stats.leg
        thread = engine.thread_stats(0)
        assert thread["legs"] == 2
        assert thread["ticks"] > 30
        pcm, at = tap.read()
        assert pcm.dtype == np.int16
        assert pcm.size > RATE
        assert 0 < at <= engine.now()
        tap.close()
        tap.close()
        assert tap.read()[0].size == 0
        a.transport.close()
        b.transport.close()


async def test_separate_rtcp_port_and_symmetric_rtp() -> None:
    async with running() as state:
        engine = state.engine
        engine.add_room(1)
        phone = await Phone.open(440, "127.0.0.2")
        sockets = engine.open_rtp(1, "127.0.0.1")
        assert sockets.rtp_port % 2 == 0
        assert sockets.rtcp_port == sockets.rtp_port + 1
        engine.add_leg(rtp_leg(10, 1, sockets))
        await talk([(phone, Address("127.0.0.1", sockets.rtp_port))], 30)
        assert len(phone.heard) > 5, "it answers where the packets come from"
        engine.set_remote(10, None)
        phone.transport.close()


async def test_removed_leg_is_released_and_its_port_closed() -> None:
    async with running() as state:
        engine = state.engine
        engine.add_room(1)
        phone = await Phone.open(440, "127.0.0.2")
        address = join(engine, 10, 1, phone)
        with pytest.raises(StillInUse):
            engine.remove_room(1)
        await talk([(phone, address)], 15)
        engine.remove_leg(10)
        with pytest.raises(UnknownId):
            engine.leg_stats(10)
        engine.remove_room(1)
        assert (await state.wait_for(EventType.RELEASED, leg=10)).value == 0
        await state.wait_for(EventType.RELEASED, room=1)
        with pytest.raises(UnknownId):
            engine.thread_of(1)
        engine.add_room(1)
        join(engine, 10, 1, phone)  # ids are free again
        assert any(data[1] == 200 or data[1] == 201 for data in phone.others), "BYE in a compound"
        phone.transport.close()


async def test_refused_leg_comes_back_with_its_reason_and_closes_its_sockets() -> None:
    async with running() as state:
        engine = state.engine
        engine.add_room(1)
        engine.add_leg(webrtc_leg(10, 1))
        engine.add_leg(webrtc_leg(11, 1))  # the same ufrag
        event = await state.wait_for(EventType.RELEASED, leg=11)
        assert event.value == 17  # EEXIST
        engine.remove_leg(10)
        engine.remove_room(1)
        await state.wait_for(EventType.RELEASED, room=1)


class Browser(asyncio.DatagramProtocol):
    """The network side of a browser: sends checks and DTLS, keeps what comes."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.got.put_nowait(data)


def binding_request(password: str) -> bytes:
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = "ours:peer"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 5
    request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(password.encode())
    return bytes(request)


async def test_ice_and_dtls_over_the_shared_port() -> None:
    loop = asyncio.get_running_loop()
    async with running() as state:
        engine = state.engine
        engine.add_room(1)
        engine.add_leg(webrtc_leg(30, 1))
        (candidate,) = engine.candidates(1)
        assert candidate == Address("127.0.0.1", engine.shared_port(0))
        transport, browser = await loop.create_datagram_endpoint(Browser, remote_addr=candidate)
        transport.sendto(binding_request("a password of our own"))
        event = await state.wait_for(EventType.ICE_CONNECTED, leg=30)
        assert event.text == "{}:{}".format(*transport.get_extra_info("sockname"))
        answer = stun.parse_message(await asyncio.wait_for(browser.got.get(), 5))
        assert answer.message_class is stun.Class.RESPONSE

        assert engine.dtls_take(30) == []
        transport.sendto(b"\x16\xfe\xfdone")
        await state.wait_for(EventType.DTLS, leg=30)
        transport.sendto(b"\x16\xfe\xfdtwo")
        found: list[bytes] = []
        async with asyncio.timeout(5):
            while len(found) < 2:
                found += engine.dtls_take(30)
                await asyncio.sleep(0)
        assert found == [b"\x16\xfe\xfdone", b"\x16\xfe\xfdtwo"]
        engine.dtls_send(30, b"\x16\xfe\xfdback")
        assert await asyncio.wait_for(browser.got.get(), 5) == b"\x16\xfe\xfdback"
        assert engine.leg_stats(30).leg["stun_checks"] == 1

        engine.restart_ice(30, "anew", "a new password of ours", "peer2")
        key = SrtpKeys(bytes(16), bytes(12))
        engine.set_keys(30, SrtpProfile.AEAD_AES_128_GCM, key, key)
        transport.close()


async def test_wrong_password_is_not_connected() -> None:
    loop = asyncio.get_running_loop()
    async with running() as state:
        engine = state.engine
        engine.add_room(1)
        engine.add_leg(webrtc_leg(30, 1))
        transport, browser = await loop.create_datagram_endpoint(Browser, remote_addr=engine.candidates(1)[0])
        transport.sendto(binding_request("some other password"))
        answer = stun.parse_message(await asyncio.wait_for(browser.got.get(), 5))
        assert answer.message_class is stun.Class.ERROR
        assert not [event for event in state.events if event.type is EventType.ICE_CONNECTED]
        transport.close()


async def test_rooms_go_to_the_thread_with_the_fewest_legs() -> None:
    config = EngineConfig(threads=2, seed=7, bind=("127.0.0.1",))
    async with running(config) as state:
        engine = state.engine
        assert engine.shared_port(0) != engine.shared_port(1)
        assert [engine.add_room(room) for room in (1, 2)] == [0, 1]
        engine.add_leg(webrtc_leg(10, 1))
        assert engine.add_room(3) == 1
        assert engine.add_room(4, thread=0) == 0
        with pytest.raises(OtherThread):
            engine.move_leg(10, 2)
        engine.move_leg(10, 4)
        engine.remove_room(1)
        await state.wait_for(EventType.RELEASED, room=1)


async def test_every_control_of_a_leg_is_accepted() -> None:
    async with running() as state:
        engine = state.engine
        engine.add_room(1, gate_dbov=70, gate_hold_ms=200)
        engine.add_leg(webrtc_leg(10, 1))
        engine.mute(10)
        engine.mute(10, False)
        engine.deafen(10)
        engine.set_gain(10, 0.5)
        engine.set_gate(10, 45)
        engine.set_agc(10)
        engine.set_agc(10, False)
        engine.remove_leg(10, bye=False)
        await state.wait_for(EventType.RELEASED, leg=10)


def test_misuse_is_told_at_once() -> None:
    with Engine(LOCAL) as engine:
        engine.add_room(1)
        with pytest.raises(DuplicateId, match="room 1"):
            engine.add_room(1)
        with pytest.raises(UnknownId):
            engine.remove_room(2)
        with pytest.raises(UnknownId):
            engine.add_leg(webrtc_leg(10, 2))
        with pytest.raises(UnknownId):
            engine.open_rtp(2)
        engine.add_leg(webrtc_leg(10, 1))
        with pytest.raises(DuplicateId):
            engine.add_leg(webrtc_leg(10, 1))
        for call in (engine.remove_leg, engine.mute, engine.deafen, engine.set_agc, engine.dtls_take, engine.leg_stats):
            with pytest.raises(UnknownId) as caught:
                call(99)
            assert isinstance(caught.value, LookupError)
            assert isinstance(caught.value, LocalError)
        with pytest.raises(EngineError, match="key of 32"):
            keys = SrtpKeys(bytes(16), bytes(12))
            engine.set_keys(10, SrtpProfile.AEAD_AES_256_GCM, keys, keys)
        with pytest.raises(EngineError):
            engine.set_gain(10, 9)
        with pytest.raises(EngineError, match="gate of 128"):
            engine.set_gate(10, 128)
        with pytest.raises(EngineError):
            engine.dtls_send(10, b"")
        with pytest.raises(EngineError):
            engine.restart_ice(10, "", "", "")
        with pytest.raises(LocalError, match="not an IP"):
            engine.set_remote(10, Address("example.org", 1))
        with pytest.raises(UnknownId):
            engine.tap(TapPoint.ROOM, 77)
        with pytest.raises(EngineError):
            engine.thread_stats(5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"local_ufrag": "u" * 33}, "local_ufrag must be shorter than 33"),
        ({"cname": "a\0b"}, "cname"),
        ({"ssrc": 1 << 32}, "leg configuration"),
        ({"id": 0}, "leg 0"),
        ({"tx_pt": 128}, "leg 10"),
        ({"jitter": JitterBuffer(min_ms=401)}, "leg 10"),
        ({"jitter": JitterBuffer(minimum=True, min_ms=-1)}, "leg 10"),
        ({"rx": (PayloadType(96, Codec.OPUS, 48000),) * 9}, "8 payload types"),
        ({"kind": LegKind.RTP}, "sockets"),
    ],
)
def test_leg_configuration_that_does_not_fit_is_refused(change: dict[str, object], says: str) -> None:
    with Engine(LOCAL) as engine:
        engine.add_room(1)
        with pytest.raises(EngineError, match=says):
            engine.add_leg(dataclasses.replace(webrtc_leg(10, 1), **change))  # type: ignore[arg-type]
        engine.add_leg(webrtc_leg(10, 1))


def test_sockets_must_be_given_back_by_their_owner() -> None:
    with Engine(LOCAL) as engine:
        engine.add_room(1)
        free, held = engine.open_rtp(1), engine.open_rtp(1)
        engine.close_rtp(free)
        with pytest.raises(UnknownId):
            engine.close_rtp(free)
        engine.add_leg(rtp_leg(10, 1, held))
        with pytest.raises(StillInUse):
            engine.close_rtp(held)
        with pytest.raises(StillInUse):
            engine.add_leg(rtp_leg(11, 1, held))


@pytest.mark.parametrize("used", [True, False])
async def test_sockets_that_a_busy_thread_would_not_close_are_closed_later(
    monkeypatch: pytest.MonkeyPatch, used: bool
) -> None:
    async with running(EngineConfig(threads=1, seed=1, bind=("127.0.0.9",), port_low=14200, port_high=14203)) as state:
        engine = state.engine
        engine.add_room(1)
        held = engine.open_rtp(1)
        if used:
            engine.add_leg(rtp_leg(10, 1, held))
        close = lib.cf_engine_close_socket
        refused: list[int] = []

        def busy_once(raw: object, thread: int, number: int) -> int:
            if number == held.rtp and not refused:
                refused.append(number)
                return -errno.EAGAIN
            return close(raw, thread, number)

        monkeypatch.setattr("confero.media._bind.lib", SimpleNamespace(cf_engine_close_socket=busy_once))
        if used:
            engine.remove_leg(10)
        else:
            engine.close_rtp(held)
        assert refused == [held.rtp]
        for room in (2, 3):  # with the first one's release it is tried again, with the second one's it is done
            engine.add_room(room)
            engine.remove_room(room)
            await state.wait_for(EventType.RELEASED, room=room)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.9", held.rtp_port))


def test_ports_run_out_in_words() -> None:
    config = EngineConfig(threads=1, seed=1, bind=("127.0.0.9",), port_low=14100, port_high=14102)
    with Engine(config) as engine:
        engine.add_room(1)
        engine.open_rtp(1, mux=True)
        engine.open_rtp(1, mux=True)
        with pytest.raises(NoPortFree) as caught:
            engine.open_rtp(1, mux=True)
        assert isinstance(caught.value, Refused)


def test_addresses_that_cannot_be_bound() -> None:
    with pytest.raises(BindError, match=r"192\.0\.2\.1"):
        Engine(EngineConfig(threads=1, bind=("192.0.2.1",)))
    with pytest.raises(LocalError, match="not an IP address"):
        Engine(EngineConfig(threads=1, bind=("localhost",)))
    with pytest.raises(EngineError, match="65 threads"):
        Engine(EngineConfig(threads=65, bind=("127.0.0.1",)))


def test_ipv4_and_ipv6_share_one_port_and_are_advertised() -> None:
    with Engine(EngineConfig(threads=1, seed=3, bind=("127.0.0.1", "::1"))) as engine:
        engine.add_room(1)
        port = engine.shared_port(0)
        assert engine.candidates(1) == (Address("127.0.0.1", port), Address("::1", port))


def test_one_to_one_nat_is_advertised() -> None:
    config = EngineConfig(threads=1, seed=3, bind=("0.0.0.0",), advertised=("203.0.113.5=127.0.0.1",))
    with Engine(config) as engine:
        engine.add_room(1)
        assert engine.candidates(1)[0].host == "203.0.113.5"
        assert engine.advertised[0].internal == "127.0.0.1"


def test_candidates_follow_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    address, clock = SimpleNamespace(ip="192.0.2.10"), FakeClock()
    monkeypatch.setattr("confero.media.addresses.ifaddr.get_adapters", lambda: [SimpleNamespace(ips=[address])])
    with Engine(EngineConfig(threads=1, seed=3, bind=("0.0.0.0",)), clock.monotonic) as engine:
        engine.add_room(1)
        assert [address.host for address in engine.candidates(1)] == ["192.0.2.10"]
        address.ip = "192.0.2.20"
        clock.advance(FRESH_S)
        assert [address.host for address in engine.candidates(1)] == ["192.0.2.20"]


def media_thread_nice() -> int:
    for task in Path("/proc/self/task").iterdir():
        if (task / "comm").read_text() == "cf-media-0\n":
            return os.getpriority(os.PRIO_PROCESS, int(task.name))
    raise AssertionError("there is no media thread")


def test_media_threads_take_their_nice_value_and_nobody_else() -> None:
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    with Engine(dataclasses.replace(LOCAL, nice=mine + 1)) as engine:
        engine.add_room(1)
        deadline = time.monotonic() + 5
        while media_thread_nice() != mine + 1 and time.monotonic() < deadline:
            time.sleep(0.001)
        assert media_thread_nice() == mine + 1
        assert os.getpriority(os.PRIO_PROCESS, 0) == mine


def test_seeds_repeat_the_ports() -> None:
    with Engine(EngineConfig(threads=1, seed=11, bind=("127.0.0.31",))) as first:
        port = first.shared_port(0)
    with Engine(EngineConfig(threads=1, seed=11, bind=("127.0.0.31",))) as again:
        assert again.shared_port(0) == port


def test_closed_engine_says_so() -> None:
    engine = Engine(LOCAL)
    engine.start()
    engine.add_room(1)
    tap = engine.tap(TapPoint.ROOM, 1)
    engine.close()
    engine.close()
    for call in (engine.fileno, engine.events, engine.now, engine.start, tap.read):
        with pytest.raises(EngineClosed):
            call()
    with pytest.raises(ConferoError):
        engine.add_room(2)


def test_engine_without_close_ends_with_its_last_reference() -> None:
    engine = Engine(LOCAL)
    engine.start()
    port = engine.shared_port(0)
    del engine
    with Engine(LOCAL) as again:
        assert again.shared_port(0) == port


def test_build_info_is_one_line() -> None:
    assert "libopus" in build_info()
    assert "\n" not in build_info()
