"""Who may come in, and what their tokens say later."""

from __future__ import annotations

import asyncio

import pytest

from confero.appserver.rooms.policy import Policy
from confero.appserver.rooms.tickets import JOIN
from confero.errors import Refused
from confero.models import JoinRequest, RoomCreate
from confero.tokens import TokenExpired, TokenInvalid, service_token, sign

from .conftest import SECRET, Bench


async def test_default_room_is_made_once(bench: Bench) -> None:
    room, people = await bench.house.catalogue.look("lobby")
    await bench.house.catalogue.ensure_default("lobby")
    assert (room.name, room.permanent, people) == ("Lobby", True, 0)


async def test_created_rooms(bench: Bench) -> None:
    unnamed = await bench.house.catalogue.create(RoomCreate())
    named = await bench.house.catalogue.create(RoomCreate(name="Team", max_participants=7))
    assert unnamed.name.lower() == " ".join(unnamed.id.split("-")[:2])
    assert (named.name, named.max_participants, named.id[:5]) == ("Team", 7, "team-")
    assert (await bench.house.catalogue.look(named.id))[0] == named


async def test_what_a_room_was_made_with_stands_in_its_grants(bench: Bench) -> None:
    await bench.mcu()
    wish = RoomCreate(max_participants=9, talkers=3, noise_dbov=70, announce=True)
    room = await bench.house.catalogue.create(wish)
    admission = await bench.join(room=room.id)
    for told in (await bench.reception.check(admission.token), admission.room):
        assert (told.max_participants, told.talkers, told.noise_dbov, told.announce) == (9, 3, 70, True)
    plain = await bench.reception.check((await bench.join()).token)
    assert (plain.talkers, plain.noise_dbov, plain.announce) == (6, None, False)


async def test_too_many_rooms(bench: Bench) -> None:
    rooms = bench.make_house(Policy(max_rooms=2)).catalogue
    await rooms.create(RoomCreate())
    with pytest.raises(Refused) as caught:
        await rooms.create(RoomCreate())
    assert (caught.value.status, caught.value.code) == (503, "too-many-rooms")


async def test_unknown_room(bench: Bench) -> None:
    for ask in (bench.house.catalogue.look("nowhere"), bench.join(room="nowhere")):
        with pytest.raises(Refused) as caught:
            await ask
        assert (caught.value.status, caught.value.code) == (404, "room-unknown")


async def test_no_media_server(bench: Bench) -> None:
    with pytest.raises(Refused) as caught:
        await bench.join()
    assert caught.value.code == "no-media-server"
    assert await bench.count() == 0


async def test_join_and_check(bench: Bench) -> None:
    await bench.mcu()
    admission = await bench.join("Alice")
    grant = await bench.reception.check(admission.token)
    assert (grant.participant, grant.display_name, grant.room) == (admission.person.id, "Alice", "lobby")
    assert (grant.mcu, grant.mcu_url, grant.max_participants) == ("m1", "http://m1", 100)
    assert grant.expires == admission.expires == bench.clock.wall() + 600
    assert await bench.count() == 1


async def test_newcomers_differ(bench: Bench) -> None:
    await bench.mcu()
    assert (await bench.join()).person.id != (await bench.join()).person.id


async def test_full_room(bench: Bench) -> None:
    await bench.mcu()
    room = await bench.house.catalogue.create(RoomCreate(max_participants=2))
    first = await bench.join("a", room.id)
    await bench.join("b", room.id)
    with pytest.raises(Refused) as caught:
        await bench.join("c", room.id)
    assert (caught.value.status, caught.value.code) == (409, "room-full")
    assert (await bench.join("a", room.id, first.token)).person.id == first.person.id
    bench.clock.advance(31)  # nobody of them has come
    await bench.mcu()
    await bench.join("c", room.id)


async def test_last_place_among_many(bench: Bench) -> None:
    await bench.mcu()
    room = await bench.house.catalogue.create(RoomCreate(max_participants=2))
    outcomes = await asyncio.gather(*(bench.join(f"p{n}", room.id) for n in range(6)), return_exceptions=True)
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 2


async def test_coming_back_keeps_the_identity(bench: Bench) -> None:
    await bench.mcu()
    first = await bench.join("Alice")
    bench.clock.advance(600 + 43_199)
    await bench.mcu()
    again = await bench.join("Alicia", previous=first.token)
    assert again.person.id == first.person.id
    assert (await bench.reception.check(again.token)).display_name == "Alicia"
    assert await bench.count() == 1


