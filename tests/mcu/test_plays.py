"""Playing and digits: what the conference decides, over an engine that only remembers."""

from __future__ import annotations

import asyncio

import pytest

from confero import models
from confero.errors import Refused
from confero.mcu.legs.dtls import Certificate
from confero.media import EngineBusy, EventType
from confero.runtime.tasks import spawn

from .fakes import event
from .test_conference import PHONE, House

WITH_EVENTS = PHONE.replace("RTP/AVP 0", "RTP/AVP 0 101") + "a=rtpmap:101 telephone-event/8000\n"
BEEP = models.PlayRequest(tone="beep", gain_db=-6)


@pytest.fixture
def house(certificate: Certificate) -> House:
    return House(certificate)


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return Certificate()


async def test_played_to_a_room_until_its_end(house: House) -> None:
    playing = await house.conference.sounds.to_room("r", BEEP)
    room = house.conference.registry.room("r")
    assert house.engine.said("play_to_room") == [(room.number, 0.2, 0.5012, 1)] and playing.seconds == 0.2
    house.conference.handle(event(EventType.PLAYED, room=room.number, value=playing.id))
    house.conference.handle(event(EventType.PLAYED, room=room.number, value=playing.id))
    assert house.take() == [("played", "r", "", playing.id)]
    with pytest.raises(Refused, match="Nothing plays"):
        house.conference.plays.stop(room, None, playing.id)


async def test_played_to_a_leg_and_stopped(house: House) -> None:
    leg = house.phone().leg
    house.take()
    playing = await house.conference.sounds.to_leg(leg, models.PlayRequest(tone="dial", loops=0))
    participant, room = house.conference.registry.leg(leg)
    assert house.engine.said("play_to_leg") == [(participant.leg.number, 10.0, 1.0, 0)]
    with pytest.raises(Refused):
        house.conference.plays.stop(room, None, playing.id)  # it is the leg's
    house.conference.plays.stop(None, participant, playing.id)
    house.conference.handle(event(EventType.PLAYED, leg=participant.leg.number, value=playing.id))
    assert house.take() == [("played", "r", "bob", playing.id)]


async def test_what_cannot_be_played(house: House) -> None:
    waiting = house.phone(sdp=None).leg
    cases = [
        (house.conference.sounds.to_room("x", BEEP), "room-unknown"),
        (house.conference.sounds.to_leg("x", BEEP), "leg-unknown"),
        (house.conference.sounds.to_leg(waiting, BEEP), "no-media"),
        (house.conference.sounds.to_room("r", models.PlayRequest(tone="engaged")), "tone-invalid"),
        (house.conference.sounds.to_room("r", models.PlayRequest(file="a.wav")), "prompt-unknown"),
    ]
    loud = models.ToneStep(ms=100, hz=[400, 500], dbov=[3, 3])
    cases.append((house.conference.sounds.to_room("r", models.PlayRequest(steps=[loud])), "tone-invalid"))
    for call, code in cases:
        with pytest.raises(Refused) as refused:
            await call
        assert refused.value.code == code
    assert house.take() == [("joined", "r", "bob")]


