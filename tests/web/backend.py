"""A pretended application server, notifier and MCU in one, speaking docs/wire.md with the models of confero.models."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import TypeAdapter

from confero.appserver.web import CLIENT, policy
from confero.ids import new_id
from confero.models import (
    Answer,
    CallInfo,
    CallOut,
    ClientMessage,
    ErrorReply,
    Hello,
    JoinReply,
    JoinRequest,
    Leave,
    Mute,
    NetworkTest,
    Offer,
    Ok,
    Participant,
    ParticipantEvent,
    Ping,
    Position,
    Problem,
    RenegotiateEvent,
    Reply,
    RoomCreate,
    RoomInfo,
    RosterEvent,
    SiteInfo,
    Welcome,
)

from .peers import AiortcPeer, Peer
from .relay import Relay

STATIC = Path(__file__).resolve().parents[2] / "appserver" / "static"
MESSAGE = TypeAdapter[ClientMessage](ClientMessage)
TOPIC = "room:blue-fox"


def problem(code: str, status: int, detail: str = "") -> Problem:
    return Problem(type=f"urn:confero:problem:{code}", title=code, status=status, detail=detail)


@dataclass
class Session:
    id: str
    participant: str
    events: list[str] = field(default_factory=list)
    """Event number n is at n - 1."""
    ws: web.WebSocketResponse | None = None


class Backend:
    """One room, ``blue-fox``. Attributes that begin with ``refuse`` make the next calls fail, until they are taken back."""

    def __init__(self) -> None:
        self.rooms = {
            "blue-fox": RoomInfo(id="blue-fox", name="Blue fox", max_participants=8, participants=2, join_url="")
        }
        self.people: dict[str, Participant] = {}
        self.sessions: dict[str, Session] = {}
        self.peers: dict[str, Peer] = {}
        self.refuse_room: Problem | None = None
        self.refuse_join: Problem | None = None
        self.refuse_offers: list[Problem] = []
        self.refuse_hello: int | None = None
        self.silent = False
        """Offers get no answer."""
        self.creations: list[RoomCreate] = []
        self.joins: list[JoinRequest] = []
        self.hellos: list[Hello] = []
        self.offers: list[Offer] = []
        self.mutes: list[bool] = []
        self.left: list[str] = []
        self.calls_out = False
        self.refuse_call: Problem | None = None
        self.dialled: list[CallOut] = []
        self.telephone: list[tuple[str, str, Any]] = []
        """Method, path behind /api/v1 and body of what was asked of calls that there are."""
        self.make_peer: Callable[[Relay], Peer] = AiortcPeer
        self.port = 0
        self._names: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self._runner: web.AppRunner | None = None

    # --- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listens; again on the same port after ``stop``."""
        app = web.Application()
        app.router.add_static("/static", STATIC)
        for path in CLIENT:
            app.router.add_get(path, self._page)
        self.extend(app)
        app.router.add_post("/api/v1/rooms", self._create_room)
        app.router.add_get("/api/v1/rooms/{room}", self._get_room)
        app.router.add_post("/api/v1/rooms/{room}/join", self._join)
        app.router.add_get("/api/v1/site", self._site)
        app.router.add_post("/api/v1/network-test", self._network_test)
        app.router.add_post("/api/v1/rooms/{room}/calls", self._call)
        for path in ("/api/v1/rooms/{room}/calls/{call}{tail:.*}", "/api/v1/calls/{call}/answer"):
            app.router.add_route("*", path, self._telephone)
        app.router.add_get("/events", self._events)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        for room in self.rooms:
            self.rooms[room] = self.rooms[room].model_copy(update={"join_url": f"{self.url}/r/{room}"})

    def extend(self, app: web.Application) -> None:
        """Adds what a backend of more than a room serves, before all that is served here."""

    async def stop(self) -> None:
        """Stops to listen and drops every connection without a word, as a killed process does. Media goes on."""
        await self.drop_connections()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def close(self) -> None:
        await self.stop()
        await self.lose_legs()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # --- what tests do to it --------------------------------------------------------------------------------------

    def person(self, name: str, **fields: Any) -> Participant:
        """Somebody else in the room. Told to nobody: see ``tell_roster``."""
        given = {"id": new_id("par"), "kind": "webrtc", "leg": new_id("leg"), "state": "connected", **fields}
        someone = Participant(display_name=name, **given)
        self.people[someone.id] = someone
        return someone

    async def tell(self, event: Reply) -> None:
        """Sends an event to every session, or keeps it for those without a connection."""
        for session in self.sessions.values():
            numbered = {"topic": TOPIC, "seq": len(session.events) + 1, **event.model_dump(mode="json")}
            session.events.append(json.dumps(numbered))
            if session.ws is not None and not session.ws.closed:
                await session.ws.send_str(session.events[-1])

    async def tell_roster(self) -> None:
        await self.tell(RosterEvent(participants=list(self.people.values())))

    async def change(self, participant: str, **fields: Any) -> None:
        """One participant changes, and all hear of it."""
        self.people[participant] = self.people[participant].model_copy(update=fields)
        await self.tell(ParticipantEvent(participant=self.people[participant]))

    def forget_tokens(self) -> None:
        """The secret of the installation is another one now."""
        self._tokens.clear()

    async def drop_connections(self, code: int | None = None) -> None:
        """Ends every WebSocket: with a close code, or by cutting TCP."""
        for session in self.sessions.values():
            ws, session.ws = session.ws, None
            if ws is None or ws.closed:
                continue
            if code is not None:
                await ws.close(code=code)
            elif ws._req is not None and ws._req.transport is not None:
                ws._req.transport.abort()

    async def lose_legs(self) -> None:
        """The media server is gone, and with it every leg of ours."""
        for leg, peer in list(self.peers.items()):
            await peer.close()
            del self.peers[leg]
            self.people = {key: one for key, one in self.people.items() if one.leg != leg}

    async def restart_media(self) -> None:
        """The media server was restarted: browsers are to offer anew."""
        await self.lose_legs()
        await self.tell(RenegotiateEvent(reason="media-server-started"))

    @property
    def peer(self) -> AiortcPeer:
        """The only leg's aiortc peer."""
        (peer,) = self.peers.values()
        assert isinstance(peer, AiortcPeer)
        return peer

    # --- REST -----------------------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html", headers={"Content-Security-Policy": policy(request.host)})

    async def _create_room(self, request: web.Request) -> web.Response:
        body = RoomCreate.model_validate_json(await request.text())
        room = RoomInfo(
            id="red-owl",
            name=body.name or "Red owl",
            max_participants=8,
            noise_dbov=body.noise_dbov,
            announce=body.announce,
            participants=0,
            join_url=f"{self.url}/r/red-owl",
        )
        self.creations.append(body)
        self.rooms[room.id] = room
        return json_reply(room, 201)

    async def _get_room(self, request: web.Request) -> web.Response:
        if self.refuse_room is not None:
            return json_reply(self.refuse_room, self.refuse_room.status)
        room = self.rooms.get(request.match_info["room"])
        return json_reply(room) if room else json_reply(problem("room-unknown", 404), 404)

    async def _join(self, request: web.Request) -> web.Response:
        body = JoinRequest.model_validate_json(await request.text())
        self.joins.append(body)
        if self.refuse_join is not None:
            return json_reply(self.refuse_join, self.refuse_join.status)
        if body.previous_token is not None and body.previous_token not in self._tokens:
            return json_reply(problem("token-invalid", 401), 401)
        participant = self._tokens.get(body.previous_token or "", "") or new_id("par")
        if (refused := self.door(participant, body)) is not None:
            return json_reply(refused, refused.status)
        token = new_id("tok")
        self._tokens[token] = participant
        self._names[participant] = body.display_name
        room = self.rooms[request.match_info["room"]]
        return json_reply(
            JoinReply(
                token=token,
                token_expires=4e9,
                participant=participant,
                room=room,
                calls_out=self.calls_out,
                **self.place(participant),
            )
        )

    def door(self, participant: str, wish: JoinRequest) -> Problem | None:
        """Why somebody may not come in."""

    def place(self, participant: str) -> dict[str, Any]:
        """What is told of a meeting to somebody who joins."""
        return {}

    async def _site(self, request: web.Request) -> web.Response:
        return json_reply(SiteInfo(calls_out=self.calls_out))

    async def _network_test(self, request: web.Request) -> web.Response:
        return json_reply(NetworkTest(ice_servers=[], ice_policy="all"))

    async def _call(self, request: web.Request) -> web.Response:
        body = CallOut.model_validate_json(await request.text())
        if (refused := self._refusal(request)) is not None:
            return json_reply(refused, refused.status)
        self.dialled.append(body)
        room = request.match_info["room"]
        call = f"c{len(self.dialled)}"
        return json_reply(
            CallInfo(id=call, direction="out", room=room, participant=f"p_{call}", name=body.to, state="calling"), 201
        )

    async def _telephone(self, request: web.Request) -> web.Response:
        if (refused := self._refusal(request)) is not None:
            return json_reply(refused, refused.status)
        body = await request.json() if request.can_read_body else None
        self.telephone.append((request.method, request.path.removeprefix("/api/v1"), body))
        return web.Response(status=204)

    def _refusal(self, request: web.Request) -> Problem | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.refuse_call or (None if token in self._tokens else problem("token-expired", 401))

    # --- events ---------------------------------------------------------------------------------------------------

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        hello = MESSAGE.validate_json(await ws.receive_str(timeout=5))
        assert isinstance(hello, Hello)
        self.hellos.append(hello)
        participant = self._tokens.get(hello.token)
        if self.refuse_hello is not None or participant is None:
            await ws.close(code=self.refuse_hello or 4401)
            return ws
        session = await self._welcome(ws, hello, participant)
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                break
            await self._answer(session, ws, MESSAGE.validate_json(message.data))
        return ws

    async def _welcome(self, ws: web.WebSocketResponse, hello: Hello, participant: str) -> Session:
        session = self.sessions.get(hello.resume or "")
        resumed = session is not None
        if session is None:
            session = self.sessions[new_id("ses")] = Session(new_id("ses"), participant)
            self.sessions = {session.id: session}
        after = hello.seen[0].seq if resumed else 0
        roster = list(self.people.values())
        welcome = Welcome(
            session=session.id,
            topics=[Position(topic=TOPIC, epoch="e1", seq=after)],
            resumed=resumed,
            participant=participant,
            room="blue-fox",
            room_name="Blue fox",
            roster=roster,
        )
        await ws.send_str(welcome.model_dump_json())
        for event in session.events[after:]:
            await ws.send_str(event)
        session.ws = ws
        return session

    async def _answer(
        self, session: Session, ws: web.WebSocketResponse, message: Hello | Offer | Mute | Leave | Ping
    ) -> None:
        match message:
            case Offer():
                self.offers.append(message)
                if not self.silent:
                    await ws.send_str((await self._offer(session, message)).model_dump_json())
            case Mute():
                self.mutes.append(message.muted)
                if session.participant in self.people:
                    await self.change(session.participant, muted=message.muted)
                await ws.send_str(Ok(id=message.id).model_dump_json())
            case Leave():
                self.left.append(session.participant)
                await ws.send_str(Ok(id=message.id).model_dump_json())
                await ws.close(code=WSCloseCode.OK)
            case Ping():
                await ws.send_str(Ok(id=message.id).model_dump_json())
            case Hello():
                await ws.close(code=4400)

    async def _offer(self, session: Session, offer: Offer) -> Reply:
        if self.refuse_offers:
            return ErrorReply(id=offer.id, problem=self.refuse_offers.pop(0))
        if offer.leg is not None and offer.leg not in self.peers:
            return ErrorReply(id=offer.id, problem=problem("leg-unknown", 404))
        if offer.leg is not None:
            return Answer(id=offer.id, leg=offer.leg, sdp=await self.peers[offer.leg].answer(offer.sdp))
        await self.lose_legs()
        leg = new_id("leg")
        self.peers[leg] = self.make_peer(await Relay.open())
        sdp = await self.peers[leg].answer(offer.sdp)
        name = self._names[session.participant]
        self.people[session.participant] = Participant(
            id=session.participant,
            display_name=name,
            kind="webrtc",
            leg=leg,
            state="connected",
            role=self.place(session.participant).get("role", "guest"),
        )
        await self.tell_roster()
        return Answer(id=offer.id, leg=leg, sdp=sdp)


def json_reply(model: Reply | Problem, status: int = 200) -> web.Response:
    kind = "application/problem+json" if isinstance(model, Problem) else "application/json"
    return web.Response(text=model.model_dump_json(), status=status, content_type=kind)


async def until(condition: Callable[[], Any] | Callable[[], Awaitable[Any]], timeout: float = 10.0) -> None:
    """Waits for something on this side of the wire."""
    async with asyncio.timeout(timeout):
        while True:
            found = condition()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.02)
