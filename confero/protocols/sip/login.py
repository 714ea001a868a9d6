"""The client's end of digest: answers the challenges of one server, and tells when to give up (RFC 7616, RFC 3261 section 22.2).

An account's ``Login`` is made for one trunk or registrar and handed its responses alone: that the password is proven to nobody
else is the owner's part.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .build import RandomBytes
from .digest import ALGORITHMS, SUPPORTED, Challenge, Credentials, is_digest, make_ha1, respond, user_hash
from .message import Request, Response

CNONCE_BYTES = 16
MAX_ROWS = 8
"""Challenges in a response that are looked at."""
MAX_REALMS = 4
"""Realms that are answered at a time: the server and the proxies before it."""
MAX_NC = 0xFFFFFFFF
FIELDS = {"WWW-Authenticate": "Authorization", "Proxy-Authenticate": "Proxy-Authorization"}
STRENGTH = {name: place for place, name in enumerate(ALGORITHMS)}


@dataclass(frozen=True)
class Account:
    """Whose password it is, and to what it may be answered."""

    username: str
    password: str = field(repr=False)
    realms: frozenset[str] = frozenset()
    """Empty: whatever realm the server names."""
    algorithms: frozenset[str] = frozenset(SUPPORTED)
    allow_without_qop: bool = False
    """RFC 2069's digest: whoever hears one can try passwords on it at leisure and send the request again."""


@dataclass
class Standing:
    """A challenge that is being answered, and how often it has been."""

    challenge: Challenge
    ha1: str = field(repr=False)
    uses: int = 0
    doubted: int = 0
    """How often in a row a nonce was called stale that had just been made."""


class Login:
    """An account at one server."""

    def __init__(self, account: Account, random: RandomBytes) -> None:
        self._account = account
        self._random = random
        self._standing: dict[tuple[str, str], Standing] = {}
        """By the field that answers, and the realm."""

    def challenged(self, request: Request, response: Response) -> bool:
        """Takes the challenges of a 401 or 407 to ``request``. True: ``authorize`` a new try and send it.

        False when nothing there can be answered, or what was answered already is asked again: the password is wrong.
        """
        answered = False
        for asks, answers in FIELDS.items():
            for challenge in self._choose(response.headers.rows(asks)[:MAX_ROWS]):
                doubted = self._doubts(_tried(request, answers, challenge.realm), challenge, (answers, challenge.realm))
                if doubted is None or not self._stand((answers, challenge.realm), challenge, doubted):
                    return False
                answered = True
        return answered

    def _doubts(self, tried: Credentials | None, challenge: Challenge, key: tuple[str, str]) -> int | None:
        """None if ``tried`` was our proof and did not convince; else how often a fresh nonce was called stale.

        A nonce that has served before may be refused without ``stale`` by servers that take each once: that says nothing of
        the password. One that was just made and is called stale is replaced once.
        """
        if tried is None or (tried.qop is not None and int(tried.nc or "0", 16) > 1):
            return 0
        standing = self._standing.get(key)
        doubted = standing.doubted if standing else 0
        return 1 if challenge.stale and challenge.nonce != tried.nonce and doubted == 0 else None

    def _choose(self, rows: list[str]) -> list[Challenge]:
        """The strongest for each realm that the account may answer."""
        best: dict[str, Challenge] = {}
        for row in rows:
            challenge = _read(row)
            if challenge is None or not self._may_answer(challenge):
                continue
            known = best.get(challenge.realm)
            if known is None or STRENGTH[challenge.algorithm] < STRENGTH[known.algorithm]:
                best[challenge.realm] = challenge
        return list(best.values())

    def _may_answer(self, challenge: Challenge) -> bool:
        account = self._account
        if account.realms and challenge.realm not in account.realms:
            return False
        if challenge.algorithm not in account.algorithms or challenge.algorithm not in SUPPORTED:
            return False
        return account.allow_without_qop if not challenge.qop else _qop(challenge) is not None

    def _stand(self, key: tuple[str, str], challenge: Challenge, doubted: int) -> bool:
        if key not in self._standing and len(self._standing) >= MAX_REALMS:
            return False
        account = self._account
        ha1 = make_ha1(account.username, challenge.realm, account.password, challenge.algorithm)
        self._standing[key] = Standing(challenge, ha1, doubted=doubted)
        return True

    def authorize(self, request: Request) -> None:
        """Puts credentials for all that was asked so far in place of those in ``request``; without a challenge, none.

        A nonce is used again, with a count, until the server calls it stale; one without qop, which has no count, is not.
        """
        for answers in FIELDS.values():
            mine = [standing for (name, _), standing in self._standing.items() if name == answers]
            usable = [standing for standing in mine if standing.challenge.qop or not standing.uses]
            request.headers.set_all(answers, [str(self._answer(standing, request)) for standing in usable])

    def _answer(self, standing: Standing, request: Request) -> Credentials:
        challenge, account = standing.challenge, self._account
        standing.uses = min(standing.uses + 1, MAX_NC)
        qop = _qop(challenge)
        needs_cnonce = qop is not None or ALGORITHMS[challenge.algorithm][1]
        username = account.username
        credentials = Credentials(
            user_hash(username, challenge.realm, challenge.algorithm) if challenge.userhash else username,
            challenge.realm,
            challenge.nonce,
            request.uri,
            algorithm=challenge.algorithm,
            qop=qop,
            cnonce=self._random.randbytes(CNONCE_BYTES).hex() if needs_cnonce else None,
            nc=f"{standing.uses:08x}" if qop else None,
            opaque=challenge.opaque,
            userhash=challenge.userhash,
        )
        return replace(credentials, response=respond(standing.ha1, request.method, request.body, credentials))


def _qop(challenge: Challenge) -> str | None:
    """What is answered of what is offered. ``auth-int`` only where it is all: a proxy may touch bodies."""
    return next((qop for qop in ("auth", "auth-int") if qop in challenge.qop), None)


def _read(row: str) -> Challenge | None:
    try:
        return Challenge.parse(row) if is_digest(row) else None
    except ValueError:
        return None


def _tried(request: Request, answers: str, realm: str) -> Credentials | None:
    """What ``request`` had for a realm. It is of ours: all of it can be read."""
    found = [Credentials.parse(row) for row in request.headers.rows(answers) if is_digest(row)]
    return next((one for one in found if one.realm == realm), None)
