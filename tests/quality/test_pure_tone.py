"""A pure tone through one leg each of G.711 and Opus, clocks apart: from end to end no discontinuity.

Two minutes; ``CONFERO_TEST_LONG=1`` makes it an hour (and four of G.711), any other number that many seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from confero.media.sim import RATE, Pcm, SimMember, Simulation, tone
from confero.media.types import Codec, CodecParams

LONG = int(os.environ.get("CONFERO_TEST_LONG", "0") or 0)
SECONDS = {0: 120, 1: 3_600}.get(LONG, LONG)
HZ, AMPLITUDE = 440.0, 8_000.0
WARM_UP_S = 10
BLOCK = 480
"""Samples whose phase is measured: 10 ms."""
BEND = 4.0
"""What mu-law leaves of a tone that it has coded twice bends 2.4 times as much as the tone."""

pytestmark = pytest.mark.timeout(900)


@dataclass
class Worst:
    turn: float = 0.0
    """Largest step of the phase between two blocks, beyond the tone's own, in radians."""
    level_db: float = 0.0
    """Farthest of a block's level from the tone's."""
    bend: float = 0.0
    """Largest second difference of the sound, over that of the tone."""


class Ear:
    """Listens to a steady tone piece by piece, over the seams of the pieces."""

    def __init__(self) -> None:
        self.worst = Worst()
        self.left: Pcm = np.empty(0, np.int16)
        self.last: float | None = None
        self.level: float | None = None

    def feed(self, pcm: Pcm) -> None:
        own = (2 * np.pi * HZ / RATE) ** 2 * AMPLITUDE
        joined = np.concatenate([self.left, pcm]).astype(np.float64)
        self.worst.bend = max(self.worst.bend, float(np.abs(np.diff(joined, 2)).max()) / own)
        blocks = joined[: len(joined) // BLOCK * BLOCK].reshape(-1, BLOCK)
        self.left = pcm[len(pcm) - (len(joined) - blocks.size) :] if blocks.size < len(joined) else pcm[:0]
        self.phases(blocks)

    def phases(self, blocks: npt.NDArray[np.float64]) -> None:
        at = np.arange(BLOCK)
        z = blocks @ (np.hanning(BLOCK) * np.exp(-2j * np.pi * HZ * at / RATE))
        phase = np.angle(z) if self.last is None else np.concatenate([[self.last], np.angle(z)])
        step = np.diff(phase) - 2 * np.pi * HZ * BLOCK / RATE
        step = (step + np.pi) % (2 * np.pi) - np.pi
        self.worst.turn = max(self.worst.turn, float(np.abs(step).max()))
        self.last = float(phase[-1])
        level = 20 * np.log10(np.abs(z))
        self.level = self.level if self.level is not None else float(np.median(level))
        self.worst.level_db = max(self.worst.level_db, float(np.abs(level - self.level).max()))


def run(codec: Codec, ppm: float, seconds: int) -> tuple[Worst, dict[str, int], float]:
    params = CodecParams(codec=codec, complexity=0)
    ear = Ear()
    began = time.process_time()
    with Simulation(seed=1) as sim:
        talker = sim.add(SimMember(codec=params, sends=params, clock_ppm=ppm, ear=False))
        listener = sim.add(SimMember(codec=params, sends=params))
        sim.say(talker, tone(HZ, 1.0, AMPLITUDE), loop=True)
        sim.run(WARM_UP_S * 1_000)
        sim.heard(listener)
        for until in range(WARM_UP_S + 10, WARM_UP_S + seconds + 1, 10):
            sim.run(until * 1_000)
            ear.feed(sim.heard(listener))
        stats = sim.stats(talker).playout
    return ear.worst, stats, time.process_time() - began


@pytest.mark.parametrize(("codec", "ppm"), [(Codec.PCMU, 300.0), (Codec.PCMU, -300.0), (Codec.OPUS, 100.0)])
def test_a_tone_is_never_broken(codec: Codec, ppm: float, record_figure: Callable[[str, str], None]) -> None:
    seconds = SECONDS * 4 if SECONDS >= 3_600 and codec is Codec.PCMU else SECONDS
    worst, stats, cpu = run(codec, ppm, seconds)
    record_figure(
        f"tone-{codec.name.lower()}-{ppm:+.0f}ppm",
        f"{seconds} s of {HZ:.0f} Hz in {codec.name}, clocks {ppm:+.0f} ppm apart: largest phase step {worst.turn:.3f} rad, "
        f"level {worst.level_db:.2f} dB, bend {worst.bend:.2f} of the tone's; {cpu:.0f} s of CPU time",
    )
    assert stats["concealed"] < RATE // 10, stats
    assert worst.turn < 0.12, worst
    assert worst.level_db < 1.0, worst
    assert worst.bend < BEND, worst


def test_the_ear_hears_a_seam() -> None:
    """A millisecond left out, a block too soft, a click: each is noticed."""
    whole = tone(HZ, 1.0, AMPLITUDE)
    for spoilt, what in (
        (np.delete(whole, slice(20_000, 20_048)), "turn"),
        (np.concatenate([whole[:24_000], whole[24_000:24_960] // 2, whole[24_960:]]), "level_db"),
        (np.concatenate([whole[:24_027], [0], whole[24_028:]]).astype(np.int16), "bend"),
    ):
        ear = Ear()
        ear.feed(np.concatenate([whole, spoilt]))
        limit = {"turn": 0.12, "level_db": 1.0, "bend": BEND}[what]
        assert getattr(ear.worst, what) > limit, what
