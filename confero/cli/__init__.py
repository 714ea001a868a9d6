"""The command ``confero``: ``up`` runs all services here, ``doctor`` says what is wrong, ``demo`` and ``bench`` show it at work."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import confero
from confero.up import screen

from . import lab
from .bench import bench
from .database import database
from .doctor import doctor
from .sip import sip
from .turn import turn
from .up import up

app = typer.Typer(
    help="A conferencing system: browsers and phones meet in one room.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(up)
app.command()(doctor)


@app.command()
def ports() -> None:
    """Prints the port map: every default port of the system."""
    screen.wide_console().print(screen.port_map())


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
    lab.run("demo", "demo", lambda module: asyncio.run(module.run(seconds=seconds, output=output)))


app.add_typer(bench, name="bench")
app.add_typer(database, name="database")
app.add_typer(sip, name="sip")
app.add_typer(turn, name="turn")


def main() -> None:
    """The console script."""
    app()
