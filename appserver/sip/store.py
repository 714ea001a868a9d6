"""What the rules of SIP need kept: implemented by the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeVar

from .entities import Account, Call, Number, Present, Rule, Trunk

Entity = TypeVar("Entity", Account, Trunk, Rule, Number)
Key = int | str
Added = Literal["exists", "full"]


class SipStore(Protocol):
    """Each call is one transaction. Raises Unavailable if the database is not there."""

    changes: int
    """Made through this store, by this process."""

    # --- what the administrator keeps -----------------------------------------------------------------------------

    async def add(self, entity: Entity, limit: int) -> Key | Added:
        """The new row's key. ``full``: there are ``limit`` rows already; ``exists``: something that has to be unique is not."""
        ...

    async def get(self, kind: type[Entity], key: Key) -> Entity | None: ...

    async def page(self, kind: type[Entity], after: Key | None, limit: int) -> list[Entity]:
        """The rows whose keys follow ``after``, in their order."""
        ...

    async def change(self, kind: type[Entity], key: Key, values: dict[str, Any]) -> bool:
        """False if there is no such row."""
        ...

    async def delete(self, kind: type[Entity], key: Key) -> bool: ...

    async def version(self) -> int:
        """Counts the changes of accounts, trunks, rules and numbers."""
        ...

    # --- what calls ask -------------------------------------------------------------------------------------------

    async def account_of(self, user: str, realm: str) -> Account | None: ...

    async def accounts_named(self, user: str) -> list[Account]:
        """Of every realm, the oldest first."""
        ...

    async def enabled(self, kind: type[Entity]) -> list[Entity]:
        """All enabled accounts, trunks or rules; numbers always are."""
        ...

    async def present(self, display_name: str, limit: int) -> list[Present]:
        """Connected browsers under this name, without regard to case."""
        ...


class CallStore(Protocol):
    """Records, counts and failed tries. Each call is one transaction."""

    async def record(self, calls: Sequence[Call]) -> None:
        """Keep each record unless a revision as late is there; all of them or none."""
        ...

    async def call(self, call_id: str) -> Call | None: ...

    async def calls(self, before: tuple[float, str] | None, limit: int) -> list[Call]:
        """The latest first; of those that started before the one given."""
        ...

    async def count_call(self, who: str, hour: int, limit: int) -> bool:
        """Count one more call of ``who`` in the hour, unless there were ``limit``; exact, however many ask at once."""
        ...
