"""Requests on their way: a trunk's servers one after the other, and what is heard late of one that was given up."""

from __future__ import annotations

import asyncio

from confero.protocols.sip import Request, Response, Target
from confero.protocols.sip.locate import Destination

from ..support.waiting import until
from .sipparts import Net, request
from .test_registrar import Silent

FIRST, SECOND = Destination("203.0.113.1", 5060, "udp"), Destination("203.0.113.2", 5070, "tcp")


class Watcher:
    def __init__(self) -> None:
        self.heard: list[tuple[int, str]] = []
        self.silence: list[bool] = []

    def responded(self, response: Response, source: Target) -> None:
        self.heard.append((response.status, source.host))

    def unanswered(self, *, sent: bool) -> None:
        self.silence.append(sent)


class Case:
    def __init__(self, method: str = "INVITE", patience_s: float | None = 0.02) -> None:
        self.net, self.watcher, self.user = Net(), Watcher(), Silent()
        self.net.endpoint.serve(self.user)  # type: ignore[arg-type]
        one = request(method, "sip:4930@provider.example")
        one.headers.remove("Via")
        self.errand = self.net.sender.start(one, self.watcher, servers=[FIRST, SECOND], patience_s=patience_s)

    @property
    def sent(self) -> list[tuple[Request, Target]]:
        seen = {}
        for one, target in self.net.wire.requests("INVITE") + self.net.wire.requests("OPTIONS"):
            seen.setdefault(one.top_via.branch, (one, target))
        return list(seen.values())

    async def until_sent(self, count: int) -> None:
        await until(lambda: len(self.sent) >= count)


async def test_the_first_server_is_asked_where_the_uri_does_not_lead() -> None:
    case = Case()
    (one, target), *_ = case.sent
    assert (one.uri, target) == ("sip:4930@provider.example", Target("udp", "203.0.113.1", 5060))
    assert "Route" not in one.headers


async def test_a_server_that_is_busy_is_passed_over() -> None:
    case = Case(patience_s=None)
    case.net.answer(*case.sent[0], 503)
    assert case.sent[1][1] == Target("tcp", "203.0.113.2", 5070)
    case.net.answer(*case.sent[1], 486)
    assert case.watcher.heard == [(486, "203.0.113.2")]


async def test_what_the_called_says_is_final() -> None:
    case = Case(patience_s=None)
    case.net.answer(*case.sent[0], 404)
    assert case.watcher.heard == [(404, "203.0.113.1")] and len(case.sent) == 1


async def test_a_silent_server_is_given_up_in_time() -> None:
    case = Case()
    await case.until_sent(2)
    case.net.answer(*case.sent[1], 200)
    assert case.watcher.heard == [(200, "203.0.113.2")]


async def test_who_has_said_something_is_waited_for() -> None:
    case = Case()
    case.net.answer(*case.sent[0], 100)
    await asyncio.sleep(0.06)
    assert len(case.sent) == 1 and case.watcher.silence == []


async def test_one_that_wakes_up_late_is_cancelled() -> None:
    case = Case()
    await case.until_sent(2)
    case.net.answer(*case.sent[0], 180)
    assert [target.host for _, target in case.net.wire.requests("CANCEL")] == ["203.0.113.1"]
    assert case.watcher.heard == []


async def test_one_that_answers_late_is_told_to_the_call() -> None:
    case = Case()
    await case.until_sent(2)
    case.net.answer(*case.sent[0], 200)
    assert case.watcher.heard == []
    assert [type(event).__name__ for event in case.user.came] == ["StrayResponse"]


async def test_silence_everywhere_is_told_once() -> None:
    case = Case("OPTIONS")
    await until(lambda: case.watcher.silence)
    assert case.watcher.silence == [True] and len(case.sent) == 2


async def test_a_large_request_goes_by_udp_where_that_was_asked_for() -> None:
    net, watcher = Net(), Watcher()
    one = request("INVITE", "sip:4930@provider.example")
    one.headers.remove("Via")
    one.body = b"x" * 2000
    net.sender.start(one, watcher, servers=[FIRST])
    net.sender.start(one, watcher, servers=[Destination("203.0.113.3")])
    assert [target.transport for _, target in net.wire.requests("INVITE")] == ["udp", "tcp"]
