"""The small grammars that header fields are made of: tokens, quoted strings, lists, hosts, parameters (RFC 3261 section 25.1).

Text that comes here is unfolded: it has no line ends. Each function raises ValueError with a reason that a person can read.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Self
from urllib.parse import quote as percent_quote
from urllib.parse import unquote as percent_unquote

TOKEN_CHARS = r"A-Za-z0-9\-.!%*_+`'~"
TOKEN = re.compile(f"[{TOKEN_CHARS}]+")
QUOTED = r'"(?:[^"\\]|\\.)*"'
VALUE = r"[!#-+\-./0-:=@-\[\]-~]*"
"""Of a parameter, unquoted. The grammar wants a token or a host. Tags with ``/``, ``@`` or ``=`` are in use, and RFC 5118
section 4.5 an IPv6 address without brackets: all that separates nothing is let through."""
PARAMETER = re.compile(rf"[ \t]*;[ \t]*([{TOKEN_CHARS}]+)(?:[ \t]*=[ \t]*({QUOTED}|{VALUE}))?", re.S)
LIST_ITEM = re.compile(rf'(?:{QUOTED}|<[^<>"]*>|[^,"<>])*', re.S)
QUOTES_AND_BRACKETS = re.compile(r'["<>]')
HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
NUMERIC = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?$")
OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IPV4 = re.compile(rf"{OCTET}(?:\.{OCTET}){{3}}")
ESCAPES = re.compile(r"\\(.)", re.S)
TO_ESCAPE = re.compile(r'(["\\\x00-\x1f\x7f])')
LINE_ENDS = re.compile(r"[\r\n]+")


def token(text: str, what: str) -> str:
    if not TOKEN.fullmatch(text):
        raise ValueError(f"{what} is not a token")
    return text


def number(text: str, what: str, low: int = 0, high: int = 2**32 - 1) -> int:
    """A decimal number without sign within the bounds."""
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ValueError(f"{what} is not a number")
    value = int(text)
    if not low <= value <= high:
        raise ValueError(f"{what} is not within {low}..{high}")
    return value


def quote(text: str) -> str:
    """``text`` as a quoted-string. Line ends, which no escape makes legal, become a space."""
    return '"' + TO_ESCAPE.sub(r"\\\1", LINE_ENDS.sub(" ", text)) + '"'


def unquote(text: str) -> str:
    """What a quoted-string says; any other text as it stands."""
    if not text.startswith('"'):
        return text
    inner = text[1:-1]
    return ESCAPES.sub(r"\1", inner) if "\\" in inner else inner


def split_list(text: str) -> list[str]:
    """The items between the commas that stand neither in quotes nor in angle brackets. Empty ones are dropped."""
    if "," not in text:
        return [text] if text else []
    if not QUOTES_AND_BRACKETS.search(text):
        return [item for item in map(str.strip, text.split(",")) if item]
    items, at = [], 0
    while True:
        found = LIST_ITEM.match(text, at)
        end = found.end() if found else at
        if end < len(text) and text[end] != ",":
            raise ValueError(f"a {text[end]} that is not closed" if text[end] in '"<' else "a > that was not opened")
        if item := text[at:end].strip():
            items.append(item)
        at = end + 1
        if end >= len(text):
            return items


@lru_cache(maxsize=4096)
def host(text: str) -> str:
    """A host name, an IPv4 address, or an IPv6 address in brackets, as it stands. Remembered: the same few are in all messages."""
    if text.startswith("["):
        # RFC 5118 section 4.10: by the grammar of RFC 2373 a third colon came before an IPv4 address.
        if not text.endswith("]") or "%" in text or not _is_ipv6(text[1:-1].replace(":::", "::")):
            raise ValueError("host is not an IPv6 address")
    elif NUMERIC.search(text):
        # The last label of a name is no number: resolvers take 127.1, 0x7f.1 and 2130706433 for addresses.
        if not IPV4.fullmatch(text):
            raise ValueError("host is not an IPv4 address")
    elif not HOST.fullmatch(text) or len(text) > 255 or ".." in text:
        raise ValueError("host is neither a name nor an address")
    return text


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def port(text: str | None) -> int | None:
    return None if text is None else number(text, "port", 1, 65_535)


class Parameters(Mapping[str, str | None]):
    """``;name=value`` of a header field, in order. Names are found in any case; a value is None where there is no ``=``.

    What is looked up is unquoted; what is written is as it was read.
    """

    __slots__ = ("_raw",)

    def __init__(self, values: Mapping[str, str | None] | None = None) -> None:
        """``values`` are plain text: they are quoted where they have to be."""
        self._raw: dict[str, tuple[str, str | None]] = {}
        for name, value in (values or {}).items():
            self._raw[name.lower()] = (name, self._encode(value))

    @classmethod
    def parse(cls, text: str) -> Self:
        found, at = cls(), 0
        while at < len(text) and (match := PARAMETER.match(text, at)):
            found._add(match[1].lower(), match[1], match[2])
            at = match.end()
        if text[at:].strip(" \t"):
            raise ValueError("parameters are malformed")
        return found

    def _add(self, key: str, name: str, raw: str | None) -> None:
        # 7.3.1: a parameter's name does not appear twice. One that says the same again, as some telephones write, says it once.
        if self._raw.get(key, (name, raw))[1] != raw:
            raise ValueError(f"parameter {name} appears twice")
        self._raw[key] = (name, raw)

    def replace(self, **changes: str | None) -> Self:
        """A copy with other values, at their old places, or with more of them at the end."""
        return self.merge(changes)

    def merge(self, changes: Mapping[str, str | None]) -> Self:
        """As ``replace``, for names that are not identifiers."""
        copy = type(self)()
        copy._raw = dict(self._raw)
        for name, value in changes.items():
            copy._raw[name.lower()] = (copy._raw.get(name.lower(), (name,))[0], self._encode(value))
        return copy

    def without(self, *names: str) -> Self:
        copy = type(self)()
        drop = {name.lower() for name in names}
        copy._raw = {key: pair for key, pair in self._raw.items() if key not in drop}
        return copy

    @staticmethod
    def _encode(value: str | None) -> str | None:
        return value if value is None or re.fullmatch(VALUE, value) else quote(value)

    @staticmethod
    def _decode(raw: str) -> str:
        return unquote(raw)

    def __getitem__(self, name: str) -> str | None:
        raw = self._raw[name.lower()][1]
        return None if raw is None else self._decode(raw)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __hash__(self) -> int:
        return hash(tuple(self._raw))

    def __str__(self) -> str:
        return "".join(f";{name}" if raw is None else f";{name}={raw}" for name, raw in self._raw.values())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


URI_CHARS = r"A-Za-z0-9\-_.!~*'()\[\]/:&+$"
URI_PARAMETER = re.compile(f";((?:[{URI_CHARS}]|%[0-9A-Fa-f]{{2}})+)(?:=((?:[{URI_CHARS}=]|%[0-9A-Fa-f]{{2}})*))?")


class UriParameters(Parameters):
    """``;name=value`` of a URI: escaped by percent, never quoted (section 19.1.1)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        found, at = cls(), 0
        while at < len(text) and (match := URI_PARAMETER.match(text, at)):
            found._add(percent_unquote(match[1]).lower(), match[1], match[2])
            at = match.end()
        if at != len(text):
            raise ValueError("parameters of the URI are malformed")
        return found

    @staticmethod
    def _encode(value: str | None) -> str | None:
        return None if value is None else percent_quote(value, safe="-_.!~*'()[]/:&+$")

    @staticmethod
    def _decode(raw: str) -> str:
        return percent_unquote(raw) if "%" in raw else raw