async def test_coming_back_after_the_database_has_forgotten(bench: Bench) -> None:
    await bench.mcu()
    first = await bench.join("Alice")
    bench.clock.advance(100)
    now = bench.clock.wall()
    await bench.store.forget(people_before=now, unused_before=0, now=now)
    assert await bench.store.person(first.person.id) is None
    await bench.mcu()
    assert (await bench.join("Alice", previous=first.token)).person.id == first.person.id


async def test_coming_back_too_late(bench: Bench) -> None:
    await bench.mcu()
    first = await bench.join()
    bench.clock.advance(600 + 43_200)
    await bench.mcu()
    with pytest.raises(TokenExpired):
        await bench.join(previous=first.token)


async def test_coming_back_with_what_is_no_token_of_this_room(bench: Bench) -> None:
    await bench.mcu()
    other = await bench.house.catalogue.create(RoomCreate())
    elsewhere = await bench.join(room=other.id)
    now = bench.clock.wall()
    forged = sign(
        {"sub": "p", "room": "lobby"}, kind=JOIN, secret=b"another secret of 32 characters!!", expires=now + 9
    )
    wrong_kind = service_token("notifier", "appserver", secret=SECRET, now=now)
    odd = sign({"sub": 7, "room": ["lobby"]}, kind=JOIN, secret=SECRET, expires=now + 9)
    for token in (elsewhere.token, forged, wrong_kind, odd, "nonsense", elsewhere.token[:-1]):
        with pytest.raises(TokenInvalid):
            await bench.join(previous=token)


async def test_check_of_bad_tokens(bench: Bench) -> None:
    await bench.mcu()
    admission = await bench.join()
    now = bench.clock.wall()
    stranger = sign({"sub": "p_stranger", "room": "lobby"}, kind=JOIN, secret=SECRET, expires=now + 9)
    for token in ("nonsense", stranger, admission.token + "A"):
        with pytest.raises(TokenInvalid):
            await bench.reception.check(token)
    bench.clock.advance(600)
    with pytest.raises(TokenExpired):
        await bench.reception.check(admission.token)


async def test_check_of_a_token_for_another_room_than_the_persons(bench: Bench) -> None:
    await bench.mcu()
    admission = await bench.join()
    other = await bench.house.catalogue.create(RoomCreate())
    claims = {"sub": admission.person.id, "room": other.id}
    token = sign(claims, kind=JOIN, secret=SECRET, expires=bench.clock.wall() + 9)
    with pytest.raises(TokenInvalid):
        await bench.reception.check(token)


async def test_check_of_a_room_that_is_gone(bench: Bench) -> None:
    await bench.mcu()
    token = sign({"sub": "p", "room": "gone"}, kind=JOIN, secret=SECRET, expires=bench.clock.wall() + 9)
    with pytest.raises(Refused) as caught:
        await bench.reception.check(token)
    assert caught.value.code == "room-unknown"


async def test_room_keeps_its_mcu_while_that_lives(bench: Bench) -> None:
    await bench.mcu("m1")
    first = await bench.join()
    await bench.mcu("m2")
    bench.beat("m1", draining=True)
    assert (await bench.reception.check(first.token)).mcu == "m1"
    assert (await bench.reception.check((await bench.join()).token)).mcu == "m1"


async def test_room_of_a_lost_mcu_gets_another(bench: Bench) -> None:
    await bench.mcu("m1")
    first = await bench.join()
    bench.clock.advance(6)
    await bench.mcu("m2")
    assert (await bench.reception.check(first.token)).mcu == "m2"
    await bench.mcu("m1")
    assert (await bench.reception.check(first.token)).mcu == "m2"


async def test_room_placed_by_many_at_once_has_one_home(bench: Bench) -> None:
    for name in ("m1", "m2", "m3"):
        await bench.mcu(name)
    room, _ = await bench.house.catalogue.look("lobby")
    homes = await asyncio.gather(*(bench.reception.home(room) for _ in range(6)))
    assert len({mcu.id for mcu in homes}) == 1


async def test_names_are_only_text(bench: Bench) -> None:
    await bench.mcu()
    name = "<img src=x onerror=alert(1)> '; DROP TABLE rooms; --"
    admission = await bench.reception.join("lobby", JoinRequest(display_name=name))
    assert (await bench.reception.check(admission.token)).display_name == name
