"""What is made of legs: stays, meetings, how many at once, how good it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from confero.appserver.history.entities import Leg, Meeting, Sound
from confero.appserver.history.stays import AGAIN_S, ended, meeting_for, most_at_once, stay_of


def leg(who: str, joined_at: float, left_at: float | None, reason: str = "left", **more: Any) -> Leg:
    told = "" if left_at is None else reason
    made = Leg(who, "lobby", "m1", "b1", joined_at, who.title(), "guest", "webrtc", left_at=left_at, reason=told)
    return replace(made, **more)


MEETING = Meeting("mt_1", "lobby", "Lobby", None, 0.0)


@pytest.mark.parametrize(
    ("legs", "most"),
    [
        ([leg("a", 0, 10)], 1),
        ([leg("a", 0, 10), leg("b", 10, 20)], 1),
        ([leg("a", 0, 10), leg("b", 9, 20)], 2),
        ([leg("a", 0, 10), leg("a", 5, 20), leg("b", 12, 13)], 2),
        ([leg("a", 0, 3), leg("a", 5, 20), leg("b", 3, 5)], 1),
        ([leg("a", 0, None), leg("b", 5, None), leg("c", 1, 2)], 2),
        ([leg("a", 5, 5)], 1),
        ([leg(f"p{n}", n, 100 + n) for n in range(50)], 50),
        ([leg("a", 0, 10, user="u_1"), leg("b", 5, 20, user="u_1"), leg("c", 6, 7, user="u_2")], 2),
    ],
    ids=[
        "alone",
        "one after the other",
        "overlap",
        "old leg beside new",
        "gap of a reconnect",
        "open",
        "moment",
        "crowd",
        "two devices",
    ],
)
def test_most_at_once(legs: list[Leg], most: int) -> None:
    assert most_at_once(legs) == most
    assert most_at_once(list(reversed(legs))) == most


def test_legs_of_a_reconnect_are_one_stay_weighed_by_packets() -> None:
    first = leg(
        "a", 0, 10, "ice-timeout", packets_in=100, packets_out=50, codec="opus", sound=Sound(0.3, 0.1, mos_in=2.0)
    )
    second = leg("a", 11, 60, packets_in=300, packets_out=150, security="dtls", sound=Sound(0.1, 0.0, mos_in=4.0))
    stay = stay_of([second, first])
    assert (stay.joined_at, stay.left_at, stay.reason) == (0, 60, "left")
    assert (stay.codec, stay.security) == ("opus", "dtls")
    assert stay.sound.loss_in == pytest.approx(0.15)
    assert stay.sound.loss_out == pytest.approx(0.025)
    assert stay.sound.mos_in == pytest.approx(3.5)
    assert stay.sound.mos_out is None


def test_stay_goes_on_while_one_leg_does() -> None:
    stay = stay_of([leg("a", 0, 10, "replaced"), leg("a", 9, None)])
    assert (stay.left_at, stay.reason) == (None, "")


@pytest.mark.parametrize(
    ("reason", "told"),
    [("left", "empty"), ("ice-timeout", "empty"), ("lost", "lost"), ("room-closed", "ended"), ("ended", "ended")],
)
def test_why_a_meeting_ended_is_why_its_last_leg_did(reason: str, told: str) -> None:
    over = ended(MEETING, [leg("a", 3, 10, "bye"), leg("b", 5, 20, reason)])
    assert (over.started_at, over.ended_at, over.reason, over.participants, over.most) == (3, 20, told, 2, 2)


def test_who_comes_again_by_their_account_is_one_person() -> None:
    again = [leg("a", 0, 5, user="u_1"), leg("b", 6, 9, user="u_1")]
    assert ended(MEETING, again).participants == 1
    assert ended(MEETING, [*again, leg("c", 1, 2), leg("d", 3, 4)]).participants == 3


def test_opinion_of_a_meeting_is_of_what_its_people_heard() -> None:
    heard = ended(
        MEETING, [leg("a", 0, 9, sound=Sound(mos_out=4.0)), leg("b", 0, 9, sound=Sound(mos_out=3.0)), leg("c", 0, 9)]
    )
    assert heard.mos == pytest.approx(3.5)


OPEN = replace(MEETING, started_at=100.0)
OVER = replace(MEETING, started_at=100.0, ended_at=200.0, reason="empty")


@pytest.mark.parametrize(
    ("one", "meeting", "was_there", "same"),
    [
        (leg("a", 150, None), OPEN, False, True),
        (leg("a", 90, None), OPEN, False, True),
        (leg("a", 90, 98), OPEN, True, True),
        (leg("a", 90, 98), OPEN, False, False),
        (leg("a", 10, 20), OPEN, True, False),
        (leg("a", 150, 160), OVER, False, True),
        (leg("a", 300, None), OVER, True, False),
        (leg("a", 200 + AGAIN_S, None), OVER, True, True),
        (leg("a", 201, None), OVER, False, False),
        (leg("a", 201, None), replace(OVER, reason="ended"), True, False),
    ],
    ids=[
        "goes on",
        "first told second",
        "back again told first",
        "another told first",
        "long before",
        "told late",
        "long after",
        "back again",
        "another",
        "ended by a host",
    ],
)
def test_which_meeting_a_leg_is_part_of(one: Leg, meeting: Meeting, was_there: bool, same: bool) -> None:
    assert (meeting_for(one, [meeting], lambda _: was_there) is meeting) == same
