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
        participant.joined_at = self._clock.wall()
        self._feed.joined(room, participant.id)
        self._record(room, participant, "joined")

    def changed(self, room: Room, participant: Participant) -> None:
        self._feed.changed(room, participant.id)

    def connected(self, room: Room, participant: Participant) -> None:
        self._record(room, participant, "connected")

    def left(self, room: Room, participant: Participant, reason: str, last: models.LegStats) -> None:
        self._feed.left(room, participant.id, reason)
        if reason in reasons.TRY_AGAIN and participant.leg.kind == "webrtc":
            self._feed.renegotiate(room, participant.id, reason)
        self._record(room, participant, "left", reason, last)

    def replaced(self, room: Room, earlier: Participant, last: models.LegStats) -> None:
        self._record(room, earlier, "left", earlier.ended, last)

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
        last: models.LegStats | None = None,
    ) -> None:
        leg = participant.leg
        self._records.add(
            models.LegRecord(
                at=participant.joined_at if event == "joined" else self._clock.wall(),
                mcu=self._mcu,
                boot=self._boot,
                room=room.id,
                participant=participant.id,
                display_name=participant.display_name,
                kind=leg.kind,
                event=event,
                reason=reason,
                stats=_kept(last) if last is not None else {},
                joined_at=participant.joined_at,
                role=participant.role,
                codec=leg.codec,
                security=leg.security,
                incoming=last.incoming if last is not None else None,
                outgoing=last.outgoing if last is not None else None,
            )
        )


def _kept(last: models.LegStats) -> dict[str, int]:
    """The counters that records keep, with those of the jitter buffer; opinion scores in hundredths."""
    playout = {f"playout_{name}": value for name, value in last.playout.items()}
    scores = {"mos_in_x100": last.incoming, "mos_out_x100": last.outgoing}
    judged = {name: round(100 * way.mos) for name, way in scores.items() if way is not None}
    return {name: value for name, value in (last.counters | playout | judged).items() if name in STATS}
