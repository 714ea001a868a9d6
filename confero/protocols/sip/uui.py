"""User-to-User information (RFC 7433): data that the ends of a call tell each other, opaque to everybody between them."""

from __future__ import annotations

import re

from .grammar import PARAMETER, QUOTED, unquote

FIELD = "User-to-User"
MAX_DATA = 1024
"""Octets that we send and take. Section 4.1 lets networks bound it; ISDN carries 128."""
HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*")
VALUE = re.compile(rf"[ \t]*({QUOTED}|[A-Za-z0-9\-.!%*_+`'~]*)", re.S)


def pack(text: str) -> str:
    """The value of a User-to-User field that carries ``text`` in UTF-8 (section 4.1: hexadecimal is what all understand)."""
    return f"{text.encode().hex()};encoding=hex"


def unpack(value: str) -> str:
    """What a field's value says, as text; nothing if it is not text, malformed or too long. Never raises."""
    found = VALUE.match(value)
    if found is None or len(value) > 4 * MAX_DATA:
        return ""
    data = unquote(found[1])
    # Section 4.1: hex is meant where no encoding is said, too.
    if _encoding(value[found.end() :]) == "hex" and HEX.fullmatch(data):
        data = _text(bytes.fromhex(data))
    return printable(data) if len(data.encode(errors="replace")) <= MAX_DATA else ""


def printable(text: str) -> str:
    """Without control characters, but for tabs and ends of lines."""
    return "".join(c for c in text if c in "\t\r\n" or (c >= " " and c != "\x7f"))


def _encoding(parameters: str) -> str:
    for name, value in PARAMETER.findall(parameters[: 4 * MAX_DATA]):
        if name.lower() == "encoding":
            return unquote(value).lower()
    return "hex"


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return ""
