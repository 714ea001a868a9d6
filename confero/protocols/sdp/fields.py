"""The small grammars that lines and attributes are made of: numbers, tokens, addresses.

Each function raises ValueError with a reason that a person can read.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

from .model import Connection

TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^_`a-z{|}~]{1,128}")
"""RFC 8866 section 9, ``token``; the length is ours."""
ICE_CHARS = re.compile(r"[A-Za-z0-9+/]+")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?")


def number(text: str, what: str, low: int = 0, high: int = 2**64 - 1) -> int:
    """A decimal number without sign within the bounds."""
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ValueError(f"{what} is not a number")
    value = int(text)
    if not low <= value <= high:
        raise ValueError(f"{what} is not within {low}..{high}")
    return value


def token(text: str, what: str) -> str:
    if not TOKEN.fullmatch(text):
        raise ValueError(f"{what} is not a token")
    return text


def ice_chars(text: str, what: str, low: int, high: int) -> str:
    """RFC 8839 section 5: letters, digits, ``+`` and ``/``."""
    if not low <= len(text) <= high or not ICE_CHARS.fullmatch(text):
        raise ValueError(f"{what} is not {low}..{high} ICE characters")
    return text


def words(text: str, what: str, low: int, high: int | None = None) -> list[str]:
    """The words between single or repeated spaces; their number is checked."""
    found = text.split(" ")
    found = [word for word in found if word]
    if len(found) < low or (high is not None and len(found) > high):
        raise ValueError(f"{what} has {len(found)} parts")
    return found


def address(text: str, family: Literal[4, 6] | None = None) -> str:
    """An IP literal (of the family, if given) or a host name, returned as it stands."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        labels = text.rstrip(".").split(".")
        # What looks like a dotted number or holds a colon is a broken literal, not a name.
        if len(text) > 255 or labels[-1].isdigit() or not HOST.fullmatch(text) or max(map(len, labels)) > 63:
            raise ValueError("address is neither an IP literal nor a host name") from None
        return text
    if family is not None and found.version != family:
        raise ValueError(f"address is not of family IP{family}")
    if "%" in text:
        raise ValueError("address has a zone")
    return text


def net_address(parts: list[str]) -> Connection:
    """``IN IP4 192.0.2.1`` with the multicast parts of ``c=`` (RFC 8866 section 5.7)."""
    if len(parts) != 3 or parts[0] != "IN" or parts[1] not in ("IP4", "IP6"):
        raise ValueError("address is not IN IP4 or IN IP6")
    family: Literal[4, 6] = 4 if parts[1] == "IP4" else 6
    base, *more = parts[2].split("/")
    limit = 2 if family == 4 else 1
    if len(more) > limit:
        raise ValueError("address has too many parts")
    numbers = [
        number(part, "multicast part", 0, 255 if family == 4 and i == 0 else 2**16) for i, part in enumerate(more)
    ]
    ttl = numbers.pop(0) if family == 4 and numbers else None
    return Connection(address(base, family), family, ttl, numbers[0] if numbers else None)
