"""Whose password is what: users of the configuration, and names that tell until when they are good, signed by a shared secret.

The latter is the form of "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest), which browsers' services
use: name ``expiry:user``, password ``base64(HMAC-SHA1(secret, name))``.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from confero.protocols.stun import MD5, SHA256, Algorithm, make_key, opaque_string, user_hash

MIN_SECRET = 16
"""Bytes."""
MAX_SECRETS = 4
"""The one that signs now and those before it: each costs a MAC for a name that is wrong."""
ALGORITHMS = (SHA256, MD5)
"""In the order in which the server likes them."""


class Login(NamedTuple):
    """A name that is valid now, and the keys that may prove it."""

    username: str
    user: str
    """Who that is: what quotas are for."""
    keys: tuple[bytes, ...]


def rest_password(secret: bytes, username: str) -> str:
    """The password of a time-limited name."""
    return base64.b64encode(hmac.digest(secret, username.encode(), "sha1")).decode()


def issue(secret: bytes, user: str, expires: float) -> tuple[str, str]:
    """Name and password for ``user``, good until Unix time ``expires``. Raises ValueError for a user that no name can hold."""
    username = opaque_string(f"{int(expires)}:{user}")
    if len(username.encode()) > 508:
        raise ValueError("a user's name of more than 508 bytes")
    return username, rest_password(secret, username)


class Accounts:
    """Names and keys of one realm. ``wall`` gives Unix time. Passwords are not kept, their keys are (RFC 8656 section 6)."""

    def __init__(
        self,
        realm: str,
        wall: Callable[[], float],
        *,
        users: Mapping[str, str] | None = None,
        secrets: Sequence[bytes] = (),
    ) -> None:
        """``users``: passwords by name. ``secrets``: the one that signs first. Raises ValueError for those that are no good."""
        self._realm = realm
        self._wall = wall
        self._secrets = _checked(secrets)
        self._users: dict[str, dict[Algorithm, bytes]] = {}
        for name, password in (users or {}).items():
            username, password = opaque_string(name), opaque_string(password)
            self._users[username] = {one: make_key(username, realm, password, one) for one in ALGORITHMS}
        self._hashes = {user_hash(name, realm): name for name in self._users}

    @property
    def anonymous(self) -> bool:
        """Whether every name can be told by its hash: not those that are made by others (RFC 8489 section 14.4)."""
        return not self._secrets

    def rotate(self, secrets: Sequence[bytes]) -> None:
        """From now on these secrets sign, the newest first. Raises ValueError for those that are no good.

        A server that had some cannot do without, nor the other way round: its nonces tell which names it can look up.
        """
        if bool(secrets) != bool(self._secrets):
            raise ValueError("secrets are there from the start, or never")
        self._secrets = _checked(secrets)

    def by_name(self, username: str, algorithm: Algorithm) -> Login | None:
        """None: nobody has this name, or not any more."""
        keys = self._users.get(username)
        if keys is not None:
            return Login(username, username, (keys[algorithm],))
        expiry, _, user = username.partition(":")
        if not self._secrets or not (expiry.isascii() and expiry.isdigit() and len(expiry) <= 12):
            return None
        if self._wall() >= int(expiry):
            return None
        passwords = [rest_password(secret, username) for secret in self._secrets]
        return Login(
            username, user or username, tuple(make_key(username, self._realm, one, algorithm) for one in passwords)
        )

    def by_hash(self, hashed: bytes, algorithm: Algorithm) -> Login | None:
        """As ``by_name``, for USERHASH."""
        username = self._hashes.get(hashed)
        return None if username is None else self.by_name(username, algorithm)


def _checked(secrets: Sequence[bytes]) -> tuple[bytes, ...]:
    if len(secrets) > MAX_SECRETS or any(len(secret) < MIN_SECRET for secret in secrets):
        raise ValueError(f"at most {MAX_SECRETS} secrets, each of {MIN_SECRET} bytes or more")
    return tuple(secrets)
