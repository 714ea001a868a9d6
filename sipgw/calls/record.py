"""What is written down of a call: when, with whom, how it ended, its ladder, and how it sounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confero.models import LegStats
from confero.models.sip import LadderStep, SipCallRecord

from ..trace import Ladder

if TYPE_CHECKING:
    from .about import About

COUNTERS = ("rx_packets", "rx_dropped", "tx_packets", "srtp_failures", "remote_lost", "jitter_us", "rtt_us")
"""Of the engine's, those that a record keeps."""


def media_of(stats: LegStats) -> dict[str, int | float | str]:
    """How it sounded: codec, protection, and loss, jitter, delay both ways, in and out as the MCU sees them."""
    found: dict[str, int | float | str] = {"codec": stats.codec, "security": stats.security}
    found |= {name: stats.counters[name] for name in COUNTERS if name in stats.counters}
    for way, quality in (("in", stats.incoming), ("out", stats.outgoing)):
        if quality is not None:
            found |= {
                f"loss_{way}": round(quality.loss, 4),
                f"jitter_{way}_ms": round(quality.jitter_ms, 1),
                f"delay_{way}_ms": round(quality.delay_ms, 1),
                f"mos_{way}": round(quality.mos, 2),
            }
    return found


def mos_of(stats: LegStats) -> float | None:
    """A call is as good as its worse way (E-model, ITU-T G.107)."""
    ways = [quality.mos for quality in (stats.incoming, stats.outgoing) if quality is not None]
    return round(min(ways), 2) if ways else None


def record_of(about: About, ladder: Ladder) -> SipCallRecord:
    """The record in its present revision."""
    return SipCallRecord.model_validate(
        {
            "id": about.id,
            "revision": about.revision,
            "direction": about.direction,
            "from_uri": about.from_uri,
            "to_uri": about.to_uri,
            "trunk": about.trunk,
            "account": about.account,
            "room": about.room,
            "participant": about.participant,
            "started_at": about.started_at,
            "answered_at": about.answered_at,
            "ended_at": about.ended_at,
            "status": about.status,
            "reason": about.reason[:128],
            "ladder": steps_of(ladder),
            "media": about.media,
            "mos": about.mos,
        }
    )


def steps_of(ladder: Ladder) -> list[LadderStep]:
    steps = [
        LadderStep(at=rung.at, sent=not rung.came, peer=f"{rung.peer[0]}:{rung.peer[1]}"[:128], text=rung.title[:256])
        for rung in ladder.rungs
    ]
    if ladder.more:
        steps.append(LadderStep(at=steps[-1].at, sent=False, peer="", text=f"and {ladder.more} more"))
    return steps
