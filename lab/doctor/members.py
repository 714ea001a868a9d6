"""A conference of synthetic members: pairs that say a tone each, and have to hear the other's and not their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from confero.errors import ConferoError, RemoteError
from confero.ids import new_id
from confero.lab.members import Member, RtpMember, WebRtcMember
from confero.lab.members.loopback import gather_loopback_too
from confero.lab.signals import analysis, sources
from confero.models import IceServer, RoomSpec
from confero.runtime.client import ServiceClient

from .findings import NotTried, Told, Unwell, fail, ok, warn
from .patient import Patient
from .place import Place
from .turnurl import Relay, relays
from .visit import visit_of
from .wire import unverified

SETTLE_S = 1.0
WINDOW_S = 0.1
LISTEN_S = 1.5
PATIENCE_S = 6.0
"""It is listened for so long if the last ``LISTEN_S`` have gaps: a busy machine, or a line that only settles."""
SAID_DB = -15.0
"""RMS of a sine whose peak lies 12 dB under full scale."""
HEARD_DB = SAID_DB - 12.0
OWN_DB = SAID_DB - 30.0
"""Nobody's own tone comes back louder."""
WELL, BARELY = 0.8, 0.1
"""Share of the time in which the other is heard: above the one it is well, below the other there is nothing."""
BROWSERS = (440.0, 740.0)
RELAYED = (560.0, 930.0)
TELEPHONES = (660.0, 1130.0)
"""Hertz: the pairs of one room are told apart, and none is a multiple of another."""


@dataclass(frozen=True)
class Heard:
    """What a member has heard."""

    name: str
    share: float
    """Of the time, in which the other's tone was there."""
    own_db: float
    """Level of its own tone, in dBFS."""


async def browsers(patient: Patient) -> Told:
    """Two browsers without a browser: DTLS-SRTP and Opus, straight to the MCU."""
    visit = await visit_of(patient)
    return await _talk(
        patient,
        [_browser(patient, visit.room, hertz, None) for hertz in BROWSERS],
        BROWSERS,
        "two browsers",
        ("see 'media udp' and 'media tcp'; if they are well, the MCU's log says what became of ICE and DTLS"),
    )


async def relayed(patient: Patient) -> Told:
    """The same through the TURN server and nothing else."""
    visit = await visit_of(patient)
    ways = relays(visit.ice_servers)
    if not ways:
        raise NotTried("the application server names no TURN server to browsers")
    relay = ways.get("udp") or ways.get("tcp")
    if relay is None:
        raise NotTried("browsers are told of TURN over TLS only, see 'turn tls'")
    members = [_browser(patient, visit.room, hertz, relay) for hertz in RELAYED]
    return await _talk(
        patient,
        members,
        RELAYED,
        f"two browsers by TURN over {relay.transport.upper()} only",
        ("see 'turn udp' and 'turn tcp': allocation, permission for the MCU, and the way between relay and MCU"),
    )


async def telephones(patient: Patient) -> Told:
    """Two telephones without SIP: RTP with G.711, their legs asked of the MCU."""
    place = patient.place
    spot = place.spot(("mcu", "http"))
    if spot is None:
        raise NotTried("no MCU is installed or configured here")
    if not place.secret:
        raise NotTried(f"the installation's secret cannot be read: {place.no_secret}")
    room = new_id("doctor")
    mcu = ServiceClient("lab", "mcu", f"http://{spot}", secret=place.secret, clock=patient.clock)
    try:
        await mcu.call("PUT", f"/v1/rooms/{room}", body=RoomSpec(name="Doctor", talkers=0))
        host = await _beside(place, spot.host)
        pair = [_telephone(mcu, room, host, hertz) for hertz in TELEPHONES]
        return await _talk(
            patient,
            pair,
            TELEPHONES,
            "two telephones (RTP, G.711)",
            ("see the MCU's log; for addresses of this machine alone [mcu] media_to_loopback may be needed"),
        )
    except ConferoError as error:
        raise Unwell(f"the MCU makes no room for telephones: {error}", "see 'mcu', and its log") from error
    finally:
        with contextlib.suppress(ConferoError):
            await mcu.call("DELETE", f"/v1/rooms/{room}")
        await mcu.close()


