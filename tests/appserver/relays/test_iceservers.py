"""What browsers are told: the URLs of the servers that live, and credentials that a TURN server takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from confero.appserver.relays.fleet import Fleet
from confero.appserver.relays.iceservers import External, IceRules, IceServers, names, url_of
from confero.clock import FakeClock
from confero.models.turn import TurnListener, TurnRegister
from confero.protocols.stun import MD5
from confero.protocols.turn import Accounts, rest_password

SECRET = b"a secret of TURN servers, long enough"
RULES = IceRules(lambda: SECRET, ttl_s=600)
LISTENERS = [
    TurnListener(transport="tls", port=443),
    TurnListener(transport="udp", port=14049),
    TurnListener(transport="tcp", port=443),
]


def servers(rules: IceRules = RULES, names: list[str] | None = None, count: int = 1) -> IceServers:
    clock = FakeClock(wall=1_000_000.0)
    fleet = Fleet(clock, 6)
    for index in range(count):
        fleet.register(TurnRegister(id=f"t{index}", boot="b", listeners=LISTENERS, trusted_names=names or []))
    return IceServers(fleet, rules, clock)


def urls(made: IceServers, host: str = "meet.example") -> list[str]:
    return [url for server in made.for_participant("p_1", host) for url in server.urls]


def test_the_pages_own_name_is_used_and_udp_comes_first() -> None:
    assert urls(servers()) == [
        "turn:meet.example:14049?transport=udp",
        "turn:meet.example:443?transport=tcp",
    ]


def test_turns_is_offered_where_browsers_know_the_certificate() -> None:
    tls = "turns:meet.example:443?transport=tcp"
    assert tls in urls(servers(names=["meet.example"]))
    assert tls in urls(servers(names=["*.example"]))
    assert tls not in urls(servers(names=["other.example"]))
    assert tls in urls(servers(replace(RULES, trusted=True)))


def test_only_the_wanted_transports() -> None:
    assert urls(servers(replace(RULES, transports=["tcp"]))) == ["turn:meet.example:443?transport=tcp"]
    assert servers(replace(RULES, transports=[])).for_participant("p_1", "meet.example") == []


def test_the_credentials_are_what_a_turn_server_takes_until_they_end() -> None:
    (server,) = servers().for_participant("p_1", "meet.example")
    assert server.username == "1000600:p_1"
    assert server.credential == rest_password(SECRET, "1000600:p_1")
    wall = 1_000_599.0
    accounts = Accounts("confero", lambda: wall, secrets=[SECRET])
    login = accounts.by_name(server.username or "", MD5)
    assert login is not None and login.user == "p_1"
    wall = 1_000_600.0
    assert accounts.by_name(server.username or "", MD5) is None


def test_two_servers_at_most() -> None:
    assert len(servers(count=5).for_participant("p_1", "meet.example")) == 2


def test_servers_of_others() -> None:
    external = External(("stun:stun.example:3478", "turn:turn.example:3478?transport=udp"), b"another secret, shared")
    made = IceServers(Fleet(FakeClock(), 6), replace(RULES, external=external), FakeClock(wall=5.0))
    stun, turn = made.for_participant("p_1", "meet.example")
    assert (stun.urls, stun.username, stun.credential) == (["stun:stun.example:3478"], None, None)
    assert turn.username == "605:p_1" and turn.credential == rest_password(b"another secret, shared", "605:p_1")


@pytest.mark.parametrize(
    ("listener", "host", "url"),
    [
        (LISTENERS[1], "192.0.2.5", "turn:192.0.2.5:14049?transport=udp"),
        (LISTENERS[0], "2001:db8::5", "turns:[2001:db8::5]:443?transport=tcp"),
    ],
)
def test_urls(listener: TurnListener, host: str, url: str) -> None:
    assert url_of(listener, host) == url


@pytest.mark.parametrize(
    ("name", "host", "fits"),
    [
        ("meet.example", "MEET.example", True),
        ("*.example", "a.b.example", False),
        ("*.example", "example", False),
        ("2001:db8:0::5", "2001:db8::5", True),
        ("192.0.2.5", "192.0.2.50", False),
    ],
)
def test_names_of_certificates(name: str, host: str, fits: bool) -> None:
    assert names(name, host) is fits
