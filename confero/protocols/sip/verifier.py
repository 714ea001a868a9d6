"""The server's end of digest: nonces that need no memory, and a bounded one of how often each proven nonce was used (RFC 7616).

Two steps, because the account may have to be asked for elsewhere: ``claim`` finds who a request says it is from, ``check``
says whether it proves so. ACK and CANCEL are never asked (RFC 3261 section 22.1).
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from .build import RandomBytes
from .digest import ALGORITHMS, SUPPORTED, Challenge, Credentials, is_digest, respond
from .errors import SipError
from .message import Request
from .uri import URI

Verdict = Literal["proven", "stale", "wrong"]
"""``stale``: the password is right, but the nonce is old, not ours, or was used so before: challenge again and say so."""
SALT_BYTES = 8
MAC_BYTES = 16
TIME_BYTES = 8
WINDOW = 64
"""Requests that may overtake one another: their counts may come in any order within this."""
MAX_ROWS = 8
"""Credentials in a request that are looked at."""


@dataclass(frozen=True)
class Policy:
    """How this server asks."""

    realm: str
    algorithms: tuple[str, ...] = ("SHA-256", "MD5")
    """In the order of the challenges. RFC 8760 section 2.4: a client answers the first that it knows."""
    qop: tuple[str, ...] = ("auth",)
    """``auth-int`` besides it covers the body too; some old phones answer it wrongly when it is offered."""
    nonce_life_s: float = 300.0
    nonces: int = 10_000
    """Proven nonces whose counts are kept: a client with a registration and a call uses one to three."""

    def __post_init__(self) -> None:
        strange = [name for name in self.algorithms if name not in SUPPORTED]
        if strange or not self.algorithms or not self.qop or not set(self.qop) <= {"auth", "auth-int"}:
            raise ValueError(f"digest: not supported: {strange or self.qop}")


@dataclass(frozen=True)
class Claim:
    """Who a request says it is from. Nothing of it is proven."""

    credentials: Credentials
    method: str
    body: bytes

    @property
    def username(self) -> str:
        """A name, or the ``user_hash`` of one if ``credentials.userhash``."""
        return self.credentials.username

    @property
    def ha1_algorithm(self) -> Literal["MD5", "SHA-256", "SHA-512-256"]:
        """Under which algorithm the account's HA1 is wanted: without ``-sess``."""
        return self.credentials.algorithm.removesuffix("-sess")  # type: ignore[return-value]


