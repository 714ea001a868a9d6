"""What a record says of its leg: facts are put together in any order, and once more changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from confero.models import LegRecord, Quality

from .entities import LOST, Leg, Sound

REPLACED = "replaced"


def told(record: LegRecord, joined_at: float) -> Leg:
    """The leg as this record alone shows it."""
    over = record.event == "left"
    return Leg(
        record.participant,
        record.room,
        record.mcu,
        record.boot,
        joined_at,
        record.display_name,
        record.role,
        record.kind,
        left_at=max(record.at, joined_at) if over else None,
        reason=record.reason if over else "",
        codec=record.codec,
        security=record.security,
        packets_in=record.stats.get("rx_packets", 0),
        packets_out=record.stats.get("tx_packets", 0),
        sound=sound(record.incoming, record.outgoing),
    )


def sound(incoming: Quality | None, outgoing: Quality | None) -> Sound:
    came, went = _three(incoming), _three(outgoing)
    return Sound(came[0], went[0], came[1], went[1], came[2], went[2])


def _three(way: Quality | None) -> tuple[float, float, float] | tuple[None, None, None]:
    """Loss, jitter, opinion score."""
    return (None, None, None) if way is None else (way.loss, way.jitter_ms, way.mos)


def merged(known: Leg, news: Leg) -> Leg:
    """Both together. An end that was told holds against everything; one that was only supposed (``lost``) gives way to it."""
    if known.is_closed:
        return known
    if news.left_at is not None:
        return replace(news, user=known.user, meeting=known.meeting)
    return replace(known, codec=news.codec or known.codec, security=news.security or known.security)


def begun(record: LegRecord, legs: Iterable[Leg]) -> float | None:
    """When the record's leg joined; of one that does not tell it, by the participant's legs that are known.

    None: an end of nothing that is known.
    """
    if record.joined_at is not None:
        return record.joined_at
    if record.event == "joined":
        return record.at
    mine = [
        leg.joined_at
        for leg in legs
        if (leg.participant, leg.room, leg.boot) == (record.participant, record.room, record.boot)
        and leg.joined_at <= record.at
        and not leg.is_closed
    ]
    if not mine:
        return None
    return min(mine) if record.reason == REPLACED else max(mine)


def lost(leg: Leg, at: float) -> Leg:
    """Its media server was lost at this time."""
    return replace(leg, left_at=max(at, leg.joined_at), reason=LOST)
