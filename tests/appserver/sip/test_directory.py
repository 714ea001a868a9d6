"""The directory: what is changed here shows at once, what is changed elsewhere within a second, and the rest costs no question."""

from __future__ import annotations

from dataclasses import replace

from confero.appserver.db.sipstore import SqlSipStore
from confero.appserver.sip.directory import Directory
from confero.appserver.sip.entities import Number, Rule, Trunk

from .conftest import Bench


async def test_our_own_changes_show_at_once(bench: Bench) -> None:
    directory = Directory(bench.store, bench.clock)
    first = await directory.read()
    assert [rule.position for rule in first.rules] == [1000, 1010] and first.trunks == {}
    await bench.trunk("pstn")
    await bench.rule("1", "menu")
    now = await directory.read()
    assert list(now.trunks) == ["pstn"] and len(now.rules) == 3
    await bench.office.delete(Trunk, "pstn")
    assert (await directory.read()).trunks == {}


async def test_changes_of_another_server_show_within_a_second(bench: Bench) -> None:
    directory, other = Directory(bench.store, bench.clock), SqlSipStore(bench.database)
    held = await directory.read()
    await other.add(replace(held.rules[0], id=None, position=1), 99)
    assert await directory.read() is held
    bench.clock.advance(1)
    assert [rule.position for rule in (await directory.read()).rules] == [1000, 1010, 1]


async def test_nothing_is_asked_while_nothing_can_be_new(bench: Bench) -> None:
    asked: list[str] = []

    class Watched(SqlSipStore):
        async def version(self) -> int:
            asked.append("version")
            return await super().version()

        async def enabled(self, kind):  # type: ignore[no-untyped-def]
            asked.append(kind.__name__)
            return await super().enabled(kind)

    directory = Directory(Watched(bench.database), bench.clock)
    for _ in range(5):
        await directory.read()
    assert asked == ["version", Rule.__name__, Trunk.__name__, Number.__name__]
    bench.clock.advance(1)
    for _ in range(5):
        await directory.read()
    assert asked[4:] == ["version"]
