"""Options of the commands: a dataclass for each command that has many, and values that are written NAME=VALUE."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import typer

T = TypeVar("T")


def taking(options: type[T]) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """Makes a command of a function of one value: the fields of ``options``, a dataclass, are the command's options."""

    def wrap(function: Callable[[T], None]) -> Callable[..., None]:
        def command(**values: Any) -> None:
            function(options(**values))

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__signature__ = inspect.signature(options, eval_str=True)  # type: ignore[attr-defined]  # typer reads it
        return command

    return wrap


def pairs(values: Sequence[str], option: str) -> dict[str, str]:
    """``["mcu=127.0.0.13"]`` -> ``{"mcu": "127.0.0.13"}``. Raises BadParameter, which names ``option``."""
    found = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not (name and equals and rest):
            raise typer.BadParameter(f"{value!r} is not NAME=VALUE", param_hint=option)
        found[name.strip()] = rest.strip()
    return found


def ports(values: Sequence[str]) -> dict[tuple[str, str], int]:
    """``["appserver.https=8443"]`` -> ``{("appserver", "https"): 8443}``. Raises BadParameter."""
    found = {}
    for name, text in pairs(values, "--port").items():
        service, point, purpose = name.partition(".")
        if not point or not text.isdecimal() or not 0 < int(text) < 65_536:
            raise typer.BadParameter(f"{name}={text} is not SERVICE.PURPOSE=1..65535", param_hint="--port")
        found[service, purpose] = int(text)
    return found


def settings(values: Sequence[str], option: str) -> dict[str, Any]:
    """``["jitter_mode=minimum", "talkers=3"]`` -> values as JSON has them, else as text. Raises BadParameter."""
    found: dict[str, Any] = {}
    for name, text in pairs(values, option).items():
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found
