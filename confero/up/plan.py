"""What ``confero up`` runs: which services there are, on which addresses, and how they are told of one another.

Each service's own configuration model is loaded here too: a wrong setting of any of them is one error before anything starts,
and an address that stands in a file or in the environment reaches the others.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from confero.config import ConfigError, ServiceConfig, load
from confero.configsources import FILE_VARIABLE, PREFIX, Fault
from confero.ports import UNPRIVILEGED, find
from confero.up.front import has_front, keep_apart, let_in
from confero.up.specs import SPECS, Listen, Spec

LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Options:
    """What the command line of ``up`` says; None and empty: nothing."""

    front_door: bool | None = None
    """Whether there is one; None: if services share an address."""
    state_dir: Path | None = None
    config: Path | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Address by service: all its ports are bound there."""
    ports: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Port by service and purpose."""
    host: str | None = None
    """Name or address in the URL of the page."""
    database: str | None = None
    log_level: str | None = None
    log_format: str | None = None


@dataclass(frozen=True)
class Child:
    """A process to be supervised."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    after: tuple[str, ...] = ()
    url: str = ""
    """Base URL of ``/ready`` and ``/health``."""


@dataclass(frozen=True)
class Socket:
    """A line of the port table."""

    service: str
    address: str
    ports: str
    transport: str
    carries: str


@dataclass(frozen=True)
class Moved:
    """A port that is not where the port map has it, because ports as low as that are not permitted."""

    service: str
    purpose: str
    documented: int
    used: int


@dataclass(frozen=True)
class Plan:
    """Everything that the shell needs to run, and to tell people."""

    children: tuple[Child, ...]
    sockets: tuple[Socket, ...] = ()
    join_url: str = ""
    """What people open; empty if no service has a page."""
    moved: tuple[Moved, ...] = ()
    drain_s: float = 10.0
    """The longest drain of a service, in seconds."""
    setup_file: Path | None = None
    """Where the secret of the link stands by which the first administrator is made, as long as there is none."""


def config_model(spec: Spec) -> type[ServiceConfig]:
    """The configuration model of an installed service: the one ServiceConfig that its ``config`` module defines."""
    module = importlib.import_module(f"{spec.package}.config")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ServiceConfig) and value.__module__ == module.__name__
    ]
    (model,) = found
    return model


def installed() -> tuple[Spec, ...]:
    """The services that are there, in their order of starting."""
    return tuple(spec for spec in SPECS if find_spec(spec.package) and find_spec(f"{spec.package}.__main__"))


def make(
    options: Options,
    env: Mapping[str, str],
    *,
    lowest_port: int,
    specs: Sequence[Spec] | None = None,
    model_of: Callable[[Spec], type[ServiceConfig]] = config_model,
) -> Plan:
    """The plan. ``lowest_port``: the lowest that may be bound. Raises ConfigError with the faults of all services."""
    specs = installed() if specs is None else specs
    faults = list(_unknown_names(options, specs))
    env = {**env, **_from_options(options, specs)}
    configs, more = _load_all(specs, env, model_of)
    if faults := [*faults, *more]:
        raise ConfigError(list(dict.fromkeys(faults)))
    if has_front(specs, configs, options.addresses, options.front_door):
        specs, told = let_in(specs, configs)
    else:
        specs, told = keep_apart(specs, configs)
    if told:
        env |= {variable(service, name): value for (service, name), value in told.items()}
        configs, _ = _load_all(specs, env, model_of)
    return _Planner(specs, configs, options, lowest_port).plan(env)


def _load_all(
    specs: Sequence[Spec], env: Mapping[str, str], model_of: Callable[[Spec], type[ServiceConfig]]
) -> tuple[dict[str, ServiceConfig], list[Fault]]:
    """The configurations that have no fault, and the faults of the others."""
    configs: dict[str, ServiceConfig] = {}
    faults: list[Fault] = []
    for spec in specs:
        try:
            configs[spec.name] = load(model_of(spec), service=spec.name, env=env)
        except ConfigError as error:
            faults += error.faults
    return configs, faults


def _unknown_names(options: Options, specs: Sequence[Spec]) -> list[Fault]:
    names = {spec.name for spec in specs}
    ports = {(spec.name, listen.purpose) for spec in specs for listen in spec.listens}
    faults = [Fault(f"option --address {name}", "no such service") for name in options.addresses if name not in names]
    faults += [Fault(f"option --port {s}.{p}", "no such port") for s, p in options.ports if (s, p) not in ports]
    return faults


def _from_options(options: Options, specs: Sequence[Spec]) -> dict[str, str]:
    """The options as the variables that the services understand."""
    common = {"state_dir": options.state_dir, "log_level": options.log_level, "log_format": options.log_format}
    env = {PREFIX + name.upper(): str(value) for name, value in common.items() if value is not None}
    if options.config is not None:
        env[FILE_VARIABLE] = str(options.config)
    if options.database is not None:
        env[variable("appserver", "database_url")] = options.database
    for spec in specs:
        address = options.addresses.get(spec.name)
        if address is not None:
            hosts = [listen.host for listen in spec.listens] + ([spec.media[0]] if spec.media else [])
            env |= {variable(spec.name, host): address for host in hosts}
        for listen in spec.listens:
            if (spec.name, listen.purpose) in options.ports:
                env[variable(spec.name, listen.port)] = str(options.ports[spec.name, listen.purpose])
    return env


