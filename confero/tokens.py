"""Signed tokens: compact, URL-safe, of one kind each, and checked in constant time.

``base64url(json) "." base64url(HMAC-SHA256)``. The kind is bound into the key, so a token of one kind never passes as another.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import math
from collections.abc import Mapping
from typing import Any

from confero.errors import LocalError, RemoteError

MAX_TOKEN = 4096
"""Characters; as ``confero.models.Token``."""
MIN_SECRET = 16
"""Bytes."""
SERVICE = "service"
SERVICE_LEEWAY_S = 10.0
"""How far the clocks of two machines of one installation may differ."""


class TokenInvalid(RemoteError):
    """Not made by us, not whole, or not for this purpose."""

    def __init__(self, detail: str = "the token is not valid") -> None:
        super().__init__(detail, status=401, code="token-invalid")


class TokenExpired(RemoteError):
    """Made by us for this purpose, but its time is over."""

    def __init__(self, detail: str = "the token has expired") -> None:
        super().__init__(detail, status=401, code="token-expired")


def sign(claims: Mapping[str, Any], *, kind: str, secret: bytes, expires: float) -> str:
    """A token that carries ``claims`` until Unix time ``expires``, as claim ``exp``.

    Raises LocalError for claims that are not JSON, hold ``exp`` or are too large, and for a secret under 16 bytes.
    """
    if "exp" in claims or not math.isfinite(expires):
        raise LocalError("the expiry of a token is its own argument, a finite number of seconds")
    try:
        text = json.dumps({**claims, "exp": expires}, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        payload = _encode(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise LocalError(f"claims that are not JSON: {error}") from error
    token = payload + "." + _encode(_mac(payload, kind, secret))
    if len(token) > MAX_TOKEN:
        raise LocalError(f"a token of {len(token)} characters; {MAX_TOKEN} is the limit")
    return token


def verify(token: str, *, kind: str, secret: bytes, now: float, leeway: float = 0) -> dict[str, Any]:
    """The claims of a token, with ``exp``. ``leeway`` seconds after its end it is still taken.

    Raises TokenInvalid or TokenExpired, and nothing else whatever the token is.
    """
    if not isinstance(token, str) or len(token) > MAX_TOKEN or not token.isascii():
        raise TokenInvalid
    payload, _, tag = token.partition(".")
    # The tag as text: base64 has several spellings of the same bytes, and only ours is to pass.
    if not hmac.compare_digest(tag, _encode(_mac(payload, kind, secret))):
        raise TokenInvalid
    claims = _claims(payload)
    if not now - leeway < claims["exp"]:  # so that NaN counts as expired, and no number is too large
        raise TokenExpired
    return claims


def _claims(payload: str) -> dict[str, Any]:
    """What we signed is well formed, unless another holder of the secret signs otherwise."""
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise TokenInvalid from None
    if not isinstance(claims, dict) or type(claims.get("exp")) not in (int, float):
        raise TokenInvalid
    return claims


def _mac(payload: str, kind: str, secret: bytes) -> bytes:
    if len(secret) < MIN_SECRET:
        raise LocalError(f"a secret of {len(secret)} bytes; {MIN_SECRET} are needed")
    key = hmac.digest(secret, b"confero token 1\0" + kind.encode(), "sha256")
    return hmac.digest(key, payload.encode(), "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def turn_secret(secret: bytes) -> bytes:
    """The secret shared by the application server and the TURN servers of an installation, made from that of the installation.

    It is text, as other people's TURN servers want theirs.
    """
    return hmac.digest(secret, b"confero turn 1", "sha256").hex().encode()


def service_token(caller: str, audience: str, *, secret: bytes, now: float, ttl: float = 60) -> str:
    """Proof, for ``ttl`` seconds from ``now`` (Unix time), that service ``caller`` speaks to service ``audience``."""
    return sign({"iss": caller, "aud": audience}, kind=SERVICE, secret=secret, expires=now + ttl)


def check_service_token(token: str, *, audience: str, secret: bytes, now: float) -> str:
    """The caller's name. Raises TokenInvalid (also for another audience) or TokenExpired."""
    return read_service_token(token, audience=audience, secret=secret, now=now)[0]


def read_service_token(token: str, *, audience: str, secret: bytes, now: float) -> tuple[str, float]:
    """The caller's name, and until when (Unix time) the same token proves it. Raises as ``check_service_token``."""
    claims = verify(token, kind=SERVICE, secret=secret, now=now, leeway=SERVICE_LEEWAY_S)
    caller = claims.get("iss")
    if claims.get("aud") != audience or not isinstance(caller, str):
        raise TokenInvalid("the token is for another service")
    return caller, claims["exp"] + SERVICE_LEEWAY_S
