"""News for the notifier: what is coalesced, what is kept while it is away, what is given up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from confero import models
from confero.errors import Refused, Unavailable
from confero.mcu import feed as feed_module
from confero.mcu.backoff import Backoff
from confero.mcu.feed import DETAILS, NOTES, Feed
from confero.mcu.rooms.participant import Participant, Settings
from confero.mcu.rooms.room import Room

from ..support.waiting import until


class Leg:
    codec, remote, listens = "opus", "", True

    def __init__(self, id: str, kind: str) -> None:
        self.id, self.kind, self.number = id, kind, 1


def person(id: str, kind: str = "webrtc") -> Participant:
    leg: Any = Leg(f"leg_{id}", kind)
    return Participant(id, id, "guest", leg)


class Notifier:
    def __init__(self) -> None:
        self.got: list[models.Publish] = []
        self.failure: Exception | None = None
        self.tries = 0

    async def publish(self, publish: models.Publish) -> None:
        self.tries += 1
        if self.failure is not None:
            raise self.failure
        self.got.append(publish)

    def events(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for publish in self.got:
            for e in publish.events:
                match e:
                    case models.RosterEvent():
                        found.append(("roster", [p.id for p in e.participants]))
                    case models.ParticipantEvent():
                        found.append(("participant", e.participant.id))
                    case models.LeftEvent():
                        found.append(("left", (e.participant, e.reason)))
                    case models.SpeakersEvent():
                        found.append(("speakers", [s.participant for s in e.speakers]))
                    case models.RenegotiateEvent():
                        found.append(("renegotiate", (publish.participant, e.reason)))
        self.got.clear()
        return found


class Setup:
    def __init__(self) -> None:
        self.notifier = Notifier()
        self.feed = Feed(self.notifier, Backoff("notifier", jitter=lambda: 0.0))
        self.room = Room("r", 1, "", 2000, 0.0)

    def join(self, id: str, kind: str = "webrtc") -> None:
        self.room.admit(person(id, kind))
        self.feed.joined(self.room, id)

    def leave(self, id: str, reason: str = "left") -> None:
        self.room.remove(self.room.participants[id], 1.0)
        self.feed.left(self.room, id, reason)

    async def told(self) -> list[tuple[str, Any]]:
        await self.feed.flush()
        return self.notifier.events()


@pytest.fixture
async def s(monkeypatch: pytest.MonkeyPatch) -> Setup:
    monkeypatch.setattr("confero.mcu.backoff.FIRST_S", 0.001)
    monkeypatch.setattr("confero.mcu.backoff.LONGEST_S", 0.005)
    monkeypatch.setattr(feed_module, "PAUSE_S", 0.0)
    monkeypatch.setattr(feed_module, "BUSY_PAUSE_S", 0.0)
    return Setup()


async def test_one_call_tells_all_that_is_new(s: Setup) -> None:
    s.join("a")
    s.join("b")
    s.feed.speakers(s.room, [models.ActiveSpeaker(participant="b", level=20)])
    assert await s.told() == [
        ("participant", "a"),
        ("participant", "b"),
        ("roster", ["a", "b"]),
        ("speakers", ["b"]),
    ]
    assert s.notifier.tries == 1 and s.feed.settled
    assert await s.told() == []


async def test_newest_wins(s: Setup) -> None:
    s.join("a")
    s.room.participants["a"].settings = Settings(muted=True)
    s.feed.changed(s.room, "a")
    s.feed.speakers(s.room, [models.ActiveSpeaker(participant="a", level=1)])
    s.feed.speakers(s.room, [])
    assert await s.told() == [("participant", "a"), ("roster", ["a"]), ("speakers", [])]


async def test_who_came_and_went_in_between(s: Setup) -> None:
    s.join("a")
    s.leave("a", "bye")
    assert await s.told() == [("left", ("a", "bye")), ("roster", [])]
    s.join("a")
    await s.told()
    s.leave("a")
    s.join("a")
    assert await s.told() == [("participant", "a")]


async def test_everybody_hears_of_one_and_nobody_of_everybody_again(s: Setup) -> None:
    for id in "abc":
        s.join(id)
    await s.told()
    s.join("d")
    assert await s.told() == [("participant", "d")]
    s.leave("b")
    assert await s.told() == [("left", ("b", "left"))]
    s.join("e")
    s.leave("e")
    assert await s.told() == [("left", ("e", "left"))]


async def test_what_a_refusal_swallowed_the_next_roster_tells(s: Setup) -> None:
    s.join("a")
    await s.told()
    s.notifier.failure = Refused("no")
    s.join("b")
    await s.feed.flush()
    s.notifier.failure = None
    s.leave("a")
    assert await s.told() == [("left", ("a", "left")), ("roster", ["b"])]


async def test_who_is_back_is_not_asked_for_a_fresh_offer(s: Setup) -> None:
    s.join("a")
    await s.told()
    s.leave("a", "ice-timeout")
    s.feed.renegotiate(s.room, "a", "ice-timeout")
    s.join("a")
    assert await s.told() == [("participant", "a")]


async def test_speakers_that_have_left_do_not_speak(s: Setup) -> None:
    s.join("a")
    s.feed.speakers(s.room, [models.ActiveSpeaker(participant="a", level=1)])
    s.leave("a")
    assert (await s.told())[-1] == ("speakers", [])


async def test_renegotiate_reaches_one(s: Setup) -> None:
    s.join("a")
    await s.told()
    s.leave("a", "ice-timeout")
    s.feed.renegotiate(s.room, "a", "ice-timeout")
    assert await s.told() == [("left", ("a", "ice-timeout")), ("renegotiate", ("a", "ice-timeout"))]


async def test_notes_reach_whom_they_are_for_once(s: Setup) -> None:
    s.join("a")
    s.join("b")
    await s.told()
    s.feed.note(s.room, "a", models.DigitEvent(digit="5", ms=100))
    s.feed.note(s.room, None, models.PlayedEvent(id=3))
    s.feed.note(s.room, "gone", models.PlayedEvent(id=4))
    await s.feed.flush()
    assert [(p.participant, p.events) for p in s.notifier.got] == [
        (None, [models.PlayedEvent(id=3)]),
        ("a", [models.DigitEvent(digit="5", ms=100)]),
    ]
    s.notifier.got.clear()
    assert await s.told() == []


async def test_notes_that_wait_are_bounded(s: Setup) -> None:
    s.join("a")
    s.notifier.failure = Unavailable("away")
    for i in range(2 * NOTES):
        s.feed.note(s.room, None, models.PlayedEvent(id=i))
        if i == NOTES:
            await s.feed.flush()
    s.notifier.failure = None
    await s.feed.flush()
    told = [e.id for p in s.notifier.got for e in p.events if isinstance(e, models.PlayedEvent)]
    assert told == list(range(NOTES, 2 * NOTES)) and s.feed.dropped == NOTES


async def test_what_could_not_be_told_is_told_later_as_it_is_then(s: Setup) -> None:
    task = asyncio.get_running_loop().create_task(s.feed.run())
    s.notifier.failure = Unavailable("away")
    s.join("a")
    s.join("b")
    s.leave("b")
    await until(lambda: s.notifier.tries > 3)
    assert s.feed.settled  # waiting for it would be in vain
    s.join("c")
    s.feed.speakers(s.room, [models.ActiveSpeaker(participant="c", level=9)])
    s.notifier.failure = None
    await until(lambda: s.notifier.got)
    assert s.notifier.events() == [
        ("left", ("b", "left")),
        ("participant", "a"),
        ("participant", "c"),
        ("roster", ["a", "c"]),
        ("speakers", ["c"]),
    ]
    task.cancel()


async def test_a_refusal_is_not_repeated(s: Setup) -> None:
    s.notifier.failure = Refused("no")
    s.join("a")
    await s.feed.flush()
    s.notifier.failure = None
    assert await s.told() == []


async def test_too_many_details_become_the_roster(s: Setup) -> None:
    for i in range(DETAILS + 50):
        s.join(f"p{i}")
    await s.feed.flush()
    (publish,) = s.notifier.got
    assert len(publish.events) <= 256
    assert isinstance(publish.events[-1], models.RosterEvent)
    assert len(publish.events[-1].participants) == DETAILS + 50
    assert s.feed.dropped == 1


async def test_rooms_that_wait_are_bounded(s: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "ROOMS", 3)
    for i in range(5):
        room = Room(f"r{i}", i, "", 10, 0.0)
        room.admit(person("a"))
        s.feed.joined(room, "a")
    await s.feed.flush()
    assert [p.room for p in s.notifier.got] == ["r2", "r3", "r4"] and s.feed.dropped == 2


async def test_a_room_whose_news_were_given_up_is_told_whole(s: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "ROOMS", 1)
    s.join("a")
    await s.told()
    s.join("b")
    other = Room("other", 2, "", 10, 0.0)
    s.feed.speakers(other, [])
    await s.told()
    s.leave("a")
    assert await s.told() == [("left", ("a", "left")), ("roster", ["b"])]


async def test_a_room_made_anew_under_the_same_name_wins(s: Setup) -> None:
    s.join("a")
    new = Room("r", 2, "", 10, 0.0)
    new.admit(person("z"))
    s.feed.joined(new, "z")
    assert await s.told() == [("participant", "z"), ("roster", ["z"])]


async def test_news_that_come_while_a_call_fails(s: Setup) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Notifier):
        async def publish(self, publish: models.Publish) -> None:
            begun.set()
            await go_on.wait()
            await super().publish(publish)

    slow = Slow()
    feed = Feed(slow, Backoff("notifier", jitter=lambda: 0.0))
    s.feed = feed
    s.join("a")
    s.join("b")
    feed.speakers(s.room, [models.ActiveSpeaker(participant="a", level=1)])
    flush = asyncio.get_running_loop().create_task(feed.flush())
    await begun.wait()
    s.leave("b", "bye")
    s.join("c")
    slow.failure = Unavailable("away")
    go_on.set()
    await flush
    slow.failure = None
    await feed.flush()
    assert slow.events() == [
        ("left", ("b", "bye")),
        ("participant", "a"),
        ("participant", "c"),
        ("roster", ["a", "c"]),
        ("speakers", ["a"]),
    ]


async def test_too_many_who_should_offer_again(s: Setup) -> None:
    s.join("a")
    await s.told()
    for i in range(DETAILS + 3):
        s.feed.renegotiate(s.room, f"p{i}", "ice-timeout")
    await s.feed.flush()
    assert len(s.notifier.got) == DETAILS and s.feed.dropped == 3


async def test_many_who_join_are_told_of_in_few_calls(s: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """While many come, a call waits longer: each is told of once, as it is by then."""
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(feed_module, "PAUSE_S", 0.05)
    monkeypatch.setattr(feed_module, "BUSY_PAUSE_S", 0.2)
    monkeypatch.setattr("confero.mcu.feed.asyncio.sleep", noted)
    task = asyncio.get_running_loop().create_task(s.feed.run())
    for i in range(20):
        s.join(f"p{i}")
    await until(lambda: s.notifier.got)
    s.join("next")
    await until(lambda: len(s.notifier.got) == 2)
    s.join("later")
    await until(lambda: len(s.notifier.got) == 3)
    assert [pause for pause in pauses if pause in (0.05, 0.2)] == [0.05, 0.2, 0.05]
    task.cancel()