def variable(service: str, name: str) -> str:
    """``("mcu", "http_port")`` -> ``CONFERO_MCU_HTTP_PORT``"""
    return f"{PREFIX}{service}_{name}".upper()


class _Planner:
    """From loaded configurations to what each process is told."""

    def __init__(
        self, specs: Sequence[Spec], configs: Mapping[str, ServiceConfig], options: Options, lowest_port: int
    ) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._configs = configs
        self._options = options
        self._moved = {(m.service, m.purpose): m for m in self._find_moved(lowest_port)}

    def plan(self, env: Mapping[str, str]) -> Plan:
        full = {**env, **self._wiring()}
        return Plan(
            children=tuple(
                Child(name, (sys.executable, "-m", spec.package), full, spec.after, self._url(name, spec.health))
                for name, spec in self._specs.items()
            ),
            sockets=tuple(socket for spec in self._specs.values() for socket in self._sockets(spec)),
            join_url=next((self._join_url(spec) for spec in self._specs.values() if spec.page), ""),
            setup_file=next(
                (self._configs[spec.name].state_dir / "setup-link" for spec in self._specs.values() if spec.page), None
            ),
            moved=tuple(self._moved.values()),
            drain_s=max((config.drain_s for config in self._configs.values()), default=0.0),
        )

    def _find_moved(self, lowest_port: int) -> list[Moved]:
        """A port that somebody has set is left alone: its own service says so if it cannot be used."""
        found = []
        for (service, purpose), used in UNPRIVILEGED.items():
            listen = self._listen(service, purpose)
            if listen is None or listen.port in self._configs[service].model_fields_set:
                continue
            port = int(self._value(service, listen.port))
            if port < lowest_port:
                found.append(Moved(service, purpose, port, used))
        return found

    def _wiring(self) -> dict[str, str]:
        """Variables for moved ports, and for addresses of others that nobody has set."""
        env = {}
        for moved in self._moved.values():
            listen = self._listen(moved.service, moved.purpose)
            assert listen is not None
            env[variable(moved.service, listen.port)] = str(moved.used)
        for name, spec in self._specs.items():
            unset = type(self._configs[name]).model_fields.keys() - self._configs[name].model_fields_set
            for wire, (service, purpose) in spec.wires.items():
                if wire in unset and self._listen(service, purpose):
                    env[variable(name, wire)] = self._url(service, purpose)
            if spec.page and self._options.host is not None:
                env[variable(name, spec.page)] = self._page_url(spec)
        return env

    def _listen(self, service: str, purpose: str) -> Listen | None:
        spec = self._specs.get(service)
        return next((listen for listen in spec.listens if listen.purpose == purpose), None) if spec else None

    def _value(self, service: str, name: str) -> Any:
        return getattr(self._configs[service], name)

    def _address(self, service: str, listen: Listen) -> tuple[str, int]:
        moved = self._moved.get((service, listen.purpose))
        return _one(self._value(service, listen.host)), moved.used if moved else self._value(service, listen.port)

    def _url(self, service: str, purpose: str) -> str:
        """Where the other services of this machine reach a port."""
        listen = self._listen(service, purpose)
        if listen is None:
            return ""
        host, port = self._address(service, listen)
        return url("https" if purpose == "https" else "http", reachable(host), port)

    def _page_url(self, spec: Spec) -> str:
        """By ``--host``; or as configured; or the address of the page if it is a particular one; or localhost."""
        service = next((name for name, one in self._specs.items() if one.front), spec.name)
        listen = self._listen(service, "https")
        configured = str(self._value(spec.name, spec.page))
        if listen is None or (configured and self._options.host is None):
            return configured
        host, port = self._address(service, listen)
        name = self._options.host or ("localhost" if is_wildcard(host) or host in LOOPBACK else host)
        return url("https", name, port)

    def _join_url(self, spec: Spec) -> str:
        """The room that is always there, or the page itself."""
        room = str(self._value(spec.name, spec.room)) if spec.room else ""
        return f"{self._page_url(spec)}/r/{room}" if room else f"{self._page_url(spec)}/"

    def _sockets(self, spec: Spec) -> list[Socket]:
        found = []
        for listen in spec.listens:
            entry = find(spec.name, listen.purpose)
            host, port = self._address(spec.name, listen)
            found.append(Socket(spec.name, host, str(port), entry.transport, entry.carries))
        if spec.media is not None:
            entry = find(spec.name, spec.range)
            bind, low, high = (self._value(spec.name, name) for name in spec.media)
            found.append(Socket(spec.name, ", ".join(bind) or "all", f"{low}-{high}", entry.transport, entry.carries))
        return found


def _one(host: str | Sequence[str]) -> str:
    """An address of a port that may have several; none are all."""
    return host if isinstance(host, str) else (host[0] if host else "*")


def is_wildcard(host: str) -> bool:
    return host in ("", "*") or (host.strip("[]") in ("0.0.0.0", "::"))


def reachable(host: str) -> str:
    """An address of this machine at which a socket bound to ``host`` answers."""
    if not is_wildcard(host):
        return host
    return "::1" if ":" in host else "127.0.0.1"


def url(scheme: str, host: str, port: int) -> str:
    """Without the port where it is the scheme's own, as browsers write it."""
    try:
        name = f"[{host}]" if ip_address(host).version == 6 else host
    except ValueError:
        name = host
    usual = {"http": 80, "https": 443}[scheme]
    return f"{scheme}://{name}" if port == usual else f"{scheme}://{name}:{port}"
