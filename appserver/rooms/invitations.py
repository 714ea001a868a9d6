"""Invitations: links into a room that make guests or hosts, until a time, so many times, or until they are taken back."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Literal, Protocol

from confero.clock import Clock
from confero.errors import Refused, RemoteError
from confero.ids import new_id
from confero.models.meetings import InvitationCreate

from .entities import Invitation

SECRET_BYTES = 24
"""192 bits."""


class InvitationStore(Protocol):
    """Each call is one transaction."""

    async def add_invitation(self, invitation: Invitation, limit: int) -> Literal["added", "full"]:
        """``full``: the room has ``limit`` that count."""
        ...

    async def invitations(self, room_id: str) -> list[Invitation]:
        """The latest first."""
        ...

    async def invitation_of(self, digest: str) -> Invitation | None: ...

    async def revoke_invitation(self, room_id: str, invitation: str) -> bool: ...


class Invitations:
    """Makes, shows, finds and takes them back. ``limit``: in one room."""

    def __init__(
        self, store: InvitationStore, clock: Clock, limit: int, secret: Callable[[int], str] = secrets.token_urlsafe
    ) -> None:
        self._store = store
        self._clock = clock
        self._limit = limit
        self._secret = secret

    async def make(self, room_id: str, wish: InvitationCreate, maker: str) -> tuple[Invitation, str]:
        """The invitation and its secret, which is known this once.

        Raises RemoteError 422 ``expired`` for one that is over already, Refused 409 ``too-many-invitations``.
        """
        now = self._clock.wall()
        if wish.expires_at is not None and wish.expires_at <= now:
            raise RemoteError("the invitation would be over already", status=422, code="expired")
        secret = self._secret(SECRET_BYTES)
        made = Invitation(
            new_id("inv"), room_id, digest_of(secret), wish.role, wish.note, now, maker[:128],
            expires_at=wish.expires_at, max_uses=wish.max_uses,
        )  # fmt: skip
        if await self._store.add_invitation(made, self._limit) == "full":
            raise Refused("The room has too many invitations; take some back.", status=409, code="too-many-invitations")
        return made, secret

    async def of_room(self, room_id: str) -> list[Invitation]:
        return await self._store.invitations(room_id)

    async def revoke(self, room_id: str, invitation: str) -> None:
        """Nobody new comes by it. Raises Refused 404 ``invitation-unknown``."""
        if not await self._store.revoke_invitation(room_id, invitation):
            raise Refused("There is no such invitation.", status=404, code="invitation-unknown")

    async def shown(self, room_id: str, secret: str) -> Invitation:
        """The one whose secret is shown. Whether it can be used once more is decided when the place is written.

        Raises Refused 403: ``invitation-invalid``, ``invitation-expired``, ``invitation-used``.
        """
        found = await self._store.invitation_of(digest_of(secret))
        if found is None or found.room != room_id or found.revoked:
            raise Refused("This invitation is not valid.", status=403, code="invitation-invalid")
        if found.expires_at is not None and found.expires_at <= self._clock.wall():
            raise Refused("This invitation is over.", status=403, code="invitation-expired")
        if found.max_uses is not None and found.uses >= found.max_uses:
            raise used_up()
        return found


def digest_of(secret: str) -> str:
    """As it is kept: of a secret with so many bits a plain hash says nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def used_up() -> Refused:
    return Refused("This invitation has been used as often as it may.", status=403, code="invitation-used")
