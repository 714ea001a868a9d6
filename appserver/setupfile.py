"""The file of the set-up link's secret in the state folder, which its owner alone reads."""

from __future__ import annotations

from pathlib import Path

from confero.errors import LocalError
from confero.secretfile import read_or_make

NAME = "setup-link"


class SetupFile:
    """Implements ``accounts.setup.SetupSecret``."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / NAME

    def read(self) -> str:
        try:
            return read_or_make(self._path).decode("ascii")
        except (OSError, ValueError) as error:
            raise LocalError(f"{self._path}: {error}") from None

    def delete(self) -> None:
        self._path.unlink(missing_ok=True)
