"""``turn:`` and ``turns:`` URLs, as browsers are told them (RFC 7065)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from confero.models import IceServer

from .place import Spot
from .wire import Transport

URL = re.compile(
    r"(?P<scheme>turns?):(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\[\]:?/]+)(:(?P<port>\d{1,5}))?(\?transport=(?P<transport>udp|tcp))?",
    re.IGNORECASE,
)
USUAL = {"turn": 3478, "turns": 5349}
"""RFC 7065 section 3.2, RFC 8656 section 16: where no port is named."""


@dataclass(frozen=True)
class Relay:
    """One way to a TURN server, with what lets us in."""

    url: str
    transport: Transport
    spot: Spot
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def read(server: IceServer) -> list[Relay]:
    """The ways of one server of a join's answer. What is no TURN URL, or is TURN over DTLS, is left out."""
    found = []
    for text in server.urls:
        match = URL.fullmatch(text.strip())
        if match is None:
            continue
        scheme, carried = match["scheme"].lower(), (match["transport"] or "").lower()
        transport: Transport = "tls" if scheme == "turns" else "tcp" if carried == "tcp" else "udp"
        port = int(match["port"] or USUAL[scheme])
        if (scheme == "turns" and carried == "udp") or not 0 < port < 65_536:
            continue
        spot = Spot(match["host"].strip("[]"), port)
        found.append(Relay(text, transport, spot, server.username or "", server.credential or ""))
    return found


def relays(servers: Iterable[IceServer]) -> dict[Transport, Relay]:
    """Of each transport the first way."""
    found: dict[Transport, Relay] = {}
    for server in servers:
        for relay in read(server):
            found.setdefault(relay.transport, relay)
    return found
