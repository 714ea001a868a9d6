"""Who takes what: services by kind of connection, the first that is there."""

from __future__ import annotations

from confero.protocols.sniff import Kind

ROUTES: dict[Kind, tuple[str, ...]] = {
    Kind.TURN: ("turn",),
    Kind.TURNS: ("turn",),
    # Browsers send no ALPN for `turns:`. What turns out to be HTTP inside is handed on by the TURN server; without one
    # the application server takes those who have not heard of ALPN.
    Kind.TLS: ("turn", "appserver"),
    Kind.HTTPS: ("appserver",),
    Kind.RTMPT: ("flash",),
    Kind.RTMP: ("flash",),
    Kind.SIPS: (),
    Kind.OTHER_TLS: (),
    Kind.HTTP: (),
    Kind.UNKNOWN: (),
}
SERVICES = tuple(dict.fromkeys(service for services in ROUTES.values() for service in services))
"""Each has a socket ``<service>.sock`` in the folder."""
