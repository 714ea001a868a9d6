"""Where configuration values stand: TOML file, environment, command line; each value keeps its origin, each fault is noted."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from confero.access import SERVICES
from confero.configfields import from_text, is_flag, option_name

PREFIX = "CONFERO_"
FILE_VARIABLE = PREFIX + "CONFIG"
FILE_OPTION = "--config"
OTHERS = frozenset({*SERVICES, "database", "endpoint", "edge", "test"})
"""Tables of the file, and second words of variables, that belong to someone else and so are no fault of ours."""
MAX_FILE = 1 << 20
"""Bytes of a configuration file; more is a mistake."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and where it was written."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass
class Sources:
    """The values found so far; a later source overwrites an earlier one."""

    service: str
    common: frozenset[str]
    """Names of the fields that all services share."""
    fields: Mapping[str, FieldInfo]
    """All fields of this service."""
    values: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    """Where each value was written."""
    faults: list[Fault] = field(default_factory=list)

    def put(self, name: str, value: Any, where: str) -> None:
        self.values[name] = value
        self.origin[name] = where

    def put_text(self, name: str, text: str, where: str) -> None:
        self.put(name, from_text(self.fields[name], text), where)

    def unknown(self, what: str, where: str, word: str, known: Iterable[str]) -> None:
        """Notes a name that does not exist, with the likeliest one that does."""
        close = get_close_matches(word, list(known), n=1)
        self.faults.append(Fault(where, f"there is no such {what}" + (f"; did you mean {close[0]}?" if close else "")))


def parse_options(argv: Sequence[str], sources: Sources) -> tuple[dict[str, str], str | None]:
    """``{field: text}`` and the file named by ``--config``. Truth values may stand alone or as ``--no-name``."""
    known = {option_name(name): name for name in sources.fields}
    flags = {option for option, name in known.items() if is_flag(sources.fields[name])}
    found: dict[str, str] = {}
    words = list(argv)
    while words:
        option, equals, text = words.pop(0).partition("=")
        positive = "--" + option.removeprefix("--no-")
        if option not in known and positive in flags and not equals:
            found[known[positive]] = "false"
        elif option not in known and option != FILE_OPTION:
            sources.unknown("option", f"option {option}", option, [*known, FILE_OPTION])
            _skip_value(words, equals)
        elif option in flags and not equals and (not words or words[0].lower() not in ("true", "false")):
            found[known[option]] = "true"
        elif not equals and (not words or words[0].startswith("--")):
            sources.faults.append(Fault(f"option {option}", "its value is missing"))
        else:
            found[known.get(option, FILE_OPTION)] = text if equals else words.pop(0)
    return found, found.pop(FILE_OPTION, None)


def _skip_value(words: list[str], equals: str) -> None:
    """The value of an unknown option is not a fault of its own."""
    if not equals and words and not words[0].startswith("-"):
        words.pop(0)


def take_options(found: Mapping[str, str], sources: Sources) -> None:
    for name, text in found.items():
        sources.put_text(name, text, f"option {option_name(name)}")


def take_file(path: Path, sources: Sources) -> None:
    """Tables ``[common]`` and the service's own; those of other services are not looked into."""
    tables = _read_toml(path, sources)
    for name, table in tables.items():
        if name not in ("common", sources.service) and name not in OTHERS:
            sources.unknown("table", f"{path}: [{name}]", name, {"common", sources.service, *OTHERS})
        elif not isinstance(table, dict):
            sources.faults.append(Fault(f"{path}: {name}", "must be a table"))
    for name, known in (("common", sources.common), (sources.service, sources.fields)):
        table = tables.get(name)
        for key, value in table.items() if isinstance(table, dict) else ():
            where = f"{path}: [{name}] {key}"
            if key in known:
                sources.put(key, value, where)
            else:
                sources.unknown("key", where, key, known)


def _read_toml(path: Path, sources: Sources) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise ValueError(f"larger than {MAX_FILE} bytes")
        return tomllib.loads(data.decode())
    except OSError as error:
        sources.faults.append(Fault(str(path), error.strerror or type(error).__name__))
    except (ValueError, RecursionError) as error:
        sources.faults.append(Fault(str(path), f"not TOML: {error}"))
    return {}


def take_environment(env: Mapping[str, str], sources: Sources) -> None:
    """``CONFERO_<FIELD>`` of the common fields, then ``CONFERO_<SERVICE>_<FIELD>``. An empty variable counts as absent."""
    own = f"{PREFIX}{sources.service.upper()}_"
    ours = {v: text for v, text in sorted(env.items()) if v.startswith(PREFIX) and text and v != FILE_VARIABLE}
    shared = {v: text for v, text in ours.items() if not v.startswith(own)}
    for variable, text in shared.items():
        name = variable.removeprefix(PREFIX).lower()
        if name in sources.common:
            sources.put_text(name, text, f"environment {variable}")
        elif name.partition("_")[0] not in OTHERS:
            known = [PREFIX + common.upper() for common in sources.common]
            sources.unknown("variable", f"environment {variable}", variable, known)
    for variable, text in ours.items() - shared.items():
        name = variable.removeprefix(own).lower()
        if name in sources.fields:
            sources.put_text(name, text, f"environment {variable}")
        else:
            known = [own + field.upper() for field in sources.fields]
            sources.unknown("variable", f"environment {variable}", variable, known)
