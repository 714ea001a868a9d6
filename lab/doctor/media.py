"""The MCU's media addresses: whether each answers an ICE check from here over UDP and TCP, and whether others can reach them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address

from confero.protocols.sdp.model import Candidate
from confero.protocols.stun import Address

from .findings import NotTried, Told, fail, ok, skip, warn
from .icecheck import IceCheck, unframed
from .line import Line, TurnRefused
from .patient import Patient
from .place import Spot, resolved
from .visit import Visit, visit_of
from .wire import Wire
from .words import NO_ROUTE, kind_of

CHECK_WAITS_S = (0.25, 0.5, 1.0, 1.5)
"""After each sending."""
CONNECT_S = 2.5
FIRST = 8
"""Addresses that are tried; a machine with more has them all alike."""


@dataclass(frozen=True)
class Tried:
    """A candidate, and what came of a check."""

    spot: Spot
    mapped: Address | None = None
    """Where the MCU has seen us."""
    local: str = ""
    seconds: float = 0.0
    kind: str = ""
    """Of the error, as ``words`` names them."""


Way = Callable[[Spot, IceCheck], Awaitable[Tried]]


async def udp(patient: Patient) -> Told:
    """Over UDP, as nearly all media goes."""
    visit = await visit_of(patient)
    tried = await _all(patient, visit, "udp", _over_udp)
    if not tried:
        return fail("the MCU's answer names no UDP address", "check [mcu] media_bind and media_advertise")
    answered = [one for one in tried if one.mapped]
    if not answered:
        return _nothing(patient, tried, "UDP")
    text = ", ".join(f"{one.spot} in {one.seconds * 1000:.0f} ms" for one in answered)
    return _partly(tried, answered, f"media answers over UDP: {text}")


async def tcp(patient: Patient) -> Told:
    """Over TCP, where UDP does not get through (RFC 6544)."""
    visit = await visit_of(patient)
    if patient.place.setting("mcu", "media_tcp", True) is False:
        return skip("[mcu] media_tcp is off")
    tried = await _all(patient, visit, "tcp", _over_tcp)
    if not tried:
        return skip("the MCU's answer names no TCP address: [mcu] media_tcp is off")
    answered = [one for one in tried if one.mapped]
    if not answered:
        told = _nothing(patient, tried, "TCP")
        return warn(told.what, told.advice)
    return _partly(tried, answered, f"media answers over TCP: {', '.join(str(one.spot) for one in answered)}")


async def addresses(patient: Patient) -> Told:
    """What the MCU tells browsers, against where people look for the installation."""
    visit = await visit_of(patient)
    told = sorted({one.address for one in visit.candidates})
    public = [one for one in told if ip_address(one).is_global]
    seen = await resolved(patient.place.name)
    page_public = [one for one in seen if ip_address(one).is_global]
    if page_public and not public:
        return fail(
            f"the page is at {page_public[0]}, but the MCU tells browsers {', '.join(told[:3])} only, which they cannot reach",
            f"set [mcu] media_advertise to {page_public[0]}={told[0]} (outer=inner), and forward UDP and TCP of the media ports",
        )
    if page_public and not set(page_public) & set(public):
        return warn(
            f"the page is at {page_public[0]}, the MCU tells {', '.join(public[:3])}",
            "right if the MCU is another machine; else set [mcu] media_advertise",
        )
    return ok(f"the MCU tells browsers {', '.join(told[:4])}" + ("" if public else ": this network only"))


async def outer_address(patient: Patient) -> Told:
    """Where the world sees this machine, by a STUN server elsewhere, against what the MCU tells."""
    spot = patient.place.stun
    if spot is None:
        raise NotTried("name a STUN server elsewhere by --stun HOST:PORT to have this machine's outer address compared")
    try:
        line = await Line.connect("udp", spot, patient.random)
        try:
            await line.ask(line.client.binding)
        finally:
            await line.close()
    except (OSError, TimeoutError, TurnRefused) as error:
        return fail(
            f"the STUN server {spot} does not answer: {error or type(error).__name__}", "name another one by --stun"
        )
    assert line.client.mapped is not None
    outer, inner = line.client.mapped[0], line.local[0]
    behind = f"this machine is seen at {outer}" + (
        "" if outer == inner else f", its own address is {inner}: there is a NAT"
    )
    if not ip_address(outer).is_global:
        return ok(f"{behind}: the STUN server is in this network, and the world may see another address")
    if not patient.place.inside:
        return ok(behind)
    visit = await visit_of(patient)
    if outer in {one.address for one in visit.candidates}:
        return ok(f"{behind}; the MCU tells it to browsers")
    return warn(
        f"{behind}; the MCU does not tell it to browsers",
        f"if people come from outside, set [mcu] media_advertise to {outer}={inner}, and forward the media ports",
    )


def _nothing(patient: Patient, tried: list[Tried], transport: str) -> Told:
    """No candidate answers: by what kind of addresses they are, and how they fail."""
    spots = ", ".join(str(one.spot) for one in tried[:3])
    low, high = (patient.place.setting("mcu", f"media_port_{end}") for end in ("min", "max"))
    ports = f"{low}-{high}" if low else "5000-15000, or as the MCU has them"
    if all(one.kind == NO_ROUTE for one in tried):
        return fail(
            f"there is no way from here to the MCU's media at {spots}", "check this machine's routes and firewall"
        )
    private = all(not ip_address(one.spot.host).is_global for one in tried)
    here = ip_address(patient.place.name).is_private if _is_address(patient.place.name) else False
    if private and not patient.place.inside and not here:
        return fail(
            f"no answer over {transport} from the MCU's media at {spots}: addresses of an inner network",
            f"set [mcu] media_advertise to outer=inner, and forward {transport} {ports} to the MCU",
        )
    return fail(
        f"no answer over {transport} from the MCU's media at {spots}",
        f"let {transport} {ports} in to the MCU: firewall, security group, container's published ports",
    )


def _partly(tried: list[Tried], answered: list[Tried], good: str) -> Told:
    """Those that are silent cost a browser time, not the call; without a way from here they cost nothing."""
    silent = [one for one in tried if not one.mapped and one.kind != NO_ROUTE]
    nat = next(
        (f"; we are seen at {one.mapped[0]}" for one in answered if one.mapped and one.mapped[0] != one.local), ""
    )
    if not silent:
        return ok(good + nat)
    return warn(
        f"{good}{nat}; silent: {', '.join(str(one.spot) for one in silent)}",
        "leave out of [mcu] media_advertise what nobody reaches, or let it through",
    )


async def _all(patient: Patient, visit: Visit, transport: str, way: Way) -> list[Tried]:
    found = [one for one in visit.candidates if one.transport.lower() == transport and one.component == 1]
    return list(await asyncio.gather(*(_try(patient, visit, one, way) for one in found[:FIRST])))


async def _try(patient: Patient, visit: Visit, candidate: Candidate, way: Way) -> Tried:
    spot = Spot(candidate.address, candidate.port)
    check = check_of(patient, visit)
    try:
        return await way(spot, check)
    except (OSError, TimeoutError, EOFError) as error:
        return Tried(spot, kind=kind_of(error))


def check_of(patient: Patient, visit: Visit) -> IceCheck:
    return IceCheck(
        patient.random,
        local_ufrag=visit.local_ufrag,
        remote_ufrag=visit.remote_ufrag,
        remote_password=visit.remote_password,
    )


async def _over_udp(spot: Spot, check: IceCheck) -> Tried:
    wire = await Wire.connect("udp", spot)
    loop = asyncio.get_running_loop()
    try:
        for wait in CHECK_WAITS_S:
            wire.send(check.request)
            started = loop.time()
            with contextlib.suppress(TimeoutError):
                mapped = check.mapped(await wire.receive(wait))
                if mapped:
                    return Tried(spot, mapped, wire.local[0], loop.time() - started)
    finally:
        await wire.close()
    raise TimeoutError


async def _over_tcp(spot: Spot, check: IceCheck) -> Tried:
    wire = await Wire.connect("tcp", spot, seconds=CONNECT_S)
    loop = asyncio.get_running_loop()
    started, stream = loop.time(), b""
    try:
        wire.send(check.framed)
        async with asyncio.timeout(CONNECT_S):
            while True:
                stream += await wire.receive(CONNECT_S)
                mapped = next(filter(None, map(check.mapped, unframed(stream))), None)
                if mapped:
                    return Tried(spot, mapped, wire.local[0], loop.time() - started)
    finally:
        await wire.close()


def _is_address(text: str) -> bool:
    with contextlib.suppress(ValueError):
        ip_address(text)
        return True
    return False
