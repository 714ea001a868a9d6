"""Number patterns: literal characters, ``X`` for a digit, a point at the end for the rest. One pass, no way back.

=========  ====================================================================================================
``4711``   just that
``49X``    ``X`` is one digit, 0 to 9
``+49.``   a point at the end: one or more further characters, so this is a prefix
``.``      everything
``\\X``     a backslash before ``X``, ``.`` or itself: that character
=========  ====================================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from confero.errors import RemoteError

MAX_PATTERN = 64
"""Characters of a pattern."""
MAX_USER = 128
"""Characters of what is matched: longer matches nothing."""
LITERALS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWYZ0123456789+*#-_~!$&'(),;=?/%")
"""What stands for itself: the user part of RFC 3261 section 25.1 without the point, and ``#``."""
DIGITS = frozenset("0123456789")
ESCAPED = frozenset("X.\\")
SEPARATED = re.compile(r"\+?[0-9][0-9().\- ]*")
"""A telephone number as people write it: RFC 3966 section 5.1.1, visual separators."""
SEPARATORS = re.compile(r"[().\- ]")


class PatternError(RemoteError):
    """The text is no pattern; the detail says where."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, status=422, code="pattern-invalid")


@dataclass(frozen=True)
class Pattern:
    """A parsed pattern."""

    text: str
    steps: tuple[str, ...]
    """One for each character: the character, or nothing for any digit."""
    rest: bool
    """One or more characters follow."""

    def matches(self, user: str) -> bool:
        """Whether the whole of ``user`` fits. Linear in the pattern's length."""
        size = len(self.steps)
        if len(user) > MAX_USER or (len(user) <= size if self.rest else len(user) != size):
            return False
        return all(c == step or (not step and c in DIGITS) for c, step in zip(user, self.steps, strict=False))


@lru_cache(maxsize=4096)
def parse(text: str) -> Pattern:
    """Raises PatternError, and nothing else whatever the text is."""
    if not 0 < len(text) <= MAX_PATTERN:
        raise PatternError(f"a pattern has 1 to {MAX_PATTERN} characters")
    steps: list[str] = []
    at = 0
    while at < len(text):
        step = _step(text, at)
        if step == ".":
            return Pattern(text, tuple(steps), rest=True)
        steps.append(step[-1:])
        at += max(1, len(step))
    return Pattern(text, tuple(steps), rest=False)


def _step(text: str, at: int) -> str:
    """What stands at ``at``: an escape with its backslash, a literal, nothing for ``X``, a point for the rest."""
    c = text[at]
    if c == "\\" and text[at + 1 : at + 2] in ESCAPED and at + 1 < len(text):
        return text[at : at + 2]
    if c == "." and at == len(text) - 1:
        return "."
    if c == ".":
        raise PatternError(f"character {at + 1}: a point stands at the end only, or after a backslash")
    if c != "X" and c not in LITERALS:
        raise PatternError(f"character {at + 1} cannot be in a pattern")
    return "" if c == "X" else c


def matches_any(patterns: Iterable[str], user: str) -> bool:
    """Whether one of them fits. Raises PatternError."""
    return any(parse(text).matches(user) for text in patterns)


def plain_number(user: str) -> str:
    """A telephone number without what people put between its digits; anything else as it is."""
    return SEPARATORS.sub("", user) if len(user) <= MAX_USER and SEPARATED.fullmatch(user) else user
