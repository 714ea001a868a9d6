"""Telephony on a real store (SQLite) under a fake clock, with an MCU that is registered and a lobby."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from confero.appserver.config import AppserverConfig
from confero.appserver.db.engine import Database, database_url
from confero.appserver.db.models import participants
from confero.appserver.db.repositories import SqlStore
from confero.appserver.db.sipcalls import SqlCallStore
from confero.appserver.rooms.farm import Farm
from confero.appserver.rooms.house import House
from confero.appserver.rooms.policy import Policy
from confero.appserver.sip.vault import Vault
from confero.appserver.telephony import Telephony
from confero.clock import FakeClock
from confero.models import JoinRequest, McuRegister, Publish, SessionNotice
from confero.models.sip import SipCaller, SipDecision, SipPinAsk, SipPinReply, SipRouteAsk
from confero.models.sipadmin import DialRuleCreate, SipAccountCreate, SipNumberCreate, SipTrunkCreate

from ..migrated import give_tables

SECRET = b"a secret of the telephony's tests 123"
PASSWORD = SecretStr("correct horse")


class Bench:
    """Everything that decides, and short ways to ask it."""

    def __init__(self, database: Database, config: AppserverConfig) -> None:
        self.clock = FakeClock()
        self.database = database
        self.people = SqlStore(database)
        self.farm = Farm(self.clock, silence_s=6)
        self.published: list[Publish] = []
        vault = Vault(SECRET)
        attempts = SqlCallStore(database)
        self.house = House(self.people, attempts, vault, self.farm, self, self.clock, SECRET, Policy())
        self.reception = self.house.reception
        self.telephony = Telephony(config, database, self.people, self.house, vault, self.clock, SECRET)
        self.office = self.telephony.office
        self.store = self.telephony.store
        self.mcu("m1")

    async def publish(self, message: Publish) -> None:
        """As the notifier."""
        self.published.append(message)

    def mcu(self, name: str) -> None:
        """This MCU lives, again if it was silent."""
        self.farm.register(McuRegister(id=name, boot="b1", url=f"http://{name}", capacity=100))

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.mcu("m1")

    async def route(
        self, user: str, *, call: str = "c1", direction: Any = "in", domain: str = "", **caller: Any
    ) -> SipDecision:
        ask = SipRouteAsk(call=call, direction=direction, caller=SipCaller(**caller), user=user, domain=domain)
        return await self.telephony.exchange.route(ask)

    async def pin(self, number: str, pin: str | None = None, *, call: str = "c1", **caller: Any) -> SipPinReply:
        said = SipCaller(**({"source": "192.0.2.1"} | caller))
        return await self.telephony.pins.ask(SipPinAsk(call=call, caller=said, number=number, pin=pin))

    async def number(self, number: str = "4711", room: str = "lobby", pin: str | None = None) -> None:
        await self.office.add_number(SipNumberCreate(room=room, number=number, pin=pin))

    async def account(self, user: str = "alice", **values: Any) -> None:
        given: dict[str, Any] = {"realm": "pbx", "password": PASSWORD, "display_name": user.title()}
        await self.office.add_account(SipAccountCreate(user=user, **(given | values)))

    async def trunk(self, name: str = "pstn", **values: Any) -> None:
        given: dict[str, Any] = {"servers": [{"uri": "sip:pstn.example"}]}
        await self.office.add_trunk(SipTrunkCreate(name=name, **(given | values)))

    async def rule(self, pattern: str, action: Any, target: str = "{user}", **values: Any) -> int | None:
        given: dict[str, Any] = {"position": 10, "direction": "in"}
        wish = DialRuleCreate(pattern=pattern, action=action, target=target, **(given | values))
        return (await self.office.add_rule(wish)).id

    async def browser(self, name: str, room: str = "lobby", role: str = "guest") -> str:
        """The id of a participant who is connected."""
        person = (await self.reception.join(room, JoinRequest(display_name=name))).person
        notice = SessionNotice(
            kind="connected", session=f"s_{person.id}", participant=person.id, room=room, at=self.clock.wall()
        )
        await self.people.note_sessions([notice])
        await self.database.write(
            lambda connection: connection.execute(
                participants.update().where(participants.c.id == person.id).values(role=role)
            )
        )
        return person.id


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    database = Database(database_url(None, tmp_path))
    await give_tables(tmp_path / "confero.db")
    bench = Bench(database, AppserverConfig(state_dir=tmp_path, calls_out_per_hour=3))
    await bench.reception.catalogue.ensure_default("lobby")
    yield bench
    await database.close()
