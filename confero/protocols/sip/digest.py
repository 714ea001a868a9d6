"""Digest authentication as text and arithmetic: challenges, credentials, the response that proves a password (RFC 7616, 8760).

``verifier`` and ``login`` are the two ends that use it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote as percent_unquote

from .grammar import TOKEN_CHARS, quote, split_list, token, unquote

ALGORITHMS: dict[str, tuple[str, bool]] = {
    "SHA-512-256": ("sha512_256", False),
    "SHA-512-256-sess": ("sha512_256", True),
    "SHA-256": ("sha256", False),
    "SHA-256-sess": ("sha256", True),
    "MD5": ("md5", False),
    "MD5-sess": ("md5", True),
}
"""RFC 7616 section 6.1 and RFC 8760, the strongest first: the name of the hash, and whether A1 is of a session."""
SPELLINGS = {name.lower(): name for name in ALGORITHMS}
SUPPORTED = tuple(name for name, (hash_name, _) in ALGORITHMS.items() if hash_name in hashlib.algorithms_available)
"""Those that this machine's hashlib has; SHA-512/256 comes with OpenSSL only."""
MAX_TEXT = 2_048
"""Characters of a challenge or of credentials. Those with all that the RFC allows have some 600."""
PAIR = re.compile(rf"([{TOKEN_CHARS}]+)[ \t]*=[ \t]*(.*)", re.S)
STRICT_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|[!#-+\-./0-~]+', re.S)
"""A quoted string, or what needs no quotes to be one thing."""
NC = re.compile(r"[0-9a-fA-F]{8}")
EXTENDED = re.compile(r"UTF-8'[A-Za-z0-9-]*'(.*)", re.I | re.S)
"""RFC 5987: ``username*=UTF-8''J%C3%A4s%C3%B8n``."""


@dataclass(frozen=True)
class Challenge:
    """What a server asks for (RFC 7616 section 3.3)."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    """In the spelling of ALGORITHMS; what is none of them stands as it was read, for nobody to answer."""
    qop: tuple[str, ...] = ()
    """Empty: a server of RFC 2069, which no password should be used with."""
    opaque: str | None = None
    stale: bool = False
    """The password was right, the nonce is not any more."""
    userhash: bool = False

    @classmethod
    def parse(cls, text: str) -> Challenge:
        """Tolerant of what peers quote and what they do not. Raises ValueError."""
        pairs = read_pairs(text)
        algorithm = pairs.get("algorithm", "MD5")
        return cls(
            realm=_needed(pairs, "realm"),
            nonce=_needed(pairs, "nonce"),
            algorithm=SPELLINGS.get(algorithm.lower(), algorithm),
            qop=tuple(item.lower() for item in split_list(pairs.get("qop", ""))),
            opaque=pairs.get("opaque"),
            stale=pairs.get("stale", "").lower() == "true",
            userhash=pairs.get("userhash", "").lower() == "true",
        )

    def __str__(self) -> str:
        parts = [f"realm={quote(self.realm)}", f"nonce={quote(self.nonce)}"]
        parts += [f"opaque={quote(self.opaque)}"] if self.opaque is not None else []
        parts += [f"algorithm={self.algorithm}"]
        # RFC 8760 section 2.5: qop is quoted in a challenge.
        parts += [f"qop={quote(','.join(self.qop))}"] if self.qop else []
        parts += ["stale=true"] if self.stale else []
        parts += ["userhash=true"] if self.userhash else []
        return "Digest " + ", ".join(parts)


@dataclass(frozen=True)
class Credentials:
    """What a client proves (RFC 7616 section 3.4). ``response`` is what ``respond`` computes for all the rest."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str = ""
    algorithm: str = "MD5"
    qop: str | None = None
    cnonce: str | None = None
    nc: str | None = None
    """Eight hexadecimal digits: how often the nonce has been used."""
    opaque: str | None = None
    userhash: bool = False
    """``username`` is ``user_hash`` of the name."""

    @classmethod
    def parse(cls, text: str) -> Credentials:
        """Strict: nothing twice, nothing missing, nothing that two readers could understand differently. Raises ValueError."""
        pairs = read_pairs(text, strict=True)
        algorithm = pairs.get("algorithm", "MD5")
        found = cls(
            username=_username(pairs),
            realm=_needed(pairs, "realm"),
            nonce=_needed(pairs, "nonce"),
            uri=_needed(pairs, "uri"),
            response=_needed(pairs, "response").lower(),
            algorithm=SPELLINGS.get(algorithm.lower(), algorithm),
            qop=pairs["qop"].lower() if "qop" in pairs else None,
            cnonce=pairs.get("cnonce"),
            nc=pairs.get("nc"),
            opaque=pairs.get("opaque"),
            userhash=pairs.get("userhash", "").lower() == "true",
        )
        # 3.4: nc and cnonce come with qop, and not without it.
        if found.qop is not None and (not found.cnonce or not NC.fullmatch(found.nc or "")):
            raise ValueError("qop without cnonce or nc")
        if found.qop is None and found.nc is not None:
            raise ValueError("nc without qop")
        return found

    def __str__(self) -> str:
        parts = [f"username={quote(self.username)}", f"realm={quote(self.realm)}", f"nonce={quote(self.nonce)}"]
        parts += [f"uri={quote(self.uri)}", f"response={quote(self.response)}", f"algorithm={self.algorithm}"]
        parts += [f"opaque={quote(self.opaque)}"] if self.opaque is not None else []
        # 3.4: qop and nc are not quoted in credentials.
        parts += [f"qop={self.qop}", f"nc={self.nc}"] if self.qop else []
        parts += [f"cnonce={quote(self.cnonce)}"] if self.cnonce is not None else []
        parts += ["userhash=true"] if self.userhash else []
        return "Digest " + ", ".join(parts)


def read_pairs(text: str, *, strict: bool = False) -> dict[str, str]:
    """``Digest name=value, ...``: names in lower case, values unquoted. The first counts where a name is repeated, unless strict.

    Raises ValueError.
    """
    scheme, _, rest = text.strip(" \t").partition(" ")
    if scheme.lower() != "digest":
        raise ValueError("the scheme is not Digest")
    if len(text) > MAX_TEXT:
        raise ValueError(f"longer than {MAX_TEXT} characters")
    pairs: dict[str, str] = {}
    for item in split_list(rest.strip(" \t")):
        found = PAIR.fullmatch(item)
        if found is None or (found[2].startswith('"') and not _is_quoted(found[2])):
            raise ValueError("there is a part that is not name=value")
        name = found[1].lower()
        if strict and (name in pairs or not STRICT_VALUE.fullmatch(found[2])):
            raise ValueError(f"{name} appears twice or is malformed")
        pairs.setdefault(name, unquote(found[2]))
    return pairs


def is_digest(text: str) -> bool:
    """The scheme is one that this module reads."""
    return text.lstrip(" \t")[:7].lower() in ("digest ", "digest\t")


def _is_quoted(text: str) -> bool:
    return re.fullmatch(r'"(?:[^"\\]|\\.)*"', text, re.S) is not None


def _needed(pairs: dict[str, str], name: str) -> str:
    if name not in pairs:
        raise ValueError(f"there is no {name}")
    return pairs[name]


def _username(pairs: dict[str, str]) -> str:
    """3.4: ``username``, or ``username*`` for a name beyond ASCII; not both."""
    if "username*" not in pairs:
        return _needed(pairs, "username")
    found = EXTENDED.fullmatch(pairs["username*"])
    if found is None or "username" in pairs:
        raise ValueError("username* is malformed")
    return percent_unquote(found[1], errors="strict")


# -- arithmetic --


def hasher(algorithm: str) -> Callable[[str | bytes], str]:
    """H of RFC 7616 section 3.4.1, to hexadecimal digits. Raises ValueError for an algorithm that is not supported."""
    if algorithm not in SUPPORTED:
        raise ValueError(f"algorithm {token(algorithm, 'algorithm')} is not supported")
    name = ALGORITHMS[algorithm][0]

    def h(text: str | bytes) -> str:
        data = text.encode() if isinstance(text, str) else text
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()

    return h


def make_ha1(username: str, realm: str, password: str, algorithm: str) -> str:
    """What is kept of a password: H(username:realm:password), the same for an algorithm and its ``-sess`` form."""
    return hasher(algorithm)(f"{username}:{realm}:{password}")


def user_hash(username: str, realm: str, algorithm: str) -> str:
    """The name that hides a name (section 3.4.4)."""
    return hasher(algorithm)(f"{username}:{realm}")


def respond(ha1: str, method: str, body: bytes, credentials: Credentials) -> str:
    """The ``response`` of credentials for a request (sections 3.4.1 to 3.4.3). Raises ValueError for what is not supported."""
    h = hasher(credentials.algorithm)
    nonce, cnonce = credentials.nonce, credentials.cnonce or ""
    # 3.4.2: A1.
    if ALGORITHMS[credentials.algorithm][1]:
        ha1 = h(f"{ha1}:{nonce}:{cnonce}")
    # 3.4.3: A2.
    if credentials.qop not in (None, "auth", "auth-int"):
        raise ValueError("qop is not supported")
    a2 = f"{method}:{credentials.uri}" + (f":{h(body)}" if credentials.qop == "auth-int" else "")
    # 3.4.1: KD; without qop as in RFC 2069.
    middle = f"{nonce}:{credentials.nc}:{cnonce}:{credentials.qop}" if credentials.qop else nonce
    return h(f"{ha1}:{middle}:{h(a2)}")
