"""What is kept about rooms' owners, members, invitations and lobbies, in SQLite and MariaDB."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from confero.appserver.db.engine import Database
from confero.appserver.db.migrate import downgrade, migrate
from confero.appserver.db.repositories import SqlStore
from confero.appserver.rooms.catalogue import Search
from confero.appserver.rooms.entities import Invitation, Member, Person, Room

NOW = 1_800_000_000.5
ROOM = Room("lobby", "Lobby", 3, created_at=NOW, used_at=NOW, owner="u_1", pin="sealed", speak="request", lobby=True)


def person(name: str, **changes: Any) -> Person:
    values: dict[str, Any] = {"created_at": NOW, "reserved_until": NOW + 30}
    return Person(name, "lobby", name.title(), **(values | changes))


def invitation(name: str, **changes: Any) -> Invitation:
    return Invitation(name, "lobby", f"digest of {name}", "guest", "", NOW, "alice", **changes)


@pytest.fixture
async def lobby(store: SqlStore) -> SqlStore:
    assert await store.add_room(ROOM, 100) == "added"
    return store


async def test_rooms_are_kept_as_they_are(lobby: SqlStore) -> None:
    assert await lobby.room("lobby") == ROOM
    assert await lobby.change_room("lobby", {"pin": None, "lobby": False})
    assert await lobby.change_room("lobby", {"pin": None})  # as it is: there is such a room all the same
    assert await lobby.room("lobby") == replace(ROOM, pin=None, lobby=False)
    assert not await lobby.change_room("nowhere", {"pin": None})


async def test_the_rooms_of_one_account_are_bounded(lobby: SqlStore) -> None:
    assert await lobby.add_room(replace(ROOM, id="second"), 100, 2) == "added"
    assert await lobby.add_room(replace(ROOM, id="third"), 100, 2) == "too-many"
    assert await lobby.add_room(replace(ROOM, id="third", owner="u_2"), 100, 2) == "added"
    assert await lobby.add_room(replace(ROOM, id="fourth", owner=None), 100, 0) == "added"


async def test_a_person_is_kept_whole(lobby: SqlStore) -> None:
    alice = person("alice", role="host", user="u_1", invitation="inv", admitted=False, may_speak=True, hand_at=NOW)
    assert await lobby.admit(alice, ROOM, NOW, waiting=1) == 0
    assert await lobby.person("alice") == alice
    assert await lobby.admit(person("bob", admitted=False), ROOM, NOW, waiting=1) == "full"


async def test_judged_again_or_as_they_were(lobby: SqlStore) -> None:
    await lobby.admit(person("alice", admitted=False), ROOM, NOW, waiting=9)
    host = person("alice", role="host", user="u_1", admitted=True)
    await lobby.admit(replace(host, role="guest", admitted=False), ROOM, NOW, kept=True, waiting=9)
    await lobby.admit(host, ROOM, NOW)
    assert await lobby.person("alice") == host
    await lobby.admit(replace(host, role="guest"), ROOM, NOW, kept=True)
    assert await lobby.person("alice") == host


async def test_whoever_was_let_in_meanwhile_stays_so(lobby: SqlStore) -> None:
    waiting = person("alice", admitted=False)
    await lobby.admit(waiting, ROOM, NOW, waiting=9)
    assert await lobby.let_in("lobby", "alice", NOW, NOW + 60) == ["alice"]
    await lobby.admit(waiting, ROOM, NOW, waiting=9)
    found = await lobby.person("alice")
    assert found is not None and found.admitted
    await lobby.add_room(replace(ROOM, id="other"), 100)
    await lobby.admit(replace(waiting, room="other"), replace(ROOM, id="other"), NOW, waiting=9)
    found = await lobby.person("alice")
    assert found is not None and not found.admitted


async def test_the_lobby(lobby: SqlStore) -> None:
    await lobby.admit(person("hanna", role="host", session="s1"), ROOM, NOW)
    for number, name in enumerate(("carol", "alice", "bob")):
        await lobby.admit(person(name, created_at=NOW + number, admitted=False), ROOM, NOW, waiting=9)
    await lobby.admit(person("gone", reserved_until=NOW - 1, admitted=False), ROOM, NOW, waiting=9)
    assert [one.id for one in await lobby.waiting("lobby", NOW)] == ["carol", "alice", "bob"]
    assert [one.id for one in await lobby.waiting(None, NOW)] == ["carol", "alice", "bob"]
    assert await lobby.let_in("lobby", "gone", NOW, NOW + 60) == []
    assert await lobby.let_in("lobby", None, NOW, NOW + 60) == ["carol", "alice"]
    assert await lobby.live_count("lobby", NOW + 31) == 3
    assert await lobby.turn_away("lobby", "bob")
    assert not await lobby.turn_away("lobby", "carol")
    assert await lobby.waiting("lobby", NOW) == []


async def test_the_last_place_goes_to_one_who_waits(lobby: SqlStore) -> None:
    await lobby.change_room("lobby", {"max_participants": 2})
    await lobby.admit(person("hanna", role="host"), ROOM, NOW)
    names = ["alice", "bob", "carol"]
    for name in names:
        await lobby.admit(person(name, admitted=False), ROOM, NOW, waiting=9)
    let = await asyncio.gather(*(lobby.let_in("lobby", name, NOW, NOW + 60) for name in names))
    assert sum(map(len, let)) == 1


async def test_hosts_there(lobby: SqlStore) -> None:
    assert not await lobby.host_there("lobby", NOW)
    await lobby.admit(person("hanna", role="host"), ROOM, NOW)
    await lobby.admit(person("alice", session="s"), ROOM, NOW)
    assert (await lobby.host_there("lobby", NOW), await lobby.host_there("lobby", NOW + 31)) == (True, False)
    assert await lobby.connected_hosts("lobby", 9) == []
    await lobby.admit(person("hans", role="host", session="s2"), ROOM, NOW)
    assert await lobby.connected_hosts("lobby", 9) == ["hans"]


async def test_members(lobby: SqlStore) -> None:
    alice = Member("lobby", "u_a", "guest", NOW)
    assert await lobby.put_member(alice, 2) == "put"
    assert await lobby.put_member(replace(alice, user="u_b"), 2) == "put"
    assert await lobby.put_member(replace(alice, user="u_c"), 2) == "full"
    assert await lobby.put_member(replace(alice, role="host"), 2) == "put"
    assert await lobby.member("lobby", "u_a") == replace(alice, role="host")
    assert await lobby.member("other", "u_a") is None
    assert sorted(one.user for one in await lobby.members("lobby")) == ["u_a", "u_b"]
    assert await lobby.remove_member("lobby", "u_b")
    assert not await lobby.remove_member("lobby", "u_b")


async def test_invitations(lobby: SqlStore) -> None:
    kept = invitation("a", expires_at=NOW + 60, max_uses=2)
    assert await lobby.add_invitation(kept, 2) == "added"
    assert await lobby.add_invitation(invitation("old", expires_at=NOW - 1), 2) == "added"
    assert await lobby.add_invitation(invitation("spent", max_uses=1, uses=1), 2) == "added"
    assert await lobby.add_invitation(invitation("b"), 2) == "added"
    assert await lobby.add_invitation(invitation("c"), 2) == "full"
    assert await lobby.invitation_of("digest of a") == kept
    assert await lobby.invitation_of("digest of z") is None
    assert not await lobby.revoke_invitation("other", "a")
    assert await lobby.revoke_invitation("lobby", "a") and await lobby.revoke_invitation("lobby", "a")
    used = [await lobby.admit(person(name), ROOM, NOW, invitation=name) for name in ("a", "old", "spent", "b")]
    assert used == ["spent", "spent", "spent", 1]


async def test_uses_are_counted_exactly(lobby: SqlStore) -> None:
    await lobby.change_room("lobby", {"max_participants": 50})
    big = replace(ROOM, max_participants=50)
    await lobby.add_invitation(invitation("a", max_uses=3), 9)
    outcomes = await asyncio.gather(*(lobby.admit(person(f"p{n}"), big, NOW, invitation="a") for n in range(8)))
    assert sum(outcome == "spent" for outcome in outcomes) == 5
    found = await lobby.invitation_of("digest of a")
    assert found is not None and found.uses == 3


async def pages(store: SqlStore, limit: int, **wanted: Any) -> list[str]:
    """All ids, page by page."""
    found: list[str] = []
    before = None
    while True:
        page = await store.search_rooms(Search(**wanted, before=before, limit=limit), NOW)
        found += [one.room.id for one in page]
        if len(page) < limit:
            return found
        before = page[-1].room.used_at, page[-1].room.id


async def test_lists(store: SqlStore) -> None:
    for number in range(6):
        owner = "u_1" if number % 2 else "u_2"
        used = NOW + number // 2
        room = Room(f"r{number}", f"Team_{number} Ä", 9, created_at=NOW, used_at=used, owner=owner)
        await store.add_room(room, 100)
    await store.put_member(Member("r2", "u_1", "host", NOW), 9)
    await store.admit(replace(person("alice"), room="r5"), replace(ROOM, id="r5", used_at=NOW + 2), NOW)
    mine = ["r5", "r3", "r2", "r1"]
    for limit in (1, 2, 4, 50):
        assert await pages(store, limit, user="u_1", asking="u_1") == mine
    assert await pages(store, 4, user=None, asking="u_9") == ["r5", "r4", "r3", "r2", "r1", "r0"]
    first, *_ = await store.search_rooms(Search("u_1", "u_1"), NOW)
    assert (first.people, first.number, first.membership) == (1, None, None)
    third = (await store.search_rooms(Search("u_1", "u_1"), NOW))[2]
    assert (third.room.id, third.membership) == ("r2", "host")
    for text, found in (("TEAM_3", ["r3"]), ("r1", ["r1"]), ("team%", []), ("_5 Ä", ["r5"])):
        assert await pages(store, 9, user="u_1", asking="u_1", text=text) == found


async def test_a_deleted_room_leaves_nothing(lobby: SqlStore) -> None:
    await lobby.put_member(Member("lobby", "u_a", "guest", NOW), 9)
    await lobby.add_invitation(invitation("a"), 9)
    await lobby.admit(person("waiting", admitted=False), ROOM, NOW, waiting=9)
    assert await lobby.delete_room("lobby")
    assert not await lobby.delete_room("lobby")
    assert (await lobby.members("lobby"), await lobby.invitations("lobby")) == ([], [])
    assert await lobby.person("waiting") is None


async def test_what_nobody_needs_is_forgotten(lobby: SqlStore) -> None:
    day = 86_400.0
    kept = {"a": {}, "b": {"expires_at": NOW + 200 * day}}
    gone = {"c": {"expires_at": NOW + 1}, "d": {"revoked": True}}
    for name, values in {**kept, **gone}.items():
        await lobby.add_invitation(invitation(name, **values), 99)
    await lobby.admit(person("waited", admitted=False), ROOM, NOW, waiting=9)
    await lobby.admit(person("waits", admitted=False, session="s"), ROOM, NOW, waiting=9)
    await lobby.admit(person("was-in"), ROOM, NOW)
    await lobby.forget(people_before=NOW - day, unused_before=NOW - 90 * day, now=NOW + 3601)
    assert [await lobby.person(name) is not None for name in ("waited", "waits", "was-in")] == [False, True, True]
    await lobby.admit(person("late"), replace(ROOM, used_at=NOW + 91 * day), NOW + 91 * day)
    await lobby.forget(people_before=NOW - day, unused_before=NOW + day, now=NOW + 91 * day)
    assert {one.id for one in await lobby.invitations("lobby")} == set(kept)


async def test_rooms_and_people_of_the_version_before(empty: Database) -> None:
    await migrate(empty)
    store = SqlStore(empty)
    await store.add_room(ROOM, 9)
    await store.admit(person("alice"), ROOM, NOW)
    await downgrade(empty, "0006")
    await migrate(empty)
    plain = Room("lobby", "Lobby", 3, created_at=NOW, used_at=NOW)
    assert (await store.room("lobby"), await store.person("alice")) == (plain, person("alice"))
