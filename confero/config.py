"""Typed configuration: defaults < file < environment < command line, and one error that lists every fault.

A service derives a frozen model from ``ServiceConfig`` and calls ``load`` once, in its ``__main__``. The docstring under
a field is its help text.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from confero.configfields import describe_default, describe_kind, option_name
from confero.configsources import (
    FILE_OPTION,
    FILE_VARIABLE,
    PREFIX,
    Fault,
    Sources,
    parse_options,
    take_environment,
    take_file,
    take_options,
)
from confero.errors import LocalError
from confero.secretfile import MIN_LENGTH, read_or_make

STATE_DIR_TEXT = "$XDG_STATE_HOME/confero, else ~/.local/state/confero; as root /var/lib/confero"


def default_state_dir(env: Mapping[str, str] = os.environ) -> Path:
    """Where a user's state lies by the XDG base directory specification; ``/var/lib/confero`` for root."""
    if home := env.get("XDG_STATE_HOME"):
        return Path(home) / "confero"
    if os.geteuid() == 0:
        return Path("/var/lib/confero")
    return Path(env.get("HOME") or Path.home()) / ".local" / "state" / "confero"


KeptSecret = Annotated[SecretStr, Field(min_length=MIN_LENGTH)]
"""What ``kept_secret`` takes in place of its file."""


class ServiceConfig(BaseModel):
    """What every service is configured with."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True, hide_input_in_errors=True
    )

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is logged. Other people's libraries log from ``warning`` on."""
    log_format: Literal["json", "text"] = "json"
    """``json``: one object a line. ``text``: for people."""
    state_dir: Path = Field(default_factory=default_state_dir, json_schema_extra={"default": STATE_DIR_TEXT})
    """Folder of everything that outlives the process: secret, database, certificates."""
    secret: KeptSecret | None = None
    """Key that signs all tokens of the installation, 32 characters or more.
    When absent, ``state_dir/secret`` is read, or made once. On a command line others can see it."""
    drain_s: float = Field(default=10.0, ge=0, le=3600)
    """Seconds that running work is given to finish after SIGTERM."""


Model = TypeVar("Model", bound=ServiceConfig)


class ConfigError(LocalError):
    """The configuration cannot be used; ``faults`` is everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault], *, service: str = "") -> None:
        self.faults = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        head = f"{service}: {count} in the configuration" if service else f"{count} in the configuration"
        super().__init__("\n".join([head, *(f"  {fault}" for fault in self.faults)]))


def load(model: type[Model], *, service: str, argv: Sequence[str] = (), env: Mapping[str, str] = os.environ) -> Model:
    """The configuration of ``service`` (its folder's name), from all sources, later ones winning:

    defaults; a TOML file (``--config FILE`` or ``CONFERO_CONFIG``), its tables ``[common]`` and ``[<service>]``; the
    environment, ``CONFERO_<FIELD>`` for the fields of ServiceConfig and ``CONFERO_<SERVICE>_<FIELD>`` for all (an empty
    variable counts as absent); ``--field-name VALUE``. In the environment and on the command line commas separate lists.

    Raises ConfigError with every fault. ``--help`` writes the help text to stdout and raises SystemExit(0).
    """
    if any(word in ("-h", "--help") for word in argv):
        sys.stdout.write(help_text(model, service))
        raise SystemExit(0)
    sources = Sources(service, frozenset(ServiceConfig.model_fields), model.model_fields)
    options, file = parse_options(argv, sources)
    if path := file or env.get(FILE_VARIABLE):
        take_file(Path(path), sources)
    take_environment(env, sources)
    take_options(options, sources)
    return _build(model, sources, env)


def _build(model: type[Model], sources: Sources, env: Mapping[str, str]) -> Model:
    values = {"state_dir": default_state_dir(env)} | sources.values
    if isinstance(values["state_dir"], str):
        values["state_dir"] = os.path.expanduser(values["state_dir"])  # noqa: PTH111 - Path's own raises for unknown users
    try:
        config = model.model_validate(values)
    except ValidationError as error:
        raise ConfigError([*sources.faults, *_faults_of(error, sources)], service=sources.service) from None
    if sources.faults:
        raise ConfigError(sources.faults, service=sources.service)
    return config


def _faults_of(error: ValidationError, sources: Sources) -> Iterator[Fault]:
    """Never with the value itself, which may be a secret."""
    for entry in error.errors(include_url=False, include_input=False, include_context=False):
        if not entry["loc"]:
            yield Fault(f"[{sources.service}]", entry["msg"])
            continue
        name = str(entry["loc"][0])
        place = name + "".join(f"[{part}]" for part in entry["loc"][1:] if isinstance(part, int))
        yield Fault(sources.origin.get(name, "not set"), f"{place}: {entry['msg']}")


def service_secret(config: ServiceConfig) -> bytes:
    """The key that signs this installation's tokens: ``config.secret``, or ``state_dir/secret``, which is made if it is not there.

    Raises ConfigError if the file cannot be used, holds too little or may be read by others.
    """
    return kept_secret(config, config.secret, "secret")


def kept_secret(config: ServiceConfig, configured: SecretStr | None, name: str) -> bytes:
    """A secret: the one that is configured, or ``state_dir/name``, made if it is not there. Raises ConfigError as above."""
    if configured is not None:
        return configured.get_secret_value().encode()
    path = config.state_dir / name
    try:
        return read_or_make(path)
    except OSError as error:
        raise ConfigError([Fault(str(error.filename or path), error.strerror or type(error).__name__)]) from error
    except ValueError as error:
        raise ConfigError([Fault(str(path), str(error))]) from error


def help_text(model: type[ServiceConfig], service: str) -> str:
    """What ``--help`` prints."""
    lines = [
        f"Usage: confero-{service} [{FILE_OPTION} FILE] [--option VALUE ...]",
        "",
        f"Each option can also stand under its name in [{service}] of the TOML file (or {FILE_VARIABLE}),",
        f"or in the environment as {PREFIX}{service.upper()}_<NAME>. Lists are separated by commas.",
        "",
    ]
    for name, info in model.model_fields.items():
        lines.append(f"  {option_name(name)} {describe_kind(info)}   (default: {describe_default(info)})")
        lines += [f"      {line.strip()}" for line in (info.description or "").splitlines()]
    return "\n".join(lines) + "\n"
