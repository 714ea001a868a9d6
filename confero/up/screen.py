"""What ``confero up`` tells people: one line for each event, then where to go and the table of ports."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from confero.ports import PORTS
from confero.secretfile import read_private
from confero.up.plan import Plan
from confero.up.supervisor import Action, AllReady, GaveUp, Kill, Ready, Restarting, Terminate


class Screen:
    """Results go to ``out``, the course of events to ``err``."""

    def __init__(self, plan: Plan, out: Console, err: Console) -> None:
        self._plan = plan
        self._out = out
        self._err = err

    def starting(self) -> None:
        self._say("starting " + ", ".join(child.name for child in self._plan.children))
        for moved in self._plan.moved:
            self._say(
                f"port {moved.documented} is not permitted here: {moved.service} {moved.purpose} uses {moved.used}; "
                "documented ports need root or 'sysctl net.ipv4.ip_unprivileged_port_start=80'"
            )

    def report(self, action: Action, tail: Sequence[str]) -> None:
        """Says what the supervisor does, with the reason that the service itself gave for its end."""
        match action:
            case Ready(name, first):
                self._say(f"{name} is ready" if first else f"{name} is ready again")
            case AllReady():
                self._show_plan()
            case Restarting(name, code, delay):
                self._say(f"{name} {ended(code)}{_because(code, tail)}; it starts again in {delay:g} s")
            case GaveUp(name, code, failures):
                self._say(
                    f"{name} {ended(code)}{_because(code, tail)}; given up after {failures} failures in a row, the rest is stopped"
                )
                for line in tail:
                    self._err.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)
            case Kill(name, reason):
                self._say(f"{name} is killed: {reason}")
            case Terminate(name):
                wait = f"calls may take {self._plan.drain_s:g} s to end; Ctrl-C again stops at once"
                self._say(f"stopping {name} ({wait})" if self._carries_media(name) else f"stopping {name}")

    def _carries_media(self, name: str) -> bool:
        return any(socket.service == name and "RTP" in socket.carries for socket in self._plan.sockets)

    def _say(self, text: str) -> None:
        self._err.print(f"confero: {text}", markup=False, highlight=False, soft_wrap=True)

    def _show_plan(self) -> None:
        self._out.print(port_table(self._plan))
        text = "Everything is ready."
        if self._plan.join_url:
            text += f" Open [bold]{escape(self._plan.join_url)}[/bold]"
        self._out.print(text, highlight=False, soft_wrap=True)
        if link := setup_link(self._plan):
            say = f"There is no administrator yet. Whoever opens [bold]{escape(link)}[/bold] first is the one."
            self._out.print(say, highlight=False, soft_wrap=True)


def setup_link(plan: Plan) -> str:
    """The link that makes the first administrator; empty once there is one."""
    if plan.setup_file is None or not plan.join_url:
        return ""
    try:
        secret = read_private(plan.setup_file, 256).decode("ascii").strip()
    except (OSError, ValueError):
        return ""
    parts = urlsplit(plan.join_url)
    return f"{parts.scheme}://{parts.netloc}/setup#{secret}"


def ended(code: int) -> str:
    """An exit code in words; negative: the signal."""
    if code < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"


def reason_of(tail: Sequence[str]) -> str:
    """Why a service ended, out of its last lines: what it logged as ``cannot start``, or else its last line."""
    for line in reversed(tail):
        if "cannot start" not in line:
            continue
        with suppress(ValueError):
            record = json.loads(line)
            if isinstance(record, dict) and record.get("event") == "cannot start":
                return str(record.get("reason", ""))
        _, found, reason = line.partition("reason=")
        if found:
            return reason.strip('"')
    return next((line.strip() for line in reversed(tail) if line.strip()), "")


def _because(code: int, tail: Sequence[str]) -> str:
    """A signal comes from outside: what the service said last is no reason for it."""
    reason = reason_of(tail) if code >= 0 else ""
    return f" ({reason[:300]})" if reason else ""


def wide_console() -> Console:
    """Standard output; a file or pipe is wide enough for the tables."""
    return Console() if sys.stdout.isatty() else Console(width=120)


def port_table(plan: Plan) -> Table:
    """Where the services really listen."""
    table = Table("service", "address", "port", "transport", "carries", box=None, pad_edge=False)
    for socket in plan.sockets:
        table.add_row(socket.service, socket.address, socket.ports, socket.transport, socket.carries)
    return table


def port_map() -> Table:
    """The documented map, ``confero.ports``."""
    table = Table("service", "purpose", "port", "transport", "reach", "carries", box=None, pad_edge=False)
    for entry in PORTS:
        table.add_row(entry.service, entry.purpose, str(entry), entry.transport, entry.exposure, entry.carries)
    return table


def build_info() -> list[str]:
    """What the media engine says of its build: libraries with versions, and the SIMD paths that run."""
    try:
        return [f"media engine: {import_module('confero.media').build_info()}"]
    except ImportError as error:
        return [f"media engine: not built ({error})"]
