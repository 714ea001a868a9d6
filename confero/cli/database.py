"""``confero database``: where the tables stand, the ways up and down, what is wrong with it, and a copy of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from confero.config import ConfigError
from confero.errors import ConferoError

from .lab import INTERRUPTED

database = typer.Typer(help="The application server's database.", no_args_is_help=True)

StateDir = Annotated[Path | None, typer.Option(help="Folder of the installation, as 'up' has it.")]
ConfigFile = Annotated[Path | None, typer.Option(help="TOML file of the services, as 'up' has it.")]
Url = Annotated[
    str | None,
    typer.Option(
        "--database", help="SQLAlchemy URL. Others see a command line: CONFERO_APPSERVER_DATABASE_URL is better."
    ),
]


@database.command()
def status(state_dir: StateDir = None, config: ConfigFile = None, database: Url = None) -> None:
    """Says which database it is, and whether its tables are those of this version. Exit code 1 if they are not."""
    _run("status", state_dir, config, database, lambda desk: desk.status())


@database.command()
def check(state_dir: StateDir = None, config: ConfigFile = None, database: Url = None) -> None:
    """Says what is wrong: version, rights, settings, tables. It leaves nothing behind. Exit code 1 if something fails."""
    _run("check", state_dir, config, database, lambda desk: desk.check())


@database.command()
def upgrade(
    to: Annotated[str, typer.Option(help="Revision; by default the latest.")] = "head",
    state_dir: StateDir = None,
    config: ConfigFile = None,
    database: Url = None,
) -> None:
    """Brings the tables up to date, as each start does."""
    _run("upgrade", state_dir, config, database, lambda desk: desk.upgrade(to))


@database.command()
def downgrade(
    to: Annotated[str, typer.Argument(help="Revision, or 'base' for no tables at all.")],
    lose: Annotated[bool, typer.Option("--lose", help="Yes: what only later revisions keep is lost.")] = False,
    state_dir: StateDir = None,
    config: ConfigFile = None,
    database: Url = None,
) -> None:
    """Takes the tables back to an earlier revision, for an earlier version of confero. Stop the application server first."""
    if not lose:
        raise typer.BadParameter(
            "what only later revisions keep is lost: make a backup, then say so", param_hint="--lose"
        )
    _run("downgrade", state_dir, config, database, lambda desk: desk.downgrade(to))


@database.command()
def backup(
    to: Annotated[Path, typer.Argument(help="File that is not there yet.")],
    state_dir: StateDir = None,
    config: ConfigFile = None,
    database: Url = None,
) -> None:
    """Copies the database while it is in use: one moment of it, in a file that only its owner may read."""
    _run("backup", state_dir, config, database, lambda desk: desk.backup(to))


def _run(
    command: str, state_dir: Path | None, config: Path | None, database: str | None, call: Callable[[Any], int]
) -> None:
    """The application server's own module is looked for at run time, as no other service needs it."""
    console = Console(highlight=False)
    try:
        if find_spec("confero.appserver") is None:
            raise ConferoError("confero.appserver is not installed")
        module = import_module("confero.appserver.db.command")
        wish = module.Wish(state_dir, config, database)
        code = call(module.Desk(wish, lambda line: console.print(line, markup=False, soft_wrap=True)))
    except ConferoError as error:
        sys.stderr.write(f"confero database {command}: {getattr(error, 'detail', None) or error}\n")
        code = 2 if isinstance(error, ConfigError) else 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    raise typer.Exit(code)
