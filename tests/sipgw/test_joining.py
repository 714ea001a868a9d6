"""Two calls of one telephone: who of their other ends moves where, whose end ends whom, and what is not joined."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from confero.errors import Refused
from confero.models.sip import SipPlace, SipPlaceAsk
from confero.sipgw.calls.call import Call
from confero.sipgw.calls.joining import joining, pair

from .test_transfers import World

REPLACES = "?Replaces=second%3Bto-tag%3Dours%3Bfrom-tag%3Dx"


class Other:
    """A call at the other end, or the one that asks; keeps what it is to do."""

    def __init__(self, world: World, room: str, name: str = "Carol") -> None:
        self.about = SimpleNamespace(id=name, room=room)
        self.means = world.call.means
        self.driver = world.call.driver
        self.name = name
        self.partner: Call | None = None
        self.steps: list[Callable[[], Awaitable[None]]] = []
        self.went_to: SipPlace | None = None
        self.hung_up = ""

    def later(self, step: Callable[[], Awaitable[None]]) -> None:
        self.steps.append(step)

    async def go_to(self, place: SipPlace) -> None:
        self.went_to = place

    def hang_up(self, reason: str) -> None:
        self.hung_up = reason


def joined(one: Any, other: Any) -> None:
    one.partner, other.partner = other, one


@pytest.fixture
def world() -> World:
    """The telephone's first call is in the lobby, alone; ``second`` is another of its calls."""
    made = World()
    second = Other(made, "call-2", "second")
    known = {("old", "ours"): made.call, ("second", "ours"): cast(Call, second)}
    made.transfers._book.named = lambda call_id, tag: known.get((call_id, tag))  # type: ignore[method-assign]
    made.second = second  # type: ignore[attr-defined]
    return made


async def test_who_was_asked_comes_to_the_first_call(world: World) -> None:
    second, carol = world.second, Other(world, "call-2")  # type: ignore[attr-defined]
    joined(second, carol)
    assert await world.refer("sip:carol@192.0.2.1" + REPLACES) == [("accepted", 7)]
    (ask,) = world.asked
    assert isinstance(ask, SipPlaceAsk) and (ask.room, ask.caller.from_name) == ("lobby", "Carol")
    assert (second.partner, carol.partner) == (None, None), "the end of the second call is not carol's"
    assert not second.hung_up
    await carol.steps[0]()
    assert carol.went_to is not None and carol.went_to.room == "lobby"
    assert world.session.told[1:] == [("progress", 7, 200, "OK")] and second.hung_up


def test_both_other_ends_are_each_others_then(world: World) -> None:
    second, carol, bob = Other(world, "call-2"), Other(world, "call-2"), Other(world, "lobby", "Bob")
    joined(second, carol)
    joined(world.call, bob)
    plan = joining(world.call, cast(Call, second))
    assert (plan.moves, plan.stays) == (carol, world.call)
    pair(world.call, plan)
    assert (bob.partner, carol.partner) == (carol, bob)
    assert (world.call.partner, second.partner) == (None, None)


def test_who_was_called_first_comes_into_the_room_that_was_asked(world: World) -> None:
    second, bob = Other(world, "meeting"), Other(world, "lobby", "Bob")
    joined(world.call, bob)
    plan = joining(world.call, cast(Call, second))
    assert (plan.moves, plan.stays) == (bob, second)
    pair(world.call, plan)
    assert (world.call.partner, bob.partner) == (None, None)


def test_two_rooms_stay_two(world: World) -> None:
    with pytest.raises(Refused):
        joining(world.call, cast(Call, Other(world, "meeting")))


@pytest.mark.parametrize(("first", "verdict"), [("old", 200), ("second", 481), ("second", 486)])
async def test_what_cannot_be_taken_over(world: World, first: str, verdict: int) -> None:
    """Itself, and what RFC 3891 section 3 forbids."""
    world.session._verdict = verdict
    second = world.second  # type: ignore[attr-defined]
    joined(second, Other(world, "call-2"))
    target = "sip:carol@192.0.2.1" + REPLACES.replace("second", first)
    assert await world.refer(target) == [("refused", 7, 603)]
    assert second.partner is not None and not second.hung_up
