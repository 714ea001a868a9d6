"""Automatic gain with speech: whoever is soft and whoever is loud end as loud as the others, in quiet and in noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from confero.media.sim import SimMember, Simulation
from confero.media.types import Codec, CodecParams, TapPoint

from .speech import LEVEL_DBOV, RATE, VOICES, Pcm, speech

FRAME = 960
TARGET_DBOV = -23.0
SECONDS = 16
LEARNT = 7
"""Seconds, pauses among them, after which a voice is to be where it belongs."""


def active_level(pcm: Pcm) -> float:
    """dBov, of the frames that are not 15.9 dB below the level that results (ITU-T P.56, by frames)."""
    power: npt.NDArray[np.float64] = (pcm[: len(pcm) // FRAME * FRAME].reshape(-1, FRAME) / 32_768.0) ** 2
    frames = power.mean(axis=1)
    level = frames.mean()
    for _ in range(20):
        level = frames[frames > level * 10**-1.59].mean()
    return float(10 * np.log10(level))


def monologue(voice: int, level_dbov: float) -> Pcm:
    """Sentences of one voice and pauses between them, at this active level."""
    said = np.tile(speech(voice), SECONDS * RATE // len(speech(voice)) + 1)[: SECONDS * RATE]
    factor = 10 ** ((level_dbov - active_level(said)) / 20)
    return np.asarray(np.clip(np.rint(said * factor), -32_768, 32_767).astype(np.int16))


def added(pcm: Pcm) -> Pcm:
    """What somebody with automatic gain adds to the room who says this."""
    with Simulation(gate_dbov=60) as sim:
        wire = CodecParams(codec=Codec.L16, rate=48_000, ptime_ms=10)
        talker, listener = SimMember(codec=wire), SimMember(codec=wire)
        number = sim.add(talker)
        sim.add(listener)
        sim.tap(number, TapPoint.LEG_IN)
        sim.say(number, pcm)
        sim.run(20)
        sim.agc(number)
        sim.run(SECONDS * 1000)
        return sim.tapped(number)


@pytest.mark.parametrize("voice", range(len(VOICES)))
def test_soft_and_loud_end_alike(voice: int) -> None:
    levels = [active_level(added(monologue(voice, level))[LEARNT * RATE :]) for level in (-32.0, LEVEL_DBOV, -14.0)]
    assert max(levels) - min(levels) < 2.0, levels
    assert all(abs(level - TARGET_DBOV) < 2.5 for level in levels), levels


def rms_db(pcm: Pcm) -> float:
    return float(10 * np.log10((pcm.astype(np.float64) ** 2).mean() / 32_768**2))


def test_noise_beside_a_voice_does_not_grow_in_its_pause() -> None:
    """17 dB under a voice that needs 10 dB: the soft ends of its words are lost in it, so the voice seems a little louder."""
    said = monologue(0, -33.0)
    said[-4 * RATE :] = 0
    noise = np.random.default_rng(7).normal(0, 10 ** (-50 / 20) * 32_768, len(said))
    noisy = np.clip(said + noise, -32_768, 32_767).astype(np.int16)
    heard = added(noisy)
    gain = rms_db(heard[LEARNT * RATE : 11 * RATE]) - rms_db(noisy[LEARNT * RATE : 11 * RATE])
    assert 7.0 < gain < 10.5
    pause = [rms_db(part) for part in np.split(heard[-3 * RATE : -RATE], 2)]
    assert abs(pause[0] - pause[1]) < 0.2
    assert abs(pause[1] - (-50 + gain)) < 1.0
