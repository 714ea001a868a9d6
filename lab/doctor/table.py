"""The checks as a table: each row of the port map that is built by its own protocol, and what no port shows by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Flag, auto

from . import certificates, media, members, services, sip, strangers, turn, visit, web
from .findings import Told, fail, ok, skip
from .patient import Patient
from .place import PAGE, Row

How = Callable[[Patient], Awaitable[Told]]


class Seen(Flag):
    """From where a check can be made."""

    INSIDE = auto()
    OUTSIDE = auto()
    BOTH = INSIDE | OUTSIDE


@dataclass(frozen=True)
class Check:
    """One row."""

    name: str
    row: Row | None
    """Of the port map; None: it belongs to no port of ours."""
    how: How
    seen: Seen = Seen.BOTH
    transport: str = ""
    """Where the row of the map has several."""
    limit_s: float = 12.0
    """It fails if it takes longer. Some wait for what another one learns."""


async def secret(patient: Patient) -> Told:
    """The installation's secret, which every service must have alike."""
    place = patient.place
    if place.secret:
        return ok(f"{len(place.configs)} services are installed and configured; the secret can be read")
    return fail(
        f"the installation's secret cannot be read: {place.no_secret}",
        "run the doctor as the services' user and with their --state-dir and --config; a service's first start makes it",
    )


def absent(why: str) -> How:
    """For rows that nobody serves so far: they are said, not left out."""

    async def check(patient: Patient) -> Told:
        return skip(why)

    return check


IN, MEDIA, RELAY = Seen.INSIDE, ("mcu", "media"), ("turn", "relay")
AUDIO_S = 25.0
CHECKS: tuple[Check, ...] = (
    Check("installation", None, secret, IN),
    Check("name", None, web.name),
    Check("certificate", PAGE, certificates.of_page),
    Check("page", PAGE, web.page),
    Check("events", PAGE, web.events),
    Check("clock", None, web.clock),
    Check("appserver", ("appserver", "http"), services.service("appserver"), IN),
    Check("database", ("database", "sql"), services.database, IN),
    Check("notifier", ("notifier", "http"), services.service("notifier"), IN),
    Check("mcu", ("mcu", "http"), services.service("mcu"), IN),
    Check("sipgw", ("sipgw", "control"), services.service("sipgw"), IN),
    Check("turn", ("turn", "control"), services.service("turn"), IN),
    Check("edge", ("edge", "control"), services.service("edge"), IN),
    Check("internal ports", None, services.exposure),
    Check("strangers", None, strangers.strangers, IN),
    Check("open files", None, services.limits, IN),
    Check("sip udp", sip.SIP, sip.over("udp"), transport="udp"),
    Check("sip tcp", sip.SIP, sip.over("tcp"), transport="tcp"),
    Check("sip tls", sip.SIPS, sip.over("tls")),
    Check("sip certificate", sip.SIPS, sip.certificate),
    Check("sip websocket", PAGE, sip.websocket),
    Check("join", PAGE, visit.join, limit_s=15.0),
    Check("media udp", MEDIA, media.udp, transport="udp", limit_s=20.0),
    Check("media tcp", MEDIA, media.tcp, transport="tcp", limit_s=20.0),
    Check("media addresses", None, media.addresses, limit_s=20.0),
    Check("outer address", None, media.outer_address, limit_s=20.0),
    Check("stun udp", turn.ROWS["udp"], turn.binding("udp"), limit_s=20.0),
    Check("stun tcp", turn.ROWS["tcp"], turn.binding("tcp"), limit_s=20.0),
    Check("stun tls", turn.ROWS["tls"], turn.binding("tls"), limit_s=20.0),
    Check("turn udp", RELAY, turn.relaying("udp"), limit_s=20.0),
    Check("turn tcp", RELAY, turn.relaying("tcp"), limit_s=20.0),
    Check("turn tls", RELAY, turn.relaying("tls"), limit_s=20.0),
    Check("talk", MEDIA, members.browsers, limit_s=AUDIO_S),
    Check("talk relayed", RELAY, members.relayed, limit_s=AUDIO_S),
    Check("talk rtp", MEDIA, members.telephones, IN, limit_s=AUDIO_S),
    Check("flash", ("flash", "rtmp"), absent("not built yet: RTMP, RTMPT, RTMFP and the MCU's media link")),
    Check("mediaproc", ("mediaproc", "control"), absent("not built yet: the media worker"), IN),
)

ELSEWHERE: dict[Row, str] = {
    ("edge", "https"): "page",
    ("mcu", "link"): "flash",
    ("flash", "rtmfp"): "flash",
    ("flash", "rtmpt"): "flash",
    ("flash", "control"): "flash",
    ("mediaproc", "media"): "mediaproc",
    ("endpoint", "media"): "talk rtp",
}
"""Rows of the port map without a check of their own, and the check that speaks of them."""
