"""Who sends a request: nobody is taken for an account or a trunk that he has not shown to be."""

from __future__ import annotations

import random
from typing import Any

import pytest

from confero.clock import FakeClock
from confero.errors import Refused, Unavailable
from confero.models.sip import SipCaller, SipCredentials, SipCredentialsAsk, SipGatewayAccount
from confero.protocols.sip import Account, Login, Policy, Request, Response, SipError, Target, make_ha1
from confero.ratelimit import Rate
from confero.sipgw.credentials import FRESH_S, STALE_S, CredentialBook
from confero.sipgw.guard import GUESSES, Guard
from confero.sipgw.identity import Identity

from .sipparts import request

PHONE = Target("udp", "192.0.2.7", 5060)
TRUNK = Target("udp", "198.51.100.1", 5060)
PASSWORD = "correct horse"


class Office:
    """Accounts and their passwords, as directory and application server have them."""

    def __init__(self) -> None:
        self.old = False
        self.away = False
        self.asked: list[SipCredentialsAsk] = []
        self.password = PASSWORD

    def account(self, user: str, realm: str) -> SipGatewayAccount | None:
        if (user, realm) not in (("alice", "confero"), ("bob", "confero")):
            return None
        return SipGatewayAccount(user=user, realm=realm, display_name=user.title(), allow_md5_without_qop=self.old)

    async def credentials(self, ask: SipCredentialsAsk) -> SipCredentials:
        self.asked.append(ask)
        if self.away:
            raise Unavailable("no")
        if self.account(ask.user, ask.realm) is None:
            raise Refused("no", status=404, code="account-unknown")
        ha1 = make_ha1(ask.user, ask.realm, self.password, ask.algorithm)
        return SipCredentials(ha1=ha1, display_name=ask.user, allow_md5_without_qop=self.old)


class Case:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.office = Office()
        self.guard = Guard(self.clock, Rate(1e6, 1e6), lambda address: address == TRUNK.host)
        self.book = CredentialBook(self.office, self.clock)
        self.identity = Identity(
            Policy("confero"),
            self.office,
            self.book,
            self.guard,
            self.clock,
            random.Random(1),
            trunk_of=lambda address: "pstn" if address == TRUNK.host else None,
            is_own=lambda host: host == "192.0.2.1",
            domains=["meet.example"],
        )

    async def prove(self, one: Request, user: str = "alice", password: str = PASSWORD, **kwargs: Any) -> Any:
        """Asked, challenged, and asked again with the proof of ``user``."""
        first = await self.ask(one)
        assert isinstance(first, Response) and first.status == 401
        login = Login(Account(user, password, **kwargs), random.Random(2))
        assert login.challenged(one, first)
        login.authorize(one)
        return await self.ask(one)

    async def ask(self, one: Request, source: Target = PHONE) -> Any:
        who = self.identity.owner if one.method == "REGISTER" else self.identity.caller
        return await who(one, source)


def invite(**headers: Any) -> Request:
    return request("INVITE", "sip:lobby@confero", **headers)


def register(**headers: Any) -> Request:
    return request("REGISTER", "sip:confero", To="<sip:alice@confero>", **headers)


async def test_a_stranger_is_a_stranger() -> None:
    caller = await Case().ask(invite(From='"Eve" <sip:eve@elsewhere.example>;tag=1'))
    assert caller == SipCaller(source=PHONE.host, from_user="eve", from_name="Eve")


@pytest.mark.parametrize(
    "address",
    ["sip:alice@confero", "sip:nobody@confero", "sip:x@MEET.example", "sip:alice@192.0.2.1", "sips:%61lice@confero"],
)
async def test_names_of_ours_have_to_be_proven(address: str) -> None:
    answer = await Case().ask(invite(From=f"<{address}>;tag=1"))
    assert isinstance(answer, Response) and answer.status == 401
    assert [row.split("algorithm=")[1].split(",")[0] for row in answer.headers.rows("WWW-Authenticate")] == [
        "SHA-256",
        "MD5",
    ]


async def test_of_our_bare_address_anybody_may_have_a_name() -> None:
    caller = await Case().ask(invite(From="<sip:guest@192.0.2.1>;tag=1"))
    assert isinstance(caller, SipCaller) and not caller.account


@pytest.mark.parametrize("algorithms", [{"SHA-256"}, {"MD5"}])
async def test_an_account_proves_itself(algorithms: set[str]) -> None:
    case = Case()
    caller = await case.prove(invite(), algorithms=frozenset(algorithms))
    assert caller == SipCaller(source=PHONE.host, account="alice", realm="confero", from_user="alice")
    assert case.identity.proven == 1


async def test_a_proof_is_good_for_one_request() -> None:
    case = Case()
    one = invite()
    await case.prove(one)
    again = await case.ask(one)
    assert isinstance(again, Response) and again.status == 401
    assert "stale=true" in again.headers.rows("WWW-Authenticate")[0]


