"""Which users have a page open, by what notifiers tell. Kept in memory: a snapshot every 30 s puts right what was lost. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from confero.models import UserNotice, UserSession

Change = tuple[str, bool]
"""A user, and whether they are there now."""


class Online:
    """Sessions by notifier and id; a user is there as long as there is one."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str], str] = {}
        self._count: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._count)

    def __contains__(self, user: str) -> bool:
        return user in self._count

    def told(self, notices: Sequence[UserNotice]) -> list[Change]:
        """Pages were opened and closed, in this order; who has come and gone thereby. Said twice, it happens once."""
        changes: list[Change] = []
        for notice in notices:
            key = notice.notifier, notice.session
            changes += self._add(key, notice.user) if notice.kind == "connected" else self._drop(key)
        return changes

    def snapshot(self, notifier: str, sessions: Sequence[UserSession]) -> list[Change]:
        """All that this notifier has; its others are over."""
        living = {(notifier, one.session): one.user for one in sessions}
        changes: list[Change] = []
        for key, user in living.items():
            changes += self._add(key, user)
        for key in [key for key in self._sessions if key[0] == notifier and key not in living]:
            changes += self._drop(key)
        return changes

    def _add(self, key: tuple[str, str], user: str) -> list[Change]:
        if key in self._sessions:
            return []
        self._sessions[key] = user
        self._count[user] = self._count.get(user, 0) + 1
        return [(user, True)] if self._count[user] == 1 else []

    def _drop(self, key: tuple[str, str]) -> list[Change]:
        user = self._sessions.pop(key, None)
        if user is None:
            return []
        self._count[user] -= 1
        if self._count[user]:
            return []
        del self._count[user]
        return [(user, False)]
