"""Whether ``confero up`` has a front door, and what the services are told then: who shares an address is let in through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from confero.config import ServiceConfig
from confero.up.specs import Listen, Spec

FOLDER = "handover"
"""In the state folder: where the front door looks for the services if it is not told otherwise."""
EVERYWHERE = {"", "*", "0.0.0.0", "::"}
Told = dict[tuple[str, str], str]
"""Values by service and field."""


def has_front(
    specs: Sequence[Spec], configs: Mapping[str, ServiceConfig], addresses: Mapping[str, str], wish: bool | None
) -> bool:
    """By ``wish``; without one True unless services have addresses of their own: ``addresses``, from the command line, and those
    configured for the shared port.
    """
    if wish is not None:
        return wish and any(spec.front for spec in specs)
    hosts = set(addresses.values())
    for spec in specs:
        listen = _shared(spec)
        if listen is not None and listen.host in configs[spec.name].model_fields_set:
            hosts.add(_hosts(configs[spec.name], listen))
    return any(spec.front for spec in specs) and len(hosts) <= 1


def let_in(specs: Sequence[Spec], configs: Mapping[str, ServiceConfig]) -> tuple[list[Spec], Told]:
    """The services as they are behind the front door, and what they and it are told.

    A service with a door no longer listens on the shared port, and the front door does so where the service would have; unless
    somebody has configured that the service does: then it has that port to itself, beside the door.
    """
    (front,) = (spec for spec in specs if spec.front)
    told: Told = {}
    behind = []
    for spec in specs:
        listen, given_up = _shared(spec), False
        if spec.door is not None and listen is not None:
            given_up = not _is_set(configs, spec.name, spec.door.listen)
            told[spec.name, spec.door.folder] = str(_folder(configs[front.name]))
            told[spec.name, spec.door.listen] = "false" if given_up else "true"
            if given_up:
                told = _taken_over(front, configs[spec.name], listen) | told  # of several the first counts
        behind.append(replace(spec, listens=tuple(one for one in spec.listens if one != listen)) if given_up else spec)
    return behind, {key: value for key, value in told.items() if not _is_set(configs, *key)}


def _shared(spec: Spec) -> Listen | None:
    """The port that the front door has instead of this service."""
    return next((one for one in spec.listens if spec.door is not None and one.purpose == spec.door.purpose), None)


def _taken_over(front: Spec, config: ServiceConfig, listen: Listen) -> Told:
    """The address, and the port, that somebody has configured for a service."""
    (own,) = (one for one in front.listens if one.purpose == "https")
    pairs = ((own.host, listen.host), (own.port, listen.port))
    values = {listen.host: _hosts(config, listen), listen.port: str(getattr(config, listen.port))}
    return {
        (front.name, ours): values[its]
        for ours, its in pairs
        if its in config.model_fields_set and "," not in values[its]
    }


def keep_apart(specs: Sequence[Spec], configs: Mapping[str, ServiceConfig]) -> tuple[list[Spec], Told]:
    """The services as they are without a front door, and what they are told: a port that several want is the first's."""
    told: Told = {}
    apart = []
    taken: list[tuple[str, object]] = []
    for spec in specs:
        listen = _shared(spec)
        if not spec.front and (spec.door is None or listen is None or _is_set(configs, spec.name, spec.door.listen)):
            apart.append(spec)
        elif spec.door is not None and listen is not None:
            hosts, port = _hosts(configs[spec.name], listen), getattr(configs[spec.name], listen.port)
            if any(port == other and (EVERYWHERE & {hosts, there} or hosts == there) for there, other in taken):
                told[spec.name, spec.door.listen] = "false"
                spec = replace(spec, listens=tuple(one for one in spec.listens if one != listen))
            taken.append((hosts, port))
            apart.append(spec)
    return apart, told


def _hosts(config: ServiceConfig, listen: Listen) -> str:
    """Where it listens, be it one address or several."""
    value = getattr(config, listen.host)
    return value if isinstance(value, str) else ",".join(value)


def _folder(config: ServiceConfig) -> Path:
    """Where the front door looks: the services follow it."""
    return Path(getattr(config, "handover_dir", None) or config.state_dir / FOLDER)


def _is_set(configs: Mapping[str, ServiceConfig], service: str, name: str) -> bool:
    """Whether somebody has configured it."""
    return name in configs[service].model_fields_set
