"""What was decided about a leg, as orders to the engine: only what is news there."""

from __future__ import annotations

from dataclasses import replace

from confero import models

from .gains import factor
from .pipeline.engine import MediaEngine
from .rooms.participant import Participant, Settings


class Orders:
    def __init__(self, engine: MediaEngine) -> None:
        self._engine = engine

    def apply(self, participant: Participant) -> None:
        """All of it when the leg has another number now. Raises what the engine raises; then it may have been told a part."""
        number = participant.leg.number
        if not number:
            return
        participant.described()
        told = participant.told if participant.told_number == number else Settings()
        wanted = participant.settings
        on_hold = not participant.leg.listens
        # Deaf as well, so that a tap of what it is sent has nothing either; mute, since its music on hold is not for a room.
        silent = wanted.muted or wanted.held or participant.holds
        wanted = replace(wanted, on_hold=on_hold, deaf=wanted.deaf or on_hold, muted=silent)
        self._hearing(number, told, wanted)
        self._voice(number, told, wanted)
        participant.told, participant.told_number = wanted, number

    def _hearing(self, number: int, told: Settings, wanted: Settings) -> None:
        """Who hears it, and whether it hears anybody."""
        if wanted.muted != told.muted:
            self._engine.mute(number, wanted.muted)
        if wanted.deaf != told.deaf:
            self._engine.deafen(number, wanted.deaf)
        if wanted.hear_db != told.hear_db:
            self._engine.set_ear(number, factor(wanted.hear_db))
        if wanted.on_hold != told.on_hold:
            self._engine.hold(number, wanted.on_hold)
        if wanted.suspended != told.suspended:
            self._engine.suspend(number, wanted.suspended)
        if wanted.aside != told.aside:
            self._engine.speak_aside(number, wanted.aside)

    def _voice(self, number: int, told: Settings, wanted: Settings) -> None:
        """How it is heard."""
        if wanted.gain_db != told.gain_db:
            self._engine.set_gain(number, factor(wanted.gain_db))
        if wanted.gate_dbov != told.gate_dbov:
            self._engine.set_gate(number, wanted.gate_dbov)
        if wanted.agc != told.agc:
            self._engine.set_agc(number, wanted.agc)

    def pair(self, listener: Participant, talker: Participant, wish: models.PairGain | None) -> None:
        """How loud one leg hears another; None: as everybody does."""
        gain = None if wish is None else factor(wish.gain_db)
        self._engine.set_pair_gain(listener.leg.number, talker.leg.number, gain)
