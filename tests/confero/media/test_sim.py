"""A simulated room heard with NumPy: who hears whom, what stays away, what repeats."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from confero.media.errors import EngineError, UnknownId
from confero.media.sim import RATE, Pcm, SimLink, SimMember, Simulation, tone
from confero.media.types import Codec, CodecParams, SrtpProfile, TapPoint, ptimes

HZ = (440.37, 620.71, 830.13)
"""Not in whole Hz: the noise of a codec fed with a short period falls on lines, and could fall on one of these."""
OPUS, PCMU = CodecParams(codec=Codec.OPUS), CodecParams(codec=Codec.PCMU)
BAD_LINK = SimLink(loss=0.02, delay_ms=20, jitter_ms=20)


def strength_db(pcm: Pcm, hz: float, drift_hz: float = 0.15) -> float:
    """The strongest amplitude within ``drift_hz`` of a frequency, in dB over one LSB."""
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)))) * 4 / len(pcm)
    freqs = np.fft.rfftfreq(len(pcm), 1 / RATE)
    near = spectrum[np.abs(freqs - hz) <= max(drift_hz, 2.1 * RATE / len(pcm))]
    return float(20 * np.log10(max(near.max(), 1e-9)))


def sharpest_bend(pcm: Pcm) -> int:
    """The largest second difference: a click is one far above what the signal itself has."""
    return int(np.abs(np.diff(pcm.astype(np.int32), 2)).max())


def three(*, ppm: float = 100.0, link: SimLink = BAD_LINK, srtp: SrtpProfile | None = None) -> list[SimMember]:
    codecs = (OPUS, OPUS, PCMU)
    return [
        SimMember(codec=codec, srtp=srtp, clock_ppm=(i - 1) * ppm, up=link, down=link) for i, codec in enumerate(codecs)
    ]


def start(sim: Simulation, members: list[SimMember], *, point: TapPoint | None = None) -> None:
    for index, member in enumerate(members):
        assert sim.add(member) == index
        sim.say(index, tone(HZ[index], 61.0))
        if point is not None:
            sim.tap(index, point)


@pytest.mark.parametrize("srtp", [None, SrtpProfile.AEAD_AES_128_GCM])
def test_each_hears_the_others_and_not_itself(srtp: SrtpProfile | None) -> None:
    with Simulation(11) as sim:
        start(sim, three(srtp=srtp), point=TapPoint.LEG_OUT)
        sim.run(25_000)
        for ear in range(3):
            heard, mix = sim.heard(ear)[-20 * RATE :], sim.tapped(ear)[-20 * RATE :]
            others = [strength_db(mix, HZ[mouth]) for mouth in range(3) if mouth != ear]
            assert all(abs(level - 72) < 2 for level in others), others  # 4000 is 72 dB
            assert strength_db(mix, HZ[ear]) < min(others) - 60
            at_ear = [strength_db(heard, HZ[mouth]) for mouth in range(3) if mouth != ear]
            assert all(abs(level - 72) < 3 for level in at_ear), at_ear
            assert strength_db(heard, HZ[ear]) < min(at_ear) - 35  # the codecs' own noise


@pytest.mark.parametrize(
    "codec",
    [CodecParams(codec=Codec.PCMU, ptime_ms=ptime) for ptime in ptimes(Codec.PCMU)]
    + [CodecParams(codec=Codec.G722, ptime_ms=ptime) for ptime in ptimes(Codec.G722)]
    + [CodecParams(codec=Codec.OPUS, ptime_ms=ptime) for ptime in ptimes(Codec.OPUS)]
    + [
        CodecParams(codec=Codec.L16, rate=rate, ptime_ms=ptime)
        for rate in (8_000, 16_000, 24_000, 48_000)
        for ptime in ptimes(Codec.L16, rate)
    ]
    + [CodecParams(codec=Codec.OPUS, rate=16_000), CodecParams(codec=Codec.OPUS, channels=2, bitrate=48_000)],
    ids=lambda codec: f"{codec.codec.name}-{codec.rate}-{codec.ptime_ms}-{codec.channels}",
)
def test_every_codec_and_packet_length_is_heard(codec: CodecParams) -> None:
    """Two members that code so, both ways, and one of G.711: all talk, each hears the other two at their level, unbroken."""
    with Simulation(12) as sim:
        start(sim, [SimMember(codec=codec), SimMember(codec=codec), SimMember(codec=PCMU)])
        sim.run(5_000)
        for ear in range(3):
            heard = sim.heard(ear)[-3 * RATE :]
            at_ear = [strength_db(heard, HZ[mouth]) for mouth in range(3) if mouth != ear]
            assert all(abs(level - 72) < 1.5 for level in at_ear), at_ear
            assert sharpest_bend(heard) < 600  # of both tones together: 70 and the codecs' noise
            stats = sim.receiver_stats(ear)
            assert (stats["lost"], stats["concealed"], stats["undecodable"]) == (0, 0, 0), stats


def test_a_room_has_its_noise() -> None:
    """At its level at every ear; wrong levels are refused."""
    with Simulation(13, noise_dbov=50) as sim:
        for _ in range(2):
            sim.add(SimMember(codec=CodecParams(codec=Codec.L16, rate=24_000)))
        sim.run(4_000)
        for ear in range(2):
            seconds = sim.heard(ear)[-2 * RATE :].reshape(2, RATE).astype(np.float64)
            levels = 20 * np.log10(np.sqrt(np.mean(seconds**2, axis=1)) / 32768)
            assert np.all(np.abs(levels + 50) < 1), levels
    for wrong in (-1, 19, 127):
        with pytest.raises(EngineError):
            Simulation(13, noise_dbov=wrong)


def test_the_own_voice_leaves_no_trace_at_all() -> None:
    """What a member hears is bit by bit the same whether it talks or not: at the tap and at its ear."""
    runs: list[tuple[Pcm, Pcm]] = []
    for silent in (False, True):
        with Simulation(20) as sim:
            start(sim, three(), point=TapPoint.LEG_OUT)
            if silent:
                sim.say(1, np.empty(0, dtype=np.int16))
            sim.run(5_000)
            runs.append((sim.tapped(1), sim.heard(1)))
    (tap_talking, ear_talking), (tap_silent, ear_silent) = runs
    assert len(tap_talking) > 4 * RATE
    assert np.array_equal(tap_talking, tap_silent)
    assert np.array_equal(ear_talking, ear_silent)


def test_drift_is_taken_up_without_gaps() -> None:
    with Simulation(12) as sim:
        start(sim, three(ppm=200.0, link=SimLink(delay_ms=20)))
        sim.run(60_000)
        for index in range(3):
            playout = sim.stats(index).playout
            assert playout["lost"] == 0
            assert playout["concealed"] < RATE // 10  # the start of the stream at most
            assert playout["delay_ms"] <= 80


def test_muting_makes_no_click() -> None:
    with Simulation(13) as sim:
        start(sim, three(ppm=0, link=SimLink(delay_ms=20)), point=TapPoint.LEG_OUT)
        sim.run(2_000)
        quiet = sharpest_bend(sim.tapped(1)[RATE:])
        for at, muted in enumerate([True, False, True, False], start=1):
            sim.mute(0, muted)
            sim.run(2_000 + at * 500)
            piece = sim.tapped(1)
            assert sharpest_bend(piece) < 2 * quiet
            rest = piece[RATE // 10 :]
            assert (strength_db(rest, HZ[0], 10) < 30) is muted


def test_gain_and_deafness() -> None:
    with Simulation(14) as sim:
        start(sim, three(ppm=0, link=SimLink(delay_ms=20)), point=TapPoint.LEG_OUT)
        sim.run(1_000)
        sim.gain(0, 2.0)
        sim.run(2_000)
        assert abs(strength_db(sim.tapped(1)[-RATE // 2 :], HZ[0], 4) - 78) < 1
        sim.deaf(1)
        sim.run(3_000)
        assert not sim.tapped(1)[-RATE // 2 :].any()
        assert sim.tapped(2)[-RATE // 2 :].any()


def test_silent_listeners_cost_one_encoding() -> None:
    listener = SimMember(codec=OPUS, voice=False, ear=False)
    with Simulation(15) as sim:
        sim.add(SimMember(codec=PCMU))
        sim.say(0, tone(440.37, 3.0))
        for _ in range(60):
            sim.add(listener)
        sim.run(2_000)  # by then the talker's own silence is settled and needs no encoder
        before = sim.core_stats()
        sim.run(3_000)
        after = sim.core_stats()
        assert after["frames_encoded"] - before["frames_encoded"] == 50
        assert after["frames_shared"] - before["frames_shared"] == 60 * 50


def digest(seed: int) -> int:
    with Simulation(seed) as sim:
        start(sim, three(srtp=SrtpProfile.AES128_CM_SHA1_80))
        sim.run(3_000)
        return sim.digest


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


def test_who_joins_late_is_heard_at_once() -> None:
    link = SimLink(delay_ms=20)
    with Simulation(16) as sim:
        sim.add(SimMember(codec=OPUS, up=link, down=link))
        sim.add(SimMember(codec=OPUS, up=link, down=link, join_ms=3_000))
        sim.say(1, tone(620.71, 1.0), loop=True)
        sim.tap(0, TapPoint.LEG_OUT)
        sim.run(4_000)
        mix = sim.tapped(0)
        onset_ms = int(np.argmax(np.abs(mix) > 1_000)) / RATE * 1_000
        assert np.abs(mix[: 3 * RATE]).max() == 0
        assert 3_020 <= onset_ms <= 3_150
        heard = sim.heard(0)
        assert np.abs(heard[: 3 * RATE]).max() < 20
        assert np.abs(heard[int(3.3 * RATE) :]).max() > 3_000


def oracle(own: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Each leg's mix after the limiter of mixer.h; ``own`` is legs x samples."""
    ahead, ceiling, release, rest = 96, 32_000, 1 / 4_800, 2.0**-20
    mix = own.sum(axis=0) - own
    need = np.minimum(1.0, ceiling / np.maximum(np.abs(mix), 1))
    rel = np.ones((mix.shape[1] + ahead, mix.shape[0]))
    last = np.ones(mix.shape[0])
    for n, needed in enumerate(need.T):
        last = np.minimum(needed, last + (1 - last) * release)
        last[1 - last < rest] = 1.0
        rel[ahead + n] = last
    windows = np.lib.stride_tricks.sliding_window_view
    low = np.concatenate([np.ones((ahead - 1, mix.shape[0])), windows(rel, ahead + 1, axis=0).min(axis=-1)])
    gain = windows(low, ahead, axis=0).mean(axis=-1).T
    late = np.concatenate([np.zeros((mix.shape[0], ahead)), mix[:, :-ahead]], axis=1)
    wanted = late * gain
    rounded: npt.NDArray[np.int64] = np.trunc(wanted + np.copysign(0.5, wanted)).astype(np.int64)
    return rounded


