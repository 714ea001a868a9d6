"""A stay is made of its legs, a meeting of its stays: always from all of them, so that the order of the news does not matter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from .entities import LOST, Leg, Meeting, Sound, Stay

ENDED = frozenset({"ended", "room-closed"})
"""Reasons of a leg that ended with its room: a host has ended the meeting."""
AGAIN_S = 30.0
"""Who comes back within this, to a room that nobody else was in, goes on with the same meeting."""


def stay_of(legs: Sequence[Leg]) -> Stay:
    """One participant's legs in one meeting. Its end is the last leg's, its quality weighed by packets."""
    by_start = sorted(legs, key=lambda leg: leg.joined_at)
    first, last = by_start[0], by_start[-1]
    over = all(leg.left_at is not None for leg in legs)
    final = max(legs, key=lambda leg: (leg.left_at or math.inf, leg.joined_at))
    return Stay(
        first.meeting,
        first.participant,
        last.display_name,
        last.role,
        last.kind,
        next((leg.user for leg in by_start if leg.user), None),
        first.joined_at,
        final.left_at if over else None,
        final.reason if over else "",
        next((leg.codec for leg in reversed(by_start) if leg.codec), ""),
        next((leg.security for leg in reversed(by_start) if leg.security), ""),
        together(legs),
    )


def together(legs: Sequence[Leg]) -> Sound:
    """What the legs' packets were like, taken together; a leg that told no number of packets counts as one packet."""

    def came(leg: Leg) -> int:
        return leg.packets_in

    def went(leg: Leg) -> int:
        return leg.packets_out

    return Sound(
        _mean(legs, lambda leg: leg.sound.loss_in, came),
        _mean(legs, lambda leg: leg.sound.loss_out, went),
        _mean(legs, lambda leg: leg.sound.jitter_in_ms, came),
        _mean(legs, lambda leg: leg.sound.jitter_out_ms, went),
        _mean(legs, lambda leg: leg.sound.mos_in, came),
        _mean(legs, lambda leg: leg.sound.mos_out, went),
    )


def _mean(legs: Sequence[Leg], value: Callable[[Leg], float | None], packets: Callable[[Leg], int]) -> float | None:
    found = [(got, max(1, packets(leg))) for leg in legs if (got := value(leg)) is not None]
    weight = sum(each for _, each in found)
    return sum(got * each for got, each in found) / weight if found else None


def most_at_once(legs: Iterable[Leg]) -> int:
    """How many people were there at once. Who goes as another comes was not there with them; whose new leg began before
    the old one ended counts once."""
    steps: list[tuple[float, int, str]] = []
    for leg in legs:
        end = leg.left_at if leg.left_at is not None else math.inf
        steps += [(leg.joined_at, 1, person_of(leg)), (end, -1, person_of(leg))]
    here: dict[str, int] = {}
    present = most = 0
    for _, step, who in sorted(steps):  # of one moment ends come first
        before = here.get(who, 0)
        here[who] = before + step
        present += (here[who] > 0) - (before > 0)
        most = max(most, present)
    return max(most, min(1, len(here)))


def ended(meeting: Meeting, legs: Sequence[Leg]) -> Meeting:
    """The meeting when the last one has gone, all numbers from its legs."""
    stays = [stay_of(mine) for mine in by_participant(legs).values()]
    last = max(legs, key=lambda leg: (leg.left_at or 0.0, leg.joined_at))
    heard = [stay.sound.mos_out for stay in stays if stay.sound.mos_out is not None]
    return replace(
        meeting,
        started_at=min(leg.joined_at for leg in legs),
        ended_at=last.left_at,
        reason="ended" if last.reason in ENDED else LOST if last.reason == LOST else "empty",
        participants=len({person_of(stay) for stay in stays}),
        most=most_at_once(legs),
        mos=sum(heard) / len(heard) if heard else None,
    )


def person_of(one: Leg | Stay) -> str:
    """Who comes again by their account, or with a second device, is the same person; a guest is one each time."""
    return one.user or one.participant


def by_participant(legs: Iterable[Leg]) -> dict[str, list[Leg]]:
    found: dict[str, list[Leg]] = {}
    for leg in legs:
        found.setdefault(leg.participant, []).append(leg)
    return found


def meeting_for(leg: Leg, meetings: Sequence[Meeting], was_there: Callable[[str], bool]) -> Meeting | None:
    """Which of the room's meetings the leg is part of; None: it begins another one.

    ``was_there``: whether its participant has been in the meeting with this id.
    """
    for meeting in sorted(meetings, key=lambda one: one.started_at, reverse=True):
        gap_s = _gap(meeting, leg.joined_at, leg.left_at)
        if gap_s < 0 or (gap_s <= AGAIN_S and meeting.reason not in ENDED and was_there(meeting.id)):
            return meeting
    return None


def _gap(meeting: Meeting, since: float, until: float | None) -> float:
    """Seconds between the meeting and this time; below 0 where they overlap."""
    end, last = (at if at is not None else math.inf for at in (meeting.ended_at, until))
    return max(since - end, meeting.started_at - last)


def overlapping(meeting: Meeting, others: Iterable[Meeting]) -> list[Meeting]:
    """Those of the same room that went on at the same time: word that came late shows them to be one."""
    there = [other for other in others if other.id != meeting.id and other.room == meeting.room]
    return [other for other in there if _gap(meeting, other.started_at, other.ended_at) < 0]
