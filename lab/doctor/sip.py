"""The SIP gateway by OPTIONS (RFC 3261 section 11), over each transport that it has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from confero.protocols.sip import (
    URI,
    Address,
    Parameters,
    Request,
    Response,
    SipError,
    StreamFramer,
    Via,
    new_branch,
    new_call_id,
    new_request,
    new_tag,
    parse,
)

from .certificates import judge
from .findings import NotTried, Told, Unwell, Verdict, fail, ok, warn
from .patient import REQUEST_S, Patient
from .place import Row, Spot
from .web import not_upgraded
from .wire import Transport, Wire
from .words import met

SIP: Row = ("sipgw", "sip")
SIPS: Row = ("sipgw", "sips")
AGAIN_S = 0.5
"""T1 of RFC 3261 section 17: a request over UDP is sent again after it, after twice as long, and so on."""
TRIES = 3
SUBPROTOCOL = "sip"


def options(patient: Patient, transport: str, spot: Spot, local: tuple[str, int] = ("doctor.invalid", 0)) -> Request:
    """OPTIONS for the gateway itself."""
    host = f"[{local[0]}]" if ":" in local[0] else local[0]
    branch = Parameters({"branch": new_branch(patient.random), "rport": None})
    target = Address(URI.sip("", spot.host, spot.port))
    return new_request(
        "OPTIONS",
        str(target.uri),
        from_=Address(URI.sip("doctor", "doctor.invalid")).with_tag(new_tag(patient.random)),
        to=target,
        call_id=new_call_id(patient.random),
        cseq=1,
        via=Via(transport.upper(), host, local[1] or None, branch),
    )


def over(transport: Transport) -> Callable[[Patient], Awaitable[Told]]:
    """OPTIONS over UDP, TCP or TLS."""
    row = SIPS if transport == "tls" else SIP

    async def check(patient: Patient) -> Told:
        spot = _spot(patient, row)
        try:
            wire = await Wire.connect(transport, spot, name=patient.place.name)
            try:
                request = options(patient, transport, spot, wire.local)
                response = await _ask(wire, request, reliable=transport != "udp")
            finally:
                await wire.close()
        except (OSError, TimeoutError, EOFError) as error:
            return met(error, spot, row, udp=transport == "udp").told
        return judged(response)

    return check


async def certificate(patient: Patient) -> Told:
    """What telephones find at the TLS port. They may know the gateway by another name than the page's."""
    told = await judge(patient, SIPS, _spot(patient, SIPS))
    if told.verdict is Verdict.FAIL and "not for" in told.what:
        return warn(told.what, told.advice)
    return told


async def websocket(patient: Patient) -> Told:
    """OPTIONS as a page sends it (RFC 7118), through the application server."""
    place = patient.place
    try:
        async with patient.http.ws_connect(
            patient.page_url("/sip"), protocols=(SUBPROTOCOL,), **patient.page()
        ) as socket:
            await socket.send_str(bytes(options(patient, "wss", place.page)).decode())
            async with asyncio.timeout(REQUEST_S):
                message = await socket.receive()
    except aiohttp.WSServerHandshakeError:
        return await not_upgraded(patient, "/sip", SUBPROTOCOL)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return met(error, place.page, place.page_row).told
    if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
        return fail(f"the WebSocket /sip was closed with {message.data}", "see the SIP gateway's log")
    data = message.data.encode() if isinstance(message.data, str) else message.data
    return judged(_read(data))


def judged(response: Response) -> Told:
    """Any answer shows that it lives; what it means is told."""
    said = f"OPTIONS is answered {response.status} {response.reason}".rstrip()
    if response.status == 503:
        return warn(said, "it drains: start it again if it should not")
    if response.status >= 500:
        return fail(said, "see the SIP gateway's log")
    return ok(said)


async def _ask(wire: Wire, request: Request, *, reliable: bool) -> Response:
    """The final response. Raises OSError, TimeoutError, EOFError, Unwell."""
    framer = StreamFramer() if reliable else None
    wait = REQUEST_S if reliable else AGAIN_S
    for _ in range(1 if reliable else TRIES):
        wire.send(bytes(request))
        try:
            async with asyncio.timeout(wait):
                while True:
                    data = await wire.receive(wait)
                    for message in [data] if framer is None else framer.feed(data):
                        response = _read(message)
                        if response.status >= 200:
                            return response
        except SipError as error:
            raise Unwell(f"an answer that is not SIP: {error}", "something else listens there") from error
        except TimeoutError:
            wait *= 2
    raise TimeoutError


def _read(data: bytes) -> Response:
    """Raises Unwell."""
    try:
        message = parse(data)
    except SipError as error:
        raise Unwell(f"an answer that is not SIP: {error}", "something else listens there") from error
    if not isinstance(message, Response):
        raise Unwell("a request came instead of an answer", "another client sits where the gateway should")
    return message


def _spot(patient: Patient, row: Row) -> Spot:
    spot = patient.place.spot(row)
    if spot is None:
        raise NotTried("no SIP gateway is installed or configured here")
    return spot
