"""Clients that go without a word: at the end of the lifetime nothing is left of them, and who refreshes stays."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from confero.models.turn import TurnTransport
from confero.protocols.turn import Settings
from confero.turn import app
from confero.turn.config import TurnConfig

from ..support.waiting import until
from .house import House, Talk

WAYS: list[TurnTransport] = ["udp", "tcp", "tls"]
OF_EACH = 8
LIFE_S = 3


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lifetimes that no operator could set, so that nobody has to wait for their end."""
    made = app.turn_settings

    def shortened(config: TurnConfig, families: frozenset[int]) -> Settings:
        return dataclasses.replace(made(config, families), default_lifetime_s=LIFE_S, max_lifetime_s=LIFE_S)

    monkeypatch.setattr(app, "turn_settings", shortened)


def fall_silent(talk: Talk) -> None:
    """No refresh any more, and no word of leaving: as where the machine has lost its network."""
    talk.transport._TurnTransport__inner_protocol.refresh_task.cancel()  # type: ignore[attr-defined]


async def test_state_is_gone_at_the_lifetimes_end(house: House) -> None:
    echo, stays = await house.echo(), await house.allocate()
    assert await stays.ask(echo) == b"echo hello"
    ports, files = len(house.app.ports), _descriptors()
    talks = await asyncio.gather(*(house.allocate(via) for via in WAYS for _ in range(OF_EACH)))
    for talk in talks:
        fall_silent(talk)
    assert len({talk.relayed for talk in (stays, *talks)}) == len(talks) + 1
    await until(lambda: house.app.server.allocations == 1, "the end of who is silent")
    await until(lambda: len(house.app.ports) == ports, "their ports' coming back")
    assert [row["relayed"] for row in await house.get("/v1/allocations")] == [["{}:{}".format(*stays.relayed)]]
    assert await stays.ask(echo) == b"echo hello"
    for talk in talks:
        talk.transport._TurnTransport__inner_protocol.transport.abort()  # type: ignore[attr-defined]
    await until(lambda: _descriptors() <= files, "no socket that is left")


async def test_nothing_comes_through_any_more(house: House) -> None:
    echo, talk = await house.echo(), await house.allocate("tcp")
    assert await talk.ask(echo) == b"echo hello"
    fall_silent(talk)
    await until(lambda: not house.app.server.allocations, "the end of who is silent")
    with pytest.raises(TimeoutError):
        await talk.ask(echo, seconds=0.3)
    assert len(echo.heard) == 1
    assert await house.metric("drops", reason="no_allocation") >= 1


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
