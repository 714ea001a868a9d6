"""Members of a room: accounts that it knows, as guests or hosts; they need no PIN and wait in no lobby."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from confero.clock import Clock
from confero.errors import Refused
from confero.models import Role

from .entities import Member


@dataclass(frozen=True)
class Known:
    """An account, as others may see it."""

    user: str
    login: str
    display_name: str


class Accounts(Protocol):
    """The accounts there are."""

    async def named(self, text: str) -> Known | None:
        """By id or login."""
        ...

    async def names(self, users: Sequence[str]) -> Mapping[str, Known]:
        """By id; those that are gone are left out."""
        ...


class MemberStore(Protocol):
    """Each call is one transaction."""

    async def put_member(self, member: Member, limit: int) -> Literal["put", "full"]:
        """New, or with another role. ``full``: the room has ``limit`` others."""
        ...

    async def members(self, room_id: str) -> list[Member]: ...

    async def member(self, room_id: str, user: str) -> Member | None: ...

    async def remove_member(self, room_id: str, user: str) -> bool: ...


class Members:
    """Of all rooms. ``limit``: in one."""

    def __init__(self, store: MemberStore, accounts: Accounts, clock: Clock, limit: int) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock
        self._limit = limit

    async def put(self, room_id: str, who: str, role: Role) -> tuple[Known, Member]:
        """``who``: id or login. Raises Refused 404 ``user-unknown``, 409 ``too-many-members``."""
        known = await self._accounts.named(who)
        if known is None:
            raise Refused("There is no such account.", status=404, code="user-unknown")
        member = Member(room_id, known.user, role, self._clock.wall())
        if await self._store.put_member(member, self._limit) == "full":
            raise Refused("The room has too many members.", status=409, code="too-many-members")
        return known, member

    async def remove(self, room_id: str, who: str) -> None:
        """``who``: id or login. Raises Refused 404 ``member-unknown``."""
        known = await self._accounts.named(who)
        if not await self._store.remove_member(room_id, known.user if known is not None else who):
            raise Refused("There is no such member.", status=404, code="member-unknown")

    async def of_room(self, room_id: str) -> list[tuple[Known, Member]]:
        """By login. Accounts that are gone are left out."""
        members = await self._store.members(room_id)
        names = await self._accounts.names([member.user for member in members])
        there = [(names[member.user], member) for member in members if member.user in names]
        return sorted(there, key=lambda one: one[0].login)
