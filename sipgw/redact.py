"""Messages as people may see them: without digests, keys of SDES, and keys of the telephone that may be a PIN."""

from __future__ import annotations

import re

SECRETS = (
    # RFC 7616: the response, and what an offline search for the password needs beside it.
    (
        re.compile(r"^((?:Proxy-)?Authorization:.*?\bresponse=)\"?[0-9a-fA-F]+\"?", re.IGNORECASE | re.MULTILINE),
        r'\1"..."',
    ),
    (
        re.compile(r"^((?:Proxy-)?Authorization:.*?\bcnonce=)\"?[^\",\r\n]+\"?", re.IGNORECASE | re.MULTILINE),
        r'\1"..."',
    ),
    # RFC 4568: the master key.
    (re.compile(r"(\binline:)[A-Za-z0-9+/=]+"), r"\1..."),
    # ICE (RFC 8839): who has it may send media.
    (re.compile(r"^(a=ice-pwd:)\S+", re.MULTILINE), r"\1..."),
    # INFO: a key of the telephone.
    (re.compile(r"^(\s*signal\s*[=:]\s*)\S+", re.IGNORECASE | re.MULTILINE), r"\1."),
)
DTMF = re.compile(r"^(?:Content-Type|c)\s*:\s*application/dtmf\b(?!-)", re.IGNORECASE | re.MULTILINE)


def redacted(text: str) -> str:
    """The message with dots in place of what nobody is to read."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    if DTMF.search(text):
        head, separator, _ = text.partition("\r\n\r\n")
        text = f"{head}{separator}."
    return text