def taps_of_loud_room(point: TapPoint) -> npt.NDArray[np.int64]:
    """What eight members at full scale add, or hear, in the mixer: the same run for every point."""
    with Simulation(17) as sim:
        for index in range(8):
            sim.add(SimMember(codec=PCMU if index % 2 else OPUS, up=SimLink(loss=0.01, delay_ms=20, jitter_ms=10)))
            sim.say(index, tone([200 + 130 * index, 90 + 70 * index], 1.0, amplitude=32_767), loop=True)
            sim.tap(index, point)
        sim.run(2_500)
        return np.stack([sim.tapped(index) for index in range(8)]).astype(np.int64)


def test_eight_full_scale_talkers_never_wrap() -> None:
    own, heard = taps_of_loud_room(TapPoint.LEG_IN), taps_of_loud_room(TapPoint.LEG_OUT)
    assert np.abs(own).max() > 30_000
    assert np.abs(heard).max() <= 32_000
    assert np.abs(heard - oracle(own)).max() <= 1


def test_statistics_tell_what_the_links_did() -> None:
    with Simulation(18) as sim:
        start(sim, three(link=SimLink(loss=0.05, burst=2, duplicate=0.05, delay_ms=40)))
        sim.run(30_000)
        leg, playout = sim.stats(0).leg, sim.stats(0).playout
        assert leg["rx_packets"] + playout["lost"] == pytest.approx(1_500 * 1.05, rel=0.03)
        assert playout["lost"] == pytest.approx(75, abs=40)
        assert playout["duplicate"] == pytest.approx(75, abs=35)
        assert leg["rtt_us"] == pytest.approx(80_000, abs=3_000)
        assert leg["connected"] == 1
        assert sim.receiver_stats(0)["packets"] > 1_300
        assert sim.core_stats()["ticks"] == pytest.approx(1_500, abs=1)


def test_wrong_values_have_their_errors() -> None:
    with Simulation(19) as sim:
        with pytest.raises(UnknownId):
            sim.mute(0)
        with pytest.raises(EngineError):
            sim.add(SimMember(up=SimLink(loss=2)))
        with pytest.raises(EngineError):
            sim.add(SimMember(up=SimLink(delay_ms=2**40)))
        with pytest.raises(EngineError):
            sim.add(SimMember(codec=OPUS, sends=PCMU))
        index = sim.add(SimMember())
        sim.say(index, np.empty(0, dtype=np.int16), loop=True)
        sim.run(100)
        with pytest.raises(EngineError):
            sim.tap(index, TapPoint.LEG_IN)
        with pytest.raises(EngineError):
            sim.gain(index, 100.0)
        assert len(sim.heard(index)) > 0
        assert len(sim.tapped(index)) == 0
    with pytest.raises(EngineError, match="closed"):
        sim.run(200)
    with pytest.raises(EngineError, match="gate"):
        Simulation(gate_dbov=128)
