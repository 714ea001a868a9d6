"""WAV streams from taps."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from confero.errors import ConferoError, Refused
from confero.mcu import taps as taps_module
from confero.mcu.removals import Closable, Removals
from confero.mcu.taps import RATE, Taps, wav_header
from confero.media import EngineBusy, EngineClosed

from .fakes import FakeEngine, FakeTap


def release(tap: Closable) -> None:
    tap.close()


def test_header_is_what_others_read() -> None:
    with wave.open(io.BytesIO(wav_header(3) + bytes(6))) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth(), sound.getnframes()) == (RATE, 1, 2, 3)


async def test_as_long_as_asked_for() -> None:
    tap = FakeTap(*(np.full(RATE // 2, i, np.int16) for i in range(5)))
    data = b"".join([part async for part in Taps(release).stream(tap, 1)])
    with wave.open(io.BytesIO(data)) as sound:
        pcm = np.frombuffer(sound.readframes(RATE * 2), "<i2")
    assert pcm.size == RATE and list(np.unique(pcm)) == [0, 1]
    assert tap.closed


async def test_ends_with_its_leg() -> None:
    tap = FakeTap(np.ones(100, np.int16))
    data = b"".join([part async for part in Taps(release).stream(tap, 60)])
    assert len(data) == 44 + 200 and tap.closed


async def test_waits_for_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taps_module, "POLL_S", 0.0)
    tap = FakeTap(np.empty(0, np.int16), np.empty(0, np.int16), np.ones(RATE, np.int16))
    assert len(b"".join([part async for part in Taps(release).stream(tap, 1)])) == 44 + 2 * RATE


async def test_reader_that_goes_away_and_limit() -> None:
    taps, tap = Taps(release, limit=1), FakeTap(np.ones(10, np.int16), np.ones(10, np.int16))
    stream = taps.stream(tap, 1)
    await anext(stream)
    with pytest.raises(Refused, match="1 taps"):
        taps.check()
    await stream.aclose()
    taps.check()
    assert tap.closed and taps.open == 0


async def test_the_time_of_the_first_sample_is_told_once_before_anything_is_yielded() -> None:
    tap = FakeTap(np.ones(10, np.int16), np.ones(10, np.int16))
    told: list[int] = []
    stream = Taps(release).stream(tap, 1, start=told.append)
    await anext(stream)
    assert len(told) == 1
    await stream.aclose()
    assert len(told) == 1


class Stubborn(FakeTap):
    """Does not close at once."""

    def __init__(self, failure: ConferoError) -> None:
        super().__init__(np.ones(10, np.int16))
        self.failures = [failure]

    def close(self) -> None:
        if self.failures:
            raise self.failures.pop()
        super().close()


async def test_a_tap_that_a_busy_engine_keeps_is_closed_later() -> None:
    removals, tap = Removals(FakeEngine()), Stubborn(EngineBusy("busy"))
    stream = Taps(removals.tap).stream(tap, 1)
    await anext(stream)
    await stream.aclose()
    assert not tap.closed
    removals.retry()
    assert tap.closed


async def test_a_tap_of_an_engine_that_has_gone_needs_no_closing() -> None:
    removals, tap = Removals(FakeEngine()), Stubborn(EngineClosed("closed"))
    assert len(b"".join([part async for part in Taps(removals.tap).stream(tap, 60)])) == 44 + 20
    removals.retry()
    assert not tap.failures and not tap.closed
