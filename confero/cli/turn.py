"""``confero turn``: what an operator does with TURN while it runs."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from confero.config import default_state_dir
from confero.errors import LocalError
from confero.turnsecrets import FILE
from confero.turnsecrets import rotate as rotate_file

turn = typer.Typer(help="The TURN server.", no_args_is_help=True)


@turn.callback()
def _group() -> None:
    """Keeps the commands below ``confero turn``, also while there is one only."""


@turn.command()
def rotate(
    after: Annotated[
        float,
        typer.Option(
            min=10, max=604_800, help="Seconds until the new one signs: all machines must have the file by then."
        ),
    ] = 30.0,
    revoke: Annotated[
        bool,
        typer.Option("--revoke", help="It signs at once, and earlier ones are refused: they are known to somebody."),
    ] = False,
    state_dir: Annotated[Path | None, typer.Option(help="Folder of the installation's secrets.")] = None,
) -> None:
    """Gives TURN a new secret while everything runs. Names that an earlier one has signed stay good until they run out."""
    path = (state_dir or default_state_dir()) / FILE
    console = Console(highlight=False)
    try:
        new = rotate_file(path, time.time(), after_s=after, revoke=revoke)
    except LocalError as error:
        sys.stderr.write(f"confero turn rotate: {error}\n")
        raise typer.Exit(1) from None
    when = time.strftime("from %Y-%m-%d %H:%M:%S on", time.localtime(new.since)) if new.since else "from now on, alone"
    console.print(f"{path}: a new secret signs {when}.", soft_wrap=True)
    console.print("TURN servers on other machines need a copy of the file before, mode 0600.", soft_wrap=True)
