"""``confero doctor``: what is wrong with an installation, and what to change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from confero.up import screen

from . import lab
from .options import pairs, ports, taking


@dataclass(frozen=True)
class DoctorOptions:
    """What the command line says."""

    address: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST|SERVICE=ADDRESS",
            help="Name or address by which people reach it; or, as 'up' was told, where a service is bound; repeatable.",
        ),
    ] = None
    inside: Annotated[
        bool | None,
        typer.Option(
            "--inside/--outside",
            help="On its own machine, internal ports and all; or from elsewhere. By default inside where it is installed.",
        ),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Findings as JSON.")] = False
    state_dir: Annotated[Path | None, typer.Option(help="Folder of the installation's secret, as 'up' has it.")] = None
    config: Annotated[Path | None, typer.Option(help="TOML file of the services, as 'up' has it.")] = None
    port: Annotated[
        list[str] | None, typer.Option(metavar="SERVICE.PURPOSE=PORT", help="A port that is elsewhere; repeatable.")
    ] = None
    front_door: Annotated[
        bool | None, typer.Option("--front-door/--no-front-door", help="As 'up' was told; else as it decides.")
    ] = None
    database: Annotated[str | None, typer.Option(help="SQLAlchemy URL, as 'up' has it.")] = None
    ca: Annotated[Path | None, typer.Option(help="PEM file of an authority to trust besides the system's.")] = None
    stun: Annotated[
        str | None,
        typer.Option(metavar="HOST[:PORT]", help="A STUN server elsewhere, to learn this machine's outer address."),
    ] = None
    only: Annotated[list[str] | None, typer.Option(help="Checks whose names begin so; repeatable.")] = None
    seconds: Annotated[float, typer.Option(min=1, max=300, help="For all checks together.")] = 40.0

    def wishes(self) -> dict[str, Any]:
        """What the lab is told. Raises BadParameter."""
        hosts = [text for text in self.address or [] if "=" not in text]
        if len(hosts) > 1:
            raise typer.BadParameter("one HOST at a time", param_hint="--address")
        return {
            **{
                name: getattr(self, name)
                for name in ("inside", "json", "config", "ca", "stun", "seconds", "front_door", "database")
            },
            "host": hosts[0] if hosts else None,
            "state_dir": self.state_dir.absolute() if self.state_dir else None,
            "addresses": pairs([text for text in self.address or [] if "=" in text], "--address"),
            "ports": ports(self.port or []),
            "only": tuple(self.only or ()),
        }


@taking(DoctorOptions)
def doctor(options: DoctorOptions) -> None:
    """Tries every port with its own protocol, holds a conference, and says what is wrong and what to change.

    Exit code 0: nothing failed; 1: something did; 2: nothing was examined.
    """
    wishes = options.wishes()
    lab.run("doctor", "doctor.command", lambda command: command.run(wishes, screen.wide_console()))