@pytest.mark.parametrize("body", [{}, {"tone": "beep", "file": "a.wav"}, {"steps": []}, {"tone": "beep", "loops": -1}])
def test_impossible_requests(body: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        models.PlayRequest.model_validate(body)


async def test_what_played_at_places_that_are_gone_is_forgotten(house: House) -> None:
    leg = house.phone().leg
    await house.conference.sounds.to_leg(leg, BEEP)
    kept = await house.conference.sounds.to_room("r", BEEP)
    house.conference.end_leg(leg, "removed")
    house.ticks()
    assert list(house.conference.plays._playing) == [kept.id]


async def test_digits_are_sent_as_events_or_as_tones(house: House) -> None:
    old, new = house.phone("old").leg, house.phone("new", sdp=WITH_EVENTS).leg
    await house.conference.sounds.dial(new, models.DigitsSend(digits="12!", ms=80))
    assert house.engine.said("send_digits") == [(house.number(new), "12!", 80)]
    await house.conference.sounds.dial(old, models.DigitsSend(digits="12", ms=80))
    assert house.engine.said("play_to_leg") == [(house.number(old), 0.28, 1.0, 1)]
    for digits, ms, code in (("1!", 100, "no-events"), ("1" * 64, 10_000, "tone-invalid")):
        with pytest.raises(Refused) as refused:
            await house.conference.sounds.dial(old, models.DigitsSend(digits=digits, ms=ms))
        assert refused.value.code == code


def press(house: House, leg: str, digit: str, *, in_band: bool = False) -> None:
    told = event(EventType.DIGIT, leg=house.number(leg), text=digit, value=100)
    house.conference.handle(told if not in_band else type(told)(**{**_fields(told), "in_band": True}))


def _fields(told: object) -> dict[str, object]:
    return {name: getattr(told, name) for name in ("type", "room", "leg", "at_ns", "value", "speakers", "text")}


async def test_digits_are_collected_while_somebody_asks(house: House) -> None:
    leg = house.phone(sdp=WITH_EVENTS).leg
    participant, _ = house.conference.registry.leg(leg)
    digits = house.conference.digits
    press(house, leg, "0")  # nobody asked
    with pytest.raises(Refused) as refused:
        await digits.read(participant, 0, 0)
    assert refused.value.code == "not-collecting"
    digits.start(participant, models.CollectRequest())
    assert house.engine.said("listen_for_digits") == [(house.number(leg), True)]
    press(house, leg, "1")
    press(house, leg, "2", in_band=True)
    got = (await digits.read(participant, 0, 0)).digits
    assert [(d.number, d.digit, d.ms, d.in_band) for d in got] == [(1, "1", 100, False), (2, "2", 100, True)]
    assert (await digits.read(participant, 2, 0)).digits == []
    waiting = spawn(digits.read(participant, 2, 5), name="reader")
    await asyncio.sleep(0)
    press(house, leg, "#")
    assert [d.digit for d in (await waiting).digits] == ["#"]
    for _ in range(100):
        press(house, leg, "9")
    got = (await digits.read(participant, 0, 0)).digits
    assert len(got) == 64 and got[-1].number == 103
    digits.stop(participant)
    assert house.engine.said("listen_for_digits")[-1] == (house.number(leg), False)
    assert ("digit", "r", "bob", "1", 100) in house.take()


async def test_who_waits_when_the_leg_goes_is_answered(house: House) -> None:
    leg = house.phone(sdp=WITH_EVENTS).leg
    participant, _ = house.conference.registry.leg(leg)
    house.conference.digits.start(participant, models.CollectRequest(in_band=False))
    assert house.engine.said("listen_for_digits") == [(house.number(leg), False)]
    waiting = spawn(house.conference.digits.read(participant, 0, 30), name="reader")
    await asyncio.sleep(0)
    house.conference.end_leg(leg, "removed")
    assert (await asyncio.wait_for(waiting, 5)).digits == []


async def test_a_leg_that_starts_anew_is_listened_to_again(house: House) -> None:
    leg = house.phone(sdp=WITH_EVENTS).leg
    participant, _ = house.conference.registry.leg(leg)
    house.conference.digits.start(participant, models.CollectRequest())
    before = house.number(leg)
    house.conference.offer(leg, WITH_EVENTS.replace("AVP 0", "AVP 8"))
    assert house.number(leg) != before
    assert house.engine.said("listen_for_digits")[-1] == (house.number(leg), True)


async def test_who_comes_and_goes_is_heard_where_that_is_wished(house: House) -> None:
    house.conference.put_room("loud", models.RoomSpec(announce=True))
    for room in ("r", "loud"):
        for name in ("a", "b"):
            leg = house.phone(f"{name}-{room}", room).leg
            house.conference.handle(event(EventType.MEDIA, leg=house.number(leg), text="192.0.2.1:9"))
            house.conference.handle(event(EventType.MEDIA, leg=house.number(leg), text="192.0.2.1:9"))
    loud = house.conference.registry.room("loud")
    assert house.engine.said("play_to_room") == [(loud.number, 0.3, 1.0, 1)] * 2
    for participant in list(loud.participants.values()):
        house.conference.end(participant, loud, "left")
    assert len(house.engine.said("play_to_room")) == 3, "nobody is there to hear the last one go"
    house.engine.fail["play_to_room"] = EngineBusy("busy")
    leg = house.phone("c", "loud").leg
    house.conference.handle(event(EventType.MEDIA, leg=house.number(leg), text="192.0.2.1:9"))
    assert house.conference.registry.leg(leg)[0].state == "connected"
