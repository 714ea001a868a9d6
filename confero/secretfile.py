"""A secret that is made once and kept in a file that only its owner reads, whoever of several processes comes first."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MIN_LENGTH = 32
"""Characters; what is made here has 43, base64url of 32 random bytes."""
MAX_LENGTH = 4096


def read_or_make(path: Path) -> bytes:
    """The content of ``path`` without white space around it; 32 random bytes as text if there was no such file.

    Processes that start at once agree: the file is written aside and renamed while its folder is locked.
    Raises OSError if folder or file cannot be used, ValueError if the secret is too short or if others may read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        with _locked(path.parent):
            if not path.exists():
                write_private(path, secrets.token_urlsafe(32))
    return _read(path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """For its owner alone, whole or not at all: a crash leaves at most a temporary file, which the next attempt replaces.

    Raises OSError.
    """
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_private(path: Path, limit: int) -> bytes:
    """At most ``limit`` bytes. Raises OSError, and ValueError if others may read it."""
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        content = file.read(limit)
    if mode & 0o077:
        raise ValueError(f"others may read it (mode {mode & 0o777:o}); make it 0600")
    return content


def _read(path: Path) -> bytes:
    secret = read_private(path, MAX_LENGTH).strip()
    if len(secret) < MIN_LENGTH:
        raise ValueError(f"holds fewer than {MIN_LENGTH} characters")
    return secret
