"""The TURN server by STUN and TURN: it answers, lets a browser's credentials in, and carries an ICE check to the MCU and back."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from ipaddress import ip_address

from confero.protocols.stun import Address

from .certificates import judge
from .findings import NotTried, Told, Unwell, Verdict, fail, ok, warn
from .line import Line, TurnRefused
from .media import check_of
from .patient import Patient
from .place import Row, Spot
from .turnurl import Relay, relays
from .visit import Visit, visit_of
from .wire import Transport
from .words import met

ROWS: dict[Transport, Row] = {"udp": ("turn", "udp"), "tcp": ("turn", "tls"), "tls": ("turn", "tls")}
CHANNEL = 0x4000
REFUSALS: dict[int, tuple[str, str]] = {
    0: (
        "what answers there does not speak TURN",
        "another program has the port: give it to the TURN server",
    ),
    300: (
        "it sends us to another server",
        "it drains, or is full: see its control port; start it again if it should not",
    ),
    400: ("it finds our request malformed", "something between changes the packets, or another version answers"),
    401: (
        "it refuses the credentials that the join gave us",
        "give the application server and the TURN server one secret ([turn] and [appserver], docs/turn.md), "
        "and let both clocks keep time: the credentials expire",
    ),
    403: ("it forbids what we ask", "see its policy of peers"),
    437: ("it finds a clash of allocations", "another client has our address and port; try again"),
    438: ("it finds our nonce stale at once", "its clock jumps: let it keep time by NTP"),
    441: ("it refuses the credentials", "the allocation is somebody else's; try again"),
    442: ("it does not relay UDP", "allow UDP relaying"),
    486: (
        "the user's quota of allocations is used up",
        "raise the TURN server's quota of a user, or wait for them to expire",
    ),
    500: ("it has an error of its own", "see its log"),
    508: ("it has no relay port left", "widen its range of relay ports, or raise its total quota"),
}
"""Error codes of RFC 8489 section 14.8 and RFC 8656 section 19, as they concern an operator; 0 is the line's own."""
NO_MCU = (
    "the TURN server refuses the MCU's address {peers} as a peer: special-purpose networks are refused unless excepted",
    "name the MCU's address and media ports as an exception in the TURN server's policy ([turn], docs/turn.md)",
)


def binding(transport: Transport) -> Callable[[Patient], Awaitable[Told]]:
    """A STUN Binding request."""

    async def check(patient: Patient) -> Told:
        spot, name = await _spot(patient, transport)
        if transport == "tls":
            told = await judge(patient, ROWS["tls"], spot, name)
            if told.verdict is Verdict.FAIL:
                return told
        line = None
        try:
            line = await Line.connect(transport, spot, patient.random, name=name)
            await line.ask(line.client.binding)
        except (OSError, TimeoutError, EOFError, TurnRefused) as error:
            return _failed(error, spot, transport)
        finally:
            if line is not None:
                await line.close()
        seen = line.client.mapped
        if seen is None:
            return fail(f"{spot} answers without a mapped address", "another program answers there")
        good = f"STUN answers at {spot}" + (
            "" if seen[0] == line.local[0] else f"; we are seen at {seen[0]}: there is a NAT between"
        )
        return (
            warn(f"{good}; {told.what}", told.advice)
            if transport == "tls" and told.verdict is Verdict.WARN
            else ok(good)
        )

    return check


def relaying(transport: Transport) -> Callable[[Patient], Awaitable[Told]]:
    """An allocation with a browser's credentials, and an ICE check through it: by indications, then over a channel."""

    async def check(patient: Patient) -> Told:
        visit = await visit_of(patient)
        relay = _relay(visit, transport)
        line = None
        try:
            line = await Line.connect(
                transport,
                relay.spot,
                patient.random,
                username=relay.username,
                password=relay.password,
                name=relay.spot.host,
            )
            return await _relayed(patient, visit, line)
        except (OSError, TimeoutError, EOFError, TurnRefused) as error:
            return _failed(error, relay.spot, transport)
        finally:
            if line is not None:
                await line.close()

    return check


