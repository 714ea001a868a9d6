"""The rules at the door, as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from confero.appserver.rooms import rules
from confero.appserver.rooms.entities import Room
from confero.appserver.rooms.rules import Standing, Visitor
from confero.errors import Refused
from confero.models import Role

ROOM = Room("r", "R", 9, created_at=0, used_at=0, owner="u_owner")
NOTHING, GUEST, HOST = Standing(), Standing("guest"), Standing("host")
MEMBER = Standing("guest", member=True)


@pytest.mark.parametrize(
    ("visitor", "membership", "standing"),
    [
        (Visitor(), None, NOTHING),
        (Visitor(user="u_other", role="user"), None, NOTHING),
        (Visitor(user="u_owner", role="user"), None, Standing("host", member=True)),
        (Visitor(user="u_other", role="moderator"), "guest", Standing("host", member=True)),
        (Visitor(user="u_other", role="admin"), None, Standing("host", member=True)),
        (Visitor(user="u_other", role="user"), "guest", MEMBER),
        (Visitor(user="u_other", role="user"), "host", Standing("host", member=True)),
        (Visitor(role="admin"), None, NOTHING),
    ],
)
def test_what_an_account_is(visitor: Visitor, membership: Role | None, standing: Standing) -> None:
    assert rules.by_account(ROOM, visitor, membership) == standing


def test_a_room_without_owner_is_nobodys() -> None:
    assert rules.by_account(replace(ROOM, owner=None), Visitor(), None) == NOTHING


@pytest.mark.parametrize(
    ("pin", "locked", "standing", "code"),
    [
        (None, False, NOTHING, None),
        ("sealed", False, NOTHING, "pin-needed"),
        ("sealed", False, GUEST, None),
        ("sealed", False, MEMBER, None),
        ("sealed", True, NOTHING, "pin-needed"),
        (None, True, NOTHING, "room-locked"),
        (None, True, GUEST, "room-locked"),
        (None, True, MEMBER, None),
        ("sealed", True, HOST, None),
    ],
)
def test_who_may_come_in(pin: str | None, locked: bool, standing: Standing, code: str | None) -> None:
    room = replace(ROOM, pin=pin, locked=locked)
    if code is None:
        rules.check(room, standing)
        return
    with pytest.raises(Refused) as caught:
        rules.check(room, standing)
    assert (caught.value.status, caught.value.code) == (403, code)


@pytest.mark.parametrize(
    ("lobby", "host_first", "host_there", "waiting"),
    [
        (False, False, False, set()),
        (True, False, True, {"nothing", "guest"}),
        (False, True, False, {"nothing", "guest"}),
        (False, True, True, set()),
        (True, True, True, {"nothing", "guest"}),
    ],
)
def test_who_waits(lobby: bool, host_first: bool, host_there: bool, waiting: set[str]) -> None:
    room = replace(ROOM, lobby=lobby, host_first=host_first)
    everybody = {"nothing": NOTHING, "guest": GUEST, "host": HOST, "member": MEMBER}
    found = {name for name, one in everybody.items() if rules.waits(room, one, host_there=host_there)}
    assert found == waiting


def test_who_may_speak() -> None:
    asked = replace(ROOM, speak="request")
    cases = [(ROOM, "guest", False), (asked, "guest", False), (asked, "guest", True), (asked, "host", False)]
    assert [rules.may_speak(*case) for case in cases] == [True, False, True, True]  # type: ignore[arg-type]
