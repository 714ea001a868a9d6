"""Clips, tones, playing and digits by the engine's Python face."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import numpy as np
import pytest

from confero.media import (
    Clip,
    Codec,
    CodecParams,
    Engine,
    EngineConfig,
    EngineError,
    Event,
    EventType,
    LegConfig,
    LegKind,
    PayloadType,
    TapPoint,
    ToneStep,
    UnknownId,
    named_tone,
    tone,
)

RATE = 48_000


def level_of(pcm: np.ndarray, hz: float) -> float:
    """Amplitude of a frequency."""
    turn = np.exp(-2j * np.pi * hz * np.arange(pcm.size) / RATE)
    return float(2 * abs(np.mean(pcm * turn)))


def test_tones() -> None:
    pcm = tone([ToneStep(500, (440, 880), (20, 26)), ToneStep(100)])
    assert pcm.size == 600 * 48
    assert level_of(pcm[4800:19200], 440) == pytest.approx(32767 * 10 ** (-17 / 20), rel=0.01)
    assert level_of(pcm[4800:19200], 880) == pytest.approx(32767 * 10 ** (-23 / 20), rel=0.01)
    assert not pcm[24000:].any()
    assert named_tone("busy").size == RATE and named_tone("5").size == 9600


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [ToneStep(0)],
        [ToneStep(100, (10,), (20,))],
        [ToneStep(100, (440,), (2,))],
        [ToneStep(100, (440,), ())],
        [ToneStep(100, (1, 2, 3), (9, 9, 9))],
        [ToneStep(10)] * 17,
        [ToneStep(60_000), ToneStep(1)],
    ],
)
def test_impossible_tones(steps: list[ToneStep]) -> None:
    with pytest.raises(EngineError):
        tone(steps)


def test_unknown_names_and_clips() -> None:
    for name in ("", "engaged", "bu\0sy", "é"):
        with pytest.raises(EngineError):
            named_tone(name)
    with pytest.raises(EngineError):
        Clip(np.empty(0, np.int16))
    assert Clip(np.zeros(24_000, np.int16)).seconds == 0.5


@pytest.fixture
def engine() -> Engine:
    config = EngineConfig(threads=1, bind=("127.0.0.1",), port_low=12_000, port_high=14_000)
    return Engine(config)


def wait_for(engine: Engine, wanted: Callable[[Event], bool]) -> Event:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        for event in engine.events():
            if wanted(event):
                return event
        time.sleep(0.01)
    raise AssertionError("the event did not come")


def join(engine: Engine, leg: int) -> None:
    sockets = engine.open_rtp(1, "127.0.0.1", mux=True)
    engine.add_leg(
        LegConfig(
            id=leg,
            room=1,
            kind=LegKind.RTP,
            tx=CodecParams(codec=Codec.PCMU),
            tx_pt=0,
            rx=(PayloadType(0, Codec.PCMU, 8000), PayloadType(101, Codec.EVENT, 8000)),
            event_pt=101,
            sockets=sockets,
        )
    )


def test_played_heard_and_told(engine: Engine) -> None:
    with engine:
        engine.add_room(1)
        join(engine, 7)
        tap = engine.tap(TapPoint.ROOM, 1)
        number = engine.play_to_room(1, Clip(tone([ToneStep(400, (1000,), (20,))])))
        gc.collect()  # the clip is held by what plays it alone
        event = wait_for(engine, lambda e: e.type is EventType.PLAYED)
        assert (event.value, event.room, event.leg) == (number, 1, 0)
        pcm, _ = tap.read()
        assert level_of(pcm[:19_200], 1000) > 1000
        endless = engine.play_to_leg(7, Clip(named_tone("dial")), gain=0.5, loops=0)
        engine.stop_playing(endless)
        assert wait_for(engine, lambda e: e.type is EventType.PLAYED).leg == 7
        with pytest.raises(UnknownId):
            engine.stop_playing(endless)


def test_wrong_calls(engine: Engine) -> None:
    clip = Clip(named_tone("beep"))
    with engine:
        engine.add_room(1)
        join(engine, 7)
        with pytest.raises(UnknownId):
            engine.play_to_room(2, clip)
        with pytest.raises(UnknownId):
            engine.listen_for_digits(8)
        for gain, loops in ((8.0, 1), (-1.0, 1), (1.0, -1)):
            with pytest.raises(EngineError):
                engine.play_to_leg(7, clip, gain=gain, loops=loops)
        for digits in ("", "12x", "１", "1" * 65):
            with pytest.raises(EngineError):
                engine.send_digits(7, digits)
        engine.listen_for_digits(7)
        engine.listen_for_digits(7, False)
        engine.send_digits(7, "1234#!")
