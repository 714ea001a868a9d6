"""The command ``confero``: ``up`` runs all services on this machine, ``demo`` shows them at work; ``ports``, ``version``."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

import confero
from confero.config import ConfigError
from confero.errors import ConferoError
from confero.lowports import lowest_permitted
from confero.runtime import logging
from confero.runtime.service import EXIT_CONFIG
from confero.up import screen
from confero.up.plan import Options, Plan, make
from confero.up.processes import Runner
from confero.up.supervisor import Policy

app = typer.Typer(
    help="A conferencing system: browsers and phones meet in one room.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

STOP_MARGIN_S = 6.0
"""What a service needs to stop after its drain, before it is killed."""


def _pairs(values: list[str], option: str) -> dict[str, str]:
    """``["mcu=127.0.0.13"]`` -> ``{"mcu": "127.0.0.13"}``"""
    found = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not (name and equals and rest):
            raise typer.BadParameter(f"{value!r} is not NAME=VALUE", param_hint=option)
        found[name.strip()] = rest.strip()
    return found


def _ports(values: list[str]) -> dict[tuple[str, str], int]:
    """``["appserver.https=8443"]`` -> ``{("appserver", "https"): 8443}``"""
    found = {}
    for name, text in _pairs(values, "--port").items():
        service, point, purpose = name.partition(".")
        if not point or not text.isdecimal() or not 0 < int(text) < 65_536:
            raise typer.BadParameter(f"{name}={text} is not SERVICE.PURPOSE=1..65535", param_hint="--port")
        found[service, purpose] = int(text)
    return found


@app.command()
def up(
    state_dir: Annotated[Path | None, typer.Option(help="Folder of database, certificates and secret.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with [common] and a table for each service.")] = None,
    address: Annotated[
        list[str] | None, typer.Option(metavar="SERVICE=ADDRESS", help="Bind all ports of a service there; repeatable.")
    ] = None,
    port: Annotated[
        list[str] | None, typer.Option(metavar="SERVICE.PURPOSE=PORT", help="Use another port; repeatable.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Name or address by which browsers reach this machine.")] = None,
    database: Annotated[str | None, typer.Option(help="SQLAlchemy URL; SQLite in the state folder by default.")] = None,
    log_level: Annotated[Literal["debug", "info", "warning", "error"] | None, typer.Option()] = None,
    log_format: Annotated[Literal["text", "json"], typer.Option(help="json: one object a line.")] = "text",
) -> None:
    """Runs all services on this machine until Ctrl-C, and restarts one that dies."""
    options = Options(
        state_dir=state_dir.absolute() if state_dir else None,
        config=config,
        addresses=_pairs(address or [], "--address"),
        ports=_ports(port or []),
        host=host,
        database=database,
        log_level=log_level,
        log_format=log_format,
    )
    try:
        plan = make(options, os.environ, lowest_port=lowest_permitted())
    except ConfigError as error:
        sys.stderr.write(f"confero up: {error}\n")
        raise typer.Exit(EXIT_CONFIG) from None
    if not plan.children:
        sys.stderr.write("confero up: no service is installed\n")
        raise typer.Exit(1)
    logging.setup("up", log_level or "info", log_format)
    raise typer.Exit(asyncio.run(_supervise(plan, prefixed=log_format == "text")))


async def _supervise(plan: Plan, *, prefixed: bool) -> int:
    view = screen.Screen(plan, _console(), Console(stderr=True))
    policy = Policy(stop_within=plan.drain_s + STOP_MARGIN_S)
    runner = Runner(plan.children, view.report, output=sys.stderr.buffer, prefixed=prefixed, policy=policy)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, runner.stop)
    view.starting()
    return await runner.run()


def _console() -> Console:
    """Standard output; a file or pipe is wide enough for the tables."""
    return Console() if sys.stdout.isatty() else Console(width=120)


@app.command()
def ports() -> None:
    """Prints the port map: every default port of the system."""
    _console().print(screen.port_map())


@app.command()
def version() -> None:
    """Prints the version, and how the media engine was built."""
    console = Console()
    console.print(f"confero {confero.__version__}", highlight=False)
    for line in screen.build_info():
        console.print(line, highlight=False, markup=False, soft_wrap=True)


@app.command()
def demo(
    seconds: Annotated[float, typer.Option(min=3, max=600, help="How long the conference is listened to.")] = 15.0,
    output: Annotated[Path, typer.Option(help="WAV file of what one participant heard.")] = Path("confero-demo.wav"),
) -> None:
    """Holds a conference of speaking participants, and prints who heard whom, how loud and how late."""
    if find_spec("confero.lab") is None or find_spec("confero.lab.demo") is None:
        sys.stderr.write("confero demo: confero.lab is not installed\n")
        raise typer.Exit(1)
    try:
        code = asyncio.run(import_module("confero.lab.demo").run(seconds=seconds, output=output))
    except ConferoError as error:
        sys.stderr.write(f"confero demo: {error}\n")
        code = 1
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
