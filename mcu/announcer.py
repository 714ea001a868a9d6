"""What happens in the conference, told to those who want to know: browsers through the feed, the application server by records."""

from __future__ import annotations

from typing import Literal

from confero import models
from confero.clock import Clock

from . import reasons
from .feed import Feed
from .records import Records
from .rooms.participant import Participant
from .rooms.room import Room

STATS = (
    "rx_packets",
    "rx_bytes",
    "rx_dropped",
    "tx_packets",
    "tx_bytes",
    "srtp_failures",
    "srtp_replays",
    "stun_checks",
    "jitter_us",
    "rtt_us",
    "remote_lost",
    "remote_jitter_us",
    "playout_lost",
    "playout_late",
    "mos_in_x100",
    "mos_out_x100",
)
"""Of the engine's counters those that a record keeps."""


class Announcer:
    """A ``News``."""

    def __init__(self, feed: Feed, records: Records, clock: Clock, mcu: str, boot: str) -> None:
        self._feed = feed
        self._records = records
        self._clock = clock
        self._mcu = mcu
        self._boot = boot

    def joined(self, room: Room, participant: Participant) -> None:
        self._feed.joined(room, participant.id)
        self._record(room, participant, "joined")

    def changed(self, room: Room, participant: Participant) -> None:
        self._feed.changed(room, participant.id)

    def connected(self, room: Room, participant: Participant) -> None:
        self._record(room, participant, "connected")

    def left(self, room: Room, participant: Participant, reason: str, stats: dict[str, int]) -> None:
        self._feed.left(room, participant.id, reason)
        if reason in reasons.TRY_AGAIN and participant.leg.kind == "webrtc":
            self._feed.renegotiate(room, participant.id, reason)
        self._record(room, participant, "left", reason, stats)

    def replaced(self, room: Room, earlier: Participant, stats: dict[str, int]) -> None:
        self._record(room, earlier, "left", earlier.ended, stats)

    def digit(self, room: Room, participant: Participant, digit: str, milliseconds: int) -> None:
        """To the participant alone: it may be a PIN."""
        self._feed.note(room, participant.id, models.DigitEvent(digit=digit, ms=milliseconds))

    def played(self, room: Room, participant: Participant | None, number: int) -> None:
        self._feed.note(room, participant.id if participant else None, models.PlayedEvent(id=number))

    def speakers(self, room: Room, speakers: list[models.ActiveSpeaker]) -> None:
        self._feed.speakers(room, speakers)

    def _record(
        self,
        room: Room,
        participant: Participant,
        event: Literal["joined", "connected", "left"],
        reason: str = "",
        stats: dict[str, int] | None = None,
    ) -> None:
        kept = {name: value for name, value in (stats or {}).items() if name in STATS}
        self._records.add(
            models.LegRecord(
                at=self._clock.wall(),
                mcu=self._mcu,
                boot=self._boot,
                room=room.id,
                participant=participant.id,
                display_name=participant.display_name,
                kind=participant.leg.kind,
                event=event,
                reason=reason,
                stats=kept,
            )
        )
