"""Counters of legs and rooms, as they stand in the engine."""

from __future__ import annotations

from confero import models
from confero.errors import ConferoError
from confero.media import LegStats

from . import quality
from .pipeline.engine import MediaEngine
from .rooms.participant import Leg, Participant
from .rooms.room import Room

SUMMED = frozenset(
    {
        "rx_packets",
        "rx_bytes",
        "rx_dropped",
        "tx_packets",
        "tx_bytes",
        "srtp_failures",
        "srtp_replays",
        "stun_checks",
        "stun_bad",
        "dtls_dropped",
        "own_encodes",
        "shared_frames",
        "remote_lost",
    }
)
"""Counters; the other fields of ``cf_leg_stats`` are readings of the moment, whose sum says nothing."""


class Statistics:
    """Reads; changes nothing."""

    def __init__(self, engine: MediaEngine) -> None:
        self._engine = engine

    def of_leg(self, participant: Participant, room: Room) -> models.LegStats:
        return self._view(participant, room, self._read(participant.leg))

    def final(self, participant: Participant, room: Room) -> models.LegStats:
        """As ``of_leg``; without counters if the engine has let go of it already."""
        try:
            return self.of_leg(participant, room)
        except ConferoError:
            return self._view(participant, room, LegStats({}, {}))

    def _view(self, participant: Participant, room: Room, found: LegStats) -> models.LegStats:
        leg = participant.leg
        ways = _ways(leg.codec, found)
        return models.LegStats(
            leg=leg.id,
            participant=participant.id,
            room=room.id,
            kind=leg.kind,
            codec=leg.codec,
            security=leg.security,
            remote=leg.remote,
            counters=found.leg,
            playout=found.playout,
            incoming=_shown(ways[0]),
            outgoing=_shown(ways[1]),
        )

    def of_room(self, room: Room) -> models.RoomStats:
        participants = list(room.participants.values())
        sums: dict[str, int] = {}
        for participant in participants:
            for name, value in self._read(participant.leg).leg.items():
                if name in SUMMED:
                    sums[name] = sums.get(name, 0) + value
        connected = sum(participant.state == "connected" for participant in participants)
        return models.RoomStats(room=room.id, legs=len(participants), connected=connected, counters=sums)

    def _read(self, leg: Leg) -> LegStats:
        return self._engine.leg_stats(leg.number) if leg.number else LegStats({}, {})


def _ways(codec: str, found: LegStats) -> tuple[quality.Direction | None, quality.Direction | None]:
    """In and out, as far as there was something to judge."""
    came = quality.incoming(codec, found.leg, found.playout) if found.playout.get("packets") else None
    went = quality.outgoing(codec, found.leg) if found.leg.get("tx_packets") else None
    return came, went


def _shown(way: quality.Direction | None) -> models.Quality | None:
    if way is None:
        return None
    return models.Quality(loss=way.loss, jitter_ms=way.jitter_ms, delay_ms=way.delay_ms, mos=way.mos)
