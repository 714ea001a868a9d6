"""``confero bench``: what it costs, measured on this machine."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from . import lab
from .options import settings, taking

bench = typer.Typer(help="What it costs, measured on this machine; needs the source tree.", no_args_is_help=True)


@dataclass(frozen=True)
class MixOptions:
    """What the command line says."""

    members: Annotated[str, typer.Option(help="How many; a list such as 50,100,200 makes a row for each.")] = "100"
    rooms: Annotated[int, typer.Option(min=1, help="Rooms, with as many members each.")] = 1
    talkers: Annotated[int, typer.Option(min=0, help="Talkers of each room; 0: everyone.")] = 4
    mixed: Annotated[int, typer.Option(min=0, max=64, help="Of them the loudest that are heard; 0: all.")] = 6
    codec: Annotated[Literal["opus", "pcmu"], typer.Option()] = "opus"
    profile: Annotated[
        Literal["gcm128", "gcm256", "cm", "plain"], typer.Option(help="SRTP profile; plain: RTP without ICE and DTLS.")
    ] = "gcm128"
    passive: Annotated[
        Literal["silence", "dtx", "nothing"], typer.Option(help="What members send who do not talk.")
    ] = "silence"
    loss: Annotated[float, typer.Option(min=0, max=90, help="Per cent of the members' packets that are lost.")] = 0.0
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Length of a measured window.")] = 5.0
    runs: Annotated[int, typer.Option(min=1, max=50, help="Windows of each row; medians count.")] = 1
    seed: Annotated[int, typer.Option()] = 1
    mcu: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Setting of the MCU; repeatable.")] = None
    room: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Field of the room's creation; repeatable.")
    ] = None
    core: Annotated[bool, typer.Option("--core", help="The core alone, in simulated time.")] = False
    peer: Annotated[list[str] | None, typer.Option(help="Also measure janus or aiortc; repeatable.")] = None
    find_limit: Annotated[bool, typer.Option("--find-limit", help="Search members at the quality floor.")] = False
    delay: Annotated[float, typer.Option(min=1, help="Quality floor: delay p95 in ms.")] = 60.0
    table: Annotated[bool, typer.Option("--table", help="All rows of docs/performance.md, five runs each.")] = False
    quick: Annotated[bool, typer.Option("--quick", help="With --table: small, and the page stays as it is.")] = False
    out: Annotated[Path, typer.Option(help="Folder for JSON and HTML.")] = Path("confero-bench")

    def counts(self) -> list[int]:
        """Of members, a row for each. Raises BadParameter."""
        found = [int(part) for part in self.members.split(",") if part.strip().isdecimal()]
        whole = len(found) == self.members.count(",") + 1
        if not whole or min(found) < 2 or any(n % self.rooms for n in found):
            raise typer.BadParameter("numbers from 2 on, as many in each room", param_hint="--members")
        return found

    def axes(self) -> dict[str, Any]:
        """Fields of the lab's ``Case``. Raises BadParameter."""
        same = ("rooms", "talkers", "mixed", "codec", "profile", "passive", "seconds", "seed")
        return {
            **{name: getattr(self, name) for name in same},
            "members": self.counts()[0],
            "loss_percent": self.loss,
            "mcu": settings(self.mcu or [], "--mcu"),
            "room": settings(self.room or [], "--room"),
        }

    def wishes(self) -> dict[str, Any]:
        """What else the lab is told. Raises BadParameter."""
        return {
            **{name: getattr(self, name) for name in ("runs", "find_limit", "table", "quick", "out")},
            "members": self.counts(),
            "delay_p95_ms": self.delay,
            "core_only": self.core,
            "peers": self.peer or [],
            "command": " ".join(["confero", *sys.argv[1:]]),
        }


@bench.command()
@taking(MixOptions)
def mix(options: MixOptions) -> None:
    """Measures mixing: members a core, what they hear, and how late, beside other mixers if wanted."""
    axes, wishes = options.axes(), options.wishes()
    lab.run("bench", "bench.command", lambda command: command.run(axes, wishes))
