"""``confero doctor``: the place by the command line's wishes, the run, the report."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from confero.config import ConfigError, default_state_dir
from confero.errors import LocalError
from confero.runtime import logging
from confero.up.plan import Options

from . import report
from .examine import chosen, examine, settle
from .patient import Patient
from .place import Place, Row, from_inside, from_outside, split_spot

NOT_EXAMINED = 2
"""Exit code: an option or the configuration is wrong, so that nothing was tried."""
STUN_PORT = 3478


@dataclass(frozen=True)
class Wish:
    """What the command line says."""

    host: str | None = None
    inside: bool | None = None
    """None: by whether there is an installation here, and no host is named."""
    json: bool = False
    state_dir: Path | None = None
    config: Path | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[Row, int] = field(default_factory=dict)
    front_door: bool | None = None
    database: str | None = field(default=None, repr=False)
    ca: Path | None = None
    stun: str | None = None
    only: Sequence[str] = ()
    seconds: float = 40.0


def run(wishes: dict[str, Any], console: Console) -> int:
    """The exit code: 0 without failures, 1 with some, 2 if nothing was examined."""
    wish = Wish(**wishes)
    logging.setup("doctor", "error", "text")
    try:
        place = place_of(wish, os.environ)
    except (ConfigError, LocalError) as error:
        sys.stderr.write(f"confero doctor: {error}\n")
        return NOT_EXAMINED
    return asyncio.run(_examine(place, wish, console))


def place_of(wish: Wish, env: Mapping[str, str]) -> Place:
    """Raises ConfigError, LocalError."""
    stun = split_spot(wish.stun, STUN_PORT) if wish.stun else None
    if wish.ca is not None and not wish.ca.is_file():
        raise LocalError(f"{wish.ca}: there is no such file")
    if _is_inside(wish, env):
        options = Options(
            front_door=wish.front_door,
            database=wish.database,
            state_dir=wish.state_dir,
            config=wish.config,
            addresses=wish.addresses,
            ports=wish.ports,
            host=wish.host,
        )
        return from_inside(options, env, ca=wish.ca, stun=stun)
    if wish.host is None:
        raise LocalError("say what to examine from outside: --address HOST")
    return from_outside(wish.host, ports=wish.ports, ca=wish.ca, stun=stun)


def _is_inside(wish: Wish, env: Mapping[str, str]) -> bool:
    if wish.inside is not None:
        return wish.inside
    if wish.host is None:
        return True
    told = wish.state_dir or wish.config or wish.addresses or env.get("CONFERO_STATE_DIR") or env.get("CONFERO_CONFIG")
    return bool(told) or (default_state_dir(env) / "secret").exists()


async def _examine(place: Place, wish: Wish, console: Console) -> int:
    started = time.monotonic()
    place = await settle(place, wish.ports)
    patient = Patient(place)
    checks = chosen(place, wish.only)
    if not checks:
        sys.stderr.write(f"confero doctor: no check is named so: {', '.join(wish.only)}\n")
        return NOT_EXAMINED
    findings = await examine(patient, checks, total_s=wish.seconds)
    seconds = time.monotonic() - started
    if wish.json:
        sys.stdout.write(report.as_json(place, findings, seconds) + "\n")
    else:
        report.show(console, place, findings, seconds)
    return report.exit_code(findings)
