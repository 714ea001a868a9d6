"""Who may open a WebSocket: Origin, query and connection limits, all judged before the upgrade. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from confero.errors import Refused, RemoteError
from confero.ratelimit import source_of

DEFAULT_PORTS = {"http": 80, "https": 443}


def normal_origin(text: str) -> str | None:
    """``scheme://host[:port]`` in lower case without a default port (RFC 6454 section 6.2); None if it is anything else."""
    try:
        parts = urlsplit(text.strip().lower())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    if parts.path or parts.query or parts.fragment:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


@dataclass(frozen=True)
class Upgrade:
    """What the gate needs to know of a request for a WebSocket."""

    origins: Sequence[str]
    """Every Origin header."""
    host: str
    scheme: str
    remote: str
    """Address of whoever opened the TCP connection."""
    forwarded_for: str
    forwarded_proto: str
    bearer: str
    """Service token of the application server when it passes a browser on, else empty."""
    query: Mapping[str, str]


class Gate:
    """Judges upgrades and counts connections. ``is_proxy`` says whether a bearer token is the application server's."""

    def __init__(
        self, *, allowed_origins: Sequence[str], total: int, per_source: int, is_proxy: Callable[[str], bool]
    ) -> None:
        self._allowed = frozenset(origin for text in allowed_origins if (origin := normal_origin(text)))
        self._total = total
        self._per_source = per_source
        self._is_proxy = is_proxy
        self._open: dict[str, int] = {}
        self._count = 0

    @property
    def count(self) -> int:
        return self._count

    def judge(self, upgrade: Upgrade, *, bare: bool = False) -> str:
        """The source address for ``slot``. ``bare``: there may be no Origin, because the token in Authorization is nothing that a
        browser adds by itself; programs then need none.

        Raises RemoteError 400 for a token in the URL, Refused 403 for a foreign Origin.
        """
        if upgrade.query:
            raise RemoteError("The token never goes into the URL.", code="query-not-allowed")
        proxied = bool(upgrade.bearer) and self._is_proxy(upgrade.bearer)
        if upgrade.origins or not bare:
            self._check_origin(upgrade, (proxied and upgrade.forwarded_proto) or upgrade.scheme)
        return source_of(upgrade.forwarded_for if proxied and upgrade.forwarded_for else upgrade.remote)

    def _check_origin(self, upgrade: Upgrade, scheme: str) -> None:
        own = normal_origin(f"{scheme}://{upgrade.host}")
        given = normal_origin(upgrade.origins[0]) if len(upgrade.origins) == 1 else None
        if given is None or (given != own and given not in self._allowed):
            raise Refused("This page may not connect here.", status=403, code="origin-refused")

    def slot(self, source: str) -> Slot:
        """To be held while a connection lasts. Entering raises Refused 429 when all, or all of this source, are taken."""
        return Slot(self, source)

    def take(self, source: str) -> None:
        """As by ``slot``."""
        held = self._open.get(source, 0)
        if self._count >= self._total or held >= self._per_source:
            raise Refused("Too many connections; try again in a minute.", status=429, code="too-many-connections")
        self._open[source] = held + 1
        self._count += 1

    def give_back(self, source: str) -> None:
        """What was taken."""
        self._count -= 1
        self._open[source] -= 1
        if self._open[source] == 0:
            del self._open[source]


class Slot:
    """A connection's place. There are thousands: a generator would take 0.3 kB for each."""

    __slots__ = ("_gate", "_source")

    def __init__(self, gate: Gate, source: str) -> None:
        self._gate = gate
        self._source = source

    def __enter__(self) -> None:
        self._gate.take(self._source)

    def __exit__(self, *error: object) -> None:
        self._gate.give_back(self._source)
