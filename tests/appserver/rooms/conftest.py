"""Reception and presence on a real store (SQLite) under a fake clock, with a notifier that only listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest

from confero.appserver.db.engine import Database, database_url
from confero.appserver.db.repositories import SqlStore
from confero.appserver.db.sipcalls import SqlCallStore
from confero.appserver.rooms.farm import Farm
from confero.appserver.rooms.house import House
from confero.appserver.rooms.joining import Admission
from confero.appserver.rooms.policy import Policy
from confero.appserver.rooms.presence import Presence
from confero.appserver.sip.vault import Vault
from confero.clock import FakeClock
from confero.models import (
    JoinRequest,
    LegRecord,
    LegRecords,
    McuHeartbeat,
    McuRegister,
    Publish,
    RoomPlacement,
    SessionNotice,
    SessionNotices,
)

from ..migrated import give_tables

SECRET = b"a secret of the reception's tests 12"
VAULT = Vault(SECRET)


class ListeningNotifier:
    """Keeps placements; fails with ``failure`` if that is set."""

    def __init__(self) -> None:
        self.placed: list[tuple[str, RoomPlacement]] = []
        self.published: list[Publish] = []
        self.failure: Exception | None = None

    async def place(self, room: str, placement: RoomPlacement) -> None:
        if self.failure is not None:
            raise self.failure
        self.placed.append((room, placement))

    async def publish(self, message: Publish) -> None:
        if self.failure is not None:
            raise self.failure
        self.published.append(message)


class Bench:
    """Everything that decides, and short ways to make things happen."""

    def __init__(self, database: Database) -> None:
        self.clock = FakeClock()
        self.store = SqlStore(database)
        self.attempts = SqlCallStore(database)
        self.notifier = ListeningNotifier()
        self.restart()

    def restart(self) -> None:
        """A new process on the same database."""
        self.farm = Farm(self.clock, silence_s=6)
        self.house = self.make_house(Policy())
        self.reception = self.house.reception
        self.presence = Presence(
            self.store, self.farm, self.notifier, self.clock, join_grace_s=30, changing=asyncio.Lock()
        )

    def make_house(self, policy: Policy) -> House:
        return House(self.store, self.attempts, VAULT, self.farm, self.notifier, self.clock, SECRET, policy)

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
        return (await self.house.catalogue.look(room))[1]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    database = Database(database_url(None, tmp_path))
    await give_tables(tmp_path / "confero.db")
    bench = Bench(database)
    await bench.house.catalogue.ensure_default("lobby")
    yield bench
    await database.close()
