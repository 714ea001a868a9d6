"""Reception and presence on a real store (SQLite) under a fake clock, with a notifier that only listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest

from confero.appserver.db.engine import Database, database_url
from confero.appserver.db.migrate import migrate
from confero.appserver.db.repositories import SqlStore
from confero.appserver.rooms.farm import Farm
from confero.appserver.rooms.presence import Presence
from confero.appserver.rooms.reception import Admission, Policy, Reception
from confero.clock import FakeClock
from confero.models import (
    JoinRequest,
    LegRecord,
    LegRecords,
    McuHeartbeat,
    McuRegister,
    RoomPlacement,
    SessionNotice,
    SessionNotices,
)

SECRET = b"a secret of the reception's tests 12"


class ListeningNotifier:
    """Keeps placements; fails with ``failure`` if that is set."""

    def __init__(self) -> None:
        self.placed: list[tuple[str, RoomPlacement]] = []
        self.failure: Exception | None = None

    async def place(self, room: str, placement: RoomPlacement) -> None:
        if self.failure is not None:
            raise self.failure
        self.placed.append((room, placement))


class Bench:
    """Everything that decides, and short ways to make things happen."""

    def __init__(self, store: SqlStore) -> None:
        self.clock = FakeClock()
        self.store = store
        self.notifier = ListeningNotifier()
        self.restart()

    def restart(self) -> None:
        """A new process on the same database."""
        self.farm = Farm(self.clock, silence_s=6)
        self.reception = Reception(self.store, self.farm, self.clock, SECRET, Policy())
        self.presence = Presence(
            self.store, self.farm, self.notifier, self.clock, join_grace_s=30, changing=asyncio.Lock()
        )

    async def mcu(self, name: str = "m1", *people: str, boot: str = "b1") -> None:
        body = McuRegister(id=name, boot=boot, url=f"http://{name}", capacity=100, participants=list(people))
        await self.presence.registered(body)

    def beat(self, name: str = "m1", *, boot: str = "b1", draining: bool = False) -> None:
        self.presence.heartbeat(name, McuHeartbeat(boot=boot, load=0, rooms=0, legs=0, draining=draining))

    async def join(self, name: str = "Alice", room: str = "lobby", previous: str | None = None) -> Admission:
        return await self.reception.join(room, JoinRequest(display_name=name, previous_token=previous))

    async def session(self, kind: Literal["connected", "disconnected"], admission: Admission, id: str = "s1") -> None:
        notice = SessionNotice(
            kind=kind, session=id, participant=admission.person.id, room=admission.room.id, at=self.clock.wall()
        )
        await self.presence.sessions(SessionNotices(notices=[notice]))

    async def record(self, admission: Admission, event: Any, mcu: str = "m1", reason: str = "") -> None:
        record = LegRecord(
            at=self.clock.wall(),
            mcu=mcu,
            boot="b1",
            room=admission.room.id,
            participant=admission.person.id,
            display_name=admission.person.display_name,
            kind="webrtc",
            event=event,
            reason=reason,
        )
        await self.presence.records(LegRecords(records=[record]))

    async def count(self, room: str = "lobby") -> int:
        return (await self.reception.room(room))[1]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    database = Database(database_url(None, tmp_path))
    await migrate(database)
    bench = Bench(SqlStore(database))
    await bench.reception.ensure_default("lobby")
    yield bench
    await database.close()
