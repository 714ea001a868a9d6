"""What has happened to allocations, as structured events of the log, each with the names that the control port shows."""

from __future__ import annotations

from confero.protocols.stun import Method
from confero.protocols.turn import Client, actions
from confero.ratelimit import Rate, RateLimiter
from confero.relay import Traffic
from confero.runtime.logging import get_logger

log = get_logger(__name__)

WRONG = 401
"""Told of those who claim to be somebody: the first request of each client has no credentials, and is none of these."""
DENIALS = Rate(burst=20, per_s=1)
"""Lines of the log for refused requests of one source: the counters know them all."""


class LoggedNews:
    """``confero.turn.bridge.News`` into the log."""

    def __init__(self, denials: RateLimiter) -> None:
        self._denials = denials
        self.wrong = 0
        """Requests with a name or password that is not good."""

    def opened(self, event: actions.Opened) -> None:
        relays = [shown(relay.address) for relay in event.relays]
        log.info("allocation opened", **_who(event.allocation, event.user, event.client), relayed=relays)

    def closed(self, event: actions.Closed, traffic: Traffic) -> None:
        log.info(
            "allocation closed",
            allocation=event.allocation,
            user=event.user,
            reason=event.reason,
            seconds=round(event.seconds, 1),
            to_peer_packets=traffic.to_peer_packets,
            to_peer_bytes=traffic.to_peer_bytes,
            to_client_packets=traffic.to_client_packets,
            to_client_bytes=traffic.to_client_bytes,
            drops={reason: count for reason, count in traffic.drops.items() if count},
        )

    def denied(self, event: actions.Denied) -> None:
        self.wrong += event.code == WRONG
        if self._denials.take(event.client.peer[0]):
            return
        client = shown(event.client.peer)
        log.info(
            "request refused",
            method=method_name(event.method),
            code=event.code,
            detail=event.detail,
            user=event.user,
            client=client,
            transport=event.client.transport,
        )


def shown(address: tuple[str, int]) -> str:
    """``192.0.2.1:5000``, ``[2001:db8::1]:5000``"""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def method_name(method: int) -> str:
    """``allocate``"""
    try:
        return Method(method).name.lower().replace("_", "-")
    except ValueError:
        return "other"


def _who(allocation: int, user: str, client: Client) -> dict[str, object]:
    return {
        "allocation": allocation,
        "user": user,
        "client": shown(client.peer),
        "transport": client.transport,
        "local": shown(client.local),
    }
