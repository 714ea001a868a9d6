"""INFO: keys of a telephone as phones send them, and what the configuration takes besides (RFC 6086)."""

from __future__ import annotations

import re

from ..message import Request
from .actions import Digit, Info, Key
from .core import Core

DIGITS = "0123456789*#ABCD"
NAMES = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D", "star": "*", "pound": "#"}
"""Some phones number the keys as RFC 4733 does."""
USUAL = 160
"""Milliseconds of a key whose duration is not said."""
LONGEST = 10_000
LINE = re.compile(r"^\s*(signal|duration)\s*[=:]\s*([^\s;]{1,8})", re.IGNORECASE | re.MULTILINE)
MOST = 256
"""Bytes that are looked at: a key needs 30."""


def digit_of(content_type: str, body: bytes) -> Digit | None:
    """The key in a body of ``application/dtmf-relay`` (``Signal=5``, ``Duration=160``) or ``application/dtmf`` (``5``)."""
    text = body[:MOST].decode("latin-1")
    fields = {name.lower(): value for name, value in LINE.findall(text)}
    signal = (
        fields.get("signal", "") if content_type == "application/dtmf-relay" else fields.get("signal", text.strip())
    )
    digit = NAMES.get(signal.lower(), signal.upper())
    if len(digit) != 1 or digit not in DIGITS:
        return None
    duration = fields.get("duration", "")
    milliseconds = int(duration) if duration.isascii() and duration.isdigit() else USUAL
    return Digit(digit, min(milliseconds, LONGEST))


def take_info(core: Core, key: Key, request: Request) -> None:
    """Answers an INFO of the peer, and tells what was in it."""
    package = (request.headers.get("Info-Package") or "").split(";")[0].strip()
    kind = request.content_type or ""
    if package and package.lower() not in {name.lower() for name in core.config.info_packages}:
        # RFC 6086 section 4.2.2: and we say which we take.
        core.reply(key, request, 469, "Bad Info Package", [("Recv-Info", ", ".join(core.config.info_packages))])
    elif kind in ("application/dtmf-relay", "application/dtmf"):
        _digit(core, key, request, kind)
    elif package or kind in core.config.info_types:
        core.reply(key, request, 200)
        core.emit(Info(kind, package, request.body))
    elif not request.body:
        # Without a body it is a sign of life, as older devices send it.
        core.reply(key, request, 200)
    else:
        accepted = ["application/dtmf-relay", "application/dtmf", *core.config.info_types]
        core.reply(key, request, 415, headers=[("Accept", ", ".join(accepted))])


def _digit(core: Core, key: Key, request: Request, kind: str) -> None:
    digit = digit_of(kind, request.body)
    core.reply(key, request, 400 if digit is None else 200, None if digit else "No Such Key")
    if digit is not None:
        core.emit(digit)
