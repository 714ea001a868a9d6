"""The registrar: whom it takes in, what it answers, where calls find telephones, what is left after a restart."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from confero.ids import new_id
from confero.models.sip import SipCredentials, SipCredentialsAsk, SipGatewayAccount
from confero.protocols.sip import Account, Login, Policy, Request, Response, Target, make_ha1
from confero.protocols.sip.bindings import BindingLimits, Bindings
from confero.ratelimit import Rate
from confero.runtime.tasks import spawn
from confero.sipgw.bindingstore import BindingStore, Change
from confero.sipgw.guard import Guard
from confero.sipgw.identity import Identity
from confero.sipgw.registrar import Registrar

from .sipparts import HERE, Net, request

PHONE = Target("udp", "192.0.2.7", 5060)
NATTED = Target("udp", "203.0.113.9", 61_000, 0)
TCP = Target("tcp", "203.0.113.9", 61_000, 42)


class Accounts:
    def account(self, user: str, realm: str) -> SipGatewayAccount | None:
        return SipGatewayAccount(user=user, realm=realm, display_name=user, allow_md5_without_qop=False)

    async def find(self, ask: SipCredentialsAsk) -> SipCredentials:
        ha1 = make_ha1(ask.user, ask.realm, "secret", ask.algorithm)
        return SipCredentials(ha1=ha1, display_name=ask.user, allow_md5_without_qop=False)


class Case:
    def __init__(self, path: Path) -> None:
        self.net = Net()
        guard = Guard(self.net.clock, Rate(1e6, 1e6))
        self.identity = Identity(
            Policy("confero"),
            Accounts(),
            Accounts(),
            guard,
            self.net.clock,
            random.Random(1),
            trunk_of=lambda address: None,
            is_own=lambda host: host == HERE,
        )
        self.login = Login(Account("alice", "secret"), random.Random(2))
        self.store = BindingStore(path)
        self.registrar = Registrar(
            self.net.endpoint, self.identity, Bindings(BindingLimits()), self.store, self.net.clock, self.net.tasks
        )
        self.number = 0

    async def send(self, source: Target = PHONE, **headers: str) -> Response:
        """A REGISTER with its proof; the final answer to it."""
        self.number += 1
        one = request(
            "REGISTER", "sip:confero", **{"To": "<sip:alice@confero>", "CSeq": f"{self.number} REGISTER"} | headers
        )
        answer = await self.registrar._answer(one, source)
        if answer.status != 401:
            return answer
        assert self.login.challenged(one, answer)
        self.login.authorize(one)
        return await self.registrar._answer(one, source)

    def phones(self) -> list[str]:
        return [one.contact for one in self.registrar.phones("alice", "confero")]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "bindings.db")


async def test_a_telephone_is_registered_and_told_so(case: Case) -> None:
    answer = await case.send(Contact="<sip:alice@192.0.2.7>;expires=600")
    assert answer.status == 200
    assert answer.headers.rows("Contact") == ["<sip:alice@192.0.2.7>;expires=600"]
    assert answer.to.tag and (answer.headers.get("Date") or "").endswith("GMT")
    assert case.phones() == ["sip:alice@192.0.2.7"]


async def test_nobody_is_registered_without_proof(case: Case) -> None:
    case.login = Login(Account("alice", "wrong"), random.Random(2))
    one = request("REGISTER", "sip:confero", To="<sip:alice@confero>", Contact="<sip:x@203.0.113.9>")
    answer = await case.registrar._answer(one, PHONE)
    assert case.login.challenged(one, answer)
    case.login.authorize(one)
    assert (await case.registrar._answer(one, PHONE)).status == 401
    assert case.phones() == []


@pytest.mark.parametrize(
    ("uri", "to"), [("sip:elsewhere.example", "<sip:alice@confero>"), ("sip:confero", "<sip:alice@b.example>")]
)
async def test_other_domains_are_not_ours(case: Case, uri: str, to: str) -> None:
    one = request("REGISTER", uri, To=to, Contact="<sip:x@203.0.113.9>")
    answer = await case.registrar._answer(one, PHONE)
    if answer.status == 401:
        assert case.login.challenged(one, answer)
        case.login.authorize(one)
        answer = await case.registrar._answer(one, PHONE)
    assert answer.status == 404


async def test_our_address_is_our_domain_too(case: Case) -> None:
    one = request("REGISTER", f"sip:{HERE}", To=f"<sip:alice@{HERE}>", Contact="<sip:alice@192.0.2.7>")
    answer = await case.registrar._answer(one, PHONE)
    assert case.login.challenged(one, answer)
    case.login.authorize(one)
    assert (await case.registrar._answer(one, PHONE)).status == 200
    assert case.phones() == ["sip:alice@192.0.2.7"]


async def test_what_is_wanted_of_us_and_not_known_is_420(case: Case) -> None:
    answer = await case.send(Require="gruu", Contact="<sip:alice@192.0.2.7>")
    assert answer.status == 420 and answer.headers.get("Unsupported") == "gruu"
    assert (await case.send(Require="path", Contact="<sip:alice@192.0.2.7>")).status == 200


async def test_too_brief_an_interval_is_told_the_least(case: Case) -> None:
    case.net.endpoint.serve(Silent())
    one = request("REGISTER", "sip:confero", To="<sip:alice@confero>", Contact="<sip:alice@192.0.2.7>;expires=10")
    case.login.authorize(one)
    first = await case.registrar._answer(one, PHONE)
    assert case.login.challenged(one, first)
    case.login.authorize(one)
    answer = await answer_of(case, one)
    assert answer.status == 423 and answer.headers.get("Min-Expires") == "60"


class Silent:
    """Keeps the requests that come in."""

    def __init__(self) -> None:
        self.came: list[object] = []

    def request(self, event: object) -> None:
        self.came.append(event)

    acknowledged = cancelled = stray = server_ended = request


async def answer_of(case: Case, one: Request) -> Response:
    """By way of the endpoint, as in a gateway."""
    user = Silent()
    case.net.endpoint.serve(user)  # type: ignore[arg-type]
    case.net.endpoint.received(bytes(one), PHONE)
    await case.registrar._handle(user.came[0])  # type: ignore[arg-type]
    return case.net.wire.responses()[-1]


async def test_a_telephone_behind_nat_is_reached_where_it_came_from(case: Case) -> None:
    await case.send(NATTED, Contact="<sip:alice@10.0.0.5>")
    (phone,) = case.registrar.phones("alice", "confero")
    assert phone.flow == NATTED


async def test_its_connection_is_its_way_until_it_ends(case: Case) -> None:
    await case.send(TCP, Contact="<sip:alice@10.0.0.5;transport=tcp>")
    assert case.registrar.phones("alice", "confero")[0].flow == TCP
    case.registrar.lost(TCP)
    assert case.registrar.phones("alice", "confero")[0].flow is None


async def test_an_outbound_flow_is_told_so_and_ends_with_its_connection(case: Case) -> None:
    contact = '<sip:alice@10.0.0.5;ob>;+sip.instance="<urn:uuid:1>";reg-id=1'
    answer = await case.send(TCP, Contact=contact, Supported="path, outbound")
    assert answer.headers.get("Require") == "outbound"
    case.registrar.lost(TCP)
    assert case.phones() == []


async def test_a_telephone_that_keeps_its_nat_open_is_told_how_often(case: Case) -> None:
    contact = '<sip:alice@10.0.0.5;ob>;+sip.instance="<urn:uuid:1>";reg-id=1'
    answer = await case.send(NATTED, Contact=contact, Supported="path, outbound")
    assert (answer.headers.get("Require"), answer.headers.get("Flow-Timer")) == ("outbound", "25")
    answer = await case.send(TCP, Contact=contact, Supported="path, outbound")
    assert "Flow-Timer" not in answer.headers


async def test_a_flow_through_a_proxy_that_does_not_keep_it_is_439(case: Case) -> None:
    contact = '<sip:alice@10.0.0.5>;+sip.instance="<urn:uuid:1>";reg-id=1'
    vias = "SIP/2.0/UDP 192.0.2.8;branch=z9hG4bK-2, SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK-1"
    answer = await case.send(Via=vias, Contact=contact, Supported="outbound")
    assert answer.status == 439
    answer = await case.send(Via=vias, Contact=contact, Supported="outbound", Path="<sip:192.0.2.8;lr;ob>")
    assert answer.status == 200 and answer.headers.rows("Path") == ["<sip:192.0.2.8;lr;ob>"]
    assert case.registrar.phones("alice", "confero")[0].path == ("<sip:192.0.2.8;lr;ob>",)


async def test_who_is_registered_stays_so_over_a_restart(case: Case, tmp_path: Path) -> None:
    await case.send(NATTED, Contact="<sip:alice@10.0.0.5>")
    await case.send(PHONE, Contact="<sip:alice@192.0.2.7>")
    await case.send(PHONE, Contact="<sip:alice@192.0.2.9>;expires=60")
    await case.registrar.close()
    again = Case(tmp_path / "bindings.db")
    again.net.clock.advance(61)
    await again.registrar.recall()
    assert sorted(again.phones()) == ["sip:alice@10.0.0.5", "sip:alice@192.0.2.7"]
    await again.registrar.tick()
    await again.registrar.close()
    once_more = Case(tmp_path / "bindings.db")
    await once_more.registrar.recall()
    assert len(once_more.phones()) == 2, "what had expired is gone from the disk as well"


async def test_stopping_in_the_middle_of_writing_loses_nothing(case: Case, tmp_path: Path) -> None:
    """The file is closed when the thread that writes has ended; SQLite crashes if it is closed under its hands."""
    begun, go_on, save = threading.Event(), threading.Event(), case.store.save

    def slow(changes: Sequence[Change]) -> None:
        begun.set()
        assert go_on.wait(10)
        save(changes)

    await case.send(PHONE, Contact="<sip:alice@192.0.2.7>")
    case.store.save = slow  # type: ignore[method-assign]
    writing = spawn(case.registrar.tick(), name="writing")
    await asyncio.to_thread(begun.wait, 10)
    writing.cancel()
    threading.Timer(0.05, go_on.set).start()
    await asyncio.wait([writing])
    assert writing.cancelled() and go_on.is_set()
    await case.registrar.close()
    again = Case(tmp_path / "bindings.db")
    await again.registrar.recall()
    assert len(again.phones()) == 1
    await again.registrar.close()


async def test_scripts_are_not_kept_over_a_restart(case: Case, tmp_path: Path) -> None:
    """They come back by themselves; until then nobody rings in vain for them."""
    await case.send(Target("wss", "203.0.113.9", 61_000, 43), Contact="<sip:x@y.invalid;transport=ws>")
    assert case.phones() == ["sip:x@y.invalid;transport=ws"]
    await case.registrar.close()
    again = Case(tmp_path / "bindings.db")
    await again.registrar.recall()
    assert not again.phones()
    await again.registrar.close()
    assert not BindingStore(tmp_path / "bindings.db").load()


async def test_a_damaged_file_costs_registrations_not_the_gateway(tmp_path: Path) -> None:
    path = tmp_path / new_id("x")
    path.write_bytes(b"this is no database" * 100)
    case = Case(path)
    await case.registrar.recall()
    assert (await case.send(Contact="<sip:alice@192.0.2.7>")).status == 200
    await case.registrar.tick()
    assert case.phones() == ["sip:alice@192.0.2.7"]
    assert case.registrar.bindings.changed, "it is tried again"
