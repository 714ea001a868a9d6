"""STUN without I/O and without a clock: messages, their attributes, and what proves them (RFC 8489)."""

from . import attributes
from .credentials import (
    MD5,
    PASSWORD_ALGORITHMS_BIT,
    SHA256,
    USERNAME_ANONYMITY_BIT,
    features_of,
    make_key,
    nonce_cookie,
    opaque_string,
    user_hash,
)
from .errors import StunError
from .integrity import Integrity, has_true_fingerprint, proves
from .message import Kind, Message, Method, build
from .values import IPV4, IPV6, Address, Algorithm, ErrorCode, FamilyError, family_of, pack_ip, unpack_ip

__all__ = [
    "IPV4",
    "IPV6",
    "MD5",
    "PASSWORD_ALGORITHMS_BIT",
    "SHA256",
    "USERNAME_ANONYMITY_BIT",
    "Address",
    "Algorithm",
    "ErrorCode",
    "FamilyError",
    "Integrity",
    "Kind",
    "Message",
    "Method",
    "StunError",
    "attributes",
    "build",
    "family_of",
    "features_of",
    "has_true_fingerprint",
    "make_key",
    "nonce_cookie",
    "opaque_string",
    "pack_ip",
    "proves",
    "unpack_ip",
    "user_hash",
]
