"""A gateway and an MCU in this process on loopback, with an application server that decides as the test says."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from confero.clock import Clock, SystemClock
from confero.errors import Refused
from confero.models import RoomSpec
from confero.models.sip import (
    SipCallRecord,
    SipCallRecords,
    SipDecision,
    SipGivenUp,
    SipHand,
    SipHandReply,
    SipPinAsk,
    SipPinReply,
    SipPlace,
    SipPlaceAsk,
    SipRouteAsk,
)
from confero.runtime.http import HttpApp, Listener, Route, read_model, reply
from confero.sipgw.app import SipgwApp
from confero.sipgw.config import SipgwConfig

from ..mcu.fakes import SECRET
from ..mcu.rig import Rig

PREFIX = "/internal/v1/sip"


class Office:
    """The application server's side of telephony: rooms by the user part, one menu, numbers with PINs."""

    def __init__(self) -> None:
        self.mcu_url = ""
        self.numbers = {"4711": ("meeting", ""), "4712": ("secret", "1234")}
        """Room and PIN."""
        self.records: list[SipCallRecord] = []
        self.asks: list[SipPinAsk] = []
        self.doors: dict[str, str] = {}
        """Rooms with a lobby: ``waiting``, ``open`` or ``refused`` says how whoever asks again is answered."""
        self.outside = ""
        """Host and port of the telephone that ``sip:outside@`` calls."""
        self.away = False
        self.spec: dict[str, Any] = {}
        self.gone: list[tuple[str, str]] = []
        """Room and participant of those who hung up in a lobby."""
        self.hands: set[str] = set()
        """Participants whose hand is up."""
        self.silent: set[str] = set()
        """Rooms in which nobody may speak who is not let."""
        self._given = 0
        self._tries: dict[str, int] = {}
        self.listener: Listener
        routes = [
            Route("POST", f"{PREFIX}/route", self._route, "appserver:sip"),
            Route("POST", f"{PREFIX}/pin", self._pin, "appserver:sip"),
            Route("POST", f"{PREFIX}/places", self._places, "appserver:sip"),
            Route("POST", f"{PREFIX}/places/given-up", self._given_up, "appserver:sip"),
            Route("POST", f"{PREFIX}/hands", self._hand, "appserver:sip"),
            Route("POST", f"{PREFIX}/calls", self._record, "appserver:sip"),
        ]
        self.http = HttpApp("appserver", routes, secret=SECRET, clock=SystemClock())

    async def start(self, mcu_url: str, host: str = "127.0.0.1", port: int = 0) -> None:
        self.mcu_url = mcu_url
        self.listener = await Listener.start(self.http.app, host, port)

    def place(self, room: str, name: str = "Phone") -> SipPlace:
        self._given += 1
        return SipPlace(
            participant=f"p{self._given}",
            display_name=name,
            role="guest",
            room=room,
            spec=RoomSpec(**self.spec),
            mcu="m1",
            mcu_url=self.mcu_url,
            reserved_until=0,
            may_speak=room not in self.silent,
            waiting=self.doors.get(room) == "waiting",
        )

    async def _route(self, request: web.Request) -> web.Response:
        ask = await read_model(request, SipRouteAsk)
        if ask.user == "menu":
            return reply(SipDecision(action="menu"))
        if ask.user in self.numbers and self.numbers[ask.user][1]:
            return reply(SipDecision(action="menu", number=ask.user))
        if ask.user == "outside":
            return reply(SipDecision(action="address", number="carol", domain=self.outside))
        if ask.user == "nobody":
            return reply(SipDecision(action="reject", status=404, code="room-unknown"))
        return reply(SipDecision(action="room", place=self.place(ask.user)))

    async def _pin(self, request: web.Request) -> web.Response:
        ask = await read_model(request, SipPinAsk)
        self.asks.append(ask)
        room, pin = self.numbers.get(ask.number, ("", "none"))
        if not pin or ask.pin == pin:
            return reply(SipPinReply(outcome="accepted", place=self.place(room)))
        if ask.pin is None:
            return reply(SipPinReply(outcome="ask-pin", tries_left=3))
        self._tries[ask.call] = self._tries.get(ask.call, 3) - 1
        return reply(SipPinReply(outcome="wrong", tries_left=self._tries[ask.call]))

    async def _places(self, request: web.Request) -> web.Response:
        ask = await read_model(request, SipPlaceAsk)
        if ask.room is not None and ask.participant is not None:
            if self.doors.get(ask.room) == "refused":
                raise Refused("no such telephone", status=404, code="participant-unknown")
            return reply(self.place(ask.room).model_copy(update={"participant": ask.participant}))
        return reply(self.place(ask.room or f"call-{self._given}"))

    async def _given_up(self, request: web.Request) -> web.Response:
        told = await read_model(request, SipGivenUp)
        self.gone.append((told.room, told.participant))
        return reply(None)

    async def _hand(self, request: web.Request) -> web.Response:
        ask = await read_model(request, SipHand)
        self.hands ^= {ask.participant}
        return reply(SipHandReply(raised=ask.participant in self.hands))

    async def _record(self, request: web.Request) -> web.Response:
        if self.away:
            raise Refused("not now", status=503, code="away")
        self.records += (await read_model(request, SipCallRecords)).records
        return reply(None)


class House:
    """``start`` it, ``stop`` it; ``restart`` makes another gateway over the same state."""

    def __init__(self, folder: Path, *, threads: int = 1, clock: Clock | None = None, **settings: Any) -> None:
        """``clock``: the gateway's."""
        self.folder = folder
        self._clock = clock
        self.rig = Rig(folder, media_threads=threads)
        self.office = Office()
        self._settings = settings
        self.gateway: SipgwApp

    async def start(self) -> None:
        await self.rig.start()
        assert self.rig.app.listener is not None
        await self.office.start(self.rig.app.listener.url)
        await self.open_gateway()

    async def open_gateway(self) -> None:
        config = SipgwConfig(
            **{
                "http_port": 0,
                "sip_bind": ["127.0.0.1"],
                "sip_port": free_port(),
                "sips_port": 0,
                "state_dir": self.folder,
                "secret": SecretStr(SECRET.decode()),
                "appserver_url": self.office.listener.url,
                "notifier_url": "http://127.0.0.1:9",
                "max_late_s": 3600.0,  # this machine may be busy with other things
            }
            | self._settings
        )
        self.gateway = SipgwApp(config, self._clock)
        await self.gateway.start()

    async def lose_mcu(self) -> None:
        """Another process of it, at the same address, which knows nothing."""
        assert self.rig.app.listener is not None
        port = self.rig.app.listener.port
        await self.rig.stop()
        self.rig = Rig(self.folder / "second", media_threads=1, http_port=port)
        await self.rig.start()

    @property
    def sip(self) -> tuple[str, int]:
        return "127.0.0.1", self.gateway.endpoint.carriers["udp"].locals[0].port  # type: ignore[attr-defined]

    def roster(self, room: str) -> list[str]:
        """Who is connected there."""
        found = self.rig.app.conference.registry.find_room(room)
        return [] if found is None else [p.id for p in found.participants.values() if p.state == "connected"]

    @property
    def legs(self) -> int:
        return self.rig.app.conference.registry.legs

    async def stop(self) -> None:
        await self.gateway.stop()
        await self.office.listener.close()
        await self.rig.stop()
        await asyncio.sleep(0)


def free_port() -> int:
    """For UDP and TCP on loopback, in the moment until it is used."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return int(tcp.getsockname()[1])