def _browser(patient: Patient, room: str, hertz: float, relay: Relay | None) -> WebRtcMember:
    gather_loopback_too()
    server = relay and IceServer(urls=[relay.url], username=relay.username, credential=relay.password)
    return WebRtcMember(
        f"Doctor {hertz:.0f}",
        _tone(hertz),
        page_url=patient.page_url(""),
        room=room,
        tls=unverified(("http/1.1",)),
        relay=server or None,
        origin=patient.place.origin,
    )


def _telephone(mcu: ServiceClient, room: str, host: str, hertz: float) -> RtpMember:
    return RtpMember(f"Doctor {hertz:.0f}", _tone(hertz), mcu=mcu, room=room, host=host)


async def _talk(patient: Patient, members: Sequence[Member], tones: tuple[float, float], who: str, advice: str) -> Told:
    """Both join, talk for a while, and tell what they have heard; one pair after the other, since coding costs."""
    async with patient.stage:
        return await _on_stage(members, tones, who, advice)


async def _on_stage(members: Sequence[Member], tones: tuple[float, float], who: str, advice: str) -> Told:
    try:
        await asyncio.gather(*(member.join() for member in members))
        await asyncio.sleep(SETTLE_S)
        for member in members:
            member.heard.clear()
        heard = await _listen(members, tones)
    except (ConferoError, aiohttp.ClientError, OSError, TimeoutError) as error:
        return fail(f"{who}: {_why(error)}", advice)
    finally:
        await asyncio.gather(*(member.leave() for member in members), return_exceptions=True)
    return _judge(heard, who, advice)


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "joined, and nothing was heard"
    return f"{error.detail}" if isinstance(error, RemoteError) else f"{error or type(error).__name__}"


async def _listen(members: Sequence[Member], tones: tuple[float, float]) -> list[Heard]:
    """Until everybody has heard the other well for a while, or for ``PATIENCE_S``, of which then all counts."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_S
    while True:
        await asyncio.sleep(LISTEN_S)
        late = loop.time() >= until
        heard = await asyncio.to_thread(_heard, members, tones, PATIENCE_S if late else LISTEN_S)
        if late or all(one.share >= WELL for one in heard):
            return heard


def _heard(members: Sequence[Member], tones: tuple[float, float], seconds: float) -> list[Heard]:
    """By the last ``seconds`` of their recordings."""
    return [
        Heard(member.name, share_of(signal, other, seconds), analysis.tone_db(signal, own))
        for member, own, other in zip(members, tones, reversed(tones), strict=True)
        for signal in (member.heard.signal()[-round(seconds * sources.RATE) :],)
    ]


def share_of(signal: sources.Signal, hertz: float, seconds: float) -> float:
    """The share of ``seconds`` in which a tone is there, in a recording that may be shorter."""
    size = round(WINDOW_S * sources.RATE)
    windows = [signal[at : at + size] for at in range(0, signal.size - size + 1, size)]
    there = sum(analysis.tone_db(window, hertz) > HEARD_DB for window in windows)
    return min(1.0, there * WINDOW_S / seconds)


def _judge(heard: list[Heard], who: str, advice: str) -> Told:
    if echo := [one for one in heard if one.own_db > OWN_DB]:
        return fail(
            f"{who}: {echo[0].name} hears itself at {echo[0].own_db:.0f} dB", "a fault of the MCU: please report it"
        )
    least = min(one.share for one in heard)
    if least < BARELY:
        return fail(f"{who}: joined, and one does not hear the other", advice)
    if least < WELL:
        return warn(
            f"{who} hear each other in {least:.0%} of the time",
            "packets are lost or late on the way, or this machine or the MCU's is too busy (confero_loop_lag_seconds): try again",
        )
    return ok(f"{who} hear each other, and nobody themselves")


def _tone(hertz: float) -> sources.Signal:
    return sources.loop(sources.tone(hertz, 10.0), 10)


async def _beside(place: Place, host: str) -> str:
    """This machine's address on the way to the MCU's media."""
    bind = place.setting("mcu", "media_bind", [])
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=(bind[0] if bind else host, 9)
    )
    try:
        return str(transport.get_extra_info("sockname")[0])
    finally:
        transport.close()
