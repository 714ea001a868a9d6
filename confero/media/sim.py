"""The media core under a simulated clock: members, bad links, drifting clocks; the same bytes for the same seed."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ._convert import counters, fill_codec
from ._core import ffi, lib
from .errors import EngineError, from_errno
from .types import Codec, CodecParams, LegStats, SrtpProfile, TapPoint

RATE = 48_000
"""Samples per second of everything that is said, heard or tapped."""

GAIN_ONE = 16_384
"""0 dB, in the mixer's Q14."""

Pcm = NDArray[np.int16]


class SimulationError(EngineError):
    """The simulation could not go on: out of memory, or more packets under way than it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimLink:
    """One direction of a member's network."""

    loss: float = 0.0
    """Share of lost packets, 0-1."""
    burst: float = 1.0
    """Mean length of a run of losses, in packets."""
    duplicate: float = 0.0
    reorder: float = 0.0
    """Share of packets that are held back by ``reorder_ms``."""
    delay_ms: int = 0
    jitter_ms: int = 0
    """Added to the delay, evenly spread from 0 to this."""
    reorder_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimMember:
    """A member of the simulated room, an RTP leg of the core."""

    codec: CodecParams = field(default_factory=lambda: CodecParams(codec=Codec.OPUS))
    """How the mixer encodes for it."""
    sends: CodecParams | None = None
    """Its own encoder, of the same codec; None: the cheapest one."""
    srtp: SrtpProfile | None = None
    clock_ppm: float = 0.0
    """How much faster its sound card runs than the mixer's clock."""
    up: SimLink = field(default_factory=SimLink)
    down: SimLink = field(default_factory=SimLink)
    join_ms: int = 0
    leave_ms: int = 0
    """0: stays."""
    audio_level: bool = False
    """RFC 6464 both ways."""
    dtx: bool = False
    """It is sent next to nothing while the room is silent (Opus)."""
    voice: bool = True
    """False: sends no media."""
    ear: bool = True
    """False: what it is sent is counted, not decoded; for large rooms."""


def _fill_link(out: Any, link: SimLink) -> None:
    for name in SimLink.__dataclass_fields__:
        setattr(out, name, getattr(link, name))


def _new_member(member: SimMember) -> Any:
    out = ffi.new("cf_sim_member *")
    try:
        fill_codec(out.codec, member.codec)
        if member.sends is not None:
            fill_codec(out.sends, member.sends)
        _fill_link(out.up, member.up)
        _fill_link(out.down, member.down)
        out.clock_ppm = member.clock_ppm
        out.join_ms, out.leave_ms = member.join_ms, member.leave_ms
    except (OverflowError, TypeError) as error:
        raise EngineError(f"member: {error}") from None
    out.srtp_profile = int(member.srtp or 0)
    out.dtx = int(member.dtx)
    out.audio_level, out.no_voice, out.no_ear = int(member.audio_level), int(not member.voice), int(not member.ear)
    return out


