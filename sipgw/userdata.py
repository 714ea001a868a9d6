"""What the ends of a call tell each other through us: user data (RFC 7433) and configured header fields, bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from confero.models.calls import Words
from confero.protocols.sip import uui
from confero.protocols.sip.headers import Headers

MAX_FIELDS = 16
MAX_VALUE = 512
"""Characters of one field's value; longer ones are not passed, since a half of something opaque is nothing."""


@dataclass(frozen=True)
class Told:
    """By the other side of a call."""

    user_data: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def after(self, later: Told) -> Told:
        """What was said last, of each kind."""
        return Told(later.user_data or self.user_data, later.headers or self.headers)


Fields = tuple[tuple[str, str], ...]
"""Header fields of a message."""


def told_by(headers: Headers, passed: Iterable[str]) -> Told:
    """What of a message is for the page: User-to-User as text, and the fields named by ``passed`` as they stand."""
    found = {name: value for name in passed if (value := _value(headers, name)) is not None}
    return Told(uui.unpack(headers.get(uui.FIELD) or ""), dict(list(found.items())[:MAX_FIELDS]))


def _value(headers: Headers, name: str) -> str | None:
    value = headers.get(name)
    if value is None or len(value) > MAX_VALUE:
        return None
    return "".join(c for c in value if c.isprintable())


def to_tell(words: Told | Words, passed: Iterable[str]) -> Fields:
    """Fields for a message. Of the headers those named by ``passed`` go; what has control characters in it does not."""
    allowed = {name.lower(): name for name in passed}
    fields = [
        (allowed[name.lower()], value)
        for name, value in words.headers.items()
        if name.lower() in allowed and value.isprintable() and len(value) <= MAX_VALUE
    ]
    if words.user_data:
        fields.append((uui.FIELD, uui.pack(words.user_data)))
    return tuple(fields[:MAX_FIELDS])
