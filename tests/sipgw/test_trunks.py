"""Trunks: registered, watched, known by their addresses, left in peace when others change; their passwords proven to them alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from confero.models.sip import SipDecision, SipGatewayTrunk
from confero.models.sipadmin import SipServer
from confero.protocols.sip import Request, Response, Target
from confero.runtime.tasks import spawn
from confero.sipgw.calls.parties import Calling
from confero.sipgw.trunks.farm import Trunks
from confero.sipgw.trunks.parties import TrunkWay
from confero.sipgw.trunks.trunk import Surroundings, Trunk

from ..support.waiting import until
from .sipparts import Net

SERVER, SPARE = "203.0.113.1", "203.0.113.2"
CHALLENGE = 'Digest realm="provider", nonce="abc", algorithm=MD5, qop="auth"'


def settings(name: str = "pstn", **changes: Any) -> SipGatewayTrunk:
    values: dict[str, Any] = {
        "name": name,
        "servers": [SipServer(uri=f"sip:{SERVER}", priority=1), SipServer(uri=f"sip:{SPARE}", priority=2)],
        "registrar": f"sip:{SERVER}",
        "registers": False,
        "transport": "udp",
        "domain": "provider.example",
        "user": "49301234",
        "auth_user": "",
        "realm": "provider",
        "has_secret": True,
        "secret": "pass word",
        "expires": 600,
        "sources": [],
        "caller_id": "pass",
        "caller_number": "",
        "media_security": "optional",
        "symmetric": False,
        "options_s": 30,
        "enabled": True,
    }
    return SipGatewayTrunk(**(values | changes))


class Known:
    def __init__(self, *trunks: SipGatewayTrunk) -> None:
        self.trunks = {one.name: one for one in trunks}


class Case:
    def __init__(self) -> None:
        self.net = Net({"sip.provider.example": ["203.0.113.77"]})
        self.around = Surroundings(self.net.sender, self.net.clock, "confero/test")
        self.known = Known()
        self.trunks = Trunks(self.known, self.around)
        self.answered: set[str] = set()

    def settle(self, *trunks: SipGatewayTrunk) -> None:
        self.known.trunks = {one.name: one for one in trunks}
        self.trunks.settle()

    async def request(self, method: str, host: str | None = None) -> tuple[Request, Target]:
        """The next request of this method, to that host, which has not been given yet."""
        async with asyncio.timeout(5):
            while True:
                for one, target in self.net.wire.requests(method):
                    if one.top_via.branch not in self.answered and host in (None, target.host):
                        self.answered.add(one.top_via.branch)
                        return one, target
                await asyncio.sleep(0.005)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    one = Case()
    yield one
    one.trunks._closed = True
    for trunk in list(one.trunks._trunks.values()):
        await trunk._tasks.close()
    await one.net.close()


async def registered(case: Case) -> Trunk:
    case.settle(settings(registers=True))
    one, target = await case.request("REGISTER")
    case.net.answer(one, target, 200, Contact=f"{one.headers.get('Contact')}")
    trunk = case.trunks.get("pstn")
    assert trunk is not None
    await until(lambda: trunk.registration and trunk.registration.state == "registered")
    return trunk


async def test_it_registers_with_its_password(case: Case) -> None:
    case.settle(settings(registers=True))
    one, target = await case.request("REGISTER")
    assert one.uri == f"sip:{SERVER}" and target.host == SERVER
    assert str(one.to) == "<sip:49301234@provider.example>"
    assert one.headers.get("Contact") == "<sip:49301234@192.0.2.1:5060>;expires=600"
    assert one.headers.get("User-Agent") == "confero/test"
    case.net.answer(one, target, 401, WWW_Authenticate=CHALLENGE)
    again, target = await case.request("REGISTER")
    assert 'username="49301234"' in (again.headers.get("Authorization") or "")
    case.net.answer(again, target, 200)
    await until(lambda: case.trunks.states()[0].registration == "registered")
    assert case.trunks.states()[0].registered_s == 600


async def test_at_the_end_it_is_taken_away(case: Case) -> None:
    await registered(case)
    closing = spawn(case.trunks.close(), name="closing")
    one, target = await case.request("REGISTER")
    assert one.expires == 0
    case.net.answer(one, target, 200)
    await closing


async def test_a_registrar_that_is_gone_holds_nobody_up(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confero.sipgw.trunks.trunk.LEAVE_S", 0.05)
    await registered(case)
    async with asyncio.timeout(2):
        await case.trunks.close()


async def test_servers_that_do_not_answer_are_tried_last(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confero.sipgw.trunks.health.PATIENCE_S", 0.05)
    case.settle(settings())
    trunk = case.trunks.get("pstn")
    assert trunk is not None and [one.uri for one in trunk.ordered()] == [f"sip:{SERVER}", f"sip:{SPARE}"]
    case.net.answer(*await case.request("OPTIONS", SPARE), 404)
    await until(lambda: trunk.servers[0].state == "down")
    assert [one.uri for one in trunk.ordered()] == [f"sip:{SPARE}", f"sip:{SERVER}"]
    assert trunk.available, "any answer shows a server that lives"
    # A call has met silence: it is asked at once, and is there again.
    monkeypatch.setattr("confero.sipgw.trunks.health.PATIENCE_S", 10.0)
    trunk.servers[0].suspect()
    await case.request("OPTIONS", SERVER)
    case.net.answer(*(await case.request("OPTIONS", SERVER)), 200)
    await until(lambda: trunk.servers[0].state == "up")


async def test_without_any_server_it_is_not_available(case: Case) -> None:
    case.settle(settings())
    for host in (SERVER, SPARE):
        case.net.answer(*await case.request("OPTIONS", host), 503)
    await until(lambda: case.trunks.count() == (1, 0))
    assert case.trunks.states()[0].servers[0].state == "down"


async def test_a_server_that_returns_is_registered_at_soon(case: Case) -> None:
    case.settle(settings(registers=True))
    trunk = case.trunks.get("pstn")
    assert trunk is not None and trunk.registration is not None
    case.net.answer(*await case.request("REGISTER"), 503, Retry_After="3600")
    await until(lambda: trunk.registration and trunk.registration.state == "unreachable")
    case.net.answer(*await case.request("OPTIONS", SERVER), 200)
    one, target = await case.request("REGISTER")
    case.net.answer(one, target, 200)
    await until(lambda: trunk.available)


async def test_its_calls_come_from_its_servers_or_from_where_it_says(case: Case) -> None:
    servers = [SipServer(uri="sip:sip.provider.example", priority=1)]
    case.settle(
        settings("named", servers=servers, registrar=""),
        settings("listed", sources=["198.51.100.0/24", "2001:db8::/32"]),
    )
    await until(lambda: case.trunks.trunk_of("203.0.113.77") == "named")
    assert case.trunks.trunk_of("198.51.100.9") == "listed"
    assert case.trunks.trunk_of("2001:db8::9") == "listed"
    assert case.trunks.trunk_of("::ffff:198.51.100.9") == "listed"
    assert case.trunks.trunk_of(SERVER) is None, "where sources are listed they alone count"
    assert not case.trunks.trusts("192.0.2.9") and not case.trunks.trusts("nonsense")


async def test_a_change_touches_one_trunk_only(case: Case) -> None:
    first, second = settings("a"), settings("b")
    case.settle(first, second)
    kept, changed = case.trunks.get("a"), case.trunks.get("b")
    case.settle(first, settings("b", user="other"))
    await until(lambda: case.trunks.get("b") is not None)
    assert case.trunks.get("a") is kept and case.trunks.get("b") is not changed
    case.settle(first)
    assert case.trunks.get("b") is None and case.trunks.count()[0] == 1


async def test_settings_that_cannot_be_used_hurt_nobody_else(case: Case) -> None:
    case.settle(settings("bad", servers=[SipServer(uri="sip:[::", priority=1)]), settings("good"))
    assert case.trunks.get("bad") is None and case.trunks.get("good") is not None


# -- passwords --


def challenged(case: Case, realm: str = "provider") -> tuple[Request, Response]:
    from .sipparts import request

    invite = request("INVITE", "sip:4930@provider.example")
    response = Response(407, "", invite.headers.copy())
    response.headers.add("Proxy-Authenticate", CHALLENGE.replace("provider", realm))
    return invite, response


async def test_a_password_is_proven_to_the_trunk_alone(case: Case) -> None:
    trunk = Trunk(settings(), case.around)
    await trunk.find_addresses()
    here, elsewhere = Target("udp", SERVER, 5060), Target("udp", "192.0.2.66", 5060)
    credentials = trunk.credentials()
    assert credentials is not None
    assert credentials(*challenged(case), elsewhere) is None
    assert credentials(*challenged(case, "elsewhere"), here) is None
    found = credentials(*challenged(case), here)
    assert found is not None and found[0][0] == "Proxy-Authorization" and 'realm="provider"' in found[0][1]
    assert Trunk(settings(secret=None), case.around).credentials() is None


# -- calls out --

DECISION = SipDecision(action="trunk", number="+49301", trunks=["a", "b"], caller_number={"a": "49301234", "b": ""})


async def parties(case: Case, *trunks: SipGatewayTrunk) -> list[Any]:
    case.settle(*trunks)
    return list(await TrunkWay(case.trunks, case.net.sender)(DECISION, Calling("Alice"), (("X-A", "1"),)))


async def test_a_call_goes_to_the_trunks_servers_as_who_it_may_be(case: Case) -> None:
    named, nameless = await parties(case, settings("a"), settings("b"))
    assert named.uri == "sip:+49301@provider.example" and named.trunk == "a"
    assert [one.host for one in named.servers] == [SERVER, SPARE]
    assert named.from_ == '"Alice" <sip:49301234@provider.example>'
    assert dict(named.headers) == {"X-A": "1", "P-Asserted-Identity": "<sip:49301234@provider.example>"}
    assert nameless.from_ == '"Anonymous" <sip:anonymous@anonymous.invalid>'
    assert dict(nameless.headers)["Privacy"] == "id"


async def test_a_trunk_that_is_away_is_tried_last(case: Case) -> None:
    case.settle(settings("a", servers=[SipServer(uri=f"sip:{SERVER}", priority=1)]), settings("b", options_s=0))
    case.net.answer(*await case.request("OPTIONS", SERVER), 503)
    await until(lambda: case.trunks.count() == (2, 1))
    assert [one.trunk for one in await parties(case, *case.known.trunks.values())] == ["b", "a"]


async def test_nobody_gets_more_trust_than_he_wants(case: Case) -> None:
    found = await parties(case, settings("a"), settings("b", media_security="required"))
    assert [one.trunk for one in found] == ["a"], "a leg with optional protection is no offer for the other"
