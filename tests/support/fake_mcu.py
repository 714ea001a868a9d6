"""An MCU without media that speaks its wire (docs/wire.md) with the real models, checks tokens, and can be made to fail."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from confero.clock import Clock, SystemClock
from confero.errors import Refused, Unavailable
from confero.models import (
    LegCreate,
    LegPatch,
    LegReply,
    LegSdp,
    McuHeartbeat,
    McuRegister,
    McuStarted,
    Participant,
    Publish,
    RoomOrders,
    RoomOrdersDone,
    RoomSpec,
    RoomState,
)
from confero.runtime.client import ServiceClient
from confero.runtime.http import HttpApp, Listener, Route, read_model, reply
from confero.runtime.tasks import spawn

BEAT_S = 1.0
"""As a real one's."""
LEG_CREATE: TypeAdapter[LegCreate] = TypeAdapter(LegCreate)


class FakeMcu:
    """``calls`` is what it was asked, in order; ``failures[(method, path)]`` is raised instead of the next answer."""

    def __init__(self, *, secret: bytes, mcu: str = "mcu-1", clock: Clock | None = None) -> None:
        self.id = mcu
        self.secret = secret
        self.clock = clock or SystemClock()
        self.rooms: dict[str, RoomSpec] = {}
        self.legs: dict[str, tuple[str, Participant]] = {}
        self.calls: list[tuple[str, str]] = []
        self.bodies: list[BaseModel] = []
        self.failures: dict[tuple[str, str], Exception] = {}
        self.hold: asyncio.Event | None = None
        """When set, every answer waits for it."""
        self._numbers = itertools.count(1)
        self._boots = itertools.count(1)
        self.boot = "boot-0"
        self.listener: Listener | None = None
        self.port = 0

    # --- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen (again on the same port) as a fresh process: without rooms and legs."""
        self.rooms.clear()
        self.legs.clear()
        self.boot = f"boot-{next(self._boots)}"
        app = HttpApp("mcu", self._routes(), secret=self.secret, clock=self.clock)
        self.listener = await Listener.start(app.app, "127.0.0.1", self.port, shutdown_s=0.1)
        self.port = self.listener.port

    async def stop(self) -> None:
        if self.listener is not None:
            await self.listener.close()
            self.listener = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def roster(self, room: str) -> list[Participant]:
        return [participant for where, participant in self.legs.values() if where == room]

    def set_state(self, leg: str, state: Literal["connecting", "connected", "disconnected"]) -> None:
        """Of the leg's media, as if it had changed."""
        room, participant = self.legs[leg]
        self.legs[leg] = (room, participant.model_copy(update={"state": state}))

    # --- what it tells others --------------------------------------------------------------------------------------

    async def publish(self, notifier_url: str, publish: Publish) -> None:
        await self._tell("notifier", notifier_url, "POST", "/internal/v1/publish", publish)

    async def tell_started(self, notifier_url: str) -> None:
        body = McuStarted(boot=self.boot, url=self.url)
        await self._tell("notifier", notifier_url, "POST", f"/internal/v1/mcus/{self.id}/started", body)

    async def register(self, appserver_url: str) -> None:
        people = [participant.id for _, participant in self.legs.values()]
        body = McuRegister(id=self.id, boot=self.boot, url=self.url, capacity=100, participants=people)
        await self._tell("appserver", appserver_url, "POST", "/internal/v1/mcus", body)

    async def heartbeat(self, appserver_url: str, *, load: int = 0, draining: bool = False) -> None:
        body = McuHeartbeat(boot=self.boot, load=load, rooms=len(self.rooms), legs=len(self.legs), draining=draining)
        await self._tell("appserver", appserver_url, "PUT", f"/internal/v1/mcus/{self.id}/heartbeat", body)

    @asynccontextmanager
    async def living(self, appserver_url: str) -> AsyncIterator[None]:
        """Registered, and heard of until the end of the block however long that takes; it does not register again by itself."""
        await self.register(appserver_url)
        beating = spawn(self._beat(appserver_url), name="heartbeats")
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.wait([beating])

    async def _beat(self, appserver_url: str) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            with suppress(Refused, Unavailable):  # a test may restart whom we tell, or call us by another name
                await self.heartbeat(appserver_url)

    async def _tell(self, audience: str, url: str, method: str, path: str, body: BaseModel) -> None:
        client = ServiceClient("mcu", audience, url, secret=self.secret, clock=self.clock)
        try:
            await client.call(method, path, body=body)
        finally:
            await client.close()

    # --- what it is asked ------------------------------------------------------------------------------------------

    def _routes(self) -> list[Route]:
        return [
            Route("PUT", "/v1/rooms/{room}", self._put_room, scope="mcu:rooms"),
            Route("GET", "/v1/rooms/{room}", self._get_room, scope="mcu:rooms"),
            Route("DELETE", "/v1/rooms/{room}", self._delete_room, scope="mcu:rooms"),
            Route("PATCH", "/v1/rooms/{room}/participants", self._patch_people, scope="mcu:rooms"),
            Route("DELETE", "/v1/rooms/{room}/participants/{participant}", self._delete_person, scope="mcu:rooms"),
            Route("POST", "/v1/rooms/{room}/legs", self._post_leg, scope="mcu:legs"),
            Route("PUT", "/v1/legs/{leg}/offer", self._put_offer, scope="mcu:legs"),
            Route("PATCH", "/v1/legs/{leg}", self._patch_leg, scope="mcu:legs"),
            Route("GET", "/v1/legs/{leg}", self._get_leg, scope="mcu:legs"),
            Route("DELETE", "/v1/legs/{leg}", self._delete_leg, scope="mcu:legs"),
        ]

    async def _note(self, request: web.Request) -> None:
        self.calls.append((request.method, request.path_qs))
        if self.hold is not None:
            await self.hold.wait()
        failure = self.failures.pop((request.method, request.path), None)
        if failure is not None:
            raise failure

    def _state(self, room: str) -> RoomState:
        spec = self.rooms.get(room)
        if spec is None:
            raise Refused("no such room", status=404, code="room-unknown")
        return RoomState(
            id=room, name=spec.name, max_participants=spec.max_participants, participants=self.roster(room)
        )

    async def _put_room(self, request: web.Request) -> web.Response:
        await self._note(request)
        room = request.match_info["room"]
        status = 200 if room in self.rooms else 201
        self.rooms.setdefault(room, await read_model(request, RoomSpec))
        return reply(self._state(room), status=status)

    async def _get_room(self, request: web.Request) -> web.Response:
        await self._note(request)
        return reply(self._state(request.match_info["room"]))

    async def _delete_room(self, request: web.Request) -> web.Response:
        await self._note(request)
        room = self._state(request.match_info["room"]).id
        del self.rooms[room]
        self.legs = {leg: (where, who) for leg, (where, who) in self.legs.items() if where != room}
        return reply(None)

    async def _patch_people(self, request: web.Request) -> web.Response:
        await self._note(request)
        room, wish, done = self._state(request.match_info["room"]).id, await read_model(request, RoomOrders), []
        self.bodies.append(wish)
        for leg, (where, who) in list(self.legs.items()):
            if where == room and who.id in wish.orders:
                told = wish.orders[who.id].model_dump(exclude_none=True)
                self.legs[leg] = (room, who.model_copy(update=told))
                done.append(who.id)
        return reply(RoomOrdersDone(done=done))

    async def _delete_person(self, request: web.Request) -> web.Response:
        await self._note(request)
        room, person = self._state(request.match_info["room"]).id, request.match_info["participant"]
        legs = [leg for leg, (where, who) in self.legs.items() if (where, who.id) == (room, person)]
        if not legs:
            raise Refused("nobody", status=404, code="participant-unknown")
        del self.legs[legs[0]]
        return reply(None)

    async def _post_leg(self, request: web.Request) -> web.Response:
        await self._note(request)
        room = request.match_info["room"]
        body = await read_model(request, LEG_CREATE)
        self.bodies.append(body)
        state = self._state(room)
        for leg, (_, old) in list(self.legs.items()):
            if old.id == body.participant:
                del self.legs[leg]
        if len(state.participants) >= state.max_participants:
            raise Refused("the room is full", status=409, code="room-full")
        leg = f"leg_{next(self._numbers)}"
        participant = Participant(
            id=body.participant,
            display_name=body.display_name,
            role=body.role,
            kind=body.kind,
            leg=leg,
            muted=body.muted,
            held=body.held,
        )
        self.legs[leg] = (room, participant)
        return reply(LegReply(leg=leg, participant=body.participant, room=room, sdp="answer"), status=201)

    def _leg(self, request: web.Request) -> tuple[str, tuple[str, Participant]]:
        leg = request.match_info["leg"]
        if leg not in self.legs:
            raise Refused("no such leg", status=404, code="leg-unknown")
        return leg, self.legs[leg]

    async def _put_offer(self, request: web.Request) -> web.Response:
        await self._note(request)
        leg, (room, participant) = self._leg(request)
        self.bodies.append(await read_model(request, LegSdp))
        return reply(LegReply(leg=leg, participant=participant.id, room=room, sdp="answer again"))

    async def _patch_leg(self, request: web.Request) -> web.Response:
        await self._note(request)
        leg, (room, participant) = self._leg(request)
        patch = await read_model(request, LegPatch)
        participant = participant.model_copy(update=patch.model_dump(exclude_none=True))
        self.legs[leg] = (room, participant)
        return reply(participant)

    async def _get_leg(self, request: web.Request) -> web.Response:
        await self._note(request)
        return reply(self._leg(request)[1][1])

    async def _delete_leg(self, request: web.Request) -> web.Response:
        await self._note(request)
        leg, _ = self._leg(request)
        del self.legs[leg]
        return reply(None)
