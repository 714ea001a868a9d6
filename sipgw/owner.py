"""This gateway's name at MCUs: kept over restarts, so that the legs that it holds are still its own afterwards."""

from __future__ import annotations

import re
from pathlib import Path

from confero.ids import new_id
from confero.runtime.logging import get_logger

log = get_logger(__name__)

NAME = re.compile(r"sipgw-[A-Za-z0-9_-]{1,50}")


def kept_owner(path: Path) -> str:
    """The name in ``path``, or a new one that is put there. On a disk that fails it holds for this process only."""
    try:
        if path.exists() and NAME.fullmatch(name := path.read_text().strip()):
            return name
        name = f"sipgw-{new_id('gw')}"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = path.with_name(path.name + ".new")
        aside.write_text(name + "\n")
        aside.replace(path)
    except OSError as error:
        log.error("the gateway's name cannot be kept: calls will not outlive this process", reason=str(error))
        name = f"sipgw-{new_id('gw')}"
    return name
