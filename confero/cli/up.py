"""``confero up``: all services on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from confero.config import ConfigError
from confero.lowports import lowest_permitted
from confero.runtime import logging
from confero.runtime.service import EXIT_CONFIG
from confero.up import screen
from confero.up.plan import Options, Plan, make
from confero.up.processes import Runner
from confero.up.supervisor import Policy

from .options import pairs, ports, taking

STOP_MARGIN_S = 6.0
"""What a service needs to stop after its drain, before it is killed."""


@dataclass(frozen=True)
class UpOptions:
    """What the command line says."""

    state_dir: Annotated[Path | None, typer.Option(help="Folder of database, certificates and secret.")] = None
    config: Annotated[Path | None, typer.Option(help="TOML file with [common] and a table for each service.")] = None
    address: Annotated[
        list[str] | None, typer.Option(metavar="SERVICE=ADDRESS", help="Bind all ports of a service there; repeatable.")
    ] = None
    port: Annotated[
        list[str] | None, typer.Option(metavar="SERVICE.PURPOSE=PORT", help="Use another port; repeatable.")
    ] = None
    front_door: Annotated[
        bool | None,
        typer.Option(
            "--front-door/--no-front-door", help="One port for all; by default where services share an address."
        ),
    ] = None
    host: Annotated[str | None, typer.Option(help="Name or address by which browsers reach this machine.")] = None
    database: Annotated[str | None, typer.Option(help="SQLAlchemy URL; SQLite in the state folder by default.")] = None
    log_level: Annotated[Literal["debug", "info", "warning", "error"] | None, typer.Option()] = None
    log_format: Annotated[Literal["text", "json"], typer.Option(help="json: one object a line.")] = "text"

    def for_the_plan(self) -> Options:
        return Options(
            state_dir=self.state_dir.absolute() if self.state_dir else None,
            config=self.config,
            addresses=pairs(self.address or [], "--address"),
            ports=ports(self.port or []),
            front_door=self.front_door,
            host=self.host,
            database=self.database,
            log_level=self.log_level,
            log_format=self.log_format,
        )


@taking(UpOptions)
def up(options: UpOptions) -> None:
    """Runs all services on this machine until Ctrl-C, and restarts one that dies."""
    try:
        plan = make(options.for_the_plan(), os.environ, lowest_port=lowest_permitted())
    except ConfigError as error:
        sys.stderr.write(f"confero up: {error}\n")
        raise typer.Exit(EXIT_CONFIG) from None
    if not plan.children:
        sys.stderr.write("confero up: no service is installed\n")
        raise typer.Exit(1)
    logging.setup("up", options.log_level or "info", options.log_format)
    raise typer.Exit(asyncio.run(_supervise(plan, prefixed=options.log_format == "text")))


async def _supervise(plan: Plan, *, prefixed: bool) -> int:
    view = screen.Screen(plan, screen.wide_console(), Console(stderr=True))
    policy = Policy(stop_within=plan.drain_s + STOP_MARGIN_S)
    runner = Runner(plan.children, view.report, output=sys.stderr.buffer, prefixed=prefixed, policy=policy)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, runner.stop)
    view.starting()
    return await runner.run()