async def test_a_proof_from_elsewhere_is_stale() -> None:
    case, one = Case(), invite()
    first = await case.ask(one)
    login = Login(Account("alice", PASSWORD), random.Random(2))
    assert login.challenged(one, first)
    login.authorize(one)
    answer = await case.ask(one, Target("udp", "203.0.113.5", 5060))
    assert isinstance(answer, Response) and answer.status == 401


@pytest.mark.parametrize(("user", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("x" * 200, PASSWORD)])
async def test_a_wrong_proof_is_asked_for_again_and_counts(user: str, password: str) -> None:
    case = Case()
    for _ in range(GUESSES):
        answer = await case.prove(invite(), user, password)
        assert isinstance(answer, Response) and answer.status == 401
        assert "stale" not in answer.headers.rows("WWW-Authenticate")[0]
    assert case.guard.judge(PHONE.host, "") == "blocked"


async def test_an_account_is_not_another_one() -> None:
    answer = await Case().prove(invite(From="<sip:bob@confero>;tag=1"))
    assert isinstance(answer, Response) and answer.status == 403
    answer = await Case().prove(register(From="<sip:bob@confero>;tag=1"), "bob")
    assert isinstance(answer, Response) and answer.status == 403


async def test_an_account_may_call_under_a_foreign_name() -> None:
    case = Case()
    one = invite(From="<sip:alice@home.example>;tag=1")
    first = case.identity.challenge(one, PHONE)
    login = Login(Account("alice", PASSWORD), random.Random(2))
    assert login.challenged(one, first)
    login.authorize(one)
    caller = await case.ask(one)
    assert isinstance(caller, SipCaller) and caller.account == "alice"


async def test_a_trunk_is_known_by_its_address_but_registers_nobody() -> None:
    case = Case()
    caller = await case.ask(invite(From="<sip:+4930@confero>;tag=1"), TRUNK)
    assert isinstance(caller, SipCaller) and caller.trunk == "pstn"
    answer = await case.ask(register(), TRUNK)
    assert isinstance(answer, Response) and answer.status == 401


async def test_who_registers_proves_it() -> None:
    case = Case()
    owner = await case.prove(register())
    assert isinstance(owner, SipGatewayAccount) and owner.user == "alice"


async def test_md5_without_qop_is_for_accounts_that_may() -> None:
    for old in (False, True):
        case = Case()
        case.office.old = old
        first = await case.ask(register())
        rows = first.headers.rows("WWW-Authenticate")
        assert len(rows) == (1 if old else 2)
        bare = Response(401, "", first.headers.copy())
        bare.headers.set_all("WWW-Authenticate", [rows[-1].replace(', qop="auth"', "")])
        one, login = register(), Login(Account("alice", PASSWORD, allow_without_qop=True), random.Random(2))
        assert login.challenged(one, bare)
        login.authorize(one)
        owner = await case.ask(one)
        assert isinstance(owner, SipGatewayAccount if old else Response)


async def test_credentials_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(SipError):
        await Case().ask(invite(Authorization='Digest realm="confero", username="alice"'))


@pytest.mark.parametrize(
    ("headers", "anonymous"),
    [
        ({"From": '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'}, True),
        ({"From": "<sip:eve@elsewhere.example>;tag=1", "Privacy": "id;critical"}, True),
        ({"From": "<sip:eve@elsewhere.example>;tag=1", "Privacy": "none"}, False),
    ],
)
async def test_who_wants_no_name_is_anonymous(headers: dict[str, str], anonymous: bool) -> None:
    caller = await Case().ask(invite(**headers))
    assert isinstance(caller, SipCaller) and caller.anonymous is anonymous


# -- the credential book --

ASK = SipCredentialsAsk(user="alice", realm="confero", algorithm="MD5")
NOBODY = SipCredentialsAsk(user="nobody", realm="confero", algorithm="MD5")


async def test_answers_are_remembered_those_of_nobody_too() -> None:
    case = Case()
    for ask in (ASK, NOBODY):
        for _ in range(3):
            assert (await case.book.find(ask) is None) == (ask is NOBODY)
    assert len(case.office.asked) == 2
    case.clock.advance(FRESH_S)
    await case.book.find(ASK)
    case.book.forget()
    await case.book.find(ASK)
    assert len(case.office.asked) == 4


async def test_what_was_known_holds_while_nobody_can_be_asked() -> None:
    case = Case()
    known = await case.book.find(ASK)
    case.office.away = True
    case.clock.advance(STALE_S - 1)
    assert await case.book.find(ASK) == known
    case.clock.advance(2)
    with pytest.raises(Unavailable):
        await case.book.find(ASK)
