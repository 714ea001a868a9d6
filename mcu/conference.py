"""The rooms and legs of one MCU: every decision about them, asked for by the control API or told by the engine.

No I/O of its own: commands go to the engine, news to a ``News``. All of it runs in one event loop.
"""

from __future__ import annotations

from dataclasses import dataclass

from confero import models
from confero.clock import Clock
from confero.errors import ConferoError, Refused
from confero.media import ALL_TALKERS, Event, UnknownId
from confero.runtime.logging import get_logger

from . import reasons
from .digits import Digits
from .leases import Leases
from .legs.base import LegContext, LegSettings, NewLegNeeded
from .legs.dtls import Certificate
from .legs.maker import LegMaker
from .moderation import Moderation
from .moves import Moves
from .news import News
from .orders import Orders
from .pipeline.engine import MediaEngine
from .plays import Plays
from .prompts import Prompts
from .reactions import Reactions
from .removals import Removals
from .rooms.participant import Participant, Settings
from .rooms.registry import Registry
from .rooms.room import Room
from .sounds import Sounds
from .statistics import Statistics

log = get_logger(__name__)

SLICES = 20
"""Legs are looked at in so many parts, one at each tick, so that a full MCU does not stop its loop for all at once."""
CYCLE_S = 2.0
"""In which every leg is looked at once."""


@dataclass(frozen=True)
class ConferenceSettings:
    max_rooms: int = 2000
    max_legs: int = 4000
    empty_room_s: float = 600.0
    pass_through: bool = True
    owner_lease_s: float = 10.0


