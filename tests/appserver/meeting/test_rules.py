"""The rules of meetings: what comes of each wish, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from confero.appserver.meeting import rules
from confero.appserver.meeting.state import Attendee, Meeting, Outcome, Scene, held, shown
from confero.errors import Refused
from confero.models.meetings import MeetingPatch, ParticipantPatch

NOW = 1000.0


def attendee(name: str, **changes: Any) -> Attendee:
    return Attendee(**({"id": name, "display_name": name.title(), "role": "guest", "kind": "webrtc"} | changes))


def scene(*people: Attendee, **meeting: Any) -> Scene:
    return Scene(Meeting("r", version=3, started_at=900.0, **meeting), {one.id: one for one in people})


HOST, GUEST, PHONE = attendee("host", role="host"), attendee("guest"), attendee("phone", kind="rtp")


def refusal(step: Callable[[], Outcome]) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        step()
    return caught.value.status, caught.value.code


def patched(before: Scene, **wish: Any) -> Outcome:
    return rules.patched(before, MeetingPatch(**wish))


def changed(before: Scene, who: str, **wish: Any) -> Outcome:
    return rules.changed(before, who, ParticipantPatch(**wish))


def test_the_first_one_begins_the_meeting() -> None:
    empty = replace(scene(HOST), meeting=Meeting("r"))
    assert rules.begun(empty, NOW).scene.meeting.started_at == NOW
    assert rules.begun(scene(HOST), NOW).scene.meeting.started_at == 900.0


def test_hands_stand_in_the_order_in_which_they_were_raised() -> None:
    one = rules.hand(scene(HOST, GUEST, PHONE), "phone", 10.0, raised=True).scene
    two = rules.hand(one, "guest", 11.0, raised=True).scene
    again = rules.hand(two, "phone", 12.0, raised=True).scene
    assert [(hand.participant, hand.since) for hand in shown(again).hands] == [("phone", 10.0), ("guest", 11.0)]
    assert [hand.participant for hand in shown(rules.hand(again, "phone", 13.0, raised=False).scene).hands] == ["guest"]


def test_where_one_has_to_ask_guests_are_held_and_hosts_are_not() -> None:
    outcome = patched(scene(HOST, GUEST, PHONE, replace(attendee("let"), may_speak=True)), speak="request")
    assert {who: order.held for who, order in outcome.orders.items()} == {
        "host": False, "guest": True, "phone": True, "let": True,
    }  # fmt: skip
    assert shown(outcome.scene).speakers == []


def test_everybody_may_speak_again() -> None:
    outcome = patched(scene(HOST, GUEST, speak="request"), speak="all")
    assert not any(order.held for order in outcome.orders.values())


def test_what_is_as_it_was_orders_nobody() -> None:
    before = scene(HOST, GUEST, speak="request")
    assert patched(before, speak="request", locked=True).orders == {}


def test_whoever_is_let_to_speak_lowers_the_hand() -> None:
    before = scene(HOST, replace(GUEST, hand_at=5.0), speak="request")
    outcome = changed(before, "guest", may_speak=True)
    assert outcome.orders["guest"].held is False
    state = shown(outcome.scene)
    assert (state.speakers, state.hands) == (["guest"], [])
    assert changed(outcome.scene, "guest", may_speak=False).orders["guest"].held is True


def test_a_host_takes_down_a_hand() -> None:
    outcome = changed(scene(HOST, replace(GUEST, hand_at=5.0)), "guest", hand=False)
    assert shown(outcome.scene).hands == [] and outcome.orders == {}


def test_a_hosts_mute_is_ordered_and_the_unmute_of_a_browser_is_not() -> None:
    before = scene(HOST, GUEST, PHONE)
    assert changed(before, "guest", muted=True).orders["guest"].muted is True
    assert changed(before, "guest", muted=False).orders == {}
    assert changed(before, "phone", muted=False).orders["phone"].muted is False


def test_who_is_held_cannot_be_unmuted_by_it() -> None:
    before = scene(HOST, PHONE, speak="request")
    assert refusal(lambda: changed(before, "phone", muted=False)) == (409, "held")
    both = changed(before, "phone", muted=False, may_speak=True)
    assert (both.orders["phone"].muted, both.orders["phone"].held) == (False, False)


def test_roles_change_who_is_held() -> None:
    before = scene(HOST, GUEST, speak="request")
    outcome = changed(before, "guest", role="host")
    assert (outcome.orders["guest"].role, outcome.orders["guest"].held) == ("host", False)
    back = changed(outcome.scene, "guest", role="guest")
    assert (back.orders["guest"].role, back.orders["guest"].held) == ("guest", True)


def test_the_last_host_stays_one() -> None:
    assert refusal(lambda: changed(scene(HOST, GUEST), "host", role="guest")) == (409, "last-host")
    two = scene(HOST, replace(GUEST, role="host"))
    assert changed(two, "host", role="guest").orders["host"].role == "guest"


def test_all_are_muted_but_who_asks() -> None:
    other = attendee("other", role="host")
    before = scene(HOST, GUEST, PHONE, other)
    assert set(rules.muted_all(before, "host", hosts_too=False).orders) == {"guest", "phone"}
    assert set(rules.muted_all(before, "host", hosts_too=True).orders) == {"guest", "phone", "other"}
    assert rules.muted_all(before, "host", hosts_too=True).scene == before


def test_whoever_is_removed_has_no_hand_and_no_spotlight() -> None:
    before = scene(HOST, replace(GUEST, hand_at=5.0), spotlight="guest")
    after = rules.removed(before, "guest", NOW).scene
    assert after.people["guest"].removed_at == NOW
    assert (shown(after).hands, shown(after).spotlight) == ([], None)
    assert refusal(lambda: changed(after, "guest", muted=True)) == (404, "participant-unknown")


def test_the_spotlight_is_on_somebody_who_is_there() -> None:
    assert patched(scene(HOST, GUEST), spotlight="guest").scene.meeting.spotlight == "guest"
    assert patched(scene(HOST, spotlight="host"), spotlight="").scene.meeting.spotlight is None
    assert patched(scene(HOST, spotlight="host"), locked=True).scene.meeting.spotlight == "host"
    assert refusal(lambda: patched(scene(HOST), spotlight="nobody")) == (404, "participant-unknown")


def test_what_is_of_the_meeting_ends_with_it_and_what_is_of_the_room_stays() -> None:
    before = scene(
        replace(GUEST, may_speak=True, hand_at=5.0, removed_at=6.0), locked=True, lobby=True, speak="request",
        spotlight="guest", ending=True,
    )  # fmt: skip
    after = rules.over(before).scene
    meeting = after.meeting
    assert (meeting.locked, meeting.spotlight, meeting.started_at, meeting.ending) == (False, None, None, False)
    assert (meeting.lobby, meeting.speak) == (True, "request")
    assert after.people["guest"] == GUEST


def test_who_is_held() -> None:
    meeting = Meeting("r", speak="request")
    assert [held(meeting, one) for one in (HOST, GUEST, replace(GUEST, may_speak=True))] == [False, True, False]
    assert not held(Meeting("r"), GUEST)
