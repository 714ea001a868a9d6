"""Notices: order, repetition, bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from confero.clock import FakeClock
from confero.errors import Refused, Unavailable
from confero.models import TOLD_AT_ONCE, SessionNotices, SessionsSnapshot
from confero.notifier.hub import Hub, HubLimits, Session
from confero.notifier.notices import NoticeLimits, Notices
from confero.runtime.tasks import spawn

from ..support.waiting import until
from .fakes import grant


class ScriptedAppServer:
    """Fails with what stands in ``script`` first."""

    def __init__(self) -> None:
        self.script: list[Exception] = []
        self.got: list[str] = []
        self.calls = 0

    def _fail(self) -> None:
        if self.script:
            raise self.script.pop(0)

    async def notices(self, notices: SessionNotices) -> None:
        self._fail()
        self.calls += 1
        self.got += [f"{notice.kind} {notice.participant}" for notice in notices.notices]

    async def snapshot(self, snapshot: SessionsSnapshot) -> None:
        self._fail()
        self.got.append(f"snapshot of {len(snapshot.sessions)}")


class Bench:
    def __init__(self, limits: NoticeLimits | None = None) -> None:
        self.clock = FakeClock()
        self.appserver = ScriptedAppServer()
        self.hub = Hub(self.clock, HubLimits(), lambda session, cause: None)
        self.notices = Notices(
            self.appserver, "n1", self.hub.sessions, self.clock, limits or NoticeLimits(retry_s=(0.0,), pause_s=0.0)
        )
        self.task: asyncio.Task[None] | None = None

    def run(self) -> None:
        self.task = spawn(self.notices.run(), name="notices")

    def session(self, name: str) -> Session:
        return self.hub.open(grant(name), "token")


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    if bench.task is not None:
        bench.task.cancel()


async def test_snapshot_comes_first_then_notices_in_order(bench: Bench) -> None:
    alice, bob = bench.session("alice"), bench.session("bob")
    bench.notices.connected(alice)
    bench.notices.connected(bob)
    bench.notices.disconnected(alice)
    bench.run()
    await until(lambda: len(bench.appserver.got) == 4)
    assert bench.appserver.got == ["snapshot of 2", "connected alice", "connected bob", "disconnected alice"]


async def test_an_absent_application_server_is_asked_again(bench: Bench) -> None:
    bench.appserver.script = [Unavailable("away")] * 5
    bench.notices.connected(bench.session("alice"))
    bench.run()
    await until(lambda: "connected alice" in bench.appserver.got)
    assert bench.appserver.got == ["snapshot of 1", "connected alice"]


async def test_a_refused_notice_is_not_repeated(bench: Bench) -> None:
    bench.run()
    await until(lambda: bench.appserver.got)
    bench.appserver.script = [Refused("no", status=404)]
    bench.notices.connected(bench.session("alice"))
    await until(lambda: not bench.appserver.script)
    bench.notices.connected(bench.session("bob"))
    await until(lambda: len(bench.appserver.got) == 2)
    assert bench.appserver.got[1:] == ["connected bob"]


async def test_a_refused_snapshot_does_not_stop_notices(bench: Bench) -> None:
    bench.appserver.script = [Refused("no", status=403)]
    bench.notices.connected(bench.session("alice"))
    bench.run()
    await until(lambda: bench.appserver.got == ["connected alice"])


async def test_a_full_queue_drops_the_oldest() -> None:
    bench = Bench(NoticeLimits(queue=2, retry_s=(0.0,), pause_s=0.0))
    for name in ("alice", "bob", "carol"):
        bench.notices.connected(bench.session(name))
    assert bench.notices.dropped == 1
    bench.run()
    await until(lambda: len(bench.appserver.got) == 3)
    assert bench.appserver.got == ["snapshot of 3", "connected bob", "connected carol"]
    assert bench.task is not None
    bench.task.cancel()


async def test_snapshots_are_repeated(bench: Bench) -> None:
    bench.run()
    await until(lambda: bench.appserver.got == ["snapshot of 0"])
    alice = bench.session("alice")
    bench.clock.advance(30)
    bench.notices.connected(alice)  # wakes the sender, which finds a snapshot due
    await until(lambda: len(bench.appserver.got) == 3)
    assert bench.appserver.got[1:] == ["snapshot of 1", "connected alice"]


async def test_a_burst_goes_in_few_calls(bench: Bench) -> None:
    for number in range(TOLD_AT_ONCE + 10):
        bench.notices.connected(bench.session(f"p{number}"))
    bench.run()
    await until(lambda: len(bench.appserver.got) == TOLD_AT_ONCE + 11)
    assert bench.appserver.calls == 2
    assert bench.appserver.got[1:] == [f"connected p{number}" for number in range(TOLD_AT_ONCE + 10)]