class Simulation:
    """One room on one core, driven by a clock of its own. Use it as a context manager, or call :meth:`close`.

    Members are numbered from 0 in the order in which they are added. Methods raise LookupError (``UnknownId``) for a
    number that is not there and :class:`EngineError` for values out of range.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        gate_dbov: int = 0,
        gate_hold_ms: int = 0,
        talkers: int = 0,
        noise_dbov: int = 0,
        transcode: bool = False,
    ) -> None:
        """``gate_dbov`` (0: 65), ``gate_hold_ms`` (0: 500), ``talkers`` (0: 6, -1: all), ``noise_dbov`` (0: none) and ``transcode``
        (never pass packets on) as in the room's configuration."""
        room = ffi.new("cf_room_config *")
        try:
            room.gate_dbov, room.gate_hold_ms, room.talkers, room.noise_dbov = (
                gate_dbov,
                gate_hold_ms,
                talkers,
                noise_dbov,
            )
            room.transcode = int(transcode)
            raw = lib.cf_sim_new(seed, room)
        except OverflowError as error:
            raise EngineError(f"room: {error}") from None
        if raw == ffi.NULL:
            raise EngineError(
                "the room's gate must be 0-127 dBov, its hold time not negative, its talkers at most 64, its noise 20-126 dBov or 0"
            )
        self._raw: Any = ffi.gc(raw, lib.cf_sim_free)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Frees everything; may be called again. Nothing else may be called afterwards."""
        if self._raw is not None:
            ffi.release(self._raw)
            self._raw = None

    @property
    def _sim(self) -> Any:
        if self._raw is None:
            raise EngineError("the simulation has been closed")
        return self._raw

    def add(self, member: SimMember) -> int:
        """Adds a member, who joins at ``join_ms`` or now, and returns its number."""
        return self._check(lib.cf_sim_add(self._sim, _new_member(member)), "add a member")

    def say(self, index: int, pcm: Pcm, *, loop: bool = False) -> None:
        """What the member says from now on: 48 kHz mono, then silence or, with ``loop``, the same again."""
        samples = np.ascontiguousarray(pcm, dtype=np.int16)
        source = ffi.from_buffer("int16_t[]", samples)
        self._check(lib.cf_sim_say(self._sim, index, source, len(samples), int(loop)), f"let member {index} speak")

    def tap(self, index: int, point: TapPoint) -> None:
        """Keeps the mixer's side of a member from its joining on, for :meth:`tapped`. One tap per member, before it joins."""
        self._check(lib.cf_sim_tap(self._sim, index, int(point)), f"tap member {index}")

    def run(self, until_ms: int) -> None:
        """Runs to this simulated time, in ms from the start. Raises SimulationError."""
        result = lib.cf_sim_run(self._sim, until_ms)
        if result == -errno.ENOSPC:
            raise SimulationError("more packets are under way than a simulation holds: shorter delays or fewer members")
        if result == -errno.ENOMEM:
            raise SimulationError("out of memory")
        self._check(result, "run")

    def heard(self, index: int) -> Pcm:
        """What the member has heard since the last call, on its own clock. At most 20 minutes are kept: the newest are dropped."""
        return self._take(lib.cf_sim_heard_waiting, lib.cf_sim_heard, index)

    def tapped(self, index: int) -> Pcm:
        """What the member's tap has taken since the last call, on the mixer's clock; same bound."""
        return self._take(lib.cf_sim_tapped_waiting, lib.cf_sim_tapped, index)

    def mute(self, index: int, muted: bool = True) -> None:
        """Whether the others hear the member, who must have joined."""
        self._check(lib.cf_sim_mute(self._sim, index, int(muted)), f"mute member {index}")

    def deaf(self, index: int, deaf: bool = True) -> None:
        """Whether the member hears nothing."""
        self._check(lib.cf_sim_deaf(self._sim, index, int(deaf)), f"deafen member {index}")

    def gain(self, index: int, gain: float) -> None:
        """How loud the others hear the member: a factor from 0 to 7.9."""
        q14 = round(gain * GAIN_ONE) if -1e5 < gain < 1e5 else -1
        self._check(lib.cf_sim_gain(self._sim, index, q14), f"set the gain of member {index}")

    def suspend(self, index: int, suspended: bool = True) -> None:
        """Whether the member is out of the conference: neither heard nor sent media."""
        self._check(lib.cf_sim_suspend(self._sim, index, int(suspended)), f"suspend member {index}")

    def aside(self, index: int, aside: bool = True) -> None:
        """Whether only those hear the member who have a pair with it."""
        self._check(lib.cf_sim_aside(self._sim, index, int(aside)), f"take member {index} aside")

    def gate(self, index: int, gate_dbov: int) -> None:
        """A gate of the member's own, -dBov; 0: the room's."""
        self._check(lib.cf_sim_gate(self._sim, index, max(-1, min(gate_dbov, 128))), f"set the gate of member {index}")

    def agc(self, index: int, agc: bool = True) -> None:
        """Whether the member's speech is brought to the level of everybody else's."""
        self._check(lib.cf_sim_agc(self._sim, index, int(agc)), f"set the automatic gain of member {index}")

    def pair(self, listener: int, talker: int, gain: float | None) -> None:
        """How loud one member hears another: a factor from 0 to 7.9; None: as everybody."""
        if gain is None:
            self._check(lib.cf_sim_unpair(self._sim, listener, talker), f"unpair members {listener} and {talker}")
            return
        q14 = round(gain * GAIN_ONE) if -1e5 < gain < 1e5 else -1
        self._check(lib.cf_sim_pair(self._sim, listener, talker, q14), f"pair members {listener} and {talker}")

    def stats(self, index: int) -> LegStats:
        """The mixer's view of the member; of one that has left, its last."""
        stats = ffi.new("cf_leg_stats *")
        self._check(lib.cf_sim_stats(self._sim, index, stats), f"statistics of member {index}")
        return LegStats(leg=counters(stats), playout=counters(stats.playout))

    def receiver_stats(self, index: int) -> dict[str, int]:
        """The member's own jitter buffer: fields of ``cf_playout_stats``."""
        stats = ffi.new("cf_playout_stats *")
        self._check(lib.cf_sim_receiver_stats(self._sim, index, stats), f"statistics of member {index}")
        return counters(stats)

    def core_stats(self) -> dict[str, int]:
        """The core: fields of ``cf_core_stats``; ``tick_ns_*`` are CPU time."""
        stats = ffi.new("cf_core_stats *")
        self._check(lib.cf_sim_core_stats(self._sim, stats), "statistics")
        return counters(stats)

    @property
    def digest(self) -> int:
        """A hash of every datagram that has left the mixer, with its time and path: equal for equal seeds on one build."""
        return lib.cf_sim_digest(self._sim)

    def _take(self, waiting: Any, take: Any, index: int) -> Pcm:
        pcm = np.empty(waiting(self._sim, index), dtype=np.int16)
        if len(pcm):
            take(self._sim, index, ffi.from_buffer("int16_t[]", pcm, require_writable=True), len(pcm))
        return pcm

    @staticmethod
    def _check(result: int, what: str) -> int:
        if result < 0:
            raise from_errno(-result, what)
        return result


def tone(hz: float | Sequence[float], seconds: float, amplitude: float = 4000.0) -> Pcm:
    """A tone, or several at once, that can be repeated without a seam when its periods fit into ``seconds``."""
    at = np.arange(round(seconds * RATE)) / RATE
    parts = [hz] if isinstance(hz, int | float) else hz
    wave = sum((np.sin(2 * np.pi * part * at) for part in parts), start=np.zeros_like(at))
    return np.asarray(np.clip(np.round(wave * amplitude), -32768, 32767), dtype=np.int16)
