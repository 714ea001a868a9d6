"""Secrets that are shown once and kept as digests: of sessions, API keys and one-time links."""

from __future__ import annotations

import hashlib
import secrets

SECRET_BYTES = 32
"""256 bits: nobody guesses one, so a fast digest is enough to keep it by (unlike passwords, which people choose)."""


def new_secret() -> str:
    """43 characters of base64url."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """What is kept of it: SHA-256, in hexadecimal. Found by equality: nobody chooses digests, so time tells nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
