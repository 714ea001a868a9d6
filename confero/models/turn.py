"""TURN server to application server (80, /internal/v1): where clients reach it, how it fares, which media servers it may reach."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import Id, Reply, Request

TurnTransport = Literal["udp", "tcp", "tls"]
MOST_PLACES = 64
"""Addresses of one media server, and listeners of one TURN server: a machine has a handful."""


class MediaPlace(Request):
    """Where a media server takes media: an address that peers are told, and the ports there."""

    host: str = Field(min_length=2, max_length=64)
    """An IP address."""
    low: int = Field(ge=1, le=65_535)
    high: int = Field(ge=1, le=65_535)


class TurnListener(Request):
    """Where browsers reach a TURN server over one transport."""

    transport: TurnTransport
    host: str | None = Field(default=None, min_length=1, max_length=253)
    """A name or an address; None: the name under which the browser has found the page."""
    port: int = Field(ge=1, le=65_535)


class TurnRegister(Request):
    """POST /internal/v1/turns: at start, whenever a heartbeat was answered 404, and every 60 s. Answered with TurnPeers."""

    id: Id
    boot: Id
    """New at each start of the process."""
    listeners: list[TurnListener] = Field(max_length=MOST_PLACES)
    trusted_names: list[str] = Field(default_factory=list, max_length=MOST_PLACES)
    """Names of the certificate, if it is one that browsers trust without being told: those are the names for ``turns:``."""


class TurnHeartbeat(Request):
    """PUT /internal/v1/turns/{id}/heartbeat every 2 s; 404: register again. Silent for 6 s: nobody is sent there any more."""

    boot: Id
    allocations: int = Field(ge=0)
    draining: bool = False
    known: str | None = Field(default=None, max_length=64)
    """The ``version`` of TurnPeers that it has."""
    wait_s: float = Field(default=0, ge=0, le=3)
    """How long the answer may wait for another."""


class TurnPeers(Reply):
    """Where the media servers of the farm take media: what a TURN server may reach beside the open internet."""

    media: list[MediaPlace] = Field(default_factory=list)
    version: str = ""
    """Another one whenever ``media`` is; empty: the answer does not wait for that."""


class TurnAllocation(Reply):
    """One allocation of GET /v1/allocations at the TURN server's control port."""

    id: int
    user: str
    transport: TurnTransport
    client: str
    relayed: list[str]
    permissions: int
    channels: int
    peers: Literal["udp", "tcp"]
    """How it reaches them."""
    connections: int
    """To peers, over TCP."""
    seconds: float
    """Since it was made."""
    to_peer_bytes: int
    to_client_bytes: int
    drops: dict[str, int]
