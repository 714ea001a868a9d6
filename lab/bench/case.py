"""One row of a benchmark: who is there, what they say and how, and what counts as good enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

CodecName = Literal["opus", "pcmu"]
ProfileName = Literal["gcm128", "gcm256", "cm", "plain"]
Passive = Literal["silence", "dtx", "nothing"]

PROFILES: dict[str, int] = {"gcm128": 0x0007, "gcm256": 0x0008, "cm": 0x0001}
"""DTLS-SRTP protection profiles by their numbers (RFC 5764 section 4.1.2, RFC 7714 section 14.2)."""
SESSIONS_KEPT = 300
"""Members up to which all WebSockets stay open. Every join is told to every session, so that joining costs with the square:
of larger meetings the sessions are closed once media flows, which is what the legs live on."""


@dataclass(frozen=True)
class Case:
    """The axes."""

    members: int = 100
    rooms: int = 1
    talkers: int = 4
    """Of each room; 0: everyone."""
    mixed: int = 6
    """How many of a room's talkers are to be heard, the loudest; 0: all."""
    codec: CodecName = "opus"
    profile: ProfileName = "gcm128"
    """``plain``: RTP without ICE, DTLS and encryption."""
    passive: Passive = "silence"
    """What those send who do not talk: packets of a quiet room, few packets (DTX), or nothing at all."""
    loss_percent: float = 0.0
    """Packets that the generator holds back."""
    seconds: float = 5.0
    warm_s: float = 3.0
    ears: int = 16
    """Members whose sound is decoded and judged."""
    seed: int = 1
    mcu: dict[str, Any] = field(default_factory=dict)
    """Settings of the MCU, by the names of docs/configuration.md."""
    room: dict[str, Any] = field(default_factory=dict)
    """Further fields of ``POST /api/v1/rooms``."""

    @property
    def room_size(self) -> int:
        return self.members // self.rooms

    @property
    def talking(self) -> int:
        """Talkers of a room."""
        return min(self.talkers, self.room_size) if self.talkers else self.room_size

    @property
    def loud(self) -> int:
        """Those of them that are to be mixed."""
        return min(self.mixed, self.talking) if self.mixed else self.talking

    @property
    def secure(self) -> bool:
        return self.profile != "plain"

    @property
    def keeps_sessions(self) -> bool:
        return self.members <= SESSIONS_KEPT

    def generator_arguments(self) -> list[str]:
        """As native/bench/bench_load.c takes them."""
        values = {
            "members": self.members,
            "rooms": self.rooms,
            "talkers": self.talking,
            "loud": self.loud,
            "codec": self.codec,
            "secure": int(self.secure),
            "profile": PROFILES.get(self.profile, 0),
            "passive": self.passive,
            "loss": self.loss_percent / 100,
            "seed": self.seed,
            "seconds": self.seconds,
            "warm": self.warm_s,
            "ears": min(self.ears, self.members),
        }
        return [f"{name}={value}" for name, value in values.items()]

    def setting(self) -> str:
        """All but the number of members."""
        who = "all talk" if self.talking == self.room_size else f"{self.talking} talk, others send {self.passive}"
        rooms = "one room" if self.rooms == 1 else f"rooms of {self.room_size}"
        lost = f", {self.loss_percent:g} % lost" if self.loss_percent else ""
        return f"{rooms}, {who}, {self.codec} {self.profile}{lost}"


@dataclass(frozen=True)
class Floor:
    """The quality below which a figure does not count."""

    loss_percent: float = 0.1
    delay_p95_ms: float = 60.0
    heard_db: float = 3.0
    """Every selected talker at every ear within this of how it was said ..."""
    crowd: bool = False
    """... or, where dozens talk and each is under the codec's noise of the others, the median talker."""
    own_db: float = -30.0
    own_over_noise_db: float = 3.0
    """Own voice: under the one, or no more than this above the codec's noise beside it."""
    gaps_per_million: float = 1000.0
    """10 ms blocks of a million in which the first talker is gone for an ear."""
    clicks_per_million: float = 1000.0
    bursts_percent: float = 97.0
    """Tone bursts that were found at the ears."""


DISTURBED_MS = 10.0
"""Half a frame: a window in which the generator's own lateness (99th percentile) is beyond it says nothing of the mixer."""
STALLED_MS = 100.0
"""Nor does one in which the generator stood still for so long, be it in the warm-up: jitter buffers remember that."""


WAITED_PERCENT = 10.0
"""Of a window that the media thread, which comes before everything else here, waited for its core."""


def disturbed(row: dict[str, Any]) -> bool:
    """True if the load generator or the media thread was held up: somebody else had the cores."""
    late = row["generator_late_ms"]["p99"] > DISTURBED_MS or row["generator_worst_ms"] > STALLED_MS
    return bool(late or row.get("waited_percent", 0.0) > WAITED_PERCENT)


def faults_of(row: dict[str, Any], floor: Floor) -> list[str]:
    """What is wrong with a row, in words; a fast mixer that mixes wrongly has no figures."""
    blocks = max(row["blocks"], 1)
    own_ok = row["own_voice_db"] <= floor.own_db or row["own_over_noise_db"] <= floor.own_over_noise_db
    heard = row["heard_db"]
    worst = abs(heard["p50"]) if floor.crowd else max(abs(heard["least"]), abs(heard["most"]))
    found = row["bursts_heard"] / max(row["bursts_said"], 1) * 100
    checks = (
        (row["unheard_members"] == 0, f"{row['unheard_members']:g} members got nothing"),
        (row["loss_percent"] <= floor.loss_percent, f"{row['loss_percent']:.2f} % lost"),
        (
            row["short_percent"] <= floor.loss_percent,
            f"{row['short_percent']:.2f} % of the packets never left the mixer",
        ),
        (worst <= floor.heard_db, f"talkers are heard at {heard['least']} to {heard['most']} dB"),
        (own_ok, f"the first talker hears itself at {row['own_voice_db']} dB"),
        (row["gaps"] / blocks * 1e6 <= floor.gaps_per_million, f"{row['gaps']:g} gaps in {blocks:g} blocks"),
        (row["clicks"] / blocks * 1e6 <= floor.clicks_per_million, f"{row['clicks']:g} clicks in {blocks:g} blocks"),
        (found >= floor.bursts_percent, f"only {found:.0f} % of the bursts were heard in time"),
        (row["delay_ms"]["p95"] <= floor.delay_p95_ms, f"delay p95 {row['delay_ms']['p95']:.0f} ms"),
        (row["srtp_failures"] == 0, f"{row['srtp_failures']:g} packets failed to authenticate"),
        (row["consents_lost"] == 0, f"{row['consents_lost']:g} members lost consent"),
        (row["closed"] == 0, f"the mixer ended {row['closed']:g} associations"),
        (row["cpu_percent"] <= 100, "more than one core"),
    )
    return [text for good, text in checks if not good]
