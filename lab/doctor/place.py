"""What is examined: where each port of the map should be, as this machine's configuration or the map itself has it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from confero.config import ServiceConfig, load
from confero.errors import LocalError
from confero.ports import PORTS, UNPRIVILEGED, find
from confero.up.plan import Options, config_model, installed, make, reachable, url

Row = tuple[str, str]
"""Service and purpose of an entry of ``confero.ports``."""
PAGE: Row = ("appserver", "https")
FRONT: Row = ("edge", "https")
"""It has the page's port where services share an address."""
TOO_OPEN = 0o077
"""Bits of a file's mode that let others read it."""


@dataclass(frozen=True)
class Spot:
    """A port to be tried."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Place:
    """An installation, seen from its own machine or from elsewhere."""

    name: str
    """The name or address by which people reach it; certificates are judged by it."""
    inside: bool
    """On the machine, with its configuration; internal ports are examined then too."""
    spots: Mapping[Row, Spot]
    """Of public ports, and inside also of internal ones."""
    configs: Mapping[str, ServiceConfig] = field(default_factory=dict, repr=False)
    """Inside: of each service that is installed, as it runs with it."""
    ca: Path | None = None
    """A certificate authority to be trusted besides the system's."""
    secret: bytes = field(default=b"", repr=False)
    """Inside: the installation's; empty if it cannot be read, and then ``no_secret`` says why."""
    no_secret: str = ""
    stun: Spot | None = None
    """A STUN server elsewhere that tells this machine's outer address, if one was named."""

    def spot(self, row: Row) -> Spot | None:
        return self.spots.get(row)

    def setting(self, service: str, name: str, default: Any = None) -> Any:
        """A setting of a service; ``default`` outside, and where it is not installed."""
        return getattr(self.configs.get(service), name, default)

    @property
    def page(self) -> Spot:
        """The public port of the page."""
        return self.spots[PAGE]

    @property
    def page_row(self) -> Row:
        """Who listens there: the front door, if we know of one, or the application server itself."""
        return FRONT if FRONT in self.spots else PAGE

    @property
    def origin(self) -> str:
        """Of the page, as a browser writes it."""
        return url("https", self.name, self.page.port)


def from_outside(name: str, *, ports: Mapping[Row, int], ca: Path | None = None, stun: Spot | None = None) -> Place:
    """The documented public ports at ``name``, but for those that ``ports`` moves."""
    spots = {}
    for entry in PORTS:
        row = (entry.service, entry.purpose)
        if entry.low == entry.high and entry.exposure == "public" and row != FRONT:
            spots[row] = Spot(name, ports.get(row, entry.number))
    if FRONT in ports:
        spots[PAGE] = Spot(name, ports[FRONT])
    return Place(name, False, spots, ca=ca, stun=stun)


def from_inside(options: Options, env: Mapping[str, str], *, ca: Path | None = None, stun: Spot | None = None) -> Place:
    """This machine's installation, by what ``confero up`` with these options would run. Raises ConfigError."""
    plan = make(options, env, lowest_port=0)  # who may bind low ports is the services' matter, not the doctor's
    specs = {spec.name: spec for spec in installed()}
    configs, spots, behind = {}, {}, []
    for child in plan.children:
        spec = specs[child.name]
        config = configs[child.name] = load(config_model(spec), service=child.name, env=child.env)
        for listen in spec.listens:
            given_up = spec.door and spec.door.purpose == listen.purpose and not getattr(config, spec.door.listen)
            if given_up:
                behind.append((child.name, listen.purpose))
            else:
                spots[child.name, listen.purpose] = _spot(config, listen.host, listen.port)
    if FRONT in spots:
        spots |= dict.fromkeys(behind, spots[FRONT])
    secret, why = _secret(configs)
    own = (options.state_dir or next(iter(configs.values())).state_dir) / "tls" / "ca.pem"
    name = options.host or urlsplit(plan.join_url).hostname or "localhost"
    return Place(name, True, spots, configs, ca or (own if own.is_file() else None), secret, why, stun)


def _spot(config: ServiceConfig, host: str, port: str) -> Spot:
    """Where a port answers that is bound so; of several addresses the first."""
    bound = getattr(config, host)
    one = bound if isinstance(bound, str) else next(iter(bound), "*")
    return Spot(reachable(one), getattr(config, port))


def _secret(configs: Mapping[str, ServiceConfig]) -> tuple[bytes, str]:
    """The key of the services' tokens, which is only read here, never made; or why there is none."""
    config = next(iter(configs.values()))
    if config.secret is not None:
        return config.secret.get_secret_value().encode(), ""
    path = config.state_dir / "secret"
    try:
        secret = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        return b"", f"{path}: {error.strerror}"
    return (b"", f"{path} may be read by others than its owner") if mode & TOO_OPEN else (secret.strip(), "")


def moved(place: Place, answering: Mapping[Row, bool], given: Mapping[Row, int]) -> Place:
    """With the unprivileged stand-ins of ports at which nobody answers, where the stand-in does and nobody has set the port.

    ``answering``: by row, whether its stand-in takes connections and its documented port does not.
    """
    spots = dict(place.spots)
    for row, port in UNPRIVILEGED.items():
        spot = spots.get(row)
        if spot is not None and answering.get(row) and row not in given and spot.port == find(*row).number:
            spots[row] = replace(spot, port=port)
    return replace(place, spots=spots)


def split_spot(text: str, usual: int) -> Spot:
    """``host``, ``host:port``, ``[address]:port`` or an IPv6 address. Raises LocalError."""
    try:
        ip_address(text)
    except ValueError:
        host, colon, port = text.rpartition(":")
        if not colon or text.endswith("]"):
            return Spot(text.strip("[]"), usual)
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise LocalError(f"{text!r} is not HOST or HOST:PORT") from None
        return Spot(host.strip("[]"), int(port))
    return Spot(text, usual)


async def resolved(name: str) -> list[str]:
    """The addresses of a name; none if it has none."""
    with contextlib.suppress(OSError):
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    return []
