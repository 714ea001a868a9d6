"""Telephones in rooms that are looked after by hosts, through all services: moved, sent away with their room, let in as hosts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ..support.waiting import until
from .manor import Manor
from .telephone import Telephone

HEARD, UNHEARD = 1500.0, 200.0
LOW, MIDDLE, HIGH = 440.0, 700.0, 1000.0


@pytest.fixture
async def manor(tmp_path: Path) -> AsyncIterator[Manor]:
    made = Manor(tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def phones(manor: Manor) -> AsyncIterator[list[Telephone]]:
    """Three, with voices of their own."""
    made = [await Telephone.open(manor.sip, hertz) for hertz in (LOW, MIDDLE, HIGH)]
    yield made
    for phone in made:
        await phone.close()


async def room(manor: Manor, **wish: object) -> str:
    made: str = (await manor.administer("POST", "rooms", wish))["id"]
    return made


async def test_a_telephone_is_moved_and_hangs_up_with_its_new_room(manor: Manor, phones: list[Telephone]) -> None:
    stays, moves, waits = phones
    first, second = await room(manor), await room(manor)
    for phone, where in ((stays, first), (moves, first), (waits, second)):
        assert await phone.call(where) == 200
    await until(lambda: len(manor.inside(first)) == 2 and len(manor.inside(second)) == 1, "all are in")
    await until(lambda: stays.sound.levels(MIDDLE)[0] > HEARD, "heard in the first room")
    moved = list(manor.inside(first))[1]
    await manor.administer("POST", f"rooms/{first}/participants/{moved}/move", {"room": second})
    await until(lambda: waits.sound.levels(MIDDLE)[0] > HEARD, "heard in the other room")
    await until(lambda: moves.sound.levels(HIGH)[0] > HEARD, "and hears it")
    await until(lambda: stays.sound.levels(MIDDLE)[0] < UNHEARD > moves.sound.levels(LOW)[0], "no more in the first")
    assert moved in manor.inside(second) and len(manor.inside(first)) == 1
    await manor.administer("DELETE", f"rooms/{second}")
    await until(lambda: moves.hung_up and waits.hung_up, "a deleted room has no calls")
    assert manor.mcu.conference.registry.find_room(second) is None
    assert not stays.hung_up and len(manor.inside(first)) == 1
    await until(lambda: [call.about.room for call in manor.gateway.book.running()] == [first], "one call left")


async def test_who_hangs_up_in_the_lobby_waits_there_no_longer(manor: Manor, phones: list[Telephone]) -> None:
    where = await room(manor, lobby=True, number="4711")
    guest = phones[0]
    assert await guest.call("4711") == 200
    await until(lambda: len(guest.sound.heard) > 25, "the caller hears us")
    await manor.until_waiting(where, 1)
    guest.hang_up()
    await manor.until_waiting(where, 0)


@pytest.mark.parametrize("dialled", ["4711", "menu"])
async def test_a_host_opens_by_telephone_a_room_that_has_no_pin_for_guests(
    manor: Manor, phones: list[Telephone], dialled: str
) -> None:
    """Guests wait for a host, who keys the PIN: then all are in."""
    rule = {"position": 1, "direction": "in", "source": "any", "pattern": "menu", "action": "menu"}
    await manor.administer("POST", "sip/rules", rule)
    where = await room(manor, host_pin="4321", host_first=True, number="4711")
    guest, host, _ = phones
    for phone, keys in ((guest, "#"), (host, "4321#")):
        assert await phone.call(dialled) == 200
        await until(lambda phone=phone: len(phone.sound.heard) > 25, "the caller hears us")  # type: ignore[misc]
        if dialled == "menu":
            await phone.press("4711#")
            await asyncio.sleep(0.3)
        await phone.press(keys)
        if phone is guest:
            await manor.until_waiting(where, 1)
    await until(lambda: len(manor.inside(where)) == 2, "both are in", 20)
    assert sorted(one.role for one in manor.inside(where).values()) == ["guest", "host"]
    await until(lambda: host.sound.levels(LOW)[0] > HEARD and guest.sound.levels(MIDDLE)[0] > HEARD, "both ways")
