"""Telephones keep a room's rules: its PINs, its lock, its lobby; and what they try counts with what browsers try."""

from __future__ import annotations

from typing import Any

import pytest

from confero.appserver.rooms.entities import Room
from confero.appserver.rooms.rules import Visitor
from confero.errors import Refused
from confero.models import JoinRequest, RoomCreate
from confero.models.sip import SipPlace, SipPlaceAsk

from .conftest import Bench

OWNER = Visitor(user="u_owner", role="user")


async def room(bench: Bench, number: str | None = "4711", **wish: Any) -> Room:
    made = await bench.house.catalogue.create(RoomCreate(**wish), "u_owner")
    if number is not None:
        await bench.telephony.room_numbers.put(made.id, number)
    return made


async def place_again(bench: Bench, place: SipPlace) -> SipPlace:
    return await bench.telephony.places.ask(SipPlaceAsk(room=place.room, participant=place.participant))


async def test_the_rooms_pins_open_its_number(bench: Bench) -> None:
    where = await room(bench, pin="1234", host_pin="98765")
    assert (await bench.pin("4711")).outcome == "ask-pin"
    assert (await bench.pin("4711", "0000")).outcome == "wrong"
    places = [(await bench.pin("4711", pin)).place for pin in ("1234", "98765")]
    assert [(one.room, one.role) for one in places if one is not None] == [(where.id, "guest"), (where.id, "host")]


async def test_a_room_with_a_pin_is_not_entered_by_its_id(bench: Bench) -> None:
    where, hidden = await room(bench, pin="1234"), await room(bench, None, pin="1234")
    by_id, by_number = await bench.route(where.id), await bench.route("4711")
    assert [(one.action, one.number) for one in (by_id, by_number)] == [("menu", "4711")] * 2
    refused = await bench.route(hidden.id)
    assert (refused.action, refused.status, refused.code) == ("reject", 403, "pin-needed")


async def test_tries_by_telephone_and_by_browser_count_together(bench: Bench) -> None:
    where = await room(bench, pin="1234")
    for n in range(50):
        await bench.pin("4711", "0000", call=f"c{n}", source=f"198.51.100.{n}")
    with pytest.raises(Refused) as caught:
        await bench.reception.join(where.id, JoinRequest(display_name="A", pin="1234"), Visitor("203.0.113.1"))
    assert caught.value.code == "too-many-tries"


async def test_a_locked_room_is_locked_for_telephones(bench: Bench) -> None:
    where = await room(bench, pin="1234", host_pin="98765")
    await bench.people.change_room(where.id, {"locked": True})
    with pytest.raises(Refused) as caught:
        await bench.pin("4711", "1234")
    assert caught.value.code == "room-locked"
    assert (await bench.pin("4711", "98765")).outcome == "accepted"
    open_room = await room(bench, "4712")
    await bench.people.change_room(open_room.id, {"locked": True})
    refused = await bench.route(open_room.id)
    assert (refused.status, refused.code) == (403, "room-locked")


async def test_whom_a_participant_calls_does_not_wait(bench: Bench) -> None:
    where = await room(bench, lobby=True, pin="1234")
    await bench.people.change_room(where.id, {"locked": True})
    assert not (await bench.telephony.places.give(where.id, "Called")).waiting


async def test_a_telephone_waits_and_is_let_in(bench: Bench) -> None:
    where = await room(bench, lobby=True)
    reply = await bench.pin("4711", from_name="Bob")
    assert reply.place is not None and reply.place.waiting
    (waiting,) = await bench.house.lobby.waiting(where.id)
    assert (waiting.participant, waiting.display_name, waiting.kind) == (reply.place.participant, "Bob", "rtp")
    for _ in range(3):
        bench.later(20)
        assert (await place_again(bench, reply.place)).waiting
    await bench.house.lobby.admit(where.id, reply.place.participant)
    inside = await place_again(bench, reply.place)
    assert (inside.waiting, inside.participant, inside.room) == (False, reply.place.participant, where.id)
    assert await bench.people.live_count(where.id, bench.clock.wall()) == 1


async def test_a_telephone_is_refused(bench: Bench) -> None:
    where = await room(bench, lobby=True)
    decision = await bench.route(where.id)
    assert decision.place is not None and (decision.action, decision.place.waiting) == ("room", True)
    await bench.house.lobby.refuse(where.id, decision.place.participant)
    with pytest.raises(Refused) as caught:
        await place_again(bench, decision.place)
    assert (caught.value.status, caught.value.code) == (404, "participant-unknown")


async def test_a_telephone_that_has_gone_waits_no_more(bench: Bench) -> None:
    where = await room(bench, lobby=True)
    await bench.route(where.id)
    bench.later(31)
    assert await bench.house.lobby.waiting(where.id) == []


async def test_the_first_host_may_come_by_telephone(bench: Bench) -> None:
    where = await room(bench, host_first=True, pin="1234", host_pin="98765")
    guest = (await bench.pin("4711", "1234")).place
    assert guest is not None and guest.waiting
    host = (await bench.pin("4711", "98765", call="c2")).place
    assert host is not None and not host.waiting
    assert not (await place_again(bench, guest)).waiting
    browser = await bench.reception.join(where.id, JoinRequest(display_name="A", pin="1234"), Visitor("a"))
    assert browser.person.admitted
