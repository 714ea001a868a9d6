"""``confero sip``: what the SIP gateway says and hears, live."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
from rich.console import Console

from confero.clock import SystemClock
from confero.config import default_state_dir
from confero.errors import ConferoError, LocalError, Refused, Unavailable
from confero.ports import find
from confero.tokens import service_token

from . import ladder
from .lab import INTERRUPTED

CALLER = "lab"
"""Who reads the installation's secret may do what a lab may."""
LONGEST_LINE = 1 << 20

sip = typer.Typer(help="The SIP gateway.", no_args_is_help=True)


@sip.callback()
def _group() -> None:
    """Keeps the commands of the gateway below ``confero sip``, also while there is one only."""


@sip.command()
def trace(
    call: Annotated[str, typer.Option(help="Only calls with this in their Call-ID.")] = "",
    number: Annotated[str, typer.Option(help="Only messages with this in From, To or Request-URI.")] = "",
    full: Annotated[bool, typer.Option(help="Whole messages; keys, digests and digits are left out.")] = False,
    gateway: Annotated[str, typer.Option(help="URL of the gateway's control port.")] = (
        f"http://127.0.0.1:{find('sipgw', 'control').number}"
    ),
    state_dir: Annotated[Path | None, typer.Option(help="Folder of the installation's secret.")] = None,
) -> None:
    """Prints SIP messages as they go by, the last ones first, until Ctrl-C."""
    console = Console(highlight=False)
    try:
        secret = _secret(state_dir or default_state_dir())
        asyncio.run(_follow(gateway, secret, console, call=call, number=number, full=full))
    except ConferoError as error:
        sys.stderr.write(f"confero sip trace: {error}\n")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _secret(state_dir: Path) -> bytes:
    """Raises LocalError."""
    path = state_dir / "secret"
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise LocalError(f"{path}: {error.strerror}; name the installation's folder by --state-dir") from error


async def _follow(url: str, secret: bytes, console: Console, *, call: str, number: str, full: bool) -> None:
    """Raises Refused, Unavailable."""
    token = service_token(CALLER, "sipgw", secret=secret, now=SystemClock().wall())
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, read_bufsize=LONGEST_LINE) as http,
            http.get(f"{url}/v1/trace", headers={"Authorization": f"Bearer {token}"}) as response,
        ):
            if response.status != 200:
                raise Refused(f"the gateway answered {response.status}", status=response.status)
            async for raw in response.content:
                if raw.strip():
                    _show(console, json.loads(raw), call=call, number=number, full=full)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(f"{url}: {error or type(error).__name__}") from error
    raise Unavailable("the gateway has closed the trace")


def _show(console: Console, line: dict[str, Any], *, call: str, number: str, full: bool) -> None:
    if line.get("missed"):
        console.print(f"... {line['missed']} messages were missed", style="dim")
    if not ladder.wanted(line, call=call, number=number):
        return
    console.print(ladder.rung(line), soft_wrap=True)
    if full:
        console.print(line["text"].replace("\r\n", "\n"), markup=False, style="dim", soft_wrap=True)
