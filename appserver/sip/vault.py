"""What is secret in the tables: passwords and digest hashes sealed, PINs hashed, under keys from the installation's secret."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from confero.errors import LocalError

ALGORITHMS: dict[str, str] = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
"""Of RFC 7616 section 3.2 and RFC 8760: the name in a challenge, and in ``hashlib``."""
VERSION = "1."
NONCE_BYTES = 12
SALT_BYTES = 16
SCRYPT = {"n": 1 << 13, "r": 8, "p": 1, "dklen": 32}
"""8 MiB and some 20 ms a try; the pepper is what keeps a stolen table useless."""


class Vault:
    """Seals and opens. ``random``: bytes of that length, unguessable."""

    def __init__(self, secret: bytes, random: Callable[[int], bytes] = os.urandom) -> None:
        self._key = hmac.digest(secret, b"confero sip vault 1", "sha256")
        self._pepper = hmac.digest(secret, b"confero sip pin 1", "sha256")
        self._random = random
        self._dummy = self.hash_pin("")

    # --- what is needed again in clear ----------------------------------------------------------------------------

    def seal(self, text: str, owner: str) -> str:
        """AES-256-GCM; ``owner`` is bound in, so that a row's secret does not open in another row."""
        nonce = self._random(NONCE_BYTES)
        sealed = AESGCM(self._key).encrypt(nonce, text.encode(), owner.encode())
        return VERSION + base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, owner: str) -> str:
        """Raises LocalError if it was sealed under another secret or for another owner."""
        try:
            data = base64.b64decode(sealed.removeprefix(VERSION), validate=True)
            return AESGCM(self._key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], owner.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error):
            raise LocalError(f"the secret of {owner} was sealed under another installation's secret") from None

    def seal_ha1(self, user: str, realm: str, password: str) -> str:
        """The hashes that stand for the password in digests, by algorithm. The password itself is not kept."""
        hashes = {name: ha1(name, user, realm, password) for name in ALGORITHMS}
        return self.seal(json.dumps(hashes), account_owner(user, realm))

    def open_ha1(self, sealed: str, user: str, realm: str, algorithm: str) -> str | None:
        """None for an algorithm that is not known. Raises LocalError as ``open`` does."""
        hashes: dict[str, str] = json.loads(self.open(sealed, account_owner(user, realm)))
        return hashes.get(algorithm)

    # --- what is only compared ------------------------------------------------------------------------------------

    def hash_pin(self, pin: str) -> str:
        """``salt.hash``, base64. Costs some 20 ms of CPU: call it off the event loop."""
        salt = self._random(SALT_BYTES)
        return f"{base64.b64encode(salt).decode()}.{base64.b64encode(self._slow(pin, salt)).decode()}"

    def check_pin(self, pin: str, hashed: str | None) -> bool:
        """In a time that says nothing: None, for what has no PIN or is not there, takes as long and is False."""
        salt, _, digest = (hashed or self._dummy).partition(".")
        equal = hmac.compare_digest(self._slow(pin, base64.b64decode(salt)), base64.b64decode(digest))
        return equal and hashed is not None

    def _slow(self, pin: str, salt: bytes) -> bytes:
        return hashlib.scrypt(hmac.digest(self._pepper, pin.encode(), "sha256"), salt=salt, **SCRYPT)


def ha1(algorithm: str, user: str, realm: str, password: str) -> str:
    """``H(user:realm:password)`` in hexadecimal (RFC 7616 section 3.4.2). Raises KeyError for an unknown algorithm."""
    return hashlib.new(ALGORITHMS[algorithm], f"{user}:{realm}:{password}".encode(), usedforsecurity=False).hexdigest()


def account_owner(user: str, realm: str) -> str:
    """Whose sealed hashes these are."""
    return f"account {user}@{realm}"


def trunk_owner(name: str) -> str:
    """Whose sealed password it is."""
    return f"trunk {name}"
