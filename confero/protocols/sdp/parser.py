"""Text to ``Session``: bounded in every direction, strict about what we use, and never failing with anything but ``SdpError``.

Line ends may be CRLF or LF, and the last one may be missing. Lines that neither WebRTC nor SIP use today (``i= u= e= p= r=
z= k=``) are dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from . import fields
from .attributes import Builder, read_attribute
from .errors import SdpError
from .model import Codec, Media, Origin, Session


@dataclass(frozen=True)
class Limits:
    """A browser's fullest offer (audio, video with every codec, data) has 7 kB and 200 lines; there is room for several."""

    size: int = 65_536
    """Bytes of UTF-8."""
    lines: int = 4_000
    line: int = 2_048
    """Characters of one line."""
    media: int = 32


DEFAULT_LIMITS = Limits()
IGNORED = frozenset("iueprzk")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")

STATIC_CODECS: dict[int, tuple[str, int, int]] = {
    0: ("PCMU", 8000, 1),
    3: ("GSM", 8000, 1),
    4: ("G723", 8000, 1),
    8: ("PCMA", 8000, 1),
    9: ("G722", 8000, 1),
    10: ("L16", 44100, 2),
    11: ("L16", 44100, 1),
    13: ("CN", 8000, 1),
    15: ("G728", 8000, 1),
    18: ("G729", 8000, 1),
    26: ("JPEG", 90000, 1),
    31: ("H261", 90000, 1),
    34: ("H263", 90000, 1),
}
"""RFC 3551 tables 4 and 5: payload types that need no ``a=rtpmap``."""


def parse(text: str | bytes, limits: Limits = DEFAULT_LIMITS) -> Session:
    """The description in ``text``. Raises SdpError."""
    lines = _split(text, limits)
    sections: list[Builder] = [Builder("session")]
    for number, line in enumerate(lines, 1):
        try:
            _read_line(sections, number, line, limits)
        except ValueError as error:
            raise SdpError(str(error), line=number) from None
    if "origin" not in sections[0].values:
        raise SdpError("there is no o= line")
    try:
        return _checked(_session(sections))
    except ValueError as error:
        raise SdpError(str(error)) from None


def _split(text: str | bytes, limits: Limits) -> list[str]:
    try:
        size = len(text) if isinstance(text, bytes) else len(text.encode())
        if size > limits.size:
            raise SdpError(f"longer than {limits.size} bytes")
        decoded = text.decode() if isinstance(text, bytes) else text
    except UnicodeError:
        raise SdpError("not UTF-8") from None
    lines = [line.removesuffix("\r") for line in decoded.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise SdpError("empty")
    if len(lines) > limits.lines:
        raise SdpError(f"more than {limits.lines} lines", line=limits.lines + 1)
    return lines


def _read_line(sections: list[Builder], number: int, line: str, limits: Limits) -> None:
    if len(line) > limits.line:
        raise ValueError(f"longer than {limits.line} characters")
    if CONTROL.search(line):
        raise ValueError("control character")
    letter, value = line[:1], line[2:]
    if line[1:2] != "=":
        raise ValueError("not of the form <letter>=<value>")
    if (letter == "v") != (number == 1):
        raise ValueError("v= is the first line and only there")
    if letter == "m":
        if len(sections) > limits.media:
            raise ValueError(f"more than {limits.media} m-lines")
        sections.append(Builder("media"))
    _read_value(sections[-1], letter, value)


def _read_value(section: Builder, letter: str, value: str) -> None:
    reader = LINES[section.level].get(letter)
    if reader is not None:
        reader(section, value)
    elif letter not in IGNORED:
        # RFC 8866 section 5: a description with a letter that is not understood is not understood.
        raise ValueError(f"unexpected {letter}= line" if letter.isalnum() else "unexpected line")


def _version(section: Builder, value: str) -> None:
    if value.strip(" ") != "0":
        raise ValueError("version is not 0")


def _origin(section: Builder, value: str) -> None:
    username, session_id, version, *net = fields.words(value, "origin", 6, 6)
    connection = fields.net_address(net)
    section.set(
        "origin",
        Origin(
            username,
            fields.number(session_id, "session id"),
            fields.number(version, "session version"),
            connection.address,
            connection.family,
        ),
    )


def _name(section: Builder, value: str) -> None:
    section.set("name", value)


def _connection(section: Builder, value: str) -> None:
    section.set("connection", fields.net_address(fields.words(value, "connection", 3, 3)))


def _bandwidth(section: Builder, value: str) -> None:
    kind, _, number = value.partition(":")
    section.add("bandwidths", (fields.token(kind, "bandwidth type"), fields.number(number.strip(" "), "bandwidth")))


def _timing(section: Builder, value: str) -> None:
    start, stop = fields.words(value, "timing", 2, 2)
    section.add("timing", (fields.number(start, "start time"), fields.number(stop, "stop time")))


def _media(section: Builder, value: str) -> None:
    kind, port, protocol, *formats = fields.words(value, "m-line", 4, 131)
    first, slash, count = port.partition("/")
    section.set("kind", fields.token(kind, "media type"))
    section.set("port", fields.number(first, "port", 0, 65535))
    section.set("port_count", fields.number(count, "number of ports", 1, 65535) if slash else None)
    section.set("protocol", "/".join(fields.token(part, "protocol") for part in protocol.split("/")))
    section.set("formats", tuple(fields.token(fmt, "format") for fmt in formats))
    if len(set(formats)) != len(formats):
        raise ValueError("a format is listed twice")
    if "RTP" in protocol.split("/"):
        for fmt in formats:
            fields.number(fmt, "payload type", 0, 127)


LINES: dict[str, dict[str, Any]] = {
    "session": {
        "v": _version,
        "o": _origin,
        "s": _name,
        "c": _connection,
        "b": _bandwidth,
        "t": _timing,
        "a": read_attribute,
    },
    "media": {"m": _media, "c": _connection, "b": _bandwidth, "a": read_attribute},
}


def _session(sections: list[Builder]) -> Session:
    head, *media = sections
    return Session(**head.finish(), media=tuple(_finish_media(section) for section in media))


def _finish_media(section: Builder) -> Media:
    built = section.finish()
    if "RTP" in built["protocol"].split("/"):
        built["codecs"] = tuple(codec for fmt in built["formats"] if (codec := _codec(section, int(fmt))))
    return Media(**built)


def _codec(section: Builder, pt: int) -> Codec | None:
    found = section.rtpmaps.get(pt) or STATIC_CODECS.get(pt)
    return Codec(pt, *found, section.fmtps.get(pt)) if found else None


def _checked(session: Session) -> Session:
    """What only the whole can tell."""
    mids = [media.mid for media in session.media if media.mid is not None]
    if len(set(mids)) != len(mids):
        raise ValueError("two m-lines have one mid")
    bundled = [mid for group in session.groups if group.semantics == "BUNDLE" for mid in group.mids]
    if len(set(bundled)) != len(bundled):
        raise ValueError("a mid is bundled twice")
    if not set(bundled) <= set(mids):
        raise ValueError("a BUNDLE group names a mid that no m-line has")
    for media in session.media:
        ids: dict[int, str] = {}
        for extension in session.extmaps_of(media):
            if ids.setdefault(extension.id, extension.uri) != extension.uri:
                raise ValueError(f"extmap id {extension.id} means two things")
    return session
