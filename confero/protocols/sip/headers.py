"""Header fields in their order: names in any case and in their compact forms, lists split at commas where the field is one."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import SipError
from .grammar import split_list

COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "n": "Identity-Info",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
"""The IANA registry of SIP header fields."""
LISTS = frozenset(
    {
        *("accept", "accept-contact", "accept-encoding", "accept-language", "alert-info", "allow", "allow-events"),
        *("call-info", "contact", "content-encoding", "content-language", "diversion", "error-info", "history-info"),
        *("in-reply-to", "p-asserted-identity", "p-associated-uri", "p-preferred-identity", "path", "proxy-require"),
        *("reason", "record-route", "reject-contact", "request-disposition", "require", "resource-priority", "route"),
        *("security-client", "security-server", "security-verify", "service-route", "supported", "unsupported"),
        *("user-to-user", "via", "warning"),
    }
)
"""Fields whose grammar is a list between commas (RFC 3261 section 7.3.1). Those of authentication have commas of another kind."""
KNOWN = {
    name.lower(): name
    for name in (
        *COMPACT.values(),
        *("Accept", "Alert-Info", "Allow", "Authorization", "Call-Info", "CSeq", "Date", "Expires", "Max-Forwards"),
        *("Min-Expires", "Min-SE", "MIME-Version", "P-Asserted-Identity", "Path", "Privacy", "Proxy-Authenticate"),
        *("Proxy-Authorization", "Proxy-Require", "RAck", "RSeq", "Reason", "Record-Route", "Replaces", "Require"),
        *("Retry-After", "Route", "Server", "Subscription-State", "Timestamp", "Unsupported", "User-Agent"),
        *("User-to-User", "Warning", "WWW-Authenticate"),
    )
}
KEYS = {key: key for key in KNOWN} | {name: key for key, name in KNOWN.items()}
KEYS |= {short: name.lower() for short, name in COMPACT.items()}
"""The spellings that are met most, to the key that a field is found by."""


def key_of(name: str) -> str:
    """What a field is found by: its long name in lower case."""
    return KEYS.get(name) or _rare_key(name)


def _rare_key(name: str) -> str:
    key = name.lower()
    return KEYS.get(key, key)


class Headers:
    """The fields of a message. ``items`` gives compact names in their long form, others as they were written.

    Values are text without line ends; that they have none is checked when the message is written.
    """

    __slots__ = ("_fields",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = [(key_of(name), name, value) for name, value in items]

    def get(self, name: str) -> str | None:
        """The first value as it stands, with all of its list; None if the field is absent."""
        key = key_of(name)
        for found, _, value in self._fields:
            if found == key:
                return value
        return None

    def rows(self, name: str) -> list[str]:
        """The values as they stand, one for each time the field appears."""
        key = key_of(name)
        return [value for found, _, value in self._fields if found == key]

    def all(self, name: str) -> list[str]:
        """All values in order; those of a list field one by one. Raises SipError if quotes or brackets are left open."""
        key = key_of(name)
        rows = [value for found, _, value in self._fields if found == key]
        if key not in LISTS:
            return rows
        if len(rows) == 1 and "," not in rows[0]:
            return rows if rows[0] else []
        try:
            return [item for row in rows for item in split_list(row)]
        except ValueError as error:
            raise SipError(f"{name}: {error}") from None

    def set(self, name: str, value: str) -> None:
        """One value in place of all, where the first was, or at the end."""
        self.set_all(name, [value])

    def set_all(self, name: str, values: Iterable[str]) -> None:
        """The field once for each of ``values``, where it first was, or at the end; no values remove it."""
        key = key_of(name)
        new = [(key, name, value) for value in values]
        at = next((i for i, field in enumerate(self._fields) if field[0] == key), len(self._fields))
        rest = [field for field in self._fields[at:] if field[0] != key]
        self._fields[at:] = new + rest

    def add(self, name: str, value: str) -> None:
        """After all that is there."""
        self._fields.append((key_of(name), name, value))

    def prepend(self, name: str, value: str) -> None:
        """Before the first of its name, or at the beginning: where Via and Record-Route are put."""
        key = key_of(name)
        at = next((i for i, field in enumerate(self._fields) if field[0] == key), 0)
        self._fields.insert(at, (key, name, value))

    def remove(self, name: str) -> None:
        key = key_of(name)
        self._fields = [field for field in self._fields if field[0] != key]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __len__(self) -> int:
        return len(self._fields)

    def items(self) -> list[tuple[str, str]]:
        """Names and values in order."""
        return [(KNOWN[key] if len(name) == 1 and key in KNOWN else name, value) for key, name, value in self._fields]

    def keys(self) -> list[str]:
        """What each field is found by, in order: long names in lower case."""
        return [key for key, _, _ in self._fields]

    def copy(self) -> Headers:
        copy = Headers()
        copy._fields = list(self._fields)
        return copy

    def __eq__(self, other: object) -> bool:
        """The same fields with the same values in the same order, however their names are spelled."""
        if not isinstance(other, Headers):
            return NotImplemented
        return [(key, value) for key, _, value in self._fields] == [(key, value) for key, _, value in other._fields]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Headers({self.items()!r})"
