"""One INVITE on several branches: what the caller hears of it, and what becomes of the phones that were slower."""

from __future__ import annotations

import pytest

from confero.protocols.sip import Request, Response, Target
from confero.sipgw.calls.forking import Branch, Forking

from .sipparts import Net, request
from .test_registrar import Silent

PHONES = [Target("udp", f"203.0.113.{n}", 5060, 0) for n in (1, 2, 3)]
BRANCHES = [Branch(f"sip:phone{n}@10.0.0.{n}", flow=phone, near=phone) for n, phone in enumerate(PHONES, 1)]


class Caller:
    def __init__(self) -> None:
        self.heard: list[int] = []
        self.silence: list[bool] = []
        self.places: dict[str, Target | None] = {}

    def responded(self, response: Response, source: Target) -> None:
        self.heard.append(response.status)

    def unanswered(self, *, sent: bool) -> None:
        self.silence.append(sent)

    def reached(self, tag: str, flow: Target | None) -> None:
        self.places[tag] = flow


class Case:
    def __init__(self, count: int = 2) -> None:
        self.net, self.caller, self.user = Net(), Caller(), Silent()
        self.net.endpoint.serve(self.user)  # type: ignore[arg-type]
        self.net.clock.advance(1)
        invite = request("INVITE", "sip:alice@confero")
        invite.headers.remove("Via")
        self.forking = Forking(self.net.sender, invite, BRANCHES[:count], self.caller)
        self.invites: list[tuple[Request, Target]] = self.net.wire.requests("INVITE")

    def answer(self, phone: int, status: int) -> None:
        sent, target = self.invites[phone]
        self.net.answer(sent, target, status)

    def cancelled(self) -> list[Target]:
        return [target for _, target in self.net.wire.requests("CANCEL")]


async def test_each_phone_gets_an_invite_of_its_own() -> None:
    case = Case(3)
    assert [(one.uri, target) for one, target in case.invites] == [(b.uri, b.flow) for b in BRANCHES]
    assert len({one.top_via.branch for one, _ in case.invites}) == 3
    assert len({one.call_id for one, _ in case.invites}) == 1
    assert case.invites[0][0].headers.rows("Contact") == ["<sip:confero@192.0.2.1:5060>"]


async def test_the_first_to_answer_has_the_call_and_the_others_stop_ringing() -> None:
    case = Case(3)
    for phone in (0, 1, 2):
        case.answer(phone, 180)
    case.answer(1, 200)
    assert case.caller.heard == [180, 180, 180, 200]
    assert case.cancelled() == [PHONES[0], PHONES[2]]
    case.answer(0, 487)
    case.answer(2, 487)
    assert case.caller.heard[-1] == 200 and case.user.came == []
    tag = case.net.answer(*case.invites[1], 200).to.tag
    assert case.caller.places[tag or ""] == PHONES[1]


async def test_a_second_answer_goes_to_the_session_to_be_hung_up_on() -> None:
    case = Case()
    case.answer(0, 180)
    case.answer(1, 180)
    case.answer(0, 200)
    case.answer(1, 200)
    assert case.caller.heard == [180, 180, 200]
    assert [type(event).__name__ for event in case.user.came] == ["StrayResponse"]


@pytest.mark.parametrize(
    ("finals", "best"),
    [((486, 480), 480), ((404, 503), 404), ((302, 486), 302), ((500, 407), 407), ((486, 487), 486), ((480, 603), 603)],
)
async def test_when_nobody_answers_the_best_refusal_is_passed_on(finals: tuple[int, int], best: int) -> None:
    case = Case()
    for phone, status in enumerate(finals):
        case.answer(phone, status)
    assert case.caller.heard == [best]


async def test_a_decline_for_everywhere_ends_the_ringing() -> None:
    case = Case()
    case.answer(0, 180)
    case.answer(1, 180)
    case.answer(0, 603)
    assert case.cancelled() == [PHONES[1]]
    case.answer(1, 487)
    assert case.caller.heard[-1] == 603


async def test_the_caller_gives_up() -> None:
    case = Case()
    case.answer(0, 180)
    case.forking.cancel()
    assert case.cancelled() == [PHONES[0]], "who has not been heard of is cancelled when he is (9.1)"
    case.answer(1, 180)
    assert case.cancelled() == PHONES[:2]
    case.answer(0, 487)
    case.answer(1, 487)
    assert case.caller.heard[-1] == 487


async def test_silence_everywhere_is_silence() -> None:
    case = Case()
    case.net.clock.advance(33)
    case.net.endpoint._dispatch(case.net.layer.poll(case.net.clock.monotonic()))
    assert case.caller.silence == [True] and case.caller.heard == []
