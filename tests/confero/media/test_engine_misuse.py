"""What the engine refuses, in words: numbers, legs, sockets that are not as they have to be; and use after its end."""

from __future__ import annotations

import dataclasses
import errno
import socket
from types import SimpleNamespace

import pytest

from confero.errors import ConferoError, LocalError
from confero.media import (
    Address,
    Codec,
    DuplicateId,
    Engine,
    EngineClosed,
    EngineConfig,
    EngineError,
    EventType,
    JitterBuffer,
    LegKind,
    PayloadType,
    SrtpKeys,
    SrtpProfile,
    StillInUse,
    TapPoint,
    UnknownId,
)
from confero.media._core import lib

from .engine_rig import LOCAL, rtp_leg, running, webrtc_leg


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
