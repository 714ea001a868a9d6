"""What must not reach a log: values under telling names, and secrets inside longer texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

MASK = "***"
MAX_TEXT = 4000
"""Characters of one value; SDP fits, a flood of garbage does not."""
MAX_TRACE = 20_000
MAX_DEPTH = 4
MAX_ITEMS = 50

SECRET_WORDS = frozenset(
    {"token", "tokens", "secret", "secrets", "password", "passwd", "passphrase", "pwd", "key", "keys"}
    | {"authorization", "cookie", "credential", "credentials"}
)
"""A name is telling if one of its words (``ice-pwd``, ``joinToken``, ``database_password``) is one of these."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

_TOKEN_MIN = 16 + 1 + 43
_INSIDE = (
    ("a=ice-pwd:", 0, re.compile(r"(a=ice-pwd:)\S+"), r"\1" + MASK),
    ("a=crypto:", 0, re.compile(r"(a=crypto:\d+ \S+ inline:)\S+"), r"\1" + MASK),
    (" ", 0, re.compile(r"(?i)\b(bearer |basic )[A-Za-z0-9._~+/=-]+"), r"\1" + MASK),
    ("://", 0, re.compile(r"(\w://[^\s/:@]*:)[^\s/@]+@"), r"\1" + MASK + "@"),
    # A token of confero.tokens: base64url, a point, 43 characters of HMAC.
    (".", _TOKEN_MIN, re.compile(r"[A-Za-z0-9_-]{16,4096}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"), MASK),
)
"""What every such text has in it, how long it is at least, the pattern and what becomes of it: most values are short and plain,
and are not searched."""


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    return any(word.lower() in SECRET_WORDS for word in _WORD.findall(name))


def clean_text(text: str, limit: int = MAX_TEXT) -> str:
    """Without secrets, and cut to ``limit`` characters."""
    if len(text) > limit:
        text = f"{text[:limit]}... ({len(text)} characters)"
    for sign, shortest, pattern, mask in _INSIDE:
        if sign in text and len(text) >= shortest:
            text = pattern.sub(mask, text)
    return text


def clean(name: str, value: Any, depth: int = 0) -> Any:
    """``value`` as it may be logged under ``name``: bounded, of JSON types only, with a mask in place of secrets."""
    if is_secret_name(name) and value is not None and not isinstance(value, bool):
        return MASK
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return clean_text(value, MAX_TRACE if name == "exception" else MAX_TEXT)
    if isinstance(value, Mapping) and depth < MAX_DEPTH:
        return {str(k): clean(str(k), v, depth + 1) for k, v in list(value.items())[:MAX_ITEMS]}
    if isinstance(value, list | tuple | set | frozenset) and depth < MAX_DEPTH:
        return [clean(name, item, depth + 1) for item in list(value)[:MAX_ITEMS]]
    return clean_text(str(value))
