"""Legs end with an owner who is silent, and only those that are its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from confero import models
from confero.errors import Refused
from confero.mcu.legs.dtls import Certificate
from confero.runtime.tasks import spawn

from ..support.waiting import until
from .rig import Phone, Rig
from .test_conference import PHONE, House
from .test_control import call, code, leg


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House(Certificate(), owner_lease_s=10)
    yield made
    made.conference.close()


def owned(house: House, participant: str, owner: str | None) -> str:
    wish = models.RtpLegCreate(
        kind="rtp", participant=participant, display_name="P", sdp=PHONE, owner=owner, media_timeout_s=0
    )
    return house.conference.create_leg("r", wish).leg


def present(house: House) -> list[str]:
    return [who for who, _ in house.roster()]


async def test_a_silent_owner_loses_its_legs_and_no_other_does(house: House) -> None:
    owned(house, "one", "gw-1")
    owned(house, "two", "gw-2")
    owned(house, "three", None)
    house.ticks(9)
    assert present(house) == ["one", "two", "three"]
    house.conference.leases.renew("gw-2")
    house.take()
    house.ticks(1)
    assert present(house) == ["two", "three"]
    assert house.take() == [("left", "r", "one", "owner-gone")]
    house.ticks(9)
    assert present(house) == ["three"]
    house.ticks(3600)
    assert present(house) == ["three"]


async def test_one_word_keeps_all_of_an_owners_legs(house: House) -> None:
    legs = [owned(house, name, "gw-1") for name in ("one", "two", "three")]
    for _ in range(10):
        house.ticks(8)
        assert house.conference.leases.renew("gw-1") == legs
    assert present(house) == ["one", "two", "three"]


async def test_a_leg_made_is_a_word_too(house: House) -> None:
    owned(house, "one", "gw-1")
    house.ticks(9)
    owned(house, "two", "gw-1")
    house.ticks(9)
    assert present(house) == ["one", "two"]
    house.ticks(1)
    assert present(house) == []


async def test_owners_without_legs_are_nothing_to_remember(house: House) -> None:
    for number in range(1000):
        assert house.conference.leases.renew(f"gw-{number}") == []
    assert house.conference.leases.renew("") == []
    assert not house.conference.leases._until
    owned(house, "one", "gw-1")
    house.conference.end_leg(house.conference.leases.renew("gw-1")[0], "bye")
    house.ticks(10)
    assert not house.conference.leases._until


async def test_an_owner_lets_go_of_all_at_once(house: House) -> None:
    owned(house, "one", "gw-1")
    owned(house, "two", "gw-1")
    owned(house, "three", "gw-2")
    house.conference.end_owner("gw-1")
    assert present(house) == ["three"]
    house.conference.end_owner("gw-1")


async def test_a_leg_in_place_of_another_has_its_owner(house: House) -> None:
    """A browser that speaks SIP comes with other keys: the leg is another one, for the same gateway."""
    wish = models.RtpLegCreate(kind="rtp", participant="one", display_name="P", sdp=PHONE, owner="gw-1")
    first = house.conference.create_leg("r", wish).leg
    participant, _ = house.conference.registry.leg(first)
    second = house.conference.create_leg("r", participant.successor(PHONE.replace("9000", "9002"))).leg
    assert house.conference.leases.renew("gw-1") == [second]
    with pytest.raises(Refused):
        house.conference.registry.leg(first)


async def test_over_http(rig: Rig) -> None:
    await rig.room()
    phone = await Phone.open(440)
    status, made, _ = await call(rig, "POST", "/v1/rooms/r1/legs", leg(phone.offer(), "rtp", owner="gw-1"))
    assert status == 201
    for caller, want in (("sipgw", 200), ("appserver", 403)):
        status, reply, _ = await call(rig, "PUT", "/v1/owners/gw-1", caller=caller)
        assert status == want
    status, reply, _ = await call(rig, "PUT", "/v1/owners/gw-1")
    assert (reply["legs"], reply["lease_s"]) == ([made["leg"]], 10.0)
    assert (await call(rig, "PUT", "/v1/owners/somebody"))[1]["legs"] == []
    status, problem, _ = await call(rig, "PUT", "/v1/owners/a.b")
    assert (status, code(problem)) == (422, "invalid-id")
    assert (await call(rig, "DELETE", "/v1/owners/gw-1"))[0] == 204
    await until(lambda: rig.state("p") == "", "out")
    await phone.close()


async def test_an_owner_reads_the_digits_of_all_its_legs(rig: Rig) -> None:
    await rig.room()
    one = await rig.phone("one", 440, owner="gw-1", collect=True)
    other = await rig.phone("two", 700, owner="gw-1")
    path = "/v1/owners/gw-1/digits"
    assert (await call(rig, "GET", path))[1] == {"digits": [], "changes": [], "last": 0}
    digits, find = rig.app.conference.digits, rig.app.conference.registry.leg
    waiting = spawn(call(rig, "GET", f"{path}?wait_s=10"), name="the gateway")
    await asyncio.sleep(0.1)
    for leg_id, key in ((one.leg, "5"), (other.leg, "6"), (one.leg, "7")):
        digits.add(find(leg_id)[0], key, 100, False, 1.0)
    assert [digit["digit"] for digit in (await waiting)[1]["digits"]] == ["5", "7"]
    found = (await call(rig, "GET", f"{path}?after=1"))[1]["digits"]
    assert [(digit["number"], digit["leg"], digit["digit"]) for digit in found] == [(2, one.leg, "7")]
    # Who counts further than we do has counted before our restart.
    assert len((await call(rig, "GET", f"{path}?after=99"))[1]["digits"]) == 2
    assert (await call(rig, "GET", "/v1/owners/gw-2/digits"))[1] == {"digits": [], "changes": [], "last": 0}


async def test_an_owner_reads_what_hosts_decide_about_its_legs(rig: Rig) -> None:
    """In one line with the digits; not what the owner does itself, and nothing that has changed nothing."""
    await rig.room()
    phone = await rig.phone("one", 440, owner="gw-1", collect=True)
    await rig.phone("two", 700)
    path, conference = "/v1/owners/gw-1/digits", rig.app.conference
    conference.digits.add(conference.registry.leg(phone.leg)[0], "5", 100, False, 1.0)
    waiting = spawn(call(rig, "GET", f"{path}?after=1&wait_s=10"), name="the gateway")
    await asyncio.sleep(0.1)
    muted, held = models.ParticipantOrder(muted=True), models.ParticipantOrder(held=True)
    for order in (muted, muted, held):
        conference.moderation.order("r1", {"one": order, "two": order})
    await call(rig, "PATCH", f"/v1/legs/{phone.leg}", {"gain_db": 3})
    assert (await waiting)[1]["changes"]
    reply = (await call(rig, "GET", path))[1]
    assert reply["last"] == 3 and [one["number"] for one in reply["changes"]] == [2, 3]
    assert [(one["leg"], one["muted"], one["held"]) for one in reply["changes"]] == [
        (phone.leg, True, False),
        (phone.leg, True, True),
    ]


async def test_tones_are_listened_for_where_no_events_come(house: House) -> None:
    """And anew, when the stream has begun anew; others are not listened to."""
    wish = {"kind": "rtp", "display_name": "P", "owner": "gw-1", "collect": True}
    eventful = PHONE.replace("RTP/AVP 0", "RTP/AVP 0 101") + "a=rtpmap:101 telephone-event/8000\n"
    for name, sdp in (("tones", PHONE), ("events", eventful)):
        house.conference.create_leg("r", models.RtpLegCreate(participant=name, sdp=sdp, **wish))  # type: ignore[arg-type]
    owned(house, "other", "gw-1")
    number = house.conference.registry.room("r").participants["tones"].leg.number
    assert house.engine.said("listen_for_digits") == [(number, True)]
