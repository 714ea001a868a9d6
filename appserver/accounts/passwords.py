"""Passwords: what makes a good one (NIST SP 800-63B-4, section 3.1.1.2), and their argon2id hashes (RFC 9106).

Length counts, not kinds of characters; nothing expires by itself; what is common or made of the account's own name is refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from zxcvbn import zxcvbn

from confero.errors import Refused

Value = TypeVar("Value")
LONGEST = 1024
"""Characters: far beyond what anybody types, and nothing that keeps argon2 busy."""
JUDGED = 72
"""Characters that the estimator looks at; its time grows with the square of them."""
ENOUGH_GUESSES = 10**10
"""That an attacker who knows common passwords, words and dates needs; fewer are too few even against a server that counts tries."""
SERVICE_WORDS = ("confero", "conference", "meeting")


class Aside(Protocol):
    """Runs what takes long off the event loop."""

    def __call__(self, work: Callable[[], Value], /) -> Awaitable[Value]: ...


@dataclass(frozen=True)
class PasswordRules:
    """``shortest``: characters of a password that is the only proof."""

    shortest: int = 15


@dataclass(frozen=True)
class HashCost:
    """RFC 9106, section 4: memory in KiB, passes over it, lanes."""

    memory_kib: int = 47_104
    passes: int = 2
    lanes: int = 1


class Passwords:
    """Judges, hashes and compares. ``turn``: lets some at a time make a hash, each of which takes its memory; others wait."""

    def __init__(
        self, rules: PasswordRules, cost: HashCost, aside: Aside, turn: AbstractAsyncContextManager[Any]
    ) -> None:
        self.rules = rules
        self._aside = aside
        self._turn = turn
        self._hasher = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes)
        self._nobodys = self._hasher.hash("nobody's password")
        self.hashed = 0
        """Hashes computed, for whatever reason: the same number for whoever tries is what gives nothing away."""

    async def new(self, password: str, about: Sequence[str]) -> str:
        """The hash of a new password. ``about``: login, names, address of its account.

        Raises Refused 422 ``password-short``, ``password-long``, ``password-weak``.
        """
        text = normal(password)
        if len(text) < self.rules.shortest:
            what = f"A password needs {self.rules.shortest} characters or more: a few words that do not belong together do well."
            raise Refused(what, status=422, code="password-short")
        if len(text) > LONGEST:
            raise Refused(f"A password may have {LONGEST} characters.", status=422, code="password-long")
        async with self._turn:
            if await self._aside(lambda: is_weak(text, about)):
                raise Refused("This password is too easy to guess.", status=422, code="password-weak")
            return await self._hash(text)

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether it is the hash's; with None, for an account that is not there or has none, it takes as long and is not."""
        async with self._turn:
            self.hashed += 1
            equal = await self._aside(lambda: self._equal(normal(password)[:LONGEST], hashed or self._nobodys))
        return equal and hashed is not None

    def is_old(self, hashed: str) -> bool:
        """Made with other costs than today's: to be made again when its password is next shown."""
        return self._hasher.check_needs_rehash(hashed)

    async def again(self, password: str) -> str:
        """Its hash with today's costs, without judging it."""
        async with self._turn:
            return await self._hash(normal(password))

    async def _hash(self, text: str) -> str:
        self.hashed += 1
        return await self._aside(lambda: self._hasher.hash(text))

    def _equal(self, text: str, hashed: str) -> bool:
        try:
            return self._hasher.verify(hashed, text)
        except (Argon2Error, InvalidHashError):
            return False


def normal(password: str) -> str:
    """The same text however a keyboard composes it (NIST SP 800-63B-4: NFC), and without half characters."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace").decode()


def is_weak(password: str, about: Sequence[str]) -> bool:
    """Whether somebody who knows what is common, and ``about`` the account, guesses it soon. Takes some 10 ms."""
    return int(zxcvbn(password[:JUDGED], [*about, *SERVICE_WORDS])["guesses"]) < ENOUGH_GUESSES
