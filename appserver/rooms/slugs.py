"""Room ids that people can read out, and nobody can guess."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable

_ADJECTIVES = (
    "amber bold brave bright brisk calm clear clever cosy crisp eager early fair fast fine fond free fresh gentle glad "
    "golden good grand great green happy honest jolly keen kind late light lively lucky mellow merry mild misty neat noble "
    "patient plain polite proud quick quiet rapid ready royal sharp shiny silent silver sleek smart smooth snowy solid "
    "steady sunny sweet swift tidy warm"
)
_NOUNS = (
    "badger bear beaver bison cedar cloud comet coral crane creek dolphin dune eagle falcon fern finch forest fox garden "
    "gecko glacier grove harbour hare hawk heron hill island jay lagoon lake lark lemur lily lynx maple marten meadow moon "
    "moose oak orchid otter owl panda pebble pine planet puffin raven reef river robin seal sparrow spruce stone storm swan "
    "tiger tulip valley willow wren"
)
ADJECTIVES = tuple(_ADJECTIVES.split())
NOUNS = tuple(_NOUNS.split())
"""64 of each: 6 bits."""
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no i, l, o, u."""
NAME_LIMIT = 40
CALL_PREFIX = "call_"

Choose = Callable[[int], int]
"""A number below its argument."""


def unnamed_id(choose: Choose = secrets.randbelow) -> str:
    """Such as ``calm-otter-7kq3mw``: 2 x 6 bits of words and 30 of letters, 42 in all."""
    return f"{ADJECTIVES[choose(64)]}-{NOUNS[choose(64)]}-{_letters(6, choose)}"


def named_id(name: str, choose: Choose = secrets.randbelow) -> str:
    """Such as ``team-standup-7kq3mwx2``: what can be kept of the name, and 40 bits; of a name that leaves nothing an unnamed id."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain)[:NAME_LIMIT].strip("-")
    return f"{words}-{_letters(8, choose)}" if words else unnamed_id(choose)


def call_id(choose: Choose = secrets.randbelow) -> str:
    """Such as ``call_7kq3mwx27kq3mwx2``, 80 bits: of a room for one call. No other id made here has an underscore."""
    return CALL_PREFIX + _letters(16, choose)


def display_name(room_id: str) -> str:
    """What an unnamed room is called: ``calm-otter-7kq3mw`` -> ``Calm otter``."""
    adjective, noun, *_ = room_id.split("-")
    return f"{adjective} {noun}".capitalize()


def _letters(count: int, choose: Choose) -> str:
    return "".join(ALPHABET[choose(32)] for _ in range(count))