async def _relayed(patient: Patient, visit: Visit, line: Line) -> Told:
    """Raises TurnRefused, Unwell and the wire's errors. The allocation is given back."""
    client = line.client
    await line.ask(client.allocate)
    try:
        relayed = client.relayed[0]
        peers = _peers(visit, relayed)
        allowed = [peer for peer in peers if await _permitted(line, peer)]
        if not allowed:
            what, advice = NO_MCU
            raise Unwell(what.format(peers=", ".join(sorted({peer[0] for peer in peers})[:3])), advice)
        peer, seconds = await _echo(patient, visit, line, allowed)
        await line.ask(lambda now: client.bind_channel(now, CHANNEL, peer))
        again = await _once(patient, visit, line, partial(client.send_on, CHANNEL))
    finally:
        await line.ask(lambda now: client.refresh(now, 0))
    return ok(
        f"relayed by {_text(relayed)} to the MCU and back in {seconds * 1000:.0f} ms, "
        f"over a channel in {again * 1000:.0f} ms"
    )


async def _permitted(line: Line, peer: Address) -> bool:
    """False where the server forbids the peer (403). Raises TurnRefused for other errors."""
    try:
        await line.ask(lambda now: line.client.create_permission(now, peer))
    except TurnRefused as error:
        if error.code == 403:
            return False
        raise
    return True


async def _echo(patient: Patient, visit: Visit, line: Line, peers: list[Address]) -> tuple[Address, float]:
    """The first of the MCU's addresses that answers through the relay, and its time. Raises Unwell."""
    for peer in peers:
        with contextlib.suppress(TimeoutError):
            return peer, await _once(patient, visit, line, partial(line.client.send, peer))
    raise Unwell(
        f"the relay takes packets for the MCU at {', '.join(map(_text, peers[:3]))}, and nothing comes back",
        "let UDP through between the TURN server's relay ports and the MCU's media ports, both ways; the MCU must reach the "
        "relayed address, also where it is an outer one",
    )


async def _once(patient: Patient, visit: Visit, line: Line, send: Callable[[bytes], None]) -> float:
    """An ICE check and its answer; seconds. Raises TimeoutError."""
    check = check_of(patient, visit)
    return await line.echo(lambda: send(check.request), lambda data: check.mapped(data.data) is not None)


def _peers(visit: Visit, relayed: Address) -> list[Address]:
    """The MCU's UDP addresses of the relayed address's family. Raises Unwell."""
    version = ip_address(relayed[0]).version
    found = [
        (one.address, one.port)
        for one in visit.candidates
        if one.transport.lower() == "udp" and ip_address(one.address).version == version
    ]
    if not found:
        raise Unwell(
            f"the relayed address {_text(relayed)} is IPv{version}, and the MCU has no address of that family",
            "give both an address of the same family",
        )
    return found


def _relay(visit: Visit, transport: Transport) -> Relay:
    """Raises NotTried."""
    found = relays(visit.ice_servers)
    if not found:
        raise NotTried("the application server names no TURN server to browsers")
    if transport not in found:
        why = ": its certificate is of no public authority" if transport == "tls" else ""
        raise NotTried(f"browsers are told no way to a TURN server over {transport.upper()}{why}")
    return found[transport]


async def _spot(patient: Patient, transport: Transport) -> tuple[Spot, str]:
    """Where browsers are told to go, and by which name; where the configuration has it, if nobody can join. Raises NotTried."""
    try:
        told = _relay(await visit_of(patient), transport).spot
        return told, told.host
    except NotTried:
        spot = patient.place.spot(ROWS[transport]) if patient.place.inside else None
        if spot is None:
            raise
        return spot, patient.place.name


def _failed(error: BaseException, spot: Spot, transport: Transport) -> Told:
    if isinstance(error, TurnRefused):
        what, advice = REFUSALS.get(error.code, (f"it answers {error}", "see its log"))
        return fail(f"the TURN server at {spot}: {what} ({error})", advice)
    return met(error, spot, ROWS[transport], udp=transport == "udp").told


def _text(address: Address) -> str:
    return str(Spot(address[0], address[1]))
