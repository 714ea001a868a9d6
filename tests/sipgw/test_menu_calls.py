"""Telephones in the menu and in rooms: what they key, hear and become, with a real MCU."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ..support.waiting import until
from .house import House
from .telephone import Telephone

HEARD, UNHEARD = 1500.0, 200.0
Ring = Callable[..., Awaitable[Telephone]]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def spread(tmp_path: Path) -> AsyncIterator[House]:
    """Its rooms live on two media threads in turn."""
    made = House(tmp_path, threads=2)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def ring() -> AsyncIterator[Ring]:
    made: list[Telephone] = []

    async def call(house: House, user: str, hertz: float = 440, *, events: bool = True) -> Telephone:
        telephone = await Telephone.open(house.sip, hertz)
        made.append(telephone)
        telephone.events = events
        assert await telephone.call(user) == 200
        return telephone

    yield call
    for telephone in made:
        await telephone.close()


def loud(telephone: Telephone) -> bool:
    """Something is said: more than nothing, whatever it is."""
    return max(telephone.sound.levels(*range(150, 1500, 50))) > 60


async def test_a_number_and_its_pin_by_events(house: House, ring: Ring) -> None:
    host = await ring(house, "secret", 700)
    await until(lambda: house.roster("secret") == ["p1"], "the host")
    guest = await ring(house, "menu")
    await until(lambda: loud(guest), "the welcome")
    await guest.press("4712#")
    await until(lambda: len(house.office.asks) == 1, "the number")
    # Nobody hears who is in the menu. (At first the host is told that it is alone.)
    await until(lambda: host.sound.levels(440)[0] < UNHEARD, "nothing of the guest")
    await guest.press("1234#")
    await until(lambda: len(house.roster("secret")) == 2, "the guest in the room")
    await until(lambda: guest.sound.levels(700)[0] > HEARD and host.sound.levels(440)[0] > HEARD, "both ways")
    assert [(ask.number, ask.pin) for ask in house.office.asks] == [("4712", None), ("4712", "1234")]
    await until(lambda: house.rig.app.conference.registry.rooms == 1, "the private room gone")
    guest.hang_up()
    await until(lambda: house.legs == 1, "the guest's leg gone")


@pytest.mark.parametrize("way", ["info", "both"])
async def test_keys_by_info_count_once(house: House, ring: Ring, way: str) -> None:
    guest = await ring(house, "4712")
    await guest.press("1122#", way=way)
    await until(lambda: len(house.office.asks) == 1, "the PIN")
    await asyncio.sleep(0.3)
    assert [(ask.number, ask.pin) for ask in house.office.asks] == [("4712", "1122")]


async def test_a_room_on_another_thread(spread: House, ring: Ring) -> None:
    """Media threads are given in turn: the private room's is not the meeting's. The phone is asked for another leg."""
    host = await ring(spread, "meeting", 700)
    await until(lambda: spread.roster("meeting") == ["p1"], "the host")
    guest = await ring(spread, "menu")
    await guest.press("4711#")
    await until(lambda: len(spread.roster("meeting")) == 2, "the guest in the room")
    await until(lambda: guest.sound.levels(700)[0] > HEARD and host.sound.levels(440)[0] > HEARD, "both ways")
    await until(lambda: spread.legs == 2, "one leg each")
    assert guest.sound.longest_gap() < 0.3  # the one is heard until the other is


async def test_a_phone_that_will_not_have_another_leg(spread: House, ring: Ring) -> None:
    host = await ring(spread, "meeting", 700)
    await until(lambda: spread.roster("meeting") == ["p1"], "the host")
    guest = await ring(spread, "menu")
    guest.refuses = 488
    await guest.press("4711#")
    await until(lambda: guest.hung_up, "goodbye", 20)
    await until(lambda: spread.legs == 1, "its legs gone")
    assert spread.roster("meeting") == ["p1"] and not host.hung_up


async def test_a_phone_that_offers_at_the_same_time(spread: House, ring: Ring) -> None:
    """491: the gateway's offer is due again a little later."""
    host = await ring(spread, "meeting", 700)
    await until(lambda: spread.roster("meeting") == ["p1"], "the host")
    guest = await ring(spread, "menu")
    guest.refuses = 491
    await guest.press("4711#")
    await until(lambda: any(m.startswith("INVITE") for m in guest.received), "the first offer")
    guest.refuses = 0
    await until(lambda: guest.sound.levels(700)[0] > HEARD and host.sound.levels(440)[0] > HEARD, "both ways")
    await until(lambda: spread.legs == 2, "one leg each")


