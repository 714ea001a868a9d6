"""Speech as others hear it, judged by PESQ beside plain libopus: through the mixer, and through networks that lose packets.

What a jitter buffer has to learn it learns from the sentence before the one that is judged. ``CONFERO_TEST_LONG=1`` takes
all voices.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from confero.media.sim import SimMember, Simulation
from confero.media.types import Codec, CodecParams, TapPoint

from . import libopus
from .playing import play
from .speech import Pcm, mos, speech

LONG = bool(int(os.environ.get("CONFERO_TEST_LONG", "0") or 0))
VOICES = range(6) if LONG else range(2)
BITRATE, COMPLEXITY = 32_000, 5
OPUS = CodecParams(codec=Codec.OPUS, bitrate=BITRATE, complexity=COMPLEXITY)
BURST = 2.5
"""Mean length of a run of losses in the Gilbert-Elliott model, in packets."""

Lost = npt.NDArray[np.bool_]


def uniform(share: float, n: int, rng: np.random.Generator) -> Lost:
    return np.asarray(rng.random(n) < share)


def gilbert_elliott(share: float, n: int, rng: np.random.Generator) -> Lost:
    """All is lost in the bad state, nothing in the good one."""
    into_bad, out_of_bad = share / BURST / (1 - share), 1 / BURST
    lost, bad = np.zeros(n, np.bool_), False
    for i in range(n):
        bad = rng.random() >= out_of_bad if bad else rng.random() < into_bad
        lost[i] = bad
    return lost


def with_lead(voice: int) -> tuple[Pcm, Pcm]:
    """What is said, and the second half of it, which is judged."""
    judged = speech(voice)
    return np.concatenate([speech(voice + 1), judged]), judged


def opinion(judged: Pcm, heard: Pcm, said: int, *, late_ms: int = 0) -> float:
    """Of the part of ``heard`` that ends where what was said ends, a little more of it for the delay."""
    start = said - len(judged) + late_ms * 48
    return mos(judged, heard[start : start + len(judged) + 4_800])


def test_a_talker_through_the_mixer(record_figure: Callable[[str, str], None]) -> None:
    """What the room gets is one plain encode and decode; what a listener hears is that and one more."""
    found = []
    for voice in VOICES:
        said, judged = with_lead(voice)
        with Simulation(seed=voice + 1) as sim:
            talker = sim.add(SimMember(codec=OPUS, sends=OPUS))
            listener = sim.add(SimMember(codec=OPUS, sends=OPUS))
            sim.tap(talker, TapPoint.LEG_IN)
            sim.say(talker, said)
            sim.run(len(said) // 48 + 300)
            room, ear = sim.tapped(talker), sim.heard(listener)
        once = libopus.decode(libopus.encode(said, bitrate=BITRATE, complexity=COMPLEXITY))
        twice = libopus.decode(libopus.encode(once, bitrate=BITRATE, complexity=COMPLEXITY))
        found.append([opinion(judged, pcm, len(said)) for pcm in (once, room, twice, ear)])
    plain, in_room, tandem, heard = np.mean(found, axis=0)
    record_figure(
        "speech-mixer",
        f"MOS of a talker: plain {plain:.2f}, in the room {in_room:.2f}; coded twice {tandem:.2f}, through the mixer {heard:.2f}",
    )
    assert in_room >= plain - 0.1, found
    assert heard >= tandem - 0.1, found


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("model", [uniform, gilbert_elliott])
def test_loss(
    model: Callable[[float, int, np.random.Generator], Lost], share: float, record_figure: Callable[[str, str], None]
) -> None:
    """Beside libopus with a buffer that always knows which packets will come."""
    ideal, ours = [], []
    for voice in VOICES:
        said, judged = with_lead(voice)
        packets = libopus.encode(said, bitrate=BITRATE, complexity=COMPLEXITY, fec=True, loss=round(share * 100))
        rng = np.random.default_rng(100 + voice)
        lost = model(share, len(packets), rng)
        jitter = rng.random(len(packets)) * 8
        arrivals = [
            None if gone else i * 20 + 20 + 30 + late for i, (gone, late) in enumerate(zip(lost, jitter, strict=True))
        ]
        played = play(packets, arrivals, phase_ms=3 * voice)
        assert played.stats["lost"] >= lost.sum() - 5
        ideal.append(opinion(judged, libopus.decode(packets, list(lost)), len(said)))
        ours.append(opinion(judged, played.pcm, len(said), late_ms=50))
    name = model.__name__.replace("_", "-")
    text = f"MOS at {share:.0%} loss, {name}: ideal buffer {np.mean(ideal):.2f}, ours {np.mean(ours):.2f}"
    record_figure(f"speech-loss-{name}-{share:.0%}", text)
    assert np.mean(ours) >= np.mean(ideal) - 0.2, (ideal, ours)


def test_the_judge_hears_what_is_wrong() -> None:
    """A tenth of the sound gone without concealment is told from none."""
    said, judged = with_lead(0)
    packets = libopus.encode(said, bitrate=BITRATE, complexity=COMPLEXITY)
    plain = libopus.decode(packets)
    lost = uniform(0.1, len(packets), np.random.default_rng(1))
    holes = plain.reshape(-1, libopus.FRAME) * ~lost[:, None]
    assert opinion(judged, holes.ravel().astype(np.int16), len(said)) < opinion(judged, plain, len(said)) - 0.5
