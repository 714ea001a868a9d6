"""Muted by a host, held by rule, removed, ended: what the MCU does for those who moderate a room."""

from __future__ import annotations

import pytest

from confero import models
from confero.errors import ConferoError
from confero.mcu import reasons
from confero.mcu.legs.dtls import Certificate
from confero.media import EngineBusy

from .test_conference import CHROMIUM, PHONE, House, refusal

Order = models.ParticipantOrder


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return Certificate()


@pytest.fixture
async def house(certificate: Certificate) -> House:
    return House(certificate)


def order(house: House, **orders: Order) -> list[str]:
    return house.conference.moderation.order("r", orders)


def mutes(house: House, leg: str) -> list[bool]:
    return [muted for number, muted in house.engine.said("mute") if number == house.number(leg)]


def patch(house: House, leg: str, **wish: object) -> models.Participant:
    return house.conference.patch(leg, models.LegPatch.model_validate(wish))


async def test_a_held_participant_is_not_heard_and_cannot_unmute_itself(house: House) -> None:
    leg = house.browser().leg
    assert order(house, alice=Order(held=True)) == ["alice"]
    assert mutes(house, leg) == [True]
    assert refusal(lambda: patch(house, leg, muted=False)) == (409, "held")
    assert mutes(house, leg) == [True]
    shown = patch(house, leg)
    assert (shown.held, shown.muted) == (True, False)


async def test_whoever_is_let_to_speak_is_heard_unless_they_had_muted_themselves(house: House) -> None:
    free, muted = house.browser().leg, house.phone().leg
    patch(house, muted, muted=True)
    order(house, alice=Order(held=True), bob=Order(held=True))
    order(house, alice=Order(held=False), bob=Order(held=False))
    assert mutes(house, free) == [True, False]
    assert mutes(house, muted) == [True]
    assert not patch(house, muted, muted=False).muted and mutes(house, muted) == [True, False]


async def test_one_order_may_let_speak_and_unmute(house: House) -> None:
    leg = house.phone().leg
    order(house, bob=Order(held=True, muted=True))
    assert order(house, bob=Order(held=False, muted=False)) == ["bob"]
    assert mutes(house, leg) == [True, False]


async def test_held_survives_a_re_offer_and_the_leg_that_takes_its_place(house: House) -> None:
    leg = house.phone().leg
    order(house, bob=Order(held=True))
    house.conference.offer(leg, PHONE.replace("9000", "9002"))
    assert mutes(house, leg) == [True]
    following = house.phone().leg
    assert following != leg and mutes(house, following) == [True]
    assert refusal(lambda: patch(house, following, muted=False)) == (409, "held")


async def test_a_leg_that_is_made_held_is_never_heard_before(house: House) -> None:
    wish = {"kind": "webrtc", "participant": "eve", "display_name": "Eve", "sdp": CHROMIUM, "held": True}
    leg = house.conference.create_leg("r", models.WebRtcLegCreate.model_validate(wish)).leg
    assert house.engine.log[-1] == ("mute", house.number(leg), True)
    assert house.conference.registry.room("r").view().participants[0].held
    phone = house.phone(muted=True).leg
    assert mutes(house, phone) == [True] and not patch(house, phone, muted=False).muted


async def test_roles_and_what_holds_are_told_to_the_room_once(house: House) -> None:
    house.browser()
    house.take()
    order(house, alice=Order(role="host", held=True))
    order(house, alice=Order(role="host", held=True))
    assert [entry[0] for entry in house.take()] == ["changed"]
    shown = house.conference.registry.room("r").view().participants[0]
    assert (shown.role, shown.held) == ("host", True)


async def test_orders_reach_those_who_are_there_even_where_one_fails(house: House) -> None:
    house.browser()
    assert order(house, alice=Order(muted=True), nobody=Order(muted=True)) == ["alice"]
    house.phone()
    house.engine.fail["mute"] = EngineBusy("busy")
    assert order(house, bob=Order(muted=True), alice=Order(role="host")) == ["alice"]
    assert refusal(lambda: house.conference.moderation.order("x", {})) == (404, "room-unknown")


async def test_a_participant_is_removed_by_name(house: House) -> None:
    house.browser(), house.phone()
    house.take()
    house.conference.moderation.remove("r", "alice", reasons.REMOVED)
    assert [name for name, _ in house.roster()] == ["bob"]
    assert [entry[0] for entry in house.take()] == ["left"]
    with pytest.raises(ConferoError, match="no such participant"):
        house.conference.moderation.remove("r", "alice", reasons.REMOVED)


async def test_a_meeting_that_is_ended_ends_each_leg_with_that_reason(house: House) -> None:
    house.browser(), house.phone()
    house.take()
    house.conference.remove_room("r", reasons.ENDED)
    assert [entry[3] for entry in house.take() if entry[0] == "left"] == ["ended", "ended"]
    assert house.conference.registry.find_room("r") is None
