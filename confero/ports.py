"""The port map as data: every default port of the system stands here and nowhere else.

``python -m confero.ports`` prints the page ``docs/ports.md``; configuration defaults, the compose file and the documents are
tested against this table.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

Transport = Literal["tcp", "udp", "tcp/udp"]
Exposure = Literal["public", "internal"]


@dataclass(frozen=True)
class Port:
    """One listening port, or range of ports, of one service."""

    service: str
    """Name of the service that listens."""
    purpose: str
    """Short key, unique within the service."""
    low: int
    high: int
    """Last port of a range; equal to ``low`` for a single port."""
    transport: Transport
    exposure: Exposure
    """``internal`` ports bind to loopback or the configured internal address, never to all addresses by default."""
    carries: str
    rows: tuple[int, ...] = ()
    """Rows of the documented port map (ARCHITECTURE.md) in which this port is the destination."""

    @property
    def number(self) -> int:
        return self.low

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"


PORTS: tuple[Port, ...] = (
    Port("appserver", "https", 443, 443, "tcp", "public", "pages, REST, the WebSocket passed on to the notifier", (1,)),
    Port(
        "appserver",
        "http",
        80,
        80,
        "tcp",
        "internal",
        "token validation, MCU registration, events, call records",
        (8, 10),
    ),
    Port("edge", "https", 443, 443, "tcp", "public", "the front door: each connection goes to its service", (1, 2, 5)),
    Port("edge", "control", 2136, 2136, "tcp", "internal", "health, metrics"),
    Port("notifier", "http", 14040, 14040, "tcp", "internal", "pushes to browsers; the proxied WebSocket", (6, 11)),
    Port("mcu", "http", 2131, 2131, "tcp", "internal", "signalling: SDP offer/answer, mute, layout, leave", (9,)),
    Port("mcu", "media", 5000, 15000, "tcp/udp", "public", "ICE + DTLS-SRTP, RTP/RTCP", (16, 18, 19)),
    Port("mcu", "link", 2132, 2132, "tcp", "internal", "framed media link from the flash server"),
    Port(
        "database", "sql", 3306, 3306, "tcp", "internal", "MySQL/MariaDB; SQLite when no database is configured", (7,)
    ),
    Port("turn", "tls", 443, 443, "tcp", "public", "STUN/TURN over TCP and TLS", (2,)),
    Port("turn", "udp", 14049, 14049, "udp", "public", "STUN/TURN", (3,)),
    Port("turn", "relay", 49152, 65535, "udp", "public", "relayed media", (14,)),
    Port("turn", "control", 2134, 2134, "tcp", "internal", "health, metrics, control"),
    Port("flash", "rtmfp", 14049, 14049, "udp", "public", "RTMFP", (4,)),
    Port("flash", "rtmpt", 443, 443, "tcp", "public", "RTMPT, RTMPTS", (5,)),
    Port("flash", "rtmp", 1935, 1935, "tcp", "public", "RTMP"),
    Port("flash", "control", 2135, 2135, "tcp", "internal", "health, metrics, control"),
    Port("sipgw", "sip", 5060, 5060, "tcp/udp", "public", "SIP", (12, 17)),
    Port("sipgw", "sips", 5061, 5061, "tcp", "public", "SIP over TLS"),
    Port("sipgw", "control", 2133, 2133, "tcp", "internal", "health, metrics, control"),
    Port("endpoint", "media", 9000, 9999, "tcp/udp", "public", "RTP/RTCP of SIP endpoints", (13,)),
    Port("mediaproc", "control", 20000, 20000, "tcp", "internal", "MCP control", (15,)),
    Port("mediaproc", "media", 20002, 45000, "tcp/udp", "internal", "MCP RTP/RTCP", (15,)),
)

UNPRIVILEGED: dict[tuple[str, str], int] = {
    ("appserver", "https"): 8443,
    ("appserver", "http"): 8080,
    ("edge", "https"): 8443,
    ("turn", "tls"): 8443,
}
"""What ``confero up`` uses instead where ports below 1024 are not permitted."""


def find(service: str, purpose: str) -> Port:
    """The entry of a service's port. Raises KeyError for an unknown one."""
    for entry in PORTS:
        if (entry.service, entry.purpose) == (service, purpose):
            return entry
    raise KeyError(f"no port {purpose!r} of service {service!r} in the port map")


def reserved() -> frozenset[int]:
    """The fixed ports that no media allocator may hand out, whatever its range."""
    return frozenset(entry.low for entry in PORTS if entry.low == entry.high)


def render_markdown() -> str:
    """The page ``docs/ports.md``."""
    head = "# Ports\n\nMade by `python -m confero.ports`; do not edit.\n\n"
    table = ["| service | purpose | port | transport | reach | carries | map rows |", "|---|---|---|---|---|---|---|"]
    for p in PORTS:
        rows = ", ".join(map(str, p.rows)) or "-"
        table.append(f"| {p.service} | {p.purpose} | {p} | {p.transport} | {p.exposure} | {p.carries} | {rows} |")
    low = "\n".join(f"- {service} {purpose}: {number}" for (service, purpose), number in UNPRIVILEGED.items())
    return head + "\n".join(table) + "\n\nWhere ports below 1024 are not permitted, `confero up` uses:\n\n" + low + "\n"


if __name__ == "__main__":
    sys.stdout.write(render_markdown())
