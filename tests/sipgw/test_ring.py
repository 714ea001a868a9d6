"""Who has a call that rings in several browsers."""

from __future__ import annotations

import pytest

from confero.errors import Refused
from confero.models.sip import SipBrowser
from confero.sipgw.calls.ring import Ring


def ring(*names: str) -> Ring:
    return Ring([SipBrowser(participant=name, room="r", display_name=name) for name in names])


def test_the_first_to_accept_has_it() -> None:
    both = ring("ann", "bob")
    both.says("ann", "accept")
    both.says("ann", "accept")  # an answer that was lost is given again
    assert both.taken_by is not None and both.taken_by.participant == "ann" and both.over == "accepted"
    with pytest.raises(Refused) as caught:
        both.says("bob", "accept")
    assert (caught.value.status, caught.value.code) == (409, "call-over")


def test_strangers_have_no_say() -> None:
    with pytest.raises(Refused) as caught:
        ring("ann").says("eve", "accept")
    assert (caught.value.status, caught.value.code) == (404, "call-unknown")


@pytest.mark.parametrize(
    ("said", "over", "status"),
    [
        (["busy", "busy"], "declined", 486),
        (["busy", "decline"], "declined", 603),
        (["decline"], None, 480),
        ([], None, 480),
    ],
)
def test_what_the_caller_is_answered(said: list[str], over: str | None, status: int) -> None:
    both = ring("ann", "bob")
    for name, action in zip(("ann", "bob"), said, strict=False):
        both.says(name, action)  # type: ignore[arg-type]
    assert (both.over, both.status) == (over, status)
    both.end("no-answer")
    assert both.status == status and both.taken_by is None
    assert len(both.asked) == 2 - len(said)


def test_whoever_was_busy_may_think_again_while_it_rings() -> None:
    both = ring("ann", "bob")
    both.says("ann", "busy")
    both.says("ann", "accept")
    assert both.over == "accepted"
