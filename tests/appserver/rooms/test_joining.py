"""Joining by a room's rules: PINs, invitations, members, lock, and hosts who come first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from confero.appserver.rooms.entities import Member, Room
from confero.appserver.rooms.joining import Admission
from confero.appserver.rooms.policy import Policy
from confero.appserver.rooms.rules import Visitor
from confero.errors import Refused
from confero.models import JoinRequest, RoomCreate
from confero.models.meetings import InvitationCreate

from .conftest import Bench

OWNER = Visitor("192.0.2.1", "u_owner", "user")
GUEST = Visitor("192.0.2.2")


@pytest.fixture
async def bench(bench: Bench) -> Bench:
    await bench.mcu()
    return bench


async def room(bench: Bench, **wish: Any) -> Room:
    return await bench.house.catalogue.create(RoomCreate(**wish), "u_owner")


async def join(bench: Bench, where: Room, visitor: Visitor = GUEST, name: str = "Alice", **more: Any) -> Admission:
    return await bench.reception.join(where.id, JoinRequest(display_name=name, **more), visitor)


async def refusal(bench: Bench, where: Room, visitor: Visitor = GUEST, **more: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        await join(bench, where, visitor, **more)
    return caught.value


async def invited(bench: Bench, where: Room, **wish: Any) -> str:
    return (await bench.house.invitations.make(where.id, InvitationCreate(**wish), "owner"))[1]


# --- PINs ------------------------------------------------------------------------------------------------------------


async def test_a_pin_lets_in_and_the_hosts_pin_makes_hosts(bench: Bench) -> None:
    where = await room(bench, pin="1234", host_pin="98765")
    assert (await refusal(bench, where)).code == "pin-needed"
    assert (await refusal(bench, where, pin="0000")).code == "pin-wrong"
    assert (await join(bench, where, pin="1234")).person.role == "guest"
    host = await join(bench, where, pin="98765")
    assert (await bench.reception.check(host.token)).role == "host"
    assert (await bench.store.person(host.person.id)) == replace(host.person)


async def test_a_hosts_pin_alone_keeps_nobody_out(bench: Bench) -> None:
    where = await room(bench, host_pin="98765")
    assert (await join(bench, where)).person.role == "guest"
    assert (await join(bench, where, pin="98765")).person.role == "host"
    assert (await refusal(bench, where, pin="98764")).code == "pin-wrong"


async def test_pins_are_sealed_for_their_room(bench: Bench) -> None:
    where = await room(bench, pin="1234")
    kept = await bench.house.catalogue.known(where.id)
    assert kept.pin is not None and "1234" not in kept.pin
    assert bench.house.pins.show(where.id, kept.pin) == "1234"
    await bench.store.change_room("lobby", {"pin": kept.pin})
    with pytest.raises(Exception, match="sealed under another"):
        bench.house.pins.show("lobby", kept.pin)


async def test_tries_are_bounded_for_a_source_and_outlive_the_process(bench: Bench) -> None:
    where = await room(bench, pin="1234")
    assert [(await refusal(bench, where, pin="0000")).code for _ in range(4)] == ["pin-wrong"] * 3 + ["too-many-tries"]
    bench.restart()
    await bench.mcu()
    refused = await refusal(bench, where, pin="1234")
    assert (refused.status, refused.code) == (429, "too-many-tries")
    assert 0 < refused.retry_after_s <= 30
    assert (await join(bench, where, Visitor("192.0.2.3"), pin="1234")).person.role == "guest"
    bench.clock.advance(31)
    await bench.mcu()
    assert (await join(bench, where, pin="1234")).person.role == "guest"


async def test_right_tries_cost_nothing(bench: Bench) -> None:
    where = await room(bench, pin="1234")
    for _ in range(12):
        await join(bench, where, pin="1234")


async def test_many_tries_at_once_do_not_pass_together(bench: Bench) -> None:
    where = await room(bench, pin="1234")
    refused = await asyncio.gather(*(refusal(bench, where, pin=f"000{n}") for n in range(8)))
    assert sorted(one.code for one in refused) == ["pin-wrong"] * 3 + ["too-many-tries"] * 5


# --- accounts --------------------------------------------------------------------------------------------------------


async def test_owner_and_members_need_no_pin(bench: Bench) -> None:
    where = await room(bench, pin="1234", lobby=True)
    await bench.store.put_member(Member(where.id, "u_guest", "guest", 0), 9)
    await bench.store.put_member(Member(where.id, "u_host", "host", 0), 9)
    found = {}
    for user in ("u_owner", "u_guest", "u_host"):
        person = (await join(bench, where, Visitor(user=user, role="user"))).person
        found[person.user] = (person.role, person.admitted)
    assert found == {"u_owner": ("host", True), "u_guest": ("guest", True), "u_host": ("host", True)}


async def test_a_locked_room_is_for_hosts_and_members(bench: Bench) -> None:
    where = await room(bench, host_pin="98765")
    inside = await join(bench, where)
    await bench.store.change_room(where.id, {"locked": True})
    await bench.store.put_member(Member(where.id, "u_guest", "guest", 0), 9)
    assert (await refusal(bench, where)).code == "room-locked"
    await join(bench, where, previous_token=inside.token)
    for visitor, pin in ((OWNER, None), (Visitor(user="u_guest", role="user"), None), (GUEST, "98765")):
        assert (await join(bench, where, visitor, pin=pin)).person.admitted


async def test_coming_back_keeps_role_and_needs_no_pin(bench: Bench) -> None:
    where = await room(bench, pin="1234", host_pin="98765")
    host = await join(bench, where, pin="98765")
    again = await join(bench, where, previous_token=host.token)
    assert (again.person.id, again.person.role) == (host.person.id, "host")


async def test_a_pin_that_came_later_holds_for_whoever_was_forgotten(bench: Bench) -> None:
    where = await room(bench)
    first = await join(bench, where)
    bench.clock.advance(100)
    now = bench.clock.wall()
    await bench.store.forget(people_before=now, unused_before=0, now=now)
    await bench.store.change_room(where.id, {"pin": bench.house.pins.seal(where.id, "1234")})
    await bench.mcu()
    assert (await refusal(bench, where, previous_token=first.token)).code == "pin-needed"
    again = await join(bench, where, previous_token=first.token, pin="1234")
    assert again.person.id == first.person.id


# --- invitations -----------------------------------------------------------------------------------------------------


async def test_an_invitation_stands_for_the_pin(bench: Bench) -> None:
    where = await room(bench, pin="1234")
    guest, host = await invited(bench, where), await invited(bench, where, role="host")
    assert (await join(bench, where, invitation=guest)).person.role == "guest"
    assert (await join(bench, where, invitation=host)).person.role == "host"
    assert guest not in str(await bench.store.invitations(where.id))


async def test_an_invitation_is_used_up_by_first_joins_alone(bench: Bench) -> None:
    where = await room(bench, pin="1234")
    secret = await invited(bench, where, max_uses=2)
    first = await join(bench, where, invitation=secret)
    for _ in range(3):
        await join(bench, where, previous_token=first.token, invitation=secret)
    await join(bench, where, OWNER, invitation=secret)
    await join(bench, where, invitation=secret)
    assert (await refusal(bench, where, invitation=secret)).code == "invitation-used"
    assert [one.uses for one in await bench.house.invitations.of_room(where.id)] == [2]


async def test_a_join_that_fails_uses_nothing(bench: Bench) -> None:
    where = await room(bench, max_participants=2)
    secret = await invited(bench, where, max_uses=1)
    inside = [await join(bench, where), await join(bench, where)]
    assert (await refusal(bench, where, invitation=secret)).code == "room-full"
    assert [one.uses for one in await bench.house.invitations.of_room(where.id)] == [0]
    assert len(inside) == 2


async def test_the_last_use_is_had_once(bench: Bench) -> None:
    where = await room(bench)
    secret = await invited(bench, where, max_uses=1)
    outcomes = await asyncio.gather(*(join(bench, where, invitation=secret) for _ in range(6)), return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert [one.code for one in refused] == ["invitation-used"] * 5
    assert await bench.count(where.id) == 1


async def test_invitations_that_are_over(bench: Bench) -> None:
    where, other = await room(bench), await room(bench)
    timed = await invited(bench, where, expires_at=bench.clock.wall() + 60)
    revoked = await invited(bench, where)
    first = await bench.house.invitations.of_room(where.id)
    await bench.house.invitations.revoke(where.id, next(one.id for one in first if one.expires_at is None))
    elsewhere = await invited(bench, other)
    bench.clock.advance(60)
    await bench.mcu()
    codes = [(await refusal(bench, where, invitation=one)).code for one in (timed, revoked, elsewhere, "nonsense")]
    assert codes == ["invitation-expired", *["invitation-invalid"] * 3]


async def test_invitations_are_bounded(bench: Bench) -> None:
    where = await room(bench)
    invitations = bench.make_house(Policy(invitations_per_room=2)).invitations
    made = [(await invitations.make(where.id, InvitationCreate(), "o"))[0] for _ in range(2)]
    with pytest.raises(Refused, match="too many"):
        await invitations.make(where.id, InvitationCreate(), "o")
    await invitations.revoke(where.id, made[0].id)
    await invitations.make(where.id, InvitationCreate(), "o")
    with pytest.raises(Refused, match="no such"):
        await invitations.revoke("lobby", made[1].id)


# --- who waits -------------------------------------------------------------------------------------------------------


async def test_hosts_first(bench: Bench) -> None:
    where = await room(bench, host_first=True)
    early = await join(bench, where)
    assert (early.person.admitted, early.people) == (False, 0)
    assert (await bench.reception.check(early.token)).waiting
    await join(bench, where, OWNER)
    assert not (await bench.reception.check(early.token)).waiting
    assert (await join(bench, where, previous_token=early.token)).person.admitted
    assert (await join(bench, where)).person.admitted
    assert await bench.count(where.id) == 3


async def test_who_waits_takes_no_place_and_is_bounded(bench: Bench) -> None:
    where = await room(bench, lobby=True, max_participants=2)
    house = bench.make_house(Policy(waiting_per_room=3))
    for _ in range(3):
        assert not (await house.reception.join(where.id, JoinRequest(display_name="A"))).person.admitted
    with pytest.raises(Refused) as caught:
        await house.reception.join(where.id, JoinRequest(display_name="A"))
    assert (caught.value.status, caught.value.code) == (409, "lobby-full")
    assert (await join(bench, where, OWNER)).people == 1
    assert await bench.count(where.id) == 1


async def test_a_host_by_pin_waits_no_longer(bench: Bench) -> None:
    where = await room(bench, lobby=True, host_pin="98765")
    waiting = await join(bench, where)
    inside = await join(bench, where, previous_token=waiting.token, pin="98765")
    assert (inside.person.id, inside.person.role, inside.person.admitted) == (waiting.person.id, "host", True)
    assert (await bench.reception.check(inside.token)).role == "host"
