"""Which service may call what: the one table behind service-to-service authentication.

Each internal route names a scope; a signed service token (``confero.tokens``) proves the caller's name; this table decides.
"""

from __future__ import annotations

SERVICES = ("appserver", "notifier", "mcu", "turn", "sipgw", "edge", "flash", "mediaproc", "lab")

ACCESS: dict[str, frozenset[str]] = {
    # application server, port 80
    "appserver:tokens": frozenset({"notifier"}),
    "appserver:sessions": frozenset({"notifier"}),
    "appserver:mcus": frozenset({"mcu"}),
    "appserver:turns": frozenset({"turn"}),
    "appserver:records": frozenset({"mcu"}),
    "appserver:sip": frozenset({"sipgw"}),
    # notification server, port 14040
    "notifier:publish": frozenset({"appserver", "mcu", "sipgw"}),
    "notifier:rooms": frozenset({"appserver"}),
    "notifier:mcus": frozenset({"mcu"}),
    # SIP gateway, port 2133
    "sipgw:calls": frozenset({"appserver", "lab"}),
    # MCU, port 2131
    "mcu:rooms": frozenset({"notifier", "sipgw", "lab"}),
    "mcu:legs": frozenset({"notifier", "sipgw", "lab"}),
    "sipgw:trunks": frozenset({"appserver", "lab"}),
    "mcu:taps": frozenset({"mediaproc", "lab"}),
    # SIP gateway, port 2133
    "sipgw:trace": frozenset({"appserver", "lab"}),
    # TURN server, port 2134
    "turn:allocations": frozenset({"appserver", "lab"}),
}


def may_call(caller: str, scope: str) -> bool:
    """True if the table lets ``caller`` use ``scope``. An unknown scope is nobody's."""
    return caller in ACCESS.get(scope, frozenset())
