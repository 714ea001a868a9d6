"""Errors of the network in words: what was met at a port, and which rule or setting changes it."""

from __future__ import annotations

import errno
import socket
import ssl
from dataclasses import dataclass

import aiohttp

from confero.ports import find

from .findings import Told, fail
from .place import FRONT, Row, Spot

REFUSED, SILENT, CUT, NO_ROUTE, NO_NAME, NO_TLS, OTHER = (
    "refused",
    "silent",
    "cut",
    "no-route",
    "no-name",
    "no-tls",
    "other",
)

KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, SILENT),
    (ConnectionRefusedError, REFUSED),
    (ConnectionError, CUT),
    (EOFError, CUT),
    (socket.gaierror, NO_NAME),
    (ssl.SSLError, NO_TLS),
)
"""The first that fits."""
NO_ROUTES = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPERM})
"""EPERM: a rule of this machine's own firewall forbids it to be sent."""

SEEN: dict[str, str] = {
    REFUSED: "nothing listens at {spot}",
    SILENT: "no answer from {spot}",
    CUT: "{spot} cut the connection",
    NO_ROUTE: "there is no way to {spot} from here",
    NO_NAME: "nobody knows the address of {host}",
    NO_TLS: "{spot} does not speak TLS",
    OTHER: "{spot}: {error}",
}
ADVICE: dict[str, str] = {
    REFUSED: "start the {name} (confero up, or {command}); if it listens elsewhere, give the doctor the same --config and "
    "--port as it has ({service}.{purpose})",
    SILENT: "let {transport} {port} in to {host}: a firewall, security group or port forwarding drops it; or the {name} hangs",
    CUT: "see the {name}'s log; something else may listen there, or a device on the way cut it",
    NO_ROUTE: "check this machine's addresses, routes and outgoing firewall",
    NO_NAME: "make a DNS record for {host}, or give the doctor an address by --address",
    NO_TLS: "something else listens on {transport} {port}, or a proxy has ended TLS before it: give the port to the {name}",
    OTHER: "see the {name}'s log",
}

BEHIND_THE_FRONT = "the front door is there, but nobody behind it takes the connection: see 'appserver' and its log"
"""Advice where it cuts a connection, or says nothing."""

NAMES = {
    "appserver": "application server",
    "notifier": "notification server",
    "mcu": "MCU",
    "sipgw": "SIP gateway",
    "turn": "TURN server",
    "edge": "front door",
    "database": "database",
}
"""Services as the documents call them."""


def kind_of(error: BaseException) -> str:
    """What happened, of errors of sockets, TLS and aiohttp."""
    if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, aiohttp.ClientSSLError):
        return kind_of(error.os_error)
    if isinstance(error, aiohttp.ClientSSLError):
        return NO_TLS
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return CUT
    for kind, name in KINDS:
        if isinstance(error, kind):
            return name
    code = error.errno if isinstance(error, OSError) else None
    return REFUSED if code == errno.ECONNREFUSED else NO_ROUTE if code in NO_ROUTES else OTHER


@dataclass(frozen=True)
class Met:
    """An error at a port, in words."""

    what: str
    advice: str

    @property
    def told(self) -> Told:
        return fail(self.what, self.advice)


def met(error: BaseException, spot: Spot, row: Row, *, udp: bool = False) -> Met:
    """What ``error`` at ``spot`` says of the row of the port map that should be there."""
    kind = kind_of(error)
    facts = {
        "spot": f"{spot} (UDP)" if udp else str(spot),
        "host": spot.host,
        "port": spot.port,
        "transport": "UDP" if udp else "TCP",
        "service": row[0],
        "purpose": row[1],
        "name": NAMES[row[0]],
        "command": f"confero-{row[0]}",
        "error": f"{type(error).__name__}: {error}".rstrip(": "),
    }
    advice = BEHIND_THE_FRONT if row == FRONT and kind in (CUT, SILENT) else ADVICE[kind].format_map(facts)
    return Met(SEEN[kind].format_map(facts), advice)


def port_of(row: Row, spot: Spot | None, transport: str = "") -> str:
    """``443/tcp``; ranges and services that are nowhere by the map's own numbers."""
    entry = find(*row)
    number = str(spot.port) if spot is not None and entry.low == entry.high else str(entry)
    return f"{number}/{transport or entry.transport}"
