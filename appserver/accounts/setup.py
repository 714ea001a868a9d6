"""The set-up link: printed as long as there is no administrator, good for one; there is no default password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class SetupSecret(Protocol):
    """Where it is kept for the time being, so that a restart prints the same link."""

    def read(self) -> str:
        """Made if there is none. Raises LocalError."""
        ...

    def delete(self) -> None: ...


class SetupLink:
    """``print_it``: told the link's path at each start without an administrator."""

    def __init__(self, kept: SetupSecret, print_it: Callable[[str], None]) -> None:
        self._kept = kept
        self._print = print_it
        self.secret: str | None = None
        """None: there is an administrator."""

    @property
    def needed(self) -> bool:
        return self.secret is not None

    def start(self, *, has_admin: bool) -> None:
        """At each start. Raises LocalError if the secret cannot be kept."""
        if has_admin:
            self.done()
            return
        self.secret = self._kept.read()
        self._print(f"/setup#{self.secret}")

    def done(self) -> None:
        """There is an administrator now. Idempotent."""
        self.secret = None
        self._kept.delete()
