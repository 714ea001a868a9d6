"""Notes for the audit log: who did what to whom, in words that last."""

from __future__ import annotations

from confero.clock import Clock

from ..rights.actors import Actor
from .entities import Note


def name_of(actor: Actor) -> str:
    """How an actor is called in the log."""
    names = {
        "session": actor.login,
        "key": f"key {actor.hint} of {actor.login}",
        "participant": f"participant {actor.participant}",
        "admin-token": "admin token",
    }
    return names.get(actor.proof, "-")


def note(clock: Clock, actor: Actor, action: str, target: str = "", detail: str = "") -> Note:
    """``action``: a rule's name, or ``session.refused`` and the like."""
    return Note(clock.wall(), name_of(actor), actor.source, action, target, detail)
