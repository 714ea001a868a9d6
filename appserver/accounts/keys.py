"""API keys: ``ck_<hint>_<secret>``, shown once, with scopes and perhaps an end."""

from __future__ import annotations

import re
from dataclasses import replace

from confero.clock import Clock
from confero.errors import Refused
from confero.ids import new_id
from confero.models.accounts import KeyCreate

from ..rights.actors import Actor
from .entities import Key, User
from .notes import note
from .secrets import digest, new_secret
from .store import KeyStore

FORM = re.compile(r"ck_[A-Za-z0-9]{6}_[A-Za-z0-9_-]{43}")
USED_EVERY_S = 300.0


class Keys:
    """Makes, knows and takes them back. ``most``: of one account."""

    def __init__(self, store: KeyStore, clock: Clock, most: int) -> None:
        self._store = store
        self._clock = clock
        self._most = most

    async def make(self, actor: Actor, wish: KeyCreate) -> tuple[str, Key]:
        """Raises Refused 422 ``expiry-past``, 409 ``too-many-keys``."""
        now, user = self._clock.wall(), actor.user or ""
        if wish.expires_at is not None and wish.expires_at <= now:
            raise Refused("The key would be over already.", status=422, code="expiry-past")
        hint = re.sub("[^A-Za-z0-9]", "0", new_secret()[:6])
        secret = f"ck_{hint}_{new_secret()}"
        key = Key(
            *(new_id("k"), digest(secret), user, wish.name, frozenset(wish.scopes), f"ck_{hint}", now),
            expires_at=wish.expires_at,
        )
        written = note(self._clock, actor, "me.keys", key.hint, f"made, {', '.join(sorted(key.scopes))}")
        if not await self._store.add_key(key, written, self._most):
            raise Refused("This account has as many keys as it may.", status=409, code="too-many-keys")
        return secret, key

    async def known(self, secret: str, source: str) -> Actor | None:
        """Whose it is, if it is good. Raises Unavailable."""
        found = await self._store.key(digest(secret)) if FORM.fullmatch(secret) else None
        if found is None:
            return None
        key, user = found
        now = self._clock.wall()
        if not user.enabled or (key.expires_at is not None and now >= key.expires_at):
            return None
        if key.used_at is None or now - key.used_at >= USED_EVERY_S:
            await self._store.use_key(key.id, now)
        return _actor(key, user, source)

    async def of(self, user: str) -> list[Key]:
        """The account's, the latest made first."""
        return await self._store.keys_of(user)

    async def delete(self, actor: Actor, key: str) -> None:
        """Raises Refused 404 ``key-unknown``."""
        written = note(self._clock, actor, "me.keys", key, "taken back")
        if not await self._store.delete_key(actor.user or "", key, written):
            raise Refused("There is no such key.", status=404, code="key-unknown")


def _actor(key: Key, user: User, source: str) -> Actor:
    actor = Actor("key", user=user.id, login=user.login, role=user.role, source=source)
    return replace(actor, scopes=key.scopes, hint=key.hint)
