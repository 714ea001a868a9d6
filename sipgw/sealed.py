"""A file that only this installation can read: what the gateway knows of trunks has their passwords in it."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from confero.errors import LocalError

NONCE_BYTES = 12
MAX_BYTES = 16 << 20


class SealedFile:
    """AES-256-GCM under a key from the installation's secret. ``random``: bytes of that length, unguessable."""

    def __init__(self, path: Path, secret: bytes, random: Callable[[int], bytes] = os.urandom) -> None:
        self._path = path
        self._key = hmac.digest(secret, b"confero sipgw sealed 1", "sha256")
        self._random = random

    def write(self, data: bytes) -> None:
        """All or nothing, readable by its owner alone. Raises LocalError."""
        nonce = self._random(NONCE_BYTES)
        sealed = nonce + AESGCM(self._key).encrypt(nonce, data, self._path.name.encode())
        draft = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
            draft.replace(self._path)
        except OSError as error:
            raise LocalError(f"{self._path}: {error.strerror or type(error).__name__}") from error

    def read(self) -> bytes | None:
        """None: there is no such file. Raises LocalError for one that cannot be read or was sealed under another secret."""
        try:
            with self._path.open("rb") as file:
                sealed = file.read(MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LocalError(f"{self._path}: {error.strerror or type(error).__name__}") from error
        try:
            return AESGCM(self._key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._path.name.encode())
        except (InvalidTag, ValueError):
            raise LocalError(f"{self._path} was sealed under another secret, or is damaged") from None
