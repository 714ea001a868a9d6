"""Telephones that are moderated, with a real MCU: the held are not heard, the moved are elsewhere, the removed hang up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from confero.mcu import reasons
from confero.models import ParticipantOrder
from confero.sipgw.calls.voice import Voice

from ..support.waiting import until
from .house import House
from .test_menu_calls import HEARD, UNHEARD, Ring, house, ring

__all__ = ["house", "ring"]

LOW, HIGH = 440.0, 700.0


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What callers are told from here on, in order; they hear it all the same."""
    texts: list[str] = []
    say = Voice.say

    def note(voice: Voice, prompts: Sequence[str], *more: Callable[[], None]) -> None:
        texts.extend(prompts)
        say(voice, prompts, *more)

    monkeypatch.setattr(Voice, "say", note)
    return texts


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


async def test_a_caller_is_told_what_a_host_does(house: House, ring: Ring, said: list[str]) -> None:
    await ring(house, "talk", HIGH)
    await ring(house, "talk", LOW)
    await until(
        lambda: house.roster("talk") == ["p1", "p2"] and said == ["alone"], "both; the first was told to be alone"
    )
    said.clear()
    for change, words in (
        (ParticipantOrder(muted=True), ["muted-by-host"]),
        (ParticipantOrder(muted=True), []),
        (ParticipantOrder(held=True), ["held"]),
        (ParticipantOrder(held=False), ["may-speak", "muted"]),
        (ParticipantOrder(muted=False), ["unmuted"]),
    ):
        order(house, "talk", p2=change)
        await until(lambda words=words: said == words, f"{words} and not {said}")  # type: ignore[misc]
        said.clear()


async def test_a_caller_who_may_not_speak_is_told_so_and_raises_a_hand(
    house: House, ring: Ring, said: list[str]
) -> None:
    await ring(house, "talk", HIGH)
    await until(lambda: house.roster("talk") == ["p1"] and said == ["alone"], "the host, who is told to be alone")
    house.office.silent.add("talk")
    said.clear()
    guest = await ring(house, "talk", LOW)
    await until(lambda: said == ["held"], "told from the first")
    await guest.press("*6")
    await until(lambda: said == ["held", "held"], "the key for it says so too")
    await guest.press("*9")
    await until(lambda: said[2:] == ["hand-raised"], "the hand")
    assert house.office.hands == {"p2"}
    await guest.press("*9")
    await until(lambda: said[3:] == ["hand-lowered"], "no hand")
    assert house.office.hands == set()


async def test_a_mute_outlives_the_media_server(house: House, ring: Ring) -> None:
    """By a host, or by the caller: it is the same to those who would hear."""
    await ring(house, "talk", HIGH)
    by_host, by_itself = await ring(house, "talk", LOW), await ring(house, "talk", 1000.0)
    await until(lambda: len(house.roster("talk")) == 3, "all three")
    order(house, "talk", p2=ParticipantOrder(muted=True))
    await by_itself.press("*6")
    people = house.rig.app.conference.registry.room("talk").participants
    await until(lambda: people["p2"].settings.muted and people["p3"].settings.muted, "both muted")
    await until(lambda: all(call.media.muted for call in house.gateway.book.running()[1:]), "the gateway knows")
    await house.lose_mcu()
    await until(lambda: len(house.roster("talk")) == 3, "all are there again", 30)
    again = house.rig.app.conference.registry.room("talk").participants
    assert [again[name].settings.muted for name in ("p1", "p2", "p3")] == [False, True, True]
    await by_host.press("*6")
    await until(lambda: not again["p2"].settings.muted, "heard again")
