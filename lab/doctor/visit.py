"""A browser's way into a room up to the answer to its offer, without media: what it is told there is what other checks need."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import aiohttp

from confero.models import IceServer, JoinReply
from confero.protocols.sdp import SdpError, parse
from confero.protocols.sdp.model import Candidate

from .findings import NotTried, Told, Unwell, ok, warn
from .patient import REQUEST_S, Patient, problem
from .web import BY_PROBLEM, not_upgraded
from .words import met

Socket = aiohttp.ClientWebSocketResponse
ROOM_NAME = "Doctor"
SEATS = 12
ANSWER_S = 6.0
OFFER = """v=0
o=- {number} 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:0
a=ice-ufrag:{ufrag}
a=ice-pwd:{password}
a=fingerprint:sha-256 {fingerprint}
a=setup:actpass
a=rtcp-mux
a=sendrecv
a=rtpmap:111 opus/48000/2
"""
REFUSED: dict[str, tuple[str, str]] = {
    **BY_PROBLEM,
    "no-media-server": (
        "the application server knows no MCU",
        "start the MCU; check [mcu] appserver_url and that both have one secret: it registers there, and beats every second or two",
    ),
    "mcu-full": ("every MCU is full", "add an MCU, or raise [mcu] capacity, max_legs"),
    "engine-full": ("every MCU is full", "add an MCU, or raise [mcu] max_legs"),
    "media-server-down": (
        "the notification server cannot reach the MCU",
        "check that the MCU runs, that the notification server reaches [mcu] url, and the firewall between",
    ),
    "draining": ("the MCU drains", "start another one, or wait until it is back"),
    "no-ports": ("the MCU has no free media port", "widen [mcu] media_port_min to media_port_max"),
    "too-many-rooms": ("the database holds too many rooms", "raise [appserver] max_rooms"),
}
"""By the problem's code: what it says of the installation."""


@dataclass(frozen=True)
class Visit:
    """What a browser knows after it has joined."""

    room: str
    ice_servers: tuple[IceServer, ...]
    candidates: tuple[Candidate, ...]
    """The MCU's."""
    local_ufrag: str
    remote_ufrag: str
    remote_password: str = field(repr=False)


async def join(patient: Patient) -> Told:
    """The whole of signalling: page, database, token, WebSocket, notifier, MCU."""
    visit = await patient.learn("visit", lambda: _enter(patient))
    good = f"a room, a token, the WebSocket, an answer of the MCU with {len(visit.candidates)} addresses for media"
    if patient.place.spot(("turn", "control")) is not None and not visit.ice_servers:
        return warn(
            f"{good}, and no TURN server, though one is installed",
            "see 'turn'; check [turn] appserver_url, where it registers, one secret for both, [appserver] turn_transports",
        )
    return ok(good)


async def visit_of(patient: Patient) -> Visit:
    """What 'join' has learnt. Raises NotTried if it has failed."""
    try:
        return await patient.learn("visit", lambda: _enter(patient))
    except (Unwell, NotTried) as error:
        raise NotTried("nobody can join: see 'join'") from error


async def _enter(patient: Patient) -> Visit:
    room = await _room(patient)
    grant = await _grant(patient, room)
    socket = await _connect(patient, grant)
    patient.at_the_end(lambda: _leave(socket))
    answer, ufrag = await _offer(patient, socket)
    try:
        session = parse(answer)
    except SdpError as error:
        raise Unwell(
            f"the MCU's answer cannot be read: {error}", "a proxy has changed it, or another version answers"
        ) from error
    media = session.media[0] if session.media else None
    if media is None or not media.port:
        raise Unwell("the MCU's answer has no audio", "see the MCU's log")
    remote_ufrag, password = media.ice_ufrag or session.ice_ufrag or "", media.ice_pwd or session.ice_pwd or ""
    return Visit(room, tuple(grant.ice_servers), media.candidates, ufrag, remote_ufrag, password)


async def _room(patient: Patient) -> str:
    """A room of our own: nobody is disturbed. It stays, empty, until the application server forgets unused rooms."""
    status, body = await patient.api(
        "POST", "/api/v1/rooms", {"name": ROOM_NAME, "max_participants": SEATS, "talkers": 0}
    )
    if status == 201 and isinstance(body, dict):
        return str(body.get("id", ""))
    if status == 429:
        raise NotTried(
            "too many rooms were made from here just now: wait a minute ([appserver] room_creations_per_minute)"
        )
    raise _refused("making a room", body, status)


async def _grant(patient: Patient, room: str) -> JoinReply:
    status, body = await patient.api("POST", f"/api/v1/rooms/{room}/join", {"display_name": ROOM_NAME})
    if status != 200:
        raise _refused("joining", body, status)
    try:
        return JoinReply.model_validate(body)
    except ValueError:
        raise Unwell(
            "the answer to a join makes no sense", "another version answers: update the doctor or the server"
        ) from None


async def _connect(patient: Patient, grant: JoinReply) -> Socket:
    try:
        socket: Socket = await patient.http.ws_connect(patient.page_url(grant.events_path), **patient.page())
    except aiohttp.WSServerHandshakeError:
        told = await not_upgraded(patient, grant.events_path)
        raise Unwell(told.what, told.advice) from None
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        found = met(error, patient.place.page, patient.place.page_row)
        raise Unwell(found.what, found.advice) from error
    await socket.send_json({"type": "hello", "token": grant.token})
    message = await _receive(socket, REQUEST_S)
    if message.get("type") != "welcome":
        await socket.close()
        raise Unwell(
            f"hello with a good token is answered by {message.get('type') or socket.close_code}",
            "see the notification server's log; check that all services have one secret",
        )
    return socket


async def _offer(patient: Patient, socket: Socket) -> tuple[str, str]:
    """The answer's SDP, and our ufrag. Raises Unwell."""
    random = patient.random
    ufrag = random.randbytes(4).hex()
    sdp = OFFER.format(
        number=int.from_bytes(random.randbytes(6), "big"),
        ufrag=ufrag,
        password=random.randbytes(16).hex(),
        fingerprint=":".join(f"{byte:02X}" for byte in random.randbytes(32)),
    ).replace("\n", "\r\n")
    await socket.send_json({"type": "offer", "id": 1, "sdp": sdp})
    try:
        async with asyncio.timeout(ANSWER_S):
            while (message := await _receive(socket, ANSWER_S)).get("id") != 1:
                if not message:
                    raise Unwell(
                        f"the WebSocket was closed with {socket.close_code}", "see the notification server's log"
                    )
    except TimeoutError:
        raise Unwell("the MCU does not answer an offer", "see the MCU's and the notification server's log") from None
    if message.get("type") != "answer":
        raise _refused("the offer", message.get("problem"))
    return str(message.get("sdp", "")), ufrag


async def _receive(socket: Socket, seconds: float) -> dict[str, object]:
    """The next JSON object; an empty one when the socket is closed or silent."""
    with contextlib.suppress(TimeoutError, ValueError):
        async with asyncio.timeout(seconds):
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                found = message.json()
                return found if isinstance(found, dict) else {}
    return {}


async def _leave(socket: Socket) -> None:
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(2):
            await socket.send_json({"type": "leave", "id": 2})
            await _receive(socket, 1)
            await socket.close()


def _refused(what: str, body: object, status: int = 0) -> Unwell:
    code, detail = problem(status, body)
    seen, advice = REFUSED.get(
        code, (detail, "see the log of the service that refuses, by the request id of this minute")
    )
    return Unwell(f"{what} is refused{f', {code}' if code else ''}: {seen}", advice)
