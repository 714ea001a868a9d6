"""The Python face of the TURN relay's data path: tables go down, requests come up, and no relayed byte passes here."""

from __future__ import annotations

from .errors import RelayBusy, RelayClosed, RelayError, RelayFull, UnknownFlow
from .relay import Relay
from .types import (
    DROPS,
    TRANSPORTS,
    Adopt,
    Client,
    Closed,
    Disconnected,
    Event,
    Flow,
    NotStun,
    RelayConfig,
    RelayStats,
    Request,
    Traffic,
)

__all__ = [
    "DROPS",
    "TRANSPORTS",
    "Adopt",
    "Client",
    "Closed",
    "Disconnected",
    "Event",
    "Flow",
    "NotStun",
    "Relay",
    "RelayBusy",
    "RelayClosed",
    "RelayConfig",
    "RelayError",
    "RelayFull",
    "RelayStats",
    "Request",
    "Traffic",
    "UnknownFlow",
]
