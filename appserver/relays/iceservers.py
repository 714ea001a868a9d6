"""What a browser is told of TURN servers when it joins: URLs (RFC 7065), and a name and password that are good for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import ip_address

from confero.clock import Clock
from confero.models import IceServer
from confero.models.joining import IcePolicy
from confero.models.turn import TurnListener, TurnTransport
from confero.protocols.turn import issue

from .fleet import Fleet, Turn

MOST_SERVERS = 2
"""Each costs the browser an allocation for each URL, and gathering is as slow as the slowest."""
ORDER: tuple[TurnTransport, ...] = ("udp", "tcp", "tls")


@dataclass(frozen=True)
class External:
    """Servers of somebody else that the operator names."""

    urls: tuple[str, ...] = ()
    secret: bytes | None = None
    """Shared with them (the TURN REST API's); None: they are asked without credentials, as for STUN."""


@dataclass(frozen=True)
class IceRules:
    """What the operator wants browsers to be told."""

    signing: Callable[[], bytes]
    """The secret shared with our own TURN servers, as it is now."""
    ttl_s: float
    transports: Sequence[TurnTransport] = ORDER
    trusted: bool = False
    """Whether browsers trust our TURN servers' certificate, whoever signed it."""
    policy: IcePolicy = "all"
    external: External = External()


class IceServers:
    """Made anew for each join."""

    def __init__(self, fleet: Fleet, rules: IceRules, clock: Clock) -> None:
        self._fleet = fleet
        self.rules = rules
        self._clock = clock

    def for_participant(self, participant: str, page_host: str) -> list[IceServer]:
        """``page_host``: the name or address under which the browser has found the page."""
        until, external = self._clock.wall() + self.rules.ttl_s, self.rules.external
        return self._own(participant, page_host, until) + self._servers(
            external.urls, external.secret, participant, until
        )

    def for_stranger(self, name: str, page_host: str, ttl_s: float) -> list[IceServer]:
        """As for a participant, but of relays only our own, which lead to media servers alone: others may lead anywhere."""
        until = self._clock.wall() + ttl_s
        return self._own(name, page_host, until) + self._servers(self.rules.external.urls, None, name, until)

    def _own(self, name: str, page_host: str, until: float) -> list[IceServer]:
        found = []
        for turn in self._fleet.able()[:MOST_SERVERS]:
            found += self._servers(self._urls(turn, page_host), self.rules.signing(), name, until)
        return found

    def _servers(self, urls: Iterable[str], secret: bytes | None, participant: str, until: float) -> list[IceServer]:
        """As RTCIceServer wants it: ``stun:`` without credentials, and nothing else without them."""
        stun = [url for url in urls if url.startswith(("stun:", "stuns:"))]
        turn = [url for url in urls if url not in stun]
        found = [IceServer(urls=stun)] if stun else []
        if turn and secret is not None:
            name, password = issue(secret, participant, until)
            found.append(IceServer(urls=turn, username=name, credential=password))
        return found

    def _urls(self, turn: Turn, page_host: str) -> list[str]:
        wanted = [one for one in turn.listeners if one.transport in self.rules.transports]
        wanted.sort(key=lambda one: ORDER.index(one.transport))
        hosts = [(one, one.host or page_host) for one in wanted]
        return [url_of(one, host) for one, host in hosts if one.transport != "tls" or self._trusts(turn, host)]

    def _trusts(self, turn: Turn, host: str) -> bool:
        """A browser refuses ``turns:`` without a word where it does not know the certificate: it would wait for nothing."""
        return self.rules.trusted or any(names(name, host) for name in turn.trusted_names)


def url_of(listener: TurnListener, host: str) -> str:
    """RFC 7065 section 3.1."""
    shown = f"[{host}]" if ":" in host else host
    scheme, transport = ("turns", "tcp") if listener.transport == "tls" else ("turn", listener.transport)
    return f"{scheme}:{shown}:{listener.port}?transport={transport}"


def names(name: str, host: str) -> bool:
    """Whether a certificate's name is for this host; a wildcard stands for one label (RFC 6125 section 6.4.3)."""
    name, host = name.lower(), host.lower()
    if not name.startswith("*."):
        return name == host or _same_address(name, host)
    return fnmatchcase(host, name) and host.count(".") == name.count(".")


def _same_address(one: str, other: str) -> bool:
    try:
        return ip_address(one) == ip_address(other)
    except ValueError:
        return False
