"""The attributes that the model has fields for, as one table: name, where it may stand, and how its value is read.

A reader gets the section under construction and the value and raises ValueError with the reason. What the table does not
name, or names for the other level, is kept as a plain ``Attribute``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from . import fields
from .model import (
    Attribute,
    Candidate,
    Crypto,
    Direction,
    ExtMap,
    Feedback,
    Fingerprint,
    Group,
    Msid,
    Rtcp,
    Setup,
    SsrcAttribute,
    TcpConnection,
)

DIGEST_LENGTHS = {"md5": 16, "sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}
"""Bytes. Hashes with other names are kept but never match."""

LIST_LIMITS = {
    "attributes": 512,
    "bandwidths": 16,
    "candidates": 64,
    "cryptos": 32,
    "extmaps": 64,
    "feedback": 256,
    "fingerprints": 16,
    "groups": 16,
    "msids": 16,
    "ssrcs": 256,
    "timing": 16,
}
"""How many a section may have: several times what browsers send for the fullest m-line, and far from what would cost us time."""


@dataclass
class Builder:
    """A section under construction."""

    level: Literal["session", "media"]
    values: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, list[Any]] = field(default_factory=dict)
    rtpmaps: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    fmtps: dict[int, str] = field(default_factory=dict)

    def set(self, name: str, value: Any) -> None:
        """Said twice alike is said once; said twice differently is an error, since nobody knows which one the peer goes by."""
        if self.values.setdefault(name, value) != value:
            raise ValueError(f"{name.replace('_', '-')} is given twice")

    def add(self, name: str, value: Any) -> None:
        items = self.lists.setdefault(name, [])
        if len(items) >= LIST_LIMITS[name]:
            raise ValueError(f"more than {LIST_LIMITS[name]} {name}")
        items.append(value)

    def finish(self) -> dict[str, Any]:
        return self.values | {name: tuple(items) for name, items in self.lists.items()}


Reader = Callable[[Builder, str], None]


def _flag(name: str) -> Reader:
    return lambda section, value: section.set(name, True)


def _direction(word: Direction) -> Reader:
    return lambda section, value: section.set("direction", word)


def _ice_ufrag(section: Builder, value: str) -> None:
    section.set("ice_ufrag", fields.ice_chars(value, "ice-ufrag", 4, 256))


def _ice_pwd(section: Builder, value: str) -> None:
    section.set("ice_pwd", fields.ice_chars(value, "ice-pwd", 22, 256))


def _ice_options(section: Builder, value: str) -> None:
    section.set(
        "ice_options", tuple(fields.token(word, "ice-option") for word in fields.words(value, "ice-options", 1, 16))
    )


def _setup(section: Builder, value: str) -> None:
    if value not in get_args(Setup):
        raise ValueError("setup is not active, passive, actpass or holdconn")
    section.set("setup", value)


def _tcp_connection(section: Builder, value: str) -> None:
    if value not in get_args(TcpConnection):
        raise ValueError("connection is not new or existing")
    section.set("tcp_connection", value)


def _fingerprint(section: Builder, value: str) -> None:
    algorithm, text = fields.words(value, "fingerprint", 2, 2)
    algorithm = fields.token(algorithm, "hash name").lower()
    octets = text.split(":")
    if any(len(octet) != 2 for octet in octets):
        raise ValueError("fingerprint is not pairs of hex digits between colons")
    digest = bytes.fromhex("".join(octets))
    if len(digest) != len(octets) or len(digest) != DIGEST_LENGTHS.get(algorithm, len(digest)):
        raise ValueError(f"fingerprint has the wrong length for {algorithm}")
    section.add("fingerprints", Fingerprint(algorithm, digest))


def _crypto(section: Builder, value: str) -> None:
    """RFC 4568 section 9.1, its parts in order."""
    tag, suite, keys, *parameters = fields.words(value, "crypto", 3, 16)
    section.add(
        "cryptos",
        Crypto(
            fields.number(tag, "crypto tag", 0, 999_999_999),
            fields.token(suite, "crypto suite"),
            keys,
            tuple(parameters),
        ),
    )


def _extmap(section: Builder, value: str) -> None:
    number, uri, *parameters = fields.words(value, "extmap", 2)
    digits, slash, direction = number.partition("/")
    if slash and direction not in get_args(Direction):
        raise ValueError("extmap has an unknown direction")
    section.add(
        "extmaps",
        ExtMap(
            id=fields.number(digits, "extmap id", 1, 4351),
            uri=uri,
            direction=direction if slash else None,  # type: ignore[arg-type]
            parameters=" ".join(parameters),
        ),
    )


def _group(section: Builder, value: str) -> None:
    semantics, *mids = fields.words(value, "group", 1, 65)
    section.add("groups", Group(fields.token(semantics, "group"), tuple(fields.token(mid, "mid") for mid in mids)))


def _mid(section: Builder, value: str) -> None:
    section.set("mid", fields.token(value.strip(" "), "mid"))


def _rtpmap(section: Builder, value: str) -> None:
    pt, encoding = fields.words(value, "rtpmap", 2, 2)
    name, *numbers = encoding.split("/")
    if not 1 <= len(numbers) <= 2:
        raise ValueError("rtpmap is not name/rate or name/rate/channels")
    rate = fields.number(numbers[0], "clock rate", 1, 10_000_000)
    channels = fields.number(numbers[1], "channels", 1, 64) if len(numbers) == 2 else 1
    said = fields.token(name, "codec name"), rate, channels
    if section.rtpmaps.setdefault(fields.number(pt, "payload type", 0, 127), said) != said:
        raise ValueError("payload type is mapped twice")


def _fmtp(section: Builder, value: str) -> None:
    fmt, _, parameters = value.strip(" ").partition(" ")
    if not fmt.isdigit():  # formats of other protocols than RTP: nothing of ours
        return
    pt = fields.number(fmt, "payload type", 0, 127)
    if section.fmtps.setdefault(pt, parameters.strip(" ")) != parameters.strip(" "):
        raise ValueError("fmtp is given twice")


def _feedback(section: Builder, value: str) -> None:
    fmt, _, rest = value.strip(" ").partition(" ")
    pt = None if fmt == "*" else fields.number(fmt, "payload type", 0, 127)
    section.add("feedback", Feedback(pt, " ".join(fields.words(rest, "rtcp-fb", 1))))


def _milliseconds(name: str) -> Reader:
    # Some phones write 20.0; whole milliseconds are all that anyone means.
    return lambda section, value: section.set(name, fields.number(value.strip(" ").partition(".")[0], name, 1, 1000))


def _rtcp(section: Builder, value: str) -> None:
    port, *net = fields.words(value, "rtcp", 1, 4)
    section.set("rtcp", Rtcp(fields.number(port, "port", 0, 65535), fields.net_address(net) if net else None))


def _candidate(section: Builder, value: str) -> None:
    """RFC 8839 section 5.1, its parts in order."""
    foundation, component, transport, priority, host, port, typ, kind, *rest = fields.words(value, "candidate", 8, 64)
    if typ != "typ" or len(rest) % 2:
        raise ValueError("candidate is not in the form of RFC 8839")
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    related_address = fields.address(pairs.pop(0)[1]) if pairs and pairs[0][0] == "raddr" else None
    related_port = fields.number(pairs.pop(0)[1], "rport", 0, 65535) if pairs and pairs[0][0] == "rport" else None
    section.add(
        "candidates",
        Candidate(
            foundation=fields.ice_chars(foundation, "foundation", 1, 32),
            component=fields.number(component, "component", 1, 256),
            transport=fields.token(transport, "transport").lower(),
            priority=fields.number(priority, "priority", 0, 2**32 - 1),
            address=fields.address(host),
            port=fields.number(port, "port", 0, 65535),
            type=fields.token(kind, "candidate type"),
            related_address=related_address,
            related_port=related_port,
            extra=tuple(pairs),
        ),
    )


def _msid(section: Builder, value: str) -> None:
    stream, *track = fields.words(value, "msid", 1, 2)
    section.add("msids", Msid(stream, track[0] if track else ""))


def _ssrc(section: Builder, value: str) -> None:
    ssrc, _, rest = value.strip(" ").partition(" ")
    name, colon, text = rest.partition(":")
    section.add(
        "ssrcs",
        SsrcAttribute(
            fields.number(ssrc, "ssrc", 0, 2**32 - 1), fields.token(name, "ssrc attribute"), text if colon else None
        ),
    )


_FLAGS: dict[str, Reader] = {
    "end-of-candidates": _flag("end_of_candidates"),
    "bundle-only": _flag("bundle_only"),
    "rtcp-mux": _flag("rtcp_mux"),
    "rtcp-rsize": _flag("rtcp_rsize"),
}

_SHARED: dict[str, Reader] = {
    **{word: _direction(word) for word in get_args(Direction)},
    "ice-ufrag": _ice_ufrag,
    "ice-pwd": _ice_pwd,
    "ice-options": _ice_options,
    "fingerprint": _fingerprint,
    "setup": _setup,
    "connection": _tcp_connection,
    "extmap": _extmap,
}

READERS: dict[str, dict[str, Reader]] = {
    "session": _SHARED | {"group": _group, "ice-lite": _flag("ice_lite")},
    "media": _SHARED
    | _FLAGS
    | {
        "mid": _mid,
        "rtpmap": _rtpmap,
        "fmtp": _fmtp,
        "rtcp-fb": _feedback,
        "ptime": _milliseconds("ptime"),
        "maxptime": _milliseconds("maxptime"),
        "rtcp": _rtcp,
        "candidate": _candidate,
        "crypto": _crypto,
        "msid": _msid,
        "ssrc": _ssrc,
    },
}
BARE = frozenset({*_FLAGS, *get_args(Direction), "ice-lite"})
"""Attributes without a value; all other names in the table need one."""


def read_attribute(section: Builder, text: str) -> None:
    """One ``a=`` line without its first two characters."""
    name, colon, value = text.partition(":")
    name = fields.token(name.rstrip(" "), "attribute name")
    reader = READERS[section.level].get(name)
    if reader is None:
        section.add("attributes", Attribute(name, value if colon else None))
        return
    if bool(value.strip(" ")) == (name in BARE):
        raise ValueError(f"{name} {'takes no' if name in BARE else 'needs a'} value")
    reader(section, value)
