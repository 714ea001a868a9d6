"""TURN without I/O and without a clock: the server that rules a data path's tables, and a client (RFC 8656, 6062)."""

from . import actions
from .accounts import Accounts, issue, rest_password
from .client import TurnClient
from .framing import StreamFramer, channel_data, read_channel_data
from .peers import ANY, MAX_RANGES, PeerPolicy, Reach
from .refusals import REASONS
from .server import Server
from .settings import Alternate, Settings
from .types import TCP, UDP, Client, PortRange, PortRanges, Ports, Random, Relay, Transport

__all__ = [
    "ANY",
    "MAX_RANGES",
    "REASONS",
    "TCP",
    "UDP",
    "Accounts",
    "Alternate",
    "Client",
    "PeerPolicy",
    "PortRange",
    "PortRanges",
    "Ports",
    "Random",
    "Reach",
    "Relay",
    "Server",
    "Settings",
    "StreamFramer",
    "Transport",
    "TurnClient",
    "actions",
    "channel_data",
    "issue",
    "read_channel_data",
    "rest_password",
]
