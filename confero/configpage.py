"""The page ``docs/configuration.md``, made from the services' configuration models: ``python -m confero.configpage``."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from confero.config import ServiceConfig
from confero.configfields import describe_default, describe_kind, option_name
from confero.up.plan import config_model, installed, variable

HEAD = """\
# Configuration

Made by `python -m confero.configpage`; do not edit.

Each service reads, later ones winning: defaults; a TOML file (`--config FILE` or `CONFERO_CONFIG`) with tables `[common]` and
`[<service>]`; the environment (`CONFERO_<NAME>` for common settings, `CONFERO_<SERVICE>_<NAME>` for all); its command line
(`--name VALUE`). In the environment and on the command line commas separate the items of a list. An empty variable counts as
absent. A fault anywhere, also an unknown name, ends the start with code 2 and one text that lists all faults and where each stands.

`confero up` sets what connects the services (URLs, and ports where low ones are not permitted) unless it is configured.
"""


def render(models: Mapping[str, type[ServiceConfig]]) -> str:
    """The page for these services."""
    parts = [HEAD, "## Common settings\n", _table("common", ServiceConfig, set())]
    for service, model in models.items():
        parts += [f"## {service}\n", _table(service, model, set(ServiceConfig.model_fields))]
    return "\n".join(parts)


def _table(service: str, model: type[ServiceConfig], left_out: set[str]) -> str:
    rows = ["| setting | values | default | meaning |", "|---|---|---|---|"]
    for name, info in model.model_fields.items():
        if name in left_out:
            continue
        env = f"CONFERO_{name.upper()}" if service == "common" else variable(service, name)
        cells = (
            f"`{option_name(name)}`<br>`{env}`",
            describe_kind(info),
            describe_default(info),
            info.description or "",
        )
        rows.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    """One line, with the docstring's double back-ticks as Markdown's, and no bar that would end the cell."""
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")


def installed_models() -> dict[str, type[ServiceConfig]]:
    return {spec.name: config_model(spec) for spec in installed()}


if __name__ == "__main__":
    sys.stdout.write(render(installed_models()))
