"""A meeting as it is kept, and as everybody sees it. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from confero.models import ParticipantOrder, Role
from confero.models.meetings import Hand, MeetingState, Speak


@dataclass(frozen=True)
class Meeting:
    """One room's. What a room is set to (lobby, speak) outlives the meeting; the rest ends with it."""

    room: str
    version: int = 0
    started_at: float | None = None
    """Unix time when the first one came; None: there is none now."""
    ending: bool = False
    """A host has ended it, and not everybody has been told yet."""
    spotlight: str | None = None
    locked: bool = False
    lobby: bool = False
    speak: Speak = "all"


@dataclass(frozen=True)
class Attendee:
    """Somebody who takes a place in the room."""

    id: str
    display_name: str
    role: Role
    kind: Literal["webrtc", "rtp"]
    may_speak: bool = False
    """A host has let them, where guests may not by themselves."""
    hand_at: float | None = None
    """Since when their hand is up, Unix time."""
    removed_at: float | None = None
    """When a host sent them away; they may not come back before the meeting is over."""


@dataclass(frozen=True)
class Scene:
    """What a rule is shown: the meeting, hosts, hands, those who may speak, and whoever the rule has asked for."""

    meeting: Meeting
    people: Mapping[str, Attendee]
    waiting: int = 0
    """In the lobby."""

    def with_people(self, *changed: Attendee) -> Scene:
        return replace(self, people={**self.people, **{one.id: one for one in changed}})

    @property
    def hosts(self) -> list[Attendee]:
        return [one for one in self.present if one.role == "host"]

    @property
    def present(self) -> list[Attendee]:
        return [one for one in self.people.values() if one.removed_at is None]


@dataclass(frozen=True)
class Outcome:
    """What a rule made of a scene."""

    scene: Scene
    orders: Mapping[str, ParticipantOrder] = field(default_factory=dict)
    """For the MCU."""


def held(meeting: Meeting, one: Attendee) -> bool:
    """Whether they are not heard until a host lets them."""
    return meeting.speak == "request" and one.role == "guest" and not one.may_speak


def order_of(meeting: Meeting, one: Attendee) -> ParticipantOrder:
    """How the MCU is to have them."""
    return ParticipantOrder(held=held(meeting, one), role=one.role)


def shown(scene: Scene) -> MeetingState:
    """As everybody in the room sees it."""
    meeting = scene.meeting
    raised = sorted((one.hand_at, one.id) for one in scene.present if one.hand_at is not None)
    speakers = [one.id for one in scene.present if one.role == "guest" and one.may_speak]
    return MeetingState(
        version=meeting.version,
        locked=meeting.locked,
        lobby=meeting.lobby,
        speak=meeting.speak,
        started_at=meeting.started_at,
        spotlight=meeting.spotlight,
        hands=[Hand(participant=id, since=since) for since, id in raised],
        speakers=sorted(speakers) if meeting.speak == "request" else [],
        waiting=scene.waiting,
    )
