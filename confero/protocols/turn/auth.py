"""Who asks? The long-term credentials of a request, checked in the order of RFC 8489 section 9.2.4."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from confero.protocols.stun import (
    MD5,
    PASSWORD_ALGORITHMS_BIT,
    USERNAME_ANONYMITY_BIT,
    Algorithm,
    Integrity,
    Message,
    features_of,
    proves,
    user_hash,
)
from confero.protocols.stun import attributes as a
from confero.protocols.stun.attributes import Row
from confero.ratelimit import RateLimiter, source_of

from .accounts import ALGORITHMS, Accounts, Login
from .nonces import Nonces
from .refusals import Refusal, Silence
from .settings import Settings
from .types import Client, Random


class Proven(NamedTuple):
    """Who has made a request, and how the reply is proven in turn."""

    username: str
    user: str
    integrity: Integrity
    algorithm: Algorithm


class WrongCredentials(Refusal):
    """A 401 to who claimed to be somebody."""


UNSEEN = "?"
"""After a source that may be forged."""


class Authenticator:
    """Knows a request's maker by name, password and nonce, and makes the challenge for who has none."""

    def __init__(self, settings: Settings, accounts: Accounts, random: Random, failures: RateLimiter) -> None:
        self._failures = failures
        self._realm = settings.realm
        self._accounts = accounts
        features = PASSWORD_ALGORITHMS_BIT | (USERNAME_ANONYMITY_BIT if accounts.anonymous else 0)
        self._nonces = Nonces(features, settings.nonce_life_s, random)
        self._nobody = (random.randbytes(16),)
        """The key of names that do not exist: to ask for them takes as long as for others."""

    def challenge(self, client: Client, now: float) -> tuple[Row, ...]:
        """What goes with a 401 and a 438."""
        nonce = self._nonces.make(client, now)
        return a.REALM.of(self._realm), a.NONCE.of(nonce), a.PASSWORD_ALGORITHMS.of(ALGORITHMS)

    def check(self, client: Client, message: Message, now: float, holder: Proven | None = None) -> Proven:
        """Who made it. Raises Refusal 400, 401 or 438, StunError 400 for attributes that cannot be read, Silence for guesses.

        ``holder``: who holds an allocation there already. Its name stays good for that allocation when it has run out, as
        calls outlive the names that they began with.
        """
        # No integrity: 401, with what is needed to come again.
        sha256 = a.MESSAGE_INTEGRITY_SHA256 in message
        if not sha256 and a.MESSAGE_INTEGRITY not in message:
            raise Refusal(401, "no credentials", *self.challenge(client, now))
        # Integrity without a name, realm or nonce: 400, with nothing.
        username, hashed = message.get(a.USERNAME), message.get(a.USERHASH)
        realm, nonce = message.get(a.REALM), message.get(a.NONCE)
        if (username is None and hashed is None) or realm is None or nonce is None:
            raise Refusal(400, "integrity without a name, a realm or a nonce")
        algorithm = self._algorithm(message, nonce)
        age = self._nonces.age(nonce, client, now)
        source = self._source(client, seen=age is not None)
        if holder is None and self._failures.wait(source) > 0:
            raise Silence("guesses")
        # A name that is not valid: 401. Wrong integrity: 401. Both take as long.
        login = self._login(username, hashed, algorithm or MD5, holder)
        key = next((key for key in (login.keys if login else self._nobody) if proves(message, key)), None)
        if key is None or login is None:
            self._failures.take(source)
            raise WrongCredentials(401, "wrong name or password", *self.challenge(client, now))
        # A nonce that is not valid any more, or was not this client's: 438.
        if not self._nonces.is_fresh(age):
            raise Refusal(438, "stale nonce", *self.challenge(client, now))
        # Replies are proven by SHA-256, unless no algorithm was named.
        return Proven(login.username, login.user, Integrity(key, algorithm is not None), algorithm or MD5)

    def _source(self, client: Client, *, seen: bool) -> str:
        """Whose failures these are. Who has neither a connection nor our nonce may only pretend to be there.

        It is counted apart, so that nobody is locked out by what others say in his name.
        """
        source = source_name(client.peer[0])
        return source if seen or client.transport != "udp" else source + UNSEEN

    def _algorithm(self, message: Message, nonce: bytes) -> Algorithm | None:
        """The one that was named; None: none was, which means MD5."""
        features = features_of(nonce)
        if features is None or not features & PASSWORD_ALGORITHMS_BIT:
            return None
        named, offered = message.get(a.PASSWORD_ALGORITHM), message.get(a.PASSWORD_ALGORITHMS)
        if named is None and offered is None:
            return None
        # Both are there, the list is the one that we sent, and the one is of the list; or else somebody in between bids down.
        if named is None or offered != ALGORITHMS or named not in ALGORITHMS:
            raise Refusal(400, "password algorithms that are not the offered ones")
        return named

    def _login(
        self, username: str | None, hashed: bytes | None, algorithm: Algorithm, holder: Proven | None
    ) -> Login | None:
        if holder is not None and holder.algorithm == algorithm:
            same = (
                hashed == user_hash(holder.username, self._realm) if username is None else username == holder.username
            )
            if same:
                return Login(holder.username, holder.user, (holder.integrity.key,))
        if username is not None:
            return self._accounts.by_name(username, algorithm)
        return self._accounts.by_hash(hashed or b"", algorithm)


@lru_cache(maxsize=4096)
def source_name(ip: str) -> str:
    """What counts as one source."""
    return source_of(ip)
