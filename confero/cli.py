"""The command ``confero``: ``up`` runs all services on this machine, ``demo`` shows them at work, ``bench`` what that costs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

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

bench = typer.Typer(help="What it costs, measured on this machine; needs the source tree.", no_args_is_help=True)
app.add_typer(bench, name="bench")

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


def _settings(values: list[str], option: str) -> dict[str, Any]:
    """``["jitter_mode=minimum", "talkers=3"]`` -> values as JSON has them, else as text."""
    found: dict[str, Any] = {}
    for name, text in _pairs(values, option).items():
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


@bench.command()
def mix(
    members: Annotated[str, typer.Option(help="How many; a list such as 50,100,200 makes a row for each.")] = "100",
    rooms: Annotated[int, typer.Option(min=1, help="Rooms, with as many members each.")] = 1,
    talkers: Annotated[int, typer.Option(min=0, help="Talkers of each room; 0: everyone.")] = 4,
    mixed: Annotated[int, typer.Option(min=0, max=64, help="Of them the loudest that are heard; 0: all.")] = 6,
    codec: Annotated[Literal["opus", "pcmu"], typer.Option()] = "opus",
    profile: Annotated[
        Literal["gcm128", "gcm256", "cm", "plain"], typer.Option(help="SRTP profile; plain: RTP without ICE and DTLS.")
    ] = "gcm128",
    passive: Annotated[
        Literal["silence", "dtx", "nothing"], typer.Option(help="What members send who do not talk.")
    ] = "silence",
    loss: Annotated[float, typer.Option(min=0, max=90, help="Per cent of the members' packets that are lost.")] = 0.0,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Length of a measured window.")] = 5.0,
    runs: Annotated[int, typer.Option(min=1, max=50, help="Windows of each row; medians count.")] = 1,
    seed: Annotated[int, typer.Option()] = 1,
    mcu: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Setting of the MCU; repeatable.")] = None,
    room: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Field of the room's creation; repeatable.")
    ] = None,
    core: Annotated[bool, typer.Option("--core", help="The core alone, in simulated time.")] = False,
    peer: Annotated[list[str] | None, typer.Option(help="Also measure janus or aiortc; repeatable.")] = None,
    find_limit: Annotated[bool, typer.Option("--find-limit", help="Search members at the quality floor.")] = False,
    delay: Annotated[float, typer.Option(min=1, help="Quality floor: delay p95 in ms.")] = 60.0,
    table: Annotated[bool, typer.Option("--table", help="All rows of docs/performance.md, five runs each.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="With --table: small, and the page stays as it is.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for JSON and HTML.")] = Path("confero-bench"),
) -> None:
    """Measures mixing: members a core, what they hear, and how late, beside other mixers if wanted."""
    if find_spec("confero.lab") is None:
        sys.stderr.write("confero bench: confero.lab is not installed\n")
        raise typer.Exit(1)
    counts = [int(part) for part in members.split(",") if part.strip().isdecimal()]
    if not counts or len(counts) != members.count(",") + 1 or min(counts) < 2 or any(n % rooms for n in counts):
        raise typer.BadParameter("numbers from 2 on, as many in each room", param_hint="--members")
    axes = {
        "members": counts[0],
        "rooms": rooms,
        "talkers": talkers,
        "mixed": mixed,
        "codec": codec,
        "profile": profile,
        "passive": passive,
        "loss_percent": loss,
        "seconds": seconds,
        "seed": seed,
        "mcu": _settings(mcu or [], "--mcu"),
        "room": _settings(room or [], "--room"),
    }
    wishes = {
        "runs": runs,
        "find_limit": find_limit,
        "delay_p95_ms": delay,
        "table": table,
        "quick": quick,
        "out": out,
        "core_only": core,
        "peers": peer or [],
        "members": counts,
        "command": " ".join(["confero", *sys.argv[1:]]),
    }
    try:
        code = import_module("confero.lab.bench.command").run(axes, wishes)
    except ConferoError as error:
        sys.stderr.write(f"confero bench: {error}\n")
        code = 1
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
