"""The secrets that sign names and passwords for TURN, one after the other, each from its own moment on: changed without a restart.

``state_dir/turn-secrets`` has a line for each, ``<Unix time from which it signs> <secret>``. The application server and the TURN
servers read the same file, so that all change over at once; it is written some time before.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from confero.errors import LocalError
from confero.secretfile import MIN_LENGTH, read_private, write_private

FILE = "turn-secrets"
"""In ``state_dir``."""
LONGEST_TTL_S = 604_800.0
"""The longest that names and passwords may be good: for so long a secret is taken after its successor has begun."""
MOST_TAKEN = 4
"""At once, since each costs a MAC for a name that is wrong."""
MOST_LINES = 16
MAX_BYTES = 16_384
HEAD = "# Unix time from which it signs, secret; the newest last. Written by: confero turn rotate\n"


class Dated(NamedTuple):
    """A secret and the Unix time from which it signs."""

    since: float
    secret: bytes


def parse(text: str) -> tuple[Dated, ...]:
    """The lines of the file in the order of their times. Raises ValueError, which never tells a secret."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        since, _, secret = line.strip().partition(" ")
        if not (since.isascii() and since.isdigit() and len(since) <= 12):
            raise ValueError(f"line {number} does not begin with a Unix time")
        if len(secret) < MIN_LENGTH or not secret.isascii() or " " in secret:
            raise ValueError(f"line {number} has no secret of {MIN_LENGTH} ASCII characters or more")
        found.append(Dated(float(since), secret.encode()))
    if len(found) > MOST_LINES:
        raise ValueError(f"more than {MOST_LINES} secrets")
    return tuple(sorted(found))


def signing(known: Sequence[Dated], now: float) -> bytes:
    """The latest whose time has come; one of ``known`` always has."""
    return [one.secret for one in known if one.since <= now][-1]


def taken(known: Sequence[Dated], now: float) -> tuple[bytes, ...]:
    """The one that signs, those that will, and those before, until no name that they have signed can be good any more."""
    ends = [later.since + LONGEST_TTL_S for later in known[1:]] + [float("inf")]
    alive = [one for one, end in zip(known, ends, strict=True) if now < end]
    coming = [one.secret for one in alive if one.since > now]
    before = [one.secret for one in reversed(alive) if one.since <= now]
    return tuple(dict.fromkeys([*before[:1], *coming, *before[1:]]))[:MOST_TAKEN]


class TurnSecrets:
    """What the file says, or without one the secret of the configuration; ``look`` now and then."""

    def __init__(self, path: Path, first: bytes, wall: Callable[[], float], earlier: Iterable[bytes] = ()) -> None:
        """``first`` signs until the file's first does; ``earlier``: of the configuration, taken as long as they stand there.
        ``wall`` gives Unix time."""
        self._path = path
        self._wall = wall
        self._first = Dated(0.0, first)
        self._earlier = tuple(earlier)
        self._known: tuple[Dated, ...] = (self._first,)
        self._stamp: tuple[int, int, int] | None = None

    def look(self) -> bool:
        """Reads the file if it is another than before: True then. Raises LocalError; what was known before then goes on."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self._known = (self._first, *(read(self._path) if stamp is not None else ()))
        return True

    @property
    def signing(self) -> bytes:
        """What names are signed with now."""
        return signing(self._known, self._wall())

    @property
    def taken(self) -> tuple[bytes, ...]:
        """What they may be signed with, the present one first, four at most."""
        return tuple(dict.fromkeys([*taken(self._known, self._wall()), *self._earlier]))[:MOST_TAKEN]


def read(path: Path) -> tuple[Dated, ...]:
    """Raises LocalError if it cannot be read, others may read it, or it makes no sense."""
    try:
        return parse(read_private(path, MAX_BYTES).decode())
    except OSError as error:
        raise LocalError(f"{path}: {error.strerror or type(error).__name__}") from error
    except ValueError as error:
        raise LocalError(f"{path}: {error}") from error


def rotate(path: Path, now: float, *, after_s: float, revoke: bool = False) -> Dated:
    """Writes a new secret that signs from ``after_s`` seconds after Unix time ``now`` on; returns it. Raises LocalError.

    ``revoke``: it signs at once and is the only one, as somebody has got hold of those before.
    """
    known = () if revoke or not path.exists() else read(path)
    new = Dated(0.0 if revoke else float(round(now + after_s)), secrets.token_urlsafe(32).encode())
    kept = [one for one, later in pairwise([*known, new]) if now < later.since + LONGEST_TTL_S]
    lines = [f"{one.since:.0f} {one.secret.decode()}\n" for one in [*kept, new][-MOST_LINES:]]
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, HEAD + "".join(lines))
    except OSError as error:
        raise LocalError(f"{path}: {error.strerror or type(error).__name__}") from error
    return new


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What tells a file from the one before; None while there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
