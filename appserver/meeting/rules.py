"""What hosts and participants may make of a meeting: each rule takes a scene and a wish, and gives what comes of it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from confero.errors import Refused
from confero.models import ParticipantOrder, Role
from confero.models.meetings import MeetingPatch, ParticipantPatch

from .state import Attendee, Outcome, Scene, held, order_of

Rule = Callable[[Scene], Outcome]
"""Raises Refused; then nothing has changed. It may be asked more than once about the same."""


def one(scene: Scene, participant: str) -> Attendee:
    """Raises Refused 404 ``participant-unknown``."""
    found = scene.people.get(participant)
    if found is None or found.removed_at is not None:
        raise Refused("There is no such participant in the room.", status=404, code="participant-unknown")
    return found


def begun(scene: Scene, now: float) -> Outcome:
    """Somebody has come: the first one begins the meeting."""
    if scene.meeting.started_at is not None:
        return Outcome(scene)
    return Outcome(replace(scene, meeting=replace(scene.meeting, started_at=now)))


def patched(scene: Scene, wish: MeetingPatch) -> Outcome:
    """Lock, lobby, who may speak, spotlight. With a new ``speak`` everybody has to ask afresh; the scene holds everybody then."""
    meeting = scene.meeting
    if wish.spotlight:
        one(scene, wish.spotlight)
    spotlight = meeting.spotlight if wish.spotlight is None else wish.spotlight or None
    given = wish.model_dump(include={"locked", "lobby", "speak"}, exclude_none=True)
    after = replace(scene, meeting=replace(meeting, spotlight=spotlight, **given))
    if wish.speak is None or wish.speak == meeting.speak:
        return Outcome(after)
    silent = after.with_people(*(replace(person, may_speak=False) for person in after.people.values()))
    orders = {person.id: order_of(silent.meeting, person) for person in silent.present}
    return Outcome(silent, orders)


def hand(scene: Scene, participant: str, now: float, *, raised: bool | None) -> Outcome:
    """One's own hand; None: the other way. Raised again it keeps its place in the row."""
    person = one(scene, participant)
    raised = person.hand_at is None if raised is None else raised
    since = (person.hand_at or now) if raised else None
    return Outcome(scene.with_people(replace(person, hand_at=since)))


def changed(scene: Scene, participant: str, wish: ParticipantPatch) -> Outcome:
    """What a host wants of one participant; ``muted`` as far as it is the MCU's to do.

    Raises Refused 409 ``last-host``, and ``held`` where somebody is to be unmuted who may not speak.
    """
    person = one(scene, participant)
    after = person
    if wish.role is not None:
        after = replace(after, role=_role(scene, person, wish.role))
    if wish.may_speak is not None:
        # Whoever is let to speak has been seen: the hand goes down with it.
        after = replace(after, may_speak=wish.may_speak, hand_at=None if wish.may_speak else after.hand_at)
    if wish.hand is False:
        after = replace(after, hand_at=None)
    if wish.muted is False and held(scene.meeting, after):
        raise Refused("They have to be let to speak first.", status=409, code="held")
    return Outcome(scene.with_people(after), _orders(scene, person, after, wish.muted))


def _role(scene: Scene, person: Attendee, role: Role) -> Role:
    """A meeting that has a host keeps one."""
    if role == "guest" and person.role == "host" and scene.hosts == [person]:
        raise Refused("The last host stays one: make somebody else a host first.", status=409, code="last-host")
    return role


def _orders(scene: Scene, before: Attendee, after: Attendee, muted: bool | None) -> dict[str, ParticipantOrder]:
    """A host's unmute is done for a telephone; a browser is asked instead."""
    muting = muted if muted or after.kind == "rtp" else None
    now, then = order_of(scene.meeting, after), order_of(scene.meeting, before)
    if now == then and muting is None:
        return {}
    return {after.id: now.model_copy(update={"muted": muting})}


def muted_all(scene: Scene, but: str | None, *, hosts_too: bool) -> Outcome:
    """Everybody but whoever asks; hosts only where that is asked for. The scene holds everybody."""
    wanted = [p for p in scene.present if p.id != but and (hosts_too or p.role == "guest")]
    return Outcome(scene, {person.id: ParticipantOrder(muted=True) for person in wanted})


def removed(scene: Scene, participant: str, now: float) -> Outcome:
    """Sent away until the meeting is over."""
    person = one(scene, participant)
    gone = replace(person, removed_at=now, hand_at=None, may_speak=False)
    return Outcome(_without(scene.with_people(gone), participant))


def moved(scene: Scene, participant: str) -> Outcome:
    """Gone to another room; its store writes where."""
    person = one(scene, participant)
    return Outcome(_without(scene.with_people(replace(person, hand_at=None, may_speak=False)), participant))


def _without(scene: Scene, participant: str) -> Scene:
    meeting = scene.meeting
    return replace(scene, meeting=replace(meeting, spotlight=None)) if meeting.spotlight == participant else scene


def ended(scene: Scene) -> Outcome:
    """For all: everybody is to be sent away. The meeting is over when the last one has gone."""
    return Outcome(replace(scene, meeting=replace(scene.meeting, ending=True, spotlight=None, locked=False)))


def over(scene: Scene) -> Outcome:
    """The last one has gone. What the room is set to stays; what was of this meeting goes."""
    meeting = replace(scene.meeting, started_at=None, ending=False, spotlight=None, locked=False)
    people = [replace(one, hand_at=None, may_speak=False, removed_at=None) for one in scene.people.values()]
    return Outcome(replace(scene, meeting=meeting).with_people(*people))
