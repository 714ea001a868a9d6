"""Who sends a request outside of dialogs: a trunk by its source, an account by its digest, or somebody unknown.

Requests within a dialog are not asked again (RFC 3261 section 22 leaves it to us): they name its tags, which nobody guesses, and
docs/decisions/036 says why that is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Protocol

from confero.clock import Clock
from confero.models.sip import SipCaller, SipCredentials, SipCredentialsAsk, SipGatewayAccount
from confero.protocols.sip.build import RandomBytes, new_tag, response_to
from confero.protocols.sip.errors import SipError
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.target import Target
from confero.protocols.sip.uri import URI
from confero.protocols.sip.verifier import Claim, Policy, Verifier
from confero.runtime.logging import get_logger

from .guard import Guard

log = get_logger(__name__)

LONGEST_NAME = 128
HIDING = ("id", "user", "header")
"""Privacy values by which a caller asks not to be named (RFC 3323, 3325)."""


class Accounts(Protocol):
    """The accounts there are."""

    def account(self, user: str, realm: str) -> SipGatewayAccount | None: ...


class Passwords(Protocol):
    """What stands for their passwords. Raises Unavailable."""

    async def find(self, ask: SipCredentialsAsk) -> SipCredentials | None: ...


class Identity:
    """Asks for proof where it is due. One realm, that of the configuration."""

    def __init__(
        self,
        policy: Policy,
        accounts: Accounts,
        passwords: Passwords,
        guard: Guard,
        clock: Clock,
        random: RandomBytes,
        *,
        trunk_of: Callable[[str], str | None],
        is_own: Callable[[str], bool],
        domains: Collection[str] = (),
    ) -> None:
        """``trunk_of``: the trunk that an address belongs to. ``is_own``: whether a host of a URI is an address of ours.
        ``domains``: names under which we are meant, besides the realm."""
        self.realm = policy.realm
        self.challenged = self.proven = self.failed = 0
        self._verifier = Verifier(policy, random)
        self._accounts = accounts
        self._passwords = passwords
        self._guard = guard
        self._clock = clock
        self._random = random
        self._trunk_of = trunk_of
        self._is_own = is_own
        self._domains = frozenset(name.lower() for name in (policy.realm, *domains))

    # -- two questions --

    async def caller(self, request: Request, source: Target) -> SipCaller | Response:
        """Who calls, or what asks him to prove it. Raises SipError for what cannot be read, Unavailable."""
        claim = self._verifier.claim(request)
        if claim is not None:
            proof = await self._prove(claim, request, source)
            if not isinstance(proof, SipGatewayAccount):
                return proof
            return self._as_account(request, source, proof)
        trunk = self._trunk_of(source.host)
        if trunk is not None:
            return self.describe(request, source).model_copy(update={"trunk": trunk})
        if self._says_to_be_ours(request.from_.uri):
            return self.challenge(request, source, self.named(request.from_.uri))
        return self.describe(request, source)

    async def owner(self, request: Request, source: Target) -> SipGatewayAccount | Response:
        """Whose REGISTER it is: nobody's without proof, and nobody else's than his whom To names (section 10.3 step 4)."""
        claim = self._verifier.claim(request)
        if claim is None:
            return self.challenge(request, source, self.named(request.to.uri))
        proof = await self._prove(claim, request, source)
        if isinstance(proof, SipGatewayAccount) and proof.user != request.to.uri.username:
            self._guard.failed(source.host)
            return response_to(request, 403, "That is another account", to_tag=new_tag(self._random))
        return proof

    # -- proof --

    async def _prove(self, claim: Claim, request: Request, source: Target) -> SipGatewayAccount | Response:
        user = claim.username
        account = None if claim.credentials.userhash else self._accounts.account(user, self.realm)
        known = await self._password(claim)
        without_qop = known is not None and known.allow_md5_without_qop and claim.ha1_algorithm == "MD5"
        verdict = self._verifier.check(
            claim,
            known.ha1 if known is not None else None,
            source.host,
            self._clock.monotonic(),
            allow_without_qop=without_qop,
        )
        if verdict == "proven" and known is not None:
            self.proven += 1
            self._guard.forgive(source.host)
            return account or _described(user, self.realm, known)
        if verdict == "wrong":
            self.failed += 1
            self._guard.failed(source.host)
            log.info("a password is wrong", user=user[:64], source=source.host)
        return self.challenge(request, source, account, stale=verdict == "stale")

    async def _password(self, claim: Claim) -> SipCredentials | None:
        """Asked for names that no account has too, so that the time says nothing; but not for what no name can be."""
        if claim.credentials.userhash or not 0 < len(claim.username) <= LONGEST_NAME:
            return None
        ask = SipCredentialsAsk(user=claim.username, realm=self.realm, algorithm=claim.ha1_algorithm)
        return await self._passwords.find(ask)

    def challenge(
        self, request: Request, source: Target, account: SipGatewayAccount | None = None, *, stale: bool = False
    ) -> Response:
        """401: we are the end of every request that we answer (22.1), 407 is for proxies. An ``account`` with an old phone is
        asked once, in MD5 and without qop: such phones send back what they do not know of it."""
        self.challenged += 1
        response = response_to(request, 401, to_tag=new_tag(self._random))
        old = account is not None and account.allow_md5_without_qop
        for challenge in self._verifier.challenges(source.host, self._clock.monotonic(), stale=stale):
            if not old:
                response.headers.add("WWW-Authenticate", str(challenge))
            elif challenge.algorithm == "MD5":
                response.headers.add("WWW-Authenticate", str(replace(challenge, qop=())))
        return response

    # -- what requests say --

    def named(self, uri: URI) -> SipGatewayAccount | None:
        """The account that a URI names, if it is one of ours."""
        return self._accounts.account(uri.username, self.realm)

    def is_ours(self, uri: URI) -> bool:
        """Whether a URI's host is this gateway, by name or by address."""
        host = uri.host.strip("[]").lower().rstrip(".")
        return host in self._domains or self._is_own(host)

    def _says_to_be_ours(self, uri: URI) -> bool:
        """Names of ours are for accounts alone; of our bare addresses anybody may make himself a name, but not an account's."""
        host = uri.host.strip("[]").lower().rstrip(".")
        return host in self._domains or (self.named(uri) is not None and self._is_own(host))

    def _as_account(self, request: Request, source: Target, account: SipGatewayAccount) -> SipCaller | Response:
        from_ = request.from_.uri
        if self._says_to_be_ours(from_) and from_.username != account.user:
            return response_to(request, 403, "From is another account", to_tag=new_tag(self._random))
        said = self.describe(request, source)
        return said.model_copy(update={"account": account.user, "realm": account.realm})

    def describe(self, request: Request, source: Target) -> SipCaller:
        """What the request says of its caller; nothing of it is proven but the address."""
        from_ = request.from_
        privacy = (request.headers.get("Privacy") or "").lower().replace(",", ";").split(";")
        anonymous = from_.uri.host.lower() == "anonymous.invalid" or any(one.strip() in HIDING for one in privacy)
        return SipCaller(
            source=source.host,
            from_user=from_.uri.username[:128],
            from_name=from_.name[:256],
            anonymous=anonymous,
        )


def _described(user: str, realm: str, known: SipCredentials) -> SipGatewayAccount:
    """An account that is so new that the directory does not have it yet."""
    return SipGatewayAccount(
        user=user, realm=realm, display_name=known.display_name, allow_md5_without_qop=known.allow_md5_without_qop
    )


def unreadable(request: Request, error: SipError) -> Response:
    """The answer to credentials that cannot be read."""
    return response_to(request, error.status, f"Bad Request: {error.detail}"[:100])
