"""What is told to whom: gathered, to those alone who are there, and dropped where it cannot be told."""

from __future__ import annotations

import pytest

from confero.appserver.news import herald as herald_module
from confero.appserver.news.herald import Herald
from confero.appserver.news.online import Online
from confero.errors import Unavailable
from confero.models import Publish, UserNotice


class People:
    """Rooms and who is concerned; and what has been published."""

    def __init__(self) -> None:
        self.rooms = {"blue": {"ada", "bob", "eve"}}
        self.published: list[Publish] = []
        self.asked = 0
        self.away = False

    async def of_room(self, room: str) -> set[str]:
        self.asked += 1
        return self.rooms.get(room, set())

    async def of_user(self, user: str) -> set[str]:
        return {other for people in self.rooms.values() if user in people for other in people} - {user}

    async def publish(self, message: Publish) -> None:
        if self.away:
            raise Unavailable("away")
        self.published.append(message)

    @property
    def told(self) -> list[tuple[list[str], dict[str, object]]]:
        told = [(one.users, one.events[0].model_dump()) for one in self.published]
        self.published.clear()
        return told


class Bench:
    def __init__(self) -> None:
        self.people = People()
        self.herald = Herald(self.people, self.people, Online())

    def there(self, *users: str) -> None:
        self.herald.online.told([UserNotice(kind="connected", session=f"s-{user}", user=user) for user in users])


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_a_change_is_told_once_to_those_who_are_there(bench: Bench) -> None:
    bench.there("ada", "bob", "stranger")
    for _ in range(3):
        bench.herald.changed("lobby", "blue")
    await bench.herald.tell()
    assert bench.people.told == [(["ada", "bob"], {"type": "changed", "what": "lobby", "room": "blue"})]
    await bench.herald.tell()
    assert bench.people.told == []


async def test_who_is_concerned_beside_the_rooms_own(bench: Bench) -> None:
    bench.there("ada", "zoe")
    bench.herald.changed("members", "blue", ["zoe", "gone"])
    bench.herald.changed("rooms", None, ["zoe"])
    await bench.herald.tell()
    assert [users for users, _ in bench.people.told] == [["ada", "zoe"], ["zoe"]]


async def test_with_nobody_there_nobody_is_asked_for(bench: Bench) -> None:
    bench.herald.changed("live", "blue")
    assert await bench.herald.people_of("blue") == set()
    await bench.herald.tell()
    assert (bench.people.asked, bench.people.told) == (0, [])


async def test_presence_is_told_to_those_who_share_a_room(bench: Bench) -> None:
    bench.herald.told([UserNotice(kind="connected", session=f"s-{user}", user=user) for user in ("ada", "bob", "zoe")])
    await bench.herald.tell()
    assert bench.people.told == [
        (["bob"], {"type": "presence", "user": "ada", "online": True}),
        (["ada"], {"type": "presence", "user": "bob", "online": True}),
    ]
    bench.herald.snapshot("notifier", [])
    await bench.herald.tell()
    assert bench.people.told == []  # nobody is left


async def test_whoever_is_signed_out_is_told_so(bench: Bench) -> None:
    bench.there("ada")
    bench.herald.signed_out("ada")
    bench.herald.signed_out("bob")
    await bench.herald.tell()
    assert bench.people.told == [(["ada"], {"type": "closed", "reason": "signed-out"})]


async def test_what_cannot_be_told_is_dropped(bench: Bench) -> None:
    bench.there("ada")
    bench.herald.changed("live", "blue")
    bench.people.away = True
    await bench.herald.tell()
    bench.people.away = False
    await bench.herald.tell()
    assert bench.people.told == []


async def test_what_waits_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(herald_module, "WAITING", 3)
    bench.there("ada")
    for number in range(5):
        bench.herald.changed("live", f"room-{number}", ["ada"])
    await bench.herald.tell()
    assert [event["room"] for _, event in bench.people.told] == ["room-2", "room-3", "room-4"]
