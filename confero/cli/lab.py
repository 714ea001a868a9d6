"""What the lab does for a command: it is looked for at run time, as no service needs it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import typer

from confero.errors import ConferoError

INTERRUPTED = 130
"""As a shell says it of a process that was stopped by Ctrl-C."""


def run(command: str, module: str, call: Callable[[Any], int]) -> None:
    """Calls the module of confero.lab and leaves with its code; its errors are one line after the command's name."""
    if find_spec("confero.lab") is None:
        sys.stderr.write(f"confero {command}: confero.lab is not installed\n")
        raise typer.Exit(1)
    try:
        code = call(import_module(f"confero.lab.{module}"))
    except ConferoError as error:
        sys.stderr.write(f"confero {command}: {error}\n")
        code = 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    raise typer.Exit(code)