class Verifier:
    """Challenges and checks for one realm. ``now`` is of one clock that never goes back; it need not outlive the process."""

    def __init__(self, policy: Policy, random: RandomBytes) -> None:
        self._policy = policy
        self._random = random
        self._secret = random.randbytes(32)
        self._nobody = random.randbytes(32).hex()
        """The HA1 of accounts that do not exist: to ask for them takes as long as for others."""
        self._used: OrderedDict[str, tuple[float, Uses]] = OrderedDict()
        self._forgotten = -1.0
        """Nonces made until then may have been used in ways that are not remembered."""

    def challenges(self, source: str, now: float, *, stale: bool = False) -> list[Challenge]:
        """What a 401 or 407 says, one header field each. ``source`` is the address that the nonce will be good for."""
        nonce = self._make_nonce(source, now)
        policy = self._policy
        return [Challenge(policy.realm, nonce, name, policy.qop, stale=stale) for name in policy.algorithms]

    def claim(self, request: Request, *, proxy: bool = False) -> Claim | None:
        """The credentials for our realm; None if there are none and a challenge is due.

        Raises SipError 400 if they cannot be read, are not for this request, or use what was not offered.
        """
        name = "Proxy-Authorization" if proxy else "Authorization"
        found: Credentials | None = None
        for row in request.headers.rows(name)[:MAX_ROWS]:
            if not is_digest(row):
                continue
            try:
                credentials = Credentials.parse(row)
            except ValueError as error:
                raise SipError(f"{name}: {error}", message=request) from None
            if credentials.realm == self._policy.realm:
                if found is not None:
                    raise SipError(f"{name}: two for one realm", message=request)
                found = credentials
        if found is None:
            return None
        self._admit(found, request, name)
        return Claim(found, request.method, request.body)

    def _admit(self, credentials: Credentials, request: Request, name: str) -> None:
        offered = {one.lower() for one in self._policy.algorithms}
        if credentials.algorithm not in ALGORITHMS or credentials.algorithm.lower() not in offered:
            raise SipError(f"{name}: an algorithm that was not offered", message=request)
        if credentials.qop is not None and credentials.qop not in self._policy.qop:
            raise SipError(f"{name}: a qop that was not offered", message=request)
        if not _same_target(credentials.uri, request):
            raise SipError(f"{name}: uri is of another request", message=request)

    def check(
        self, claim: Claim, ha1: str | None, source: str, now: float, *, allow_without_qop: bool = False
    ) -> Verdict:
        """Whether the claim is proven by the account's HA1 under ``claim.ha1_algorithm``; None if there is no such account.

        ``allow_without_qop`` is for single accounts with old phones: their nonces are good for one request, and the body and
        the order of requests are not covered.
        """
        credentials = claim.credentials
        expected = respond(ha1 or self._nobody, claim.method, claim.body, credentials)
        right = hmac.compare_digest(expected.encode(), credentials.response.encode())
        if not right or ha1 is None or (credentials.qop is None and not allow_without_qop):
            return "wrong"
        made = self._made_at(credentials.nonce, source)
        if made is None or not 0 <= now - made <= self._policy.nonce_life_s:
            return "stale"
        count = None if credentials.nc is None else int(credentials.nc, 16)
        return "proven" if self._use(credentials.nonce, made, count) else "stale"

    # -- nonces --

    def _make_nonce(self, source: str, now: float) -> str:
        stamp = int(now * 1000).to_bytes(TIME_BYTES, "big") + self._random.randbytes(SALT_BYTES)
        return (stamp + self._mac(stamp, source)).hex()

    def _mac(self, stamp: bytes, source: str) -> bytes:
        text = stamp + source.encode() + b"\0" + self._policy.realm.encode()
        return hmac.digest(self._secret, text, hashlib.sha256)[:MAC_BYTES]

    def _made_at(self, nonce: str, source: str) -> float | None:
        """When we made the nonce for this source; None if we did not."""
        try:
            raw = bytes.fromhex(nonce)
        except ValueError:
            return None
        stamp, mac = raw[: TIME_BYTES + SALT_BYTES], raw[TIME_BYTES + SALT_BYTES :]
        # One spelling: another of the same bytes would have counts of its own.
        if nonce != raw.hex() or not hmac.compare_digest(mac, self._mac(stamp, source)):
            return None
        return int.from_bytes(stamp[:TIME_BYTES], "big") / 1000

    def _use(self, nonce: str, made: float, count: int | None) -> bool:
        """Notes one use; False if it is not the first of its count, or that cannot be said any more."""
        known = self._used.get(nonce)
        if known is not None:
            return known[1].take(count)
        if made <= self._forgotten:
            return False
        uses = Uses()
        self._used[nonce] = (made, uses)
        if len(self._used) > self._policy.nonces:
            _, (oldest, _) = self._used.popitem(last=False)
            self._forgotten = max(self._forgotten, oldest)
        return uses.take(count)


class Uses:
    """The counts with which a nonce was used: the highest, and a bit for each of the WINDOW below it."""

    __slots__ = ("_bits", "_highest", "_spent")

    def __init__(self) -> None:
        self._highest = 0
        self._bits = 0
        self._spent = False

    def take(self, count: int | None) -> bool:
        """True once for each count that is not too old; without counts, once."""
        if self._spent or count == 0:
            return False
        if count is None:
            fresh, self._spent = self._highest == 0, True
            return fresh
        if count > self._highest:
            shift = min(count - self._highest, WINDOW)
            self._bits = (self._bits << shift | 1) & (2**WINDOW - 1)
            self._highest = count
            return True
        bit = 1 << (self._highest - count)
        if bit >= 2**WINDOW or self._bits & bit:
            return False
        self._bits |= bit
        return True


def _same_target(uri: str, request: Request) -> bool:
    """RFC 7616 section 3.4.6 asks whether both are the same resource: here, the same user.

    Phones leave out ports and parameters, and proxies put their host for ours; who is called, none of them may change.
    """
    if uri == request.uri:
        return True
    try:
        claimed = URI.parse(uri)
    except ValueError:
        return False
    return bool(claimed.host) and claimed.username == request.target.username