class Conference:
    """Ends what it began: ``close`` ends every leg and room."""

    def __init__(
        self,
        engine: MediaEngine,
        clock: Clock,
        news: News,
        *,
        certificate: Certificate,
        settings: LegSettings | None = None,
        limits: ConferenceSettings | None = None,
        prompts: Prompts | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._news = news
        self._limits = limits or ConferenceSettings()
        self.removals = Removals(engine)
        self._statistics = Statistics(engine)
        self._slice = 0
        self.registry = Registry(max_rooms=self._limits.max_rooms, max_legs=self._limits.max_legs)
        self.plays = Plays(engine, prompts or Prompts(None))
        self.digits = Digits(engine)
        self.sounds = Sounds(engine, self.registry, self.plays)
        self._orders = Orders(engine)
        self._moves = Moves(engine, self.registry, news, self.plays, clock, self._statistics)
        self.reactions = Reactions(self.registry, news, self.end, self.plays, self.digits, clock)
        self._maker = LegMaker(self._context(settings or LegSettings()), certificate)
        self.moderation = Moderation(self.registry, self.patch, self.end, self.digits.owners)
        self.leases = Leases(self.registry, clock, self._limits.owner_lease_s)
        self.draining = False

    def _context(self, settings: LegSettings) -> LegContext:
        return LegContext(
            self._engine,
            self.reactions,
            self._clock,
            settings,
            remove=self.removals.leg,
            next_number=self.registry.next_number,
        )

    # -- rooms --

    def put_room(self, id: str, spec: models.RoomSpec) -> tuple[Room, bool]:
        """The room, and whether it is new. Raises Refused ``draining``, ``mcu-full``, what the engine raises."""
        room = self.registry.find_room(id)
        if room is not None:
            return room, False
        self._check_draining()
        self.registry.check_room()
        room = Room(
            id,
            self.registry.next_number(),
            spec.name,
            spec.max_participants,
            self._clock.monotonic(),
            announce=spec.announce,
        )
        self._engine.add_room(
            room.number,
            talkers=spec.talkers or ALL_TALKERS,
            noise_dbov=spec.noise_dbov or 0,
            transcode=not self._limits.pass_through,
        )
        self.registry.add_room(room)
        log.info("room opened", room=id)
        return room, True

    def remove_room(self, id: str, reason: str = reasons.ROOM_CLOSED) -> None:
        """Its legs end with ``reason``. Raises Refused ``room-unknown``."""
        room = self.registry.room(id)
        for participant in list(room.participants.values()):
            self.end(participant, room, reason)
        self._drop_room(room)

    def _drop_room(self, room: Room) -> None:
        self.registry.remove_room(room)
        self.removals.room(room.number)
        log.info("room closed", room=room.id)

    # -- legs --

    def create_leg(self, room_id: str, wish: models.WebRtcLegCreate | models.RtpLegCreate) -> models.LegReply:
        """A leg for a participant, in place of an earlier one. Raises Refused, SdpError; then nothing has changed."""
        self._check_draining()
        room = self.registry.room(room_id)
        room.check_place(wish.participant)
        if wish.participant not in room.participants:
            self.registry.check_leg()
        leg, sdp = self._maker.open(wish, room.number)
        owner = (leg.wish and leg.wish.owner) or ""
        listened = leg.wish is not None and leg.wish.has_listened
        participant = Participant(
            wish.participant, wish.display_name, wish.role, leg, has_listened=listened, owner=owner
        )
        participant.settings = Settings(muted=wish.muted, held=wish.held)
        try:
            self._admit(participant, room)
        except ConferoError:
            leg.close()
            raise
        self.leases.begin(owner)
        people = len(room.participants)
        return models.LegReply(leg=leg.id, participant=participant.id, room=room.id, sdp=sdp, people=people)

    def _admit(self, participant: Participant, room: Room) -> None:
        if (earlier := room.participants.get(participant.id)) is not None:
            participant.inherit(earlier)
        self._orders.apply(participant)  # the last thing that can fail
        room.admit(participant)
        self.registry.add_leg(participant, room)
        if earlier is not None:
            self._news.replaced(room, earlier, self._close_leg(earlier, room, reasons.REPLACED))
        self._news.joined(room, participant)
        log.info("leg joined", room=room.id, leg=participant.leg.id, kind=participant.leg.kind)
        self.digits.begin(participant)
        participant.leg.start()

    def offer(self, leg_id: str, sdp: str) -> models.LegReply:
        """A re-offer on a leg; the reply names another leg if the offer needed a fresh one. Raises Refused, SdpError."""
        participant, room = self.registry.leg(leg_id)
        try:
            answer = participant.leg.offer(sdp)
        except NewLegNeeded:
            return self.create_leg(room.id, participant.successor(sdp))
        self._orders.apply(participant)
        return models.LegReply(leg=leg_id, participant=participant.id, room=room.id, sdp=answer)

    def answer(self, leg_id: str, sdp: str) -> None:
        """The answer to our offer. Raises Refused ``leg-unknown``, ``no-offer-pending``, SdpError."""
        participant, room = self.registry.leg(leg_id)
        participant.leg.answer(sdp)
        self.registry.add_leg(participant, room)
        self._orders.apply(participant)
        self.digits.begin(participant)

    def ask(self, leg_id: str) -> models.LegReply:
        """Our offer on a leg that may be running. Raises Refused ``leg-unknown``, ``offer-pending``, ``not-for-browsers``."""
        participant, room = self.registry.leg(leg_id)
        return models.LegReply(leg=leg_id, participant=participant.id, room=room.id, sdp=participant.leg.ask())

    def withdraw(self, leg_id: str) -> None:
        """Our offer will not be answered. Raises Refused ``leg-unknown``, ``no-offer-pending``."""
        self.registry.leg(leg_id)[0].leg.withdraw()

    def patch(self, leg_id: str, patch: models.LegPatch) -> models.Participant:
        """Mute, held, role, deaf, gain, gate, what is known of the peer, another room.

        Raises Refused ``leg-unknown``, ``room-unknown``, ``room-full``, ``participant-exists``, ``other-media-thread``,
        ``not-for-browsers``, ``held``.
        """
        participant, room = self.registry.leg(leg_id)
        if patch.muted is False and patch.held is None and participant.settings.held:
            raise Refused("A host has to let this participant speak.", status=409, code="held")
        if patch.room is not None and patch.room != room.id:
            room = self._moves.move(participant, room, self.registry.room(patch.room), patch.seat)
        if patch.signalling is not None:
            participant.leg.signalled_from(patch.signalling)
        if patch.confirmed:
            participant.leg.prove()
        before, role = participant.settings, participant.role
        participant.settings = before.patched(patch)
        try:
            self._orders.apply(participant)
        except ConferoError:
            participant.settings = before
            raise
        participant.role = patch.role or role
        if participant.settings.shown != before.shown or participant.role != role:
            self._news.changed(room, participant)
        return participant.view()

    def pair(self, leg_id: str, talker_id: str, wish: models.PairGain | None) -> None:
        """How loud one leg hears another of its room; None: as everybody. Raises Refused ``leg-unknown``, ``not-together``.

        Holds for these two legs: whoever comes again with a fresh one is heard as everybody hears it.
        """
        (listener, room), (talker, other) = self.registry.leg(leg_id), self.registry.leg(talker_id)
        if room is not other or listener is talker or not listener.leg.number or not talker.leg.number:
            raise Refused("Two legs of one room are needed that both have media.", status=409, code="not-together")
        self._orders.pair(listener, talker, wish)

    def end_leg(self, leg_id: str, reason: str) -> models.LegStats:
        """Its last counters. Raises Refused ``leg-unknown``."""
        participant, room = self.registry.leg(leg_id)
        stats = self._statistics.final(participant, room)
        self.end(participant, room, reason)
        return stats

    def end_owner(self, owner: str) -> None:
        """It has no use for its legs any more: after a restart, for instance."""
        for participant, room in self.leases.of(owner):
            self.end(participant, room, reasons.OWNER_GONE)

    def end(self, participant: Participant, room: Room, reason: str) -> None:
        """The one way out of a room. Idempotent: what has ended stays ended, with its first reason."""
        if participant.ended:
            return
        last = self._close_leg(participant, room, reason)
        room.remove(participant, self._clock.monotonic())
        if participant.was_connected:
            self.plays.announce(room, "exit")
        self._news.left(room, participant, reason, last)
        log.info("leg ended", room=room.id, leg=participant.leg.id, reason=reason)

    def _close_leg(self, participant: Participant, room: Room, reason: str) -> models.LegStats:
        """Its last counters."""
        participant.ended = reason
        participant.state = "disconnected"
        self.registry.remove_leg(participant)
        self.digits.forget(participant)
        last = self._statistics.final(participant, room)
        try:
            participant.leg.close()
        except Exception:  # whatever it was, the participant leaves, and so do those who end with it
            log.exception("a leg was not closed properly", leg=participant.leg.id)
        return last

    # -- what there is to be read --

    def stats(self, leg_id: str) -> models.LegStats:
        """Raises Refused ``leg-unknown``."""
        return self._statistics.of_leg(*self.registry.leg(leg_id))

    def room_stats(self, room_id: str) -> models.RoomStats:
        """Raises Refused ``room-unknown``."""
        return self._statistics.of_room(self.registry.room(room_id))

    def handle(self, event: Event) -> None:
        """One event of the engine."""
        self.reactions.handle(event)

    # -- time --

    def tick(self, now: float) -> None:
        """Called ``SLICES`` times in ``CYCLE_S``: looks at a part of the legs, and at empty rooms."""
        self._slice = (self._slice + 1) % SLICES
        for participant, room in self.registry.participants():
            if participant.leg.number % SLICES == self._slice or not participant.leg.number:
                self._tick_leg(participant, room, now)
        for participant, room in self.leases.expired():
            self.end(participant, room, reasons.OWNER_GONE)
        if self._slice == 0:
            self.removals.retry()
            self.sounds.sweep()
            for room in self.registry:
                if room.empty_since is not None and now - room.empty_since >= self._limits.empty_room_s:
                    self._drop_room(room)

    def _tick_leg(self, participant: Participant, room: Room, now: float) -> None:
        try:
            participant.leg.tick(now)
        except UnknownId:
            self.end(participant, room, reasons.REMOVED)
        except Exception:
            log.exception("a leg's tick failed", room=room.id, leg=participant.leg.id)

    # -- the end --

    def start_draining(self) -> None:
        """No new rooms and legs; those that are here go on."""
        self.draining = True

    def close(self, reason: str = reasons.DRAINING) -> None:
        """Ends everything. Idempotent."""
        self.draining = True
        self.digits.owners.close()
        for participant, room in self.registry.participants():
            self.end(participant, room, reason)
        for room in self.registry:
            self._drop_room(room)

    def _check_draining(self) -> None:
        if self.draining:
            raise Refused("This MCU is being shut down and takes nothing new.", status=503, code="draining")