async def test_three_wrong_pins(house: House, ring: Ring) -> None:
    guest = await ring(house, "4712")
    for tries in range(1, 4):
        await guest.press("0#")
        await until(lambda tries=tries: len(house.office.asks) == tries, "a try")  # type: ignore[misc]
    await until(lambda: guest.hung_up, "goodbye", 20)
    await until(lambda: house.legs == 0, "no leg left")
    await until(lambda: house.office.records and house.office.records[-1].revision == 2, "the record")
    assert house.office.records[-1].reason == "too-many-tries"


async def test_feature_keys(house: House, ring: Ring) -> None:
    one, two = await ring(house, "meeting", 440), await ring(house, "meeting", 700)
    await until(lambda: two.sound.levels(440)[0] > HEARD, "a voice")
    await one.press("*6")
    await until(lambda: two.sound.levels(440)[0] < UNHEARD, "mute")
    await one.press("*6")
    await until(lambda: two.sound.levels(440)[0] > HEARD, "heard again")


async def test_softer_and_louder(house: House, ring: Ring) -> None:
    one, two = await ring(house, "meeting", 440), await ring(house, "meeting", 700)
    await until(lambda: one.sound.levels(700)[0] > HEARD, "a voice")
    await asyncio.sleep(1.2)
    before = one.sound.levels(700)[0]
    await one.press("*1*1")
    await until(lambda: 0.35 < one.sound.levels(700)[0] / before < 0.45, "8 dB less")
    await one.press("*3*3*3")
    await until(lambda: 1.5 < one.sound.levels(700)[0] / before < 1.7, "4 dB more")
    assert two.sound.levels(440)[0] > HEARD


async def test_the_first_one_is_told_so(house: House, ring: Ring) -> None:
    one = await ring(house, "meeting", 440)
    await until(lambda: loud(one), "a prompt")


# --- a room's lobby --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialled", ["meeting", "menu"])
async def test_a_caller_waits_in_the_lobby_until_let_in(house: House, ring: Ring, dialled: str) -> None:
    host = await ring(house, "meeting", 700)
    await until(lambda: house.roster("meeting") == ["p1"], "the host")
    house.office.doors["meeting"] = "waiting"
    guest = await ring(house, dialled)
    if dialled == "menu":
        await guest.press("4711#")
    await until(lambda: loud(guest), "the prompt")
    await until(lambda: host.sound.levels(440)[0] < UNHEARD, "nothing of the guest")
    assert house.roster("meeting") == ["p1"] and guest.sound.levels(700)[0] < UNHEARD
    house.office.doors["meeting"] = "open"
    await until(lambda: len(house.roster("meeting")) == 2, "the guest in the room", 20)
    await until(lambda: guest.sound.levels(700)[0] > HEARD and host.sound.levels(440)[0] > HEARD, "both ways")


async def test_a_caller_hangs_up_in_the_lobby(house: House, ring: Ring) -> None:
    """Hosts are told at once; whoever came in from a lobby has nothing to give up."""
    house.office.doors["meeting"] = "waiting"
    guest, other = await ring(house, "meeting"), await ring(house, "meeting")
    await until(lambda: loud(guest) and loud(other), "the prompts")
    guest.hang_up()
    await until(lambda: len(house.office.gone) == 1, "the place given up")
    house.office.doors["meeting"] = "open"
    await until(lambda: len(house.roster("meeting")) == 1, "the other one in the room", 20)
    (gone,) = house.office.gone
    assert gone[0] == "meeting" and gone[1] not in house.roster("meeting")
    other.hang_up()
    await until(lambda: house.legs == 0, "no leg left")
    assert house.office.gone == [gone]


async def test_a_caller_is_refused(house: House, ring: Ring) -> None:
    house.office.doors["meeting"] = "waiting"
    guest = await ring(house, "meeting")
    await until(lambda: loud(guest), "the prompt")
    house.office.doors["meeting"] = "refused"
    await until(lambda: guest.hung_up, "goodbye", 30)
    await until(lambda: house.legs == 0, "no leg left")
    await until(lambda: house.office.records and house.office.records[-1].revision == 2, "the record")
    assert house.office.records[-1].reason == "not-admitted"
