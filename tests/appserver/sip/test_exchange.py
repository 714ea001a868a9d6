"""Where calls go: out of the box, by rules, into rooms, to people, through trunks, and who may do so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from confero.errors import Refused
from confero.models import McuHeartbeat, RoomCreate
from confero.models.sip import SipCaller, SipPlaceAsk
from confero.models.sipadmin import SipAccountPatch, SipTrunkPatch

from .conftest import Bench

# --- into rooms ------------------------------------------------------------------------------------------------------


async def test_out_of_the_box_a_room_is_called_by_its_id(bench: Bench) -> None:
    decision = await bench.route("lobby", from_name="Bob  B.", from_user="+4930", source="192.0.2.1")
    place = decision.place
    assert decision.action == "room" and place is not None
    assert (place.room, place.mcu, place.mcu_url, place.display_name) == ("lobby", "m1", "http://m1", "Bob B.")
    assert (place.spec.name, place.spec.max_participants, place.role) == ("Lobby", 100, "guest")
    assert await bench.people.live_count("lobby", bench.clock.wall()) == 1
    person = await bench.people.person(place.participant)
    assert person is not None and (person.kind, person.reserved_until) == ("rtp", place.reserved_until)


async def test_a_room_made_by_a_browser_is_called_as_well(bench: Bench) -> None:
    room = await bench.reception.catalogue.create(RoomCreate(talkers=2, announce=True))
    place = (await bench.route(room.id)).place
    assert place is not None and (place.spec.talkers, place.spec.announce) == (2, True)


@pytest.mark.parametrize(
    "user", ["nowhere", "LOBBY", "../lobby", "lobby;x=1", "", "x" * 500, "4711", "lobby\x00", "sip:lobby"]
)
async def test_a_room_that_is_not_there(bench: Bench, user: str) -> None:
    decision = await bench.route(user)
    assert (decision.action, decision.status, decision.place) == ("reject", 404, None)


async def test_by_number_as_people_write_it(bench: Bench) -> None:
    await bench.number("4711")
    for user in ("4711", "47-11", "47 11"):
        assert (await bench.route(user)).action == "room"


async def test_a_room_with_a_pin_asks_for_it_whichever_way_it_is_called(bench: Bench) -> None:
    await bench.number("4711", pin="1234")
    for user in ("4711", "lobby"):
        decision = await bench.route(user)
        assert (decision.action, decision.number, decision.place) == ("menu", "4711", None)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"from_name": "  "}, "Anonymous caller"),
        ({"from_name": "Eve\u202e\x00\n x", "from_user": "1"}, "Eve x"),
        ({"from_user": "+4930"}, "+4930"),
        ({"from_name": "Bob", "anonymous": True}, "Anonymous caller"),
        ({"from_name": "n" * 200}, "n" * 64),
    ],
)
async def test_what_others_see(bench: Bench, said: dict[str, Any], shown: str) -> None:
    place = (await bench.route("lobby", **said)).place
    assert place is not None and place.display_name == shown


async def test_an_account_bears_its_own_name(bench: Bench) -> None:
    await bench.account("alice", display_name="Alice A.")
    place = (await bench.route("lobby", account="alice", realm="pbx", from_name="The Boss")).place
    assert place is not None and place.display_name == "Alice A."


async def test_a_full_room_is_busy(bench: Bench) -> None:
    room = await bench.reception.catalogue.create(RoomCreate(max_participants=2))
    decisions = [await bench.route(room.id) for _ in range(3)]
    assert [(d.action, d.status, d.code) for d in decisions][1:] == [("room", 0, ""), ("reject", 486, "room-full")]


async def test_without_a_media_server(bench: Bench) -> None:
    bench.farm.heartbeat("m1", McuHeartbeat(boot="b1", load=100, rooms=0, legs=0))
    decision = await bench.route("lobby")
    assert (decision.status, decision.code) == (503, "no-media-server")


async def test_who_guesses_is_not_looked_up_any_more(bench: Bench) -> None:
    """By address, or the /64 of one; others and proven callers go on."""
    await bench.account()
    for n in range(20):
        assert (await bench.route(str(n), source=f"2001:db8::{n}")).status == 404
    assert (await bench.route("lobby", source="2001:db8::ffff")).code == "too-many-misses"
    assert (await bench.route("lobby", source="2001:db8:1::1")).action == "room"
    assert (await bench.route("lobby", source="2001:db8::1", account="alice", realm="pbx")).action == "room"
    bench.later(60)
    assert (await bench.route("lobby", source="2001:db8::1")).action == "room"


async def test_strangers_cannot_fill_a_room_in_a_moment(bench: Bench) -> None:
    """With an address of its own for each call, as forged ones have; who has proved something still gets in."""
    await bench.account()
    decisions = [await bench.route("lobby", source=f"198.51.100.{n}") for n in range(40)]
    assert [d.code for d in decisions] == [""] * 15 + ["too-many-strangers"] * 25
    assert {d.status for d in decisions[15:]} == {503}
    assert (await bench.route("lobby", account="alice", realm="pbx")).action == "room"
    bench.later(2)
    assert (await bench.route("lobby", source="203.0.113.1")).action == "room"


# --- rules -----------------------------------------------------------------------------------------------------------


async def test_the_first_rule_that_fits_decides(bench: Bench) -> None:
    rejecting = await bench.rule("1900.", "reject", status=603)
    menu = await bench.rule("800X", "menu", position=20)
    decisions = [await bench.route(user) for user in ("19001", "8001", "lobby")]
    assert [(d.action, d.rule, d.status) for d in decisions][:2] == [("reject", rejecting, 603), ("menu", menu, 0)]
    assert decisions[2].action == "room"


async def test_a_target_that_is_missing(bench: Bench) -> None:
    await bench.rule("8.", "room", "room-{number}", strip=1, skip_missing=True)
    await bench.rule("8.", "room", "lobby", position=11)
    await bench.rule("9.", "room", "nowhere")
    assert (await bench.route("81")).action == "room"
    decision = await bench.route("91")
    assert (decision.status, decision.code) == (404, "not-found")


async def test_rules_for_a_trunk(bench: Bench) -> None:
    await bench.trunk("pstn", sources=["192.0.2.0/24"])
    await bench.rule(".", "room", "lobby", source="trunk", source_name="pstn")
    assert (await bench.route("123", trunk="pstn", source="192.0.2.9")).action == "room"
    assert (await bench.route("123", trunk="pstn", source="::ffff:192.0.2.9")).action == "room"
    for said in ({"trunk": "pstn", "source": "198.51.100.1"}, {"trunk": "pstn", "source": "?"}, {"trunk": "other"}, {}):
        assert (await bench.route("123", **said)).status == 404
    await bench.office.change_trunk("pstn", SipTrunkPatch(enabled=False))
    assert (await bench.route("123", trunk="pstn", source="192.0.2.9")).status == 404


# --- to people -------------------------------------------------------------------------------------------------------


async def test_an_account_calls_people(bench: Bench) -> None:
    await bench.account("alice")
    await bench.account("bob", realm="other")
    await bench.account("bob")
    bobs = [await bench.browser("Bob"), await bench.browser("bob")]
    decision = await bench.route("bob", account="alice", realm="pbx")
    assert (decision.action, decision.user, decision.realm) == ("user", "bob", "pbx")
    assert {one.participant for one in decision.browsers} == set(bobs)
    assert (await bench.route("carol", account="alice", realm="pbx")).status == 404


async def test_strangers_make_nobody_ring_unless_a_rule_says_so(bench: Bench) -> None:
    await bench.browser("Bob")
    assert (await bench.route("bob")).status == 404
    await bench.rule("bob", "user")
    assert len((await bench.route("bob")).browsers) == 1


async def test_a_disabled_account_is_nobody(bench: Bench) -> None:
    await bench.account("alice")
    await bench.account("bob")
    await bench.office.change_account(1, SipAccountPatch(enabled=False))
    assert (await bench.route("bob", account="alice", realm="pbx")).status == 404
    assert (await bench.route("alice", account="bob", realm="pbx")).status == 404


# --- out -------------------------------------------------------------------------------------------------------------


async def ready_to_call_out(bench: Bench) -> None:
    await bench.trunk("first", user="100", caller_id="pass")
    await bench.trunk("second", caller_id="fixed", caller_number="+4930")
    for direction in ("in", "out"):
        await bench.rule("0.", "trunk", "first, second, third", direction=direction, strip=1, prepend="+49")


async def test_a_host_calls_somebody_into_its_room(bench: Bench) -> None:
    await ready_to_call_out(bench)
    host = await bench.browser("Ann", role="host")
    decision = await bench.route("030-12", direction="out", participant=host)
    assert (decision.action, decision.number, decision.trunks) == ("trunk", "+493012", ["first", "second"])
    assert decision.caller_number == {"first": "100", "second": "+4930"}
    assert decision.place is not None
    assert (decision.place.room, decision.place.display_name) == ("lobby", "+493012")


async def test_who_may_not_call_out(bench: Bench) -> None:
    await ready_to_call_out(bench)
    await bench.account("silent")
    await bench.account("free", may_call_out=True)
    await bench.account("far", may_call_out=True, call_out_patterns=["0049."])
    guest = await bench.browser("Guest")
    refused = [
        await bench.route("0301", direction="out", participant=guest),
        await bench.route("0301", direction="out", participant="p_nobody"),
        await bench.route("0301", direction="out", account="free", realm="pbx"),
        await bench.route("0301"),
        await bench.route("0301", trunk="first"),
        *[await bench.route("0301", account=user, realm="pbx") for user in ("silent", "free", "far")],
    ]
    assert {(d.action, d.status, d.code) for d in refused} == {("reject", 403, "call-out-refused")}


async def test_an_account_calls_what_it_is_allowed(bench: Bench) -> None:
    await ready_to_call_out(bench)
    await bench.account("alice", may_call_out=True, call_out_patterns=["030."])
    decision = await bench.route("030 1", account="alice", realm="pbx", from_user="+1900")
    assert (decision.action, decision.number, decision.place) == ("trunk", "+49301", None)
    assert decision.caller_number == {"first": "alice", "second": "+4930"}
    hidden = await bench.route("0301", account="alice", realm="pbx", anonymous=True)
    assert hidden.caller_number == {"first": "", "second": ""}
    assert (await bench.route("0401", account="alice", realm="pbx")).code == "call-out-refused"


async def test_so_many_calls_an_hour_and_not_one_more(bench: Bench) -> None:
    await ready_to_call_out(bench)
    await bench.account("alice", may_call_out=True, call_out_patterns=["."], calls_per_hour=5)
    host = await bench.browser("Ann", role="host")
    asks = [bench.route("0301", account="alice", realm="pbx") for _ in range(9)]
    codes = [decision.code for decision in await asyncio.gather(*asks)]
    assert sorted(codes) == [""] * 5 + ["call-out-limit"] * 4
    codes = [(await bench.route("0301", direction="out", participant=host)).code for _ in range(4)]
    assert codes == ["", "", "", "call-out-limit"]
    bench.later(3600)
    assert (await bench.route("0301", account="alice", realm="pbx")).action == "trunk"


async def test_any_address_only_by_a_rule(bench: Bench) -> None:
    host = await bench.browser("Ann", role="host")
    call = {"direction": "out", "participant": host, "domain": "sip.example"}
    assert (await bench.route("bob", **call)).status == 404
    await bench.rule(".", "address", direction="out", source="browser", domain="*.example")
    decision = await bench.route("bob", **call)
    assert (decision.action, decision.number, decision.domain) == ("address", "bob", "sip.example")
    assert decision.place is not None and decision.place.display_name == "bob@sip.example"
    assert (await bench.route("bob", **(call | {"domain": "evil.test"}))).status == 404


async def test_a_rule_that_refuses_or_is_disabled_shows_nobody_a_way_out(bench: Bench) -> None:
    await bench.rule("0900.", "reject", direction="out")
    await bench.rule(".", "address", direction="out", enabled=False)
    assert not await bench.telephony.exchange.may_call_out("host")
    await bench.rule("bob", "user", direction="out")
    assert await bench.telephony.exchange.may_call_out("guest")
    await bench.rule(".", "address", direction="out")
    assert await bench.telephony.exchange.may_call_out("host")


async def test_a_browser_calls_a_telephone_with_an_account(bench: Bench) -> None:
    await bench.account("bob")
    ann = await bench.browser("Ann")
    await bench.rule(".", "user", direction="out")
    decision = await bench.route("bob", direction="out", participant=ann)
    assert (decision.action, decision.user) == ("user", "bob")
    assert (await bench.route("Ann", direction="out", participant=ann)).status == 404  # itself


# --- places ----------------------------------------------------------------------------------------------------------


async def test_a_place_again_after_the_media_server_was_lost(bench: Bench) -> None:
    place = (await bench.route("lobby")).place
    assert place is not None
    bench.clock.advance(10)
    bench.farm.lost()
    bench.mcu("m2")
    again = await bench.telephony.places.ask(SipPlaceAsk(room="lobby", participant=place.participant))
    assert (again.participant, again.mcu, again.display_name) == (place.participant, "m2", place.display_name)


async def test_a_room_for_one_call(bench: Bench) -> None:
    places = bench.telephony.places
    first = await places.ask(SipPlaceAsk(caller=SipCaller(from_name="A")))
    second = await places.ask(SipPlaceAsk(room=first.room, caller=SipCaller(from_name="B")))
    assert first.room.startswith("call_") and first.participant != second.participant
    browser = await bench.browser("Ann")
    for ask in (SipPlaceAsk(room="lobby", participant=browser), SipPlaceAsk(room="lobby", participant="p_nobody")):
        with pytest.raises(Refused) as caught:
            await places.ask(ask)
        assert caught.value.code == "participant-unknown"
