"""Rosters: kept up by events, asked for once, true also where answer and events cross."""

from __future__ import annotations

import asyncio
import json

import pytest

from confero.errors import Refused, Unavailable
from confero.models import LeftEvent, Participant, ParticipantEvent, RosterEvent
from confero.notifier import rosters as rosters_module
from confero.notifier.rosters import Roster, Rosters
from confero.notifier.wire import Change, read_change
from confero.runtime.tasks import spawn

from ..support.waiting import until

URL = "http://mcu-1"


def person(id: str, leg: str = "", name: str = "") -> Participant:
    return Participant(id=id, display_name=name or id, kind="webrtc", leg=leg or f"leg_{id}")


def left(id: str) -> Change:
    return read_change(LeftEvent(participant=id, reason="left").model_dump_json().encode())


def came(id: str, leg: str = "") -> Change:
    return read_change(ParticipantEvent(participant=person(id, leg)).model_dump_json().encode())


def whole(*people: Participant) -> Change:
    return read_change(RosterEvent(participants=list(people)).model_dump_json().encode())


def roster_of(*people: Participant) -> Roster:
    return Roster(person.model_dump_json().encode() for person in people)


def legs(roster: Roster) -> list[str]:
    return [entry["leg"] for entry in json.loads(roster.text)]


class SlowMcu:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.people: list[Participant] = []
        self.error: Exception | None = None
        self.asked = 0
        self.free = asyncio.Event()
        self.free.set()

    async def roster(self, url: str, room: str) -> list[Participant]:
        self.asked += 1
        people = list(self.people)
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return people


@pytest.fixture
async def mcu() -> SlowMcu:
    return SlowMcu()


def test_text_is_what_the_models_say() -> None:
    people = [person("a"), person("b", name='"\\ é 會')]
    roster = roster_of(*people)
    assert json.loads(roster.text) == [one.model_dump() for one in people]
    assert Roster([]).text == b"[]"


def test_changes() -> None:
    roster = roster_of(person("a"), person("b"))
    roster.apply(came("c"))
    roster.apply(came("a", "leg_new"))
    roster.apply(left("b"))
    roster.apply(left("nobody"))
    assert legs(roster) == ["leg_new", "leg_c"]
    assert (roster.leg_of("a"), roster.leg_of("b")) == ("leg_new", None)
    roster.drop_leg("a", "leg_old")
    assert roster.leg_of("a") == "leg_new"
    roster.drop_leg("a", "leg_new")
    assert legs(roster) == ["leg_c"]
    roster.apply(whole(person("z")))
    assert legs(roster) == ["leg_z"]


async def test_many_who_come_at_once_ask_once(mcu: SlowMcu) -> None:
    rosters = Rosters(mcu)
    mcu.people = [person("a")]
    mcu.free.clear()
    waiting = [spawn(rosters.of(URL, "lobby"), name="waits") for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # the first one's browser has gone
    mcu.free.set()
    assert {tuple(legs(await one)) for one in waiting[1:]} == {("leg_a",)}
    rosters.apply("lobby", came("b"))
    assert legs(await rosters.of(URL, "lobby")) == ["leg_a", "leg_b"]
    assert mcu.asked == 1


async def test_what_passes_while_the_mcu_is_asked_is_not_lost(mcu: SlowMcu) -> None:
    rosters = Rosters(mcu)
    mcu.people = [person("a"), person("b")]
    mcu.free.clear()
    waiting = spawn(rosters.of(URL, "lobby"), name="waits")
    await until(lambda: mcu.asked == 1)
    rosters.apply("lobby", left("a"))
    rosters.apply("lobby", came("c"))
    mcu.free.set()
    assert legs(await waiting) == ["leg_b", "leg_c"]
    assert legs(await rosters.of(URL, "lobby")) == ["leg_b", "leg_c"]


async def test_an_answer_that_too_much_has_passed_is_not_kept(mcu: SlowMcu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters_module, "MISSED", 3)
    rosters = Rosters(mcu)
    mcu.free.clear()
    waiting = spawn(rosters.of(URL, "lobby"), name="waits")
    await until(lambda: mcu.asked == 1)
    for number in range(5):
        rosters.apply("lobby", came(f"p{number}"))
    mcu.free.set()
    await waiting
    mcu.people = [person(f"p{number}") for number in range(5)]
    assert len(legs(await rosters.of(URL, "lobby"))) == 5
    assert mcu.asked == 2


async def test_a_room_forgotten_while_it_is_asked_for_is_asked_for_again(mcu: SlowMcu) -> None:
    """Its last session goes, and another comes: what has passed in between is not known."""
    rosters = Rosters(mcu)
    mcu.free.clear()
    first = spawn(rosters.of(URL, "lobby"), name="first")
    await until(lambda: mcu.asked == 1)
    rosters.forget("lobby")
    mcu.people = [person("a")]
    second = spawn(rosters.of(URL, "lobby"), name="second")
    await until(lambda: mcu.asked == 2)
    mcu.free.set()
    assert (legs(await first), legs(await second)) == ([], ["leg_a"])
    assert legs(await rosters.of(URL, "lobby")) == ["leg_a"]


async def test_every_one_who_waits_hears_of_a_failure_and_the_next_asks_again(mcu: SlowMcu) -> None:
    rosters = Rosters(mcu)
    mcu.error = Unavailable("away")
    mcu.free.clear()
    waiting = [spawn(rosters.of(URL, "lobby"), name="waits", logged=False) for _ in range(3)]
    await asyncio.sleep(0)
    mcu.free.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 3
    mcu.error = Refused("no such room", status=404, code="room-unknown")
    with pytest.raises(Refused):
        await rosters.of(URL, "lobby")
    mcu.error = None
    assert legs(await rosters.of(URL, "lobby")) == []
    assert mcu.asked == 3


async def test_a_new_room_is_known_from_the_roster_that_its_mcu_tells(mcu: SlowMcu) -> None:
    rosters = Rosters(mcu)
    rosters.apply("lobby", came("a"))  # one change says nothing of the others
    rosters.apply("lobby", whole(person("a"), person("b")))
    assert legs(await rosters.of(URL, "lobby")) == ["leg_a", "leg_b"]
    assert mcu.asked == 0


async def test_a_room_at_another_mcu_is_asked_for_there(mcu: SlowMcu) -> None:
    rosters = Rosters(mcu)
    rosters.placed("lobby", URL)
    rosters.apply("lobby", whole(person("a")))
    rosters.placed("lobby", URL)
    assert legs(await rosters.of(URL, "lobby")) == ["leg_a"]
    rosters.placed("lobby", "http://mcu-2")
    assert legs(await rosters.of("http://mcu-2", "lobby")) == []


async def test_rooms_asked_for_at_once_are_bounded(mcu: SlowMcu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters_module, "QUESTIONS", 2)
    rosters = Rosters(mcu)
    mcu.free.clear()
    waiting = [spawn(rosters.of(URL, f"room-{number}"), name="waits") for number in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await rosters.of(URL, "one-more")
    mcu.free.set()
    await asyncio.gather(*waiting)
    await rosters.of(URL, "one-more")
