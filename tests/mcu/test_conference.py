"""Rooms and legs together, over an engine that only remembers: who is in, who hears of it, and that each end comes once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from confero import models
from confero.clock import FakeClock
from confero.errors import ConferoError
from confero.mcu import reasons
from confero.mcu.conference import SLICES, Conference, ConferenceSettings
from confero.mcu.legs.dtls import Certificate
from confero.media import EngineBusy, EngineFull, EventType, Speaker

from .fakes import FakeEngine, FakeNews, event

DATA = Path(__file__).parents[1] / "data" / "sdp"
CHROMIUM = (DATA / "chromium-audio.sdp").read_text()
PHONE = "v=0\no=- 1 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\nm=audio 9000 RTP/AVP 0\n"


class House:
    def __init__(self, certificate: Certificate, **limits: Any) -> None:
        self.engine, self.news, self.clock = FakeEngine(), FakeNews(), FakeClock()
        self.conference = Conference(
            self.engine, self.clock, self.news, certificate=certificate, limits=ConferenceSettings(**limits)
        )
        self.conference.put_room("r", models.RoomSpec(max_participants=3))

    def browser(self, participant: str = "alice", room: str = "r", sdp: str = CHROMIUM) -> models.LegReply:
        wish = models.WebRtcLegCreate(kind="webrtc", participant=participant, display_name=participant, sdp=sdp)
        return self.conference.create_leg(room, wish)

    def phone(
        self, participant: str = "bob", room: str = "r", sdp: str | None = PHONE, **wishes: float
    ) -> models.LegReply:
        who = {"kind": "rtp", "participant": participant, "display_name": participant}
        wish = models.RtpLegCreate.model_validate(who | {"sdp": sdp} | wishes)
        return self.conference.create_leg(room, wish)

    def number(self, leg: str) -> int:
        return self.conference.registry.leg(leg)[0].leg.number

    def roster(self, room: str = "r") -> list[tuple[str, str]]:
        return [(p.id, p.state) for p in self.conference.registry.room(room).view().participants]

    def take(self) -> list[tuple[Any, ...]]:
        heard, self.news.heard = self.news.heard, []
        return heard

    def ticks(self, seconds: float = 0.0) -> None:
        self.clock.advance(seconds)
        for _ in range(SLICES):
            self.conference.tick(self.clock.monotonic())


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return Certificate()


@pytest.fixture
async def house(certificate: Certificate) -> House:
    return House(certificate)


def refusal(call: Any) -> tuple[int, str]:
    with pytest.raises(ConferoError) as caught:
        call()
    error: Any = caught.value
    return error.status, error.code


async def test_put_room_twice(house: House) -> None:
    room, new = house.conference.put_room("x", models.RoomSpec(name="X"))
    assert new and house.conference.put_room("x", models.RoomSpec(name="Y")) == (room, False)
    assert room.name == "X" and len(house.engine.rooms) == 2


async def test_a_room_that_the_engine_does_not_take(house: House) -> None:
    house.engine.fail["add_room"] = EngineFull("full")
    assert refusal(lambda: house.conference.put_room("x", models.RoomSpec())) == (503, "engine-full")
    assert house.conference.registry.find_room("x") is None


async def test_join_connect_leave(house: House) -> None:
    leg = house.phone().leg
    assert house.roster() == [("bob", "connecting")]
    house.conference.handle(event(EventType.MEDIA, leg=house.number(leg)))
    assert house.roster() == [("bob", "connected")]
    house.conference.end_leg(leg, reasons.LEFT)
    assert house.take() == [
        ("joined", "r", "bob"),
        ("connected", "bob"),
        ("changed", "bob", "connected", False),
        ("left", "r", "bob", "left"),
    ]
    assert house.roster() == [] and house.engine.legs == {} and house.engine.sockets == set()
    assert refusal(lambda: house.conference.end_leg(leg, reasons.LEFT)) == (404, "leg-unknown")


async def test_every_end_comes_once(house: House) -> None:
    leg = house.phone().leg
    number = house.number(leg)
    house.take()
    house.conference.handle(event(EventType.BYE, leg=number))
    house.conference.handle(event(EventType.TIMEOUT, leg=number))
    house.conference.reactions.failed(leg, reasons.MEDIA_TIMEOUT)
    house.conference.reactions.connected(leg)
    house.conference.reactions.disconnected(leg)
    house.conference.reactions.renumbered(leg, number)
    house.conference.remove_room("r")
    house.conference.handle(event(EventType.RELEASED, leg=number))
    assert house.take() == [("left", "r", "bob", "bye")]
    assert house.engine.said("remove_leg") == [(number,)]


async def test_ended_twice_by_hand(house: House) -> None:
    leg = house.phone().leg
    participant, room = house.conference.registry.leg(leg)
    house.take()
    house.conference.end(participant, room, reasons.LEFT)
    house.conference.end(participant, room, reasons.REMOVED)
    assert house.take() == [("left", "r", "bob", "left")] and participant.ended == "left"


async def test_a_state_is_news_once(house: House) -> None:
    leg = house.phone().leg
    house.take()
    for say in ("connected", "connected", "disconnected", "disconnected", "connected"):
        getattr(house.conference.reactions, say)(leg)
    assert house.take() == [
        ("connected", "bob"),
        ("changed", "bob", "connected", False),
        ("changed", "bob", "disconnected", False),
        ("changed", "bob", "connected", False),
    ]


async def test_unknown_and_full(house: House) -> None:
    assert refusal(lambda: house.phone(room="nowhere")) == (404, "room-unknown")
    assert refusal(lambda: house.conference.remove_room("nowhere")) == (404, "room-unknown")
    assert refusal(lambda: house.conference.stats("leg_x")) == (404, "leg-unknown")
    for name in ("a", "b", "c"):
        house.phone(name)
    assert refusal(lambda: house.phone("d")) == (409, "room-full")
    assert len(house.engine.sockets) == 3
    house.phone("a")  # a fresh leg of one who is here


async def test_limits_of_the_mcu(certificate: Certificate) -> None:
    house = House(certificate, max_rooms=1, max_legs=1)
    assert refusal(lambda: house.conference.put_room("x", models.RoomSpec())) == (503, "mcu-full")
    house.phone("a")
    assert refusal(lambda: house.phone("b")) == (503, "mcu-full")
    house.phone("a")


async def test_bad_sdp_changes_nothing(house: House) -> None:
    earlier = house.phone("alice").leg
    house.take()
    assert refusal(lambda: house.browser(sdp="x")) == (422, "sdp-invalid")
    assert refusal(lambda: house.browser(sdp=PHONE)) == (422, "sdp-no-usable-media")
    assert house.take() == [] and house.conference.registry.leg(earlier)


async def test_a_fresh_leg_replaces_the_earlier_one(house: House) -> None:
    first = house.phone("alice").leg
    house.conference.patch(first, models.LegPatch(muted=True, gain_db=-6))
    number = house.number(first)
    house.take()
    second = house.browser("alice").leg
    assert house.take() == [("replaced", "alice", first), ("joined", "r", "alice")]
    assert house.engine.said("remove_leg") == [(number,)]
    assert refusal(lambda: house.conference.stats(first)) == (404, "leg-unknown")
    view = house.conference.registry.room("r").view().participants
    assert [(p.leg, p.muted, p.kind) for p in view] == [(second, True, "webrtc")]
    assert (house.number(second), True) in house.engine.said("mute")
    assert (house.number(second), 0.5012) in house.engine.said("set_gain")
    house.conference.handle(event(EventType.BYE, leg=number))  # late word of the old one
    assert house.conference.stats(second).participant == "alice"
    house.conference.end_leg(second, reasons.LEFT)


async def test_patch_tells_the_engine_only_what_is_new(house: House) -> None:
    leg = house.phone().leg
    number = house.number(leg)
    house.take()
    assert house.conference.patch(leg, models.LegPatch(muted=True)).muted
    house.conference.patch(leg, models.LegPatch(muted=True))
    house.conference.patch(leg, models.LegPatch(deaf=True, gain_db=6))
    house.conference.patch(leg, models.LegPatch())
    assert [e for e in house.engine.log if e[0] in ("mute", "deafen", "set_gain")] == [
        ("mute", number, True),
        ("deafen", number, True),
        ("set_gain", number, 1.9953),
    ]
    assert len(house.take()) == 2


async def test_what_was_decided_about_hearing_reaches_the_engine_once(house: House) -> None:
    leg = house.phone().leg
    number = house.number(leg)
    house.conference.patch(leg, models.LegPatch(suspended=True, aside=True))
    house.conference.patch(leg, models.LegPatch(suspended=False, muted=False))
    assert [e for e in house.engine.log if e[0] in ("suspend", "speak_aside")] == [
        ("suspend", number, True),
        ("speak_aside", number, True),
        ("suspend", number, False),
    ]


async def test_gate_and_automatic_gain_reach_the_engine_and_the_next_leg(house: House) -> None:
    leg = house.phone("bob").leg
    number = house.number(leg)
    house.conference.patch(leg, models.LegPatch(agc=True, gate_dbov=45))
    house.conference.patch(leg, models.LegPatch(muted=False))
    house.conference.patch(leg, models.LegPatch(gate_dbov=0))
    again = house.number(house.phone("bob").leg)
    house.conference.patch(house.phone("bob").leg, models.LegPatch(agc=False))
    assert [e for e in house.engine.log if e[0] in ("set_gate", "set_agc")][:4] == [
        ("set_gate", number, 45),
        ("set_agc", number, True),
        ("set_gate", number, 0),
        ("set_agc", again, True),
    ]
    assert house.engine.said("set_agc")[-1][1] is False
    for wrong in (-1, 128):
        with pytest.raises(ValidationError):
            models.LegPatch(gate_dbov=wrong)


async def test_a_pair_of_legs_has_a_gain_of_its_own(house: House) -> None:
    agent, coach = house.phone("agent").leg, house.phone("coach").leg
    house.conference.pair(agent, coach, models.PairGain(gain_db=-6))
    house.conference.pair(agent, coach, models.PairGain(gain_db=None))
    house.conference.pair(agent, coach, None)
    pair = house.number(agent), house.number(coach)
    assert house.engine.said("set_pair_gain") == [(*pair, 0.5012), (*pair, 0.0), (*pair, None)]
    assert refusal(lambda: house.conference.pair(agent, agent, None)) == (409, "not-together")
    assert refusal(lambda: house.conference.pair(agent, "l-nobody", None)) == (404, "leg-unknown")


async def test_a_room_mixes_as_many_as_it_is_told(house: House) -> None:
    for id, talkers in (("few", 3), ("everybody", 0)):
        house.conference.put_room(id, models.RoomSpec(talkers=talkers))
    assert [talkers for _, talkers, *_ in house.engine.said("add_room")][-2:] == [3, -1]


async def test_a_room_has_the_noise_that_it_is_told(house: House) -> None:
    for id, spec in (("plain", models.RoomSpec()), ("noisy", models.RoomSpec(noise_dbov=70))):
        house.conference.put_room(id, spec)
    assert [noise for _, _, noise, _ in house.engine.said("add_room")][-2:] == [0, 70]
    for wrong in (0, 19, 127):
        with pytest.raises(ValidationError):
            models.RoomSpec(noise_dbov=wrong)


async def test_a_busy_engine_refuses_a_patch_whole(house: House) -> None:
    leg = house.phone().leg
    house.engine.fail["mute"] = EngineBusy("busy")
    assert refusal(lambda: house.conference.patch(leg, models.LegPatch(muted=True))) == (503, "engine-busy")
    assert not house.conference.registry.leg(leg)[0].settings.muted
    del house.engine.fail["mute"]
    assert house.conference.patch(leg, models.LegPatch(muted=True)).muted


async def test_a_leg_that_cannot_be_set_up_is_taken_out_again(house: House) -> None:
    house.conference.patch(house.phone("alice").leg, models.LegPatch(muted=True))
    house.engine.fail["mute"] = EngineBusy("busy")
    house.take()
    assert refusal(lambda: house.phone("alice")) == (503, "engine-busy")
    assert len(house.engine.legs) == 1 and house.take() == []


async def test_how_loud_somebody_hears_the_others(house: House) -> None:
    leg = house.phone().leg
    house.conference.patch(leg, models.LegPatch(hear_db=-6.0))
    house.conference.patch(leg, models.LegPatch(muted=True))
    ((number, gain),) = house.engine.said("set_ear")
    assert number == house.number(leg) and gain == pytest.approx(0.501, abs=0.001)


async def test_move_to_another_room(house: House) -> None:
    house.conference.put_room("other", models.RoomSpec())
    house.conference.put_room("same", models.RoomSpec(max_participants=2))
    leg = house.phone().leg
    house.take()
    assert refusal(lambda: house.conference.patch(leg, models.LegPatch(room="other"))) == (409, "other-media-thread")
    assert refusal(lambda: house.conference.patch(leg, models.LegPatch(room="none"))) == (404, "room-unknown")
    house.phone("x", "same")
    house.take()
    house.conference.patch(leg, models.LegPatch(room="same", muted=True))
    assert house.take()[:2] == [("left", "r", "bob", "moved"), ("joined", "same", "bob")]
    assert house.conference.stats(leg).room == "same"
    assert [p for p, _ in house.roster("same")] == ["x", "bob"] and house.roster() == []
    again = house.phone("y").leg
    assert refusal(lambda: house.conference.patch(again, models.LegPatch(room="same"))) == (409, "room-full")
    twin = house.phone("bob").leg
    assert refusal(lambda: house.conference.patch(twin, models.LegPatch(room="same"))) == (409, "participant-exists")


async def test_a_move_under_another_name(house: House) -> None:
    """Out of a menu: whom nobody knows leaves the one room, and somebody comes into the other."""
    house.conference.put_room("other", models.RoomSpec())
    house.conference.put_room("same", models.RoomSpec())
    leg = house.phone("menu").leg
    house.conference.handle(event(EventType.MEDIA, leg=house.number(leg)))
    house.take()
    seat = models.Seat(participant="bob", display_name="Bob", role="host")
    shown = house.conference.patch(leg, models.LegPatch(room="same", seat=seat))
    assert (shown.id, shown.display_name, shown.role) == ("bob", "Bob", "host")
    assert house.take() == [("left", "r", "menu", "left"), ("joined", "same", "bob"), ("connected", "bob")]
    assert house.roster("same") == [("bob", "connected")] and house.roster() == []
    assert house.conference.stats(leg).participant == "bob"
    second = house.phone("other").leg
    assert refusal(lambda: house.conference.patch(second, models.LegPatch(room="same", seat=seat))) == (
        409,
        "participant-exists",
    )
    house.conference.end_leg(leg, reasons.LEFT)
    assert house.take()[-1] == ("left", "same", "bob", "left")


async def test_a_leg_without_an_answer_moves_only_where_its_ports_are(house: House) -> None:
    house.conference.put_room("other", models.RoomSpec())
    house.conference.put_room("same", models.RoomSpec())
    leg = house.phone(sdp=None).leg
    house.take()
    assert refusal(lambda: house.conference.patch(leg, models.LegPatch(room="other"))) == (409, "other-media-thread")
    assert house.take() == [] and house.roster() == [("bob", "connecting")]
    house.conference.patch(leg, models.LegPatch(room="same"))
    house.conference.answer(leg, PHONE)
    (config,) = house.engine.legs.values()
    assert config.room == house.conference.registry.room("same").number
    assert config.sockets is not None and config.sockets.thread == house.engine.rooms[config.room]


async def test_browsers_stay_in_their_room(house: House) -> None:
    """Their sessions and tokens are for one room."""
    house.conference.put_room("other", models.RoomSpec())
    house.conference.put_room("same", models.RoomSpec())
    leg = house.browser().leg
    assert refusal(lambda: house.conference.patch(leg, models.LegPatch(room="same"))) == (409, "not-for-browsers")
    assert house.conference.patch(leg, models.LegPatch(room="r", muted=True)).muted
    assert house.roster() == [("alice", "connecting")] and house.engine.said("move_leg") == []


async def test_a_reoffer_that_needs_a_fresh_leg(house: House) -> None:
    first = house.browser()
    other = CHROMIUM.replace("a=fingerprint:sha-256 73", "a=fingerprint:sha-256 74")
    second = house.conference.offer(first.leg, other)
    assert second.leg != first.leg and second.participant == "alice"
    assert [p.leg for p in house.conference.registry.room("r").view().participants] == [second.leg]
    assert house.conference.offer(second.leg, other).leg == second.leg
    assert refusal(lambda: house.conference.offer(first.leg, CHROMIUM)) == (404, "leg-unknown")
    house.conference.close()


async def test_on_hold_nothing_is_sent_and_nothing_shown(house: House) -> None:
    leg = house.phone().leg
    house.conference.offer(leg, PHONE + "a=sendonly\n")
    assert house.engine.said("hold") == [(house.number(leg), True)]
    assert not house.conference.patch(leg, models.LegPatch()).deaf
    house.conference.offer(leg, PHONE)
    assert house.engine.said("hold")[-1] == (house.number(leg), False)


@pytest.mark.parametrize("hold", ["a=sendonly\n", "c=IN IP4 0.0.0.0\n"])
async def test_who_holds_is_not_heard_until_it_resumes(house: House, hold: str) -> None:
    leg = house.phone().leg
    house.conference.offer(leg, PHONE + hold)
    assert house.engine.said("mute") == [(house.number(leg), True)]
    assert not house.conference.patch(leg, models.LegPatch()).muted, "the roster shows what was decided"
    house.conference.offer(leg, PHONE)
    assert house.engine.said("mute")[-1] == (house.number(leg), False)


async def test_who_was_muted_before_it_held_is_muted_afterwards(house: House) -> None:
    leg = house.phone().leg
    house.conference.patch(leg, models.LegPatch(muted=True))
    house.conference.offer(leg, PHONE + "a=sendonly\n")
    house.conference.offer(leg, PHONE)
    assert house.engine.said("mute") == [(house.number(leg), True)]


async def test_a_player_is_heard(house: House) -> None:
    player = house.phone(sdp=PHONE + "a=sendonly\n").leg
    called = house.phone("carol", sdp=None).leg
    house.conference.answer(called, PHONE + "a=sendonly\n")
    house.conference.offer(player, PHONE + "a=sendonly\n")
    assert house.engine.said("mute") == []


async def test_who_holds_is_not_heard_on_its_next_leg_either(house: House) -> None:
    house.conference.offer(house.phone().leg, PHONE + "a=sendonly\n")
    again = house.phone(sdp=None).leg
    house.conference.answer(again, PHONE + "a=sendonly\n")
    assert house.engine.said("mute")[-1] == (house.number(again), True)
    elsewhere = house.phone("carol", sdp=PHONE + "a=sendonly\n", has_listened=True).leg
    assert house.engine.said("mute")[-1] == (house.number(elsewhere), True)


async def test_a_stream_that_starts_anew_keeps_what_was_decided(house: House) -> None:
    leg = house.phone().leg
    house.conference.patch(leg, models.LegPatch(muted=True))
    house.conference.offer(leg, PHONE.replace("AVP 0", "AVP 8"))
    assert (house.number(leg), True) in house.engine.said("mute")
    house.conference.handle(event(EventType.MEDIA, leg=house.number(leg)))
    assert house.roster() == [("bob", "connected")]


async def test_our_offer_and_its_answer(house: House) -> None:
    reply = house.phone(sdp=None)
    assert house.roster() == [("bob", "connecting")] and house.conference.stats(reply.leg).counters == {}
    house.conference.answer(reply.leg, PHONE)
    house.conference.handle(event(EventType.MEDIA, leg=house.number(reply.leg)))
    assert house.roster() == [("bob", "connected")]
    assert refusal(lambda: house.conference.answer(reply.leg, PHONE)) == (409, "no-offer-pending")


async def test_speakers(house: House) -> None:
    room = house.conference.registry.room("r")
    leg = house.number(house.phone().leg)
    house.take()
    speakers = (Speaker(leg, 20), Speaker(999, 30))
    house.conference.handle(event(EventType.SPEAKERS, room=room.number, speakers=speakers))
    house.conference.handle(event(EventType.SPEAKERS, room=12345, speakers=speakers))
    assert house.take() == [("speakers", "r", [("bob", 20)])]


async def test_a_leg_that_the_engine_refuses_afterwards(house: House) -> None:
    leg = house.phone().leg
    number = house.number(leg)
    del house.engine.legs[number]
    house.conference.handle(event(EventType.RELEASED, leg=number, value=28))
    assert house.take()[-1] == ("left", "r", "bob", "removed")


async def test_a_leg_that_vanished_from_the_engine_is_found_by_its_tick(house: House) -> None:
    del house.engine.legs[house.number(house.phone().leg)]
    house.ticks()
    assert house.roster() == []


class Broken(Exception):
    """A fault of our own."""


def spoil(house: House, leg: str, name: str) -> None:
    """One method of a leg fails."""

    def fail(*_: Any) -> None:
        raise Broken

    setattr(house.conference.registry.leg(leg)[0].leg, name, fail)


@pytest.mark.parametrize("participant", ["alice", "bob"])
async def test_a_leg_that_fails_to_close_is_gone_and_so_are_the_others(house: House, participant: str) -> None:
    legs = {name: house.phone(name).leg for name in ("alice", "bob")}
    spoil(house, legs[participant], "close")
    house.take()
    house.conference.remove_room("r")
    assert house.take() == [("left", "r", "alice", "room-closed"), ("left", "r", "bob", "room-closed")]
    assert house.conference.registry.legs == house.conference.registry.rooms == 0


async def test_a_busy_engine_makes_no_ghost_of_a_leg_without_an_answer(house: House) -> None:
    leg = house.phone(sdp=None).leg
    house.engine.fail["close_rtp"] = EngineBusy("busy")
    house.take()
    house.conference.end_leg(leg, reasons.LEFT)
    assert house.take() == [("left", "r", "bob", "left")] and house.roster() == []


async def test_a_leg_whose_tick_fails_does_not_stop_the_others(house: House) -> None:
    broken, silent = house.phone("alice").leg, house.phone("bob").leg
    spoil(house, broken, "tick")
    house.ticks(10_000)
    assert house.roster() == [("alice", "connecting")]
    assert refusal(lambda: house.conference.stats(silent)) == (404, "leg-unknown")


async def test_removals_are_tried_again(house: House) -> None:
    leg = house.phone().leg
    house.engine.fail["remove_leg"] = EngineBusy("busy")
    house.conference.remove_room("r")
    assert house.engine.legs and house.engine.rooms
    del house.engine.fail["remove_leg"]
    house.ticks()
    house.ticks()
    assert not house.engine.legs and not house.engine.rooms
    assert refusal(lambda: house.conference.stats(leg)) == (404, "leg-unknown")


async def test_empty_rooms_go_after_a_while(house: House) -> None:
    leg = house.phone(media_timeout_s=0).leg
    house.ticks(10_000)
    house.conference.end_leg(leg, reasons.LEFT)
    house.ticks(599)
    assert house.conference.registry.rooms == 1
    house.ticks(2)
    assert house.conference.registry.rooms == 0 and not house.engine.rooms


async def test_room_closed(house: House) -> None:
    house.phone("a")
    house.phone("b")
    house.take()
    house.conference.remove_room("r")
    assert house.take() == [("left", "r", "a", "room-closed"), ("left", "r", "b", "room-closed")]
    assert not house.engine.rooms


async def test_draining_takes_nothing_new_and_close_ends_all(house: House) -> None:
    leg = house.phone().leg
    house.conference.start_draining()
    assert refusal(lambda: house.phone("x")) == (503, "draining")
    assert refusal(lambda: house.conference.put_room("x", models.RoomSpec())) == (503, "draining")
    assert house.conference.put_room("r", models.RoomSpec())[1] is False
    house.conference.patch(leg, models.LegPatch(muted=True))
    house.conference.close()
    house.conference.close()
    assert house.take()[-1] == ("left", "r", "bob", "draining")
    assert not house.engine.rooms and not house.engine.legs


async def test_lost_events_are_only_logged(house: House) -> None:
    house.conference.handle(event(EventType.OVERRUN, value=3))
    house.conference.handle(event(EventType.MEDIA, leg=4711))
    assert house.take() == []


async def test_stats(house: House) -> None:
    leg = house.phone().leg
    house.engine.stats[house.number(leg)]["rx_packets"] = 5
    stats = house.conference.stats(leg)
    assert (stats.kind, stats.codec, stats.remote, stats.counters["rx_packets"]) == (
        "rtp",
        "PCMU",
        "198.51.100.1:9000",
        5,
    )
