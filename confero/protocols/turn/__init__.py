"""TURN without I/O and without a clock: the server that rules a data path's tables, and a client (RFC 8656, 6062)."""

from . import actions
from .types import TCP, UDP, Client, PortRange, PortRanges, Ports, Random, Relay, Transport

__all__ = [
    "TCP",
    "UDP",
    "Client",
    "PortRange",
    "PortRanges",
    "Ports",
    "Random",
    "Relay",
    "Transport",
    "actions",
]
