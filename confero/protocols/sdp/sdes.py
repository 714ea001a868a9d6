"""Keys for SRTP in the description itself (RFC 4568, RFC 7714 section 14): which crypto lines can be used, and ours.

Whoever reads the signalling has these keys: they are as good as the TLS that carries it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from .errors import SdpError
from .model import Crypto

KEY_LENGTHS: dict[str, tuple[int, int]] = {
    "AEAD_AES_256_GCM": (32, 12),
    "AEAD_AES_128_GCM": (16, 12),
    "AES_CM_128_HMAC_SHA1_80": (16, 14),
    "AES_CM_128_HMAC_SHA1_32": (16, 14),
}
"""Suites that the media engine has, as we would offer them: bytes of master key and master salt."""
ALL_SUITES = tuple(KEY_LENGTHS)
LEAST_LIFETIME = 2**20
"""Packets. They are not counted here, so a key that must be replaced earlier is not taken: these are 5.8 hours at 50 a second."""
LIFETIME = re.compile(r"(2\^)?([0-9]{1,15})")
HARMLESS = ("WSH=", "-")
"""Session parameters that ask for nothing: the replay window's size is a hint (section 6.3.7), and a minus says that the rest
may be ignored (section 6.3)."""

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True)
class Keys:
    """Master key and salt of one direction."""

    suite: str
    key: bytes = field(repr=False)
    salt: bytes = field(repr=False)

    def line(self, tag: int) -> Crypto:
        """The crypto line that tells them."""
        return Crypto(tag, self.suite, "inline:" + base64.b64encode(self.key + self.salt).decode())


@dataclass(frozen=True)
class Sdes:
    """What both sides hold to: one line of the offer, and the answer's under the same tag."""

    tag: int
    theirs: Keys
    ours: Keys


def read(crypto: Crypto) -> Keys | None:
    """The keys of a line; None if it cannot be used: another suite, more than one key, or something asked for that we lack."""
    lengths = KEY_LENGTHS.get(crypto.suite)
    method, _, info = crypto.keys.partition(":")
    text, *rest = info.split("|")
    if lengths is None or method.lower() != "inline" or ";" in info or not all(map(_takes, crypto.parameters)):
        return None
    joined = _decoded(text)
    # Section 6.1: a lifetime, then the name of the key in each packet, which the engine does not read.
    if joined is None or len(joined) != sum(lengths) or len(rest) > 1 or not all(map(_lasts, rest)):
        return None
    return Keys(crypto.suite, joined[: lengths[0]], joined[lengths[0] :])


def _takes(parameter: str) -> bool:
    return parameter.upper().startswith(HARMLESS)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _lasts(lifetime: str) -> bool:
    match = LIFETIME.fullmatch(lifetime)
    if match is None:
        return False
    number = int(match[2])
    return (number >= 20 if match[1] else number >= LEAST_LIFETIME) and number < 2**48


def new_keys(suite: str, random: RandomBytes) -> Keys:
    key, salt = KEY_LENGTHS[suite]
    return Keys(suite, random(key), random(salt))


def offer_lines(suites: Sequence[str], random: RandomBytes) -> tuple[Crypto, ...]:
    """A key of its own for each suite, the one liked best first (section 5.1.1)."""
    return tuple(new_keys(suite, random).line(tag) for tag, suite in enumerate(suites, 1))


def choose(cryptos: Iterable[Crypto], suites: Sequence[str], random: RandomBytes, before: Sdes | None) -> Sdes | None:
    """The offerer's first line that we can use (section 5.1.2), with a key of our own. Where the peer still has the key that it
    had before, so have we: the streams go on."""
    for crypto in cryptos:
        theirs = read(crypto)
        if theirs is None or crypto.suite not in suites:
            continue
        kept = before is not None and before.theirs == theirs
        ours = before.ours if before is not None and kept else new_keys(theirs.suite, random)
        return Sdes(crypto.tag, theirs, ours)
    return None


def answered(offered: Sequence[Crypto], answer: Sequence[Crypto]) -> Sdes:
    """What an answer agrees on (section 5.1.3). Raises SdpError unless it is one usable line of what was offered."""
    if len(answer) != 1:
        raise SdpError(f"the answer has {len(answer)} crypto lines, not one")
    (line,) = answer
    ours = next((read(c) for c in offered if (c.tag, c.suite) == (line.tag, line.suite)), None)
    theirs = read(line)
    if ours is None:
        raise SdpError(f"the answer's crypto line {line.tag} {line.suite} was not offered")
    if theirs is None:
        raise SdpError(f"the answer's crypto line {line.tag} cannot be used")
    return Sdes(line.tag, theirs, ours)
