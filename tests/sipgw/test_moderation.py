"""Telephones that are moderated, with a real MCU: the held are not heard, the moved are elsewhere, the removed hang up."""

from __future__ import annotations

from confero.mcu import reasons
from confero.models import ParticipantOrder

from ..support.waiting import until
from .house import House
from .test_menu_calls import HEARD, UNHEARD, Ring, house, ring

__all__ = ["house", "ring"]

LOW, HIGH = 440.0, 700.0


def order(house: House, room: str, **orders: ParticipantOrder) -> None:
    assert set(house.rig.app.conference.moderation.order(room, orders)) == set(orders)


async def test_a_held_telephone_is_not_heard_until_it_is_let(house: House, ring: Ring) -> None:
    host = await ring(house, "talk", HIGH)
    guest = await ring(house, "talk", LOW)
    await until(lambda: host.sound.levels(LOW)[0] > HEARD, "the guest at first")
    order(house, "talk", p2=ParticipantOrder(held=True))
    await until(lambda: host.sound.levels(LOW)[0] < UNHEARD, "nothing of the guest")
    await guest.press("*6")  # says that it cannot be done, and does nothing
    await until(lambda: guest.sound.levels(HIGH)[0] > HEARD, "the guest hears all the same")
    await until(lambda: host.sound.levels(LOW)[0] < UNHEARD, "still nothing of the guest")
    shown = house.rig.app.conference.registry.room("talk").view().participants[1]
    assert (shown.held, shown.muted) == (True, False), "the key has done nothing"
    order(house, "talk", p2=ParticipantOrder(held=False))
    await until(lambda: host.sound.levels(LOW)[0] > HEARD, "the guest again")
    order(house, "talk", p1=ParticipantOrder(muted=True), p2=ParticipantOrder(muted=True))
    await until(lambda: host.sound.levels(LOW)[0] < UNHEARD and guest.sound.levels(HIGH)[0] < UNHEARD, "silence")


async def test_a_telephone_is_moved_and_then_removed(house: House, ring: Ring) -> None:
    first = await ring(house, "talk", HIGH)
    second = await ring(house, "talk", LOW)
    await until(lambda: house.roster("talk") == ["p1", "p2"], "both")
    place = house.office.place("side").model_copy(update={"participant": "p2", "may_speak": False})
    house.gateway.desk.move("p2", place)
    await until(lambda: house.roster("side") == ["p2"] and house.roster("talk") == ["p1"], "in the other room")
    await until(lambda: first.sound.levels(LOW)[0] < UNHEARD, "nothing of who has gone")
    assert house.rig.app.conference.registry.room("side").view().participants[0].held
    house.rig.app.conference.moderation.remove("side", "p2", reasons.REMOVED)
    await until(lambda: second.hung_up, "a BYE")
