"""The plan of ``confero up``: who is told what, with the configuration of services that exist only here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from confero.config import ConfigError, ServiceConfig
from confero.up.plan import SPECS, Moved, Options, Plan, Socket, Spec, is_wildcard, make, reachable, url


class AppserverConfig(ServiceConfig):
    https_host: str = "0.0.0.0"
    https_port: int = 443
    http_host: str = "127.0.0.1"
    http_port: int = 80
    notifier_url: str = "http://127.0.0.1:14040"
    public_url: str = ""
    default_room: str = "lobby"
    database_url: str = ""


class NotifierConfig(ServiceConfig):
    http_host: str = "127.0.0.1"
    http_port: int = 14040
    appserver_url: str = "http://127.0.0.1:80"


class McuConfig(ServiceConfig):
    http_host: str = "127.0.0.1"
    http_port: int = 2131
    url: str = ""
    appserver_url: str = ""
    notifier_url: str = ""
    media_bind: list[str] = Field(default_factory=list)
    media_port_min: int = 5000
    media_port_max: int = 15000


class SipgwConfig(ServiceConfig):
    http_host: str = "127.0.0.1"
    http_port: int = 2133
    sip_bind: list[str] = Field(default_factory=list)
    sip_port: int = 5060
    sips_port: int = 5061
    appserver_url: str = ""
    notifier_url: str = ""


MODELS: dict[str, type[ServiceConfig]] = {
    "appserver": AppserverConfig,
    "notifier": NotifierConfig,
    "mcu": McuConfig,
    "sipgw": SipgwConfig,
}


def model_of(spec: Spec) -> type[ServiceConfig]:
    return MODELS[spec.name]


def plan(env: dict[str, str] | None = None, *, lowest_port: int = 1, **options: Any) -> Plan:
    return make(Options(**options), env or {"HOME": "/h"}, lowest_port=lowest_port, specs=SPECS, model_of=model_of)


def told(made: Plan) -> dict[str, str]:
    """What the services get beyond the environment of ``up``; it is the same for all."""
    (first, *others) = made.children
    assert all(child.env == first.env for child in others)
    return {name: value for name, value in first.env.items() if name != "HOME"}


def test_by_default_all_is_on_loopback_at_the_documented_ports() -> None:
    made = plan()
    assert [child.name for child in made.children] == ["appserver", "notifier", "mcu", "sipgw"]
    assert [child.url for child in made.children] == [
        "http://127.0.0.1",
        "http://127.0.0.1:14040",
        "http://127.0.0.1:2131",
        "http://127.0.0.1:2133",
    ]
    assert told(made) == {
        "CONFERO_APPSERVER_NOTIFIER_URL": "http://127.0.0.1:14040",
        "CONFERO_NOTIFIER_APPSERVER_URL": "http://127.0.0.1",
        "CONFERO_MCU_URL": "http://127.0.0.1:2131",
        "CONFERO_MCU_APPSERVER_URL": "http://127.0.0.1",
        "CONFERO_MCU_NOTIFIER_URL": "http://127.0.0.1:14040",
        "CONFERO_SIPGW_APPSERVER_URL": "http://127.0.0.1",
        "CONFERO_SIPGW_NOTIFIER_URL": "http://127.0.0.1:14040",
    }
    assert made.moved == () and made.join_url == "https://localhost/r/lobby"
    assert made.children[2].command[1:] == ("-m", "confero.mcu") and made.children[2].after == ("appserver", "notifier")


def test_addresses_reach_the_service_and_everyone_who_calls_it() -> None:
    made = plan(addresses={"appserver": "127.0.0.11", "notifier": "::1", "mcu": "127.0.0.13"})
    env = told(made)
    assert env["CONFERO_APPSERVER_HTTPS_HOST"] == env["CONFERO_APPSERVER_HTTP_HOST"] == "127.0.0.11"
    assert env["CONFERO_MCU_HTTP_HOST"] == env["CONFERO_MCU_MEDIA_BIND"] == "127.0.0.13"
    assert env["CONFERO_MCU_NOTIFIER_URL"] == "http://[::1]:14040"
    assert env["CONFERO_MCU_APPSERVER_URL"] == "http://127.0.0.11"
    assert made.join_url == "https://127.0.0.11/r/lobby"


def test_where_low_ports_are_not_permitted_others_are_used_and_everyone_knows() -> None:
    made = plan(lowest_port=1024)
    env = told(made)
    assert made.moved == (Moved("appserver", "https", 443, 8443), Moved("appserver", "http", 80, 8080))
    assert (env["CONFERO_APPSERVER_HTTPS_PORT"], env["CONFERO_APPSERVER_HTTP_PORT"]) == ("8443", "8080")
    assert env["CONFERO_MCU_APPSERVER_URL"] == "http://127.0.0.1:8080" == made.children[0].url
    assert made.join_url == "https://localhost:8443/r/lobby"


def test_a_threshold_between_the_two_moves_only_the_lower() -> None:
    assert plan(lowest_port=100).moved == (Moved("appserver", "http", 80, 8080),)


def test_a_port_that_somebody_chose_is_not_moved() -> None:
    assert plan({"CONFERO_APPSERVER_HTTP_PORT": "81"}, lowest_port=1024).moved == (
        Moved("appserver", "https", 443, 8443),
    )
    made = plan(lowest_port=1024, ports={("appserver", "https"): 444, ("appserver", "http"): 8081})
    assert made.moved == () and made.join_url == "https://localhost:444/r/lobby"
    assert told(made)["CONFERO_NOTIFIER_APPSERVER_URL"] == "http://127.0.0.1:8081"


def test_what_stands_in_a_file_reaches_the_others(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[notifier]\nhttp_port = 5555\n[mcu]\nappserver_url = "http://10.0.0.1"\n[common]\ndrain_s = 3\n')
    made = plan(config=file)
    env = told(made)
    assert env["CONFERO_APPSERVER_NOTIFIER_URL"] == "http://127.0.0.1:5555"
    assert "CONFERO_MCU_APPSERVER_URL" not in env, "somebody has set it"
    assert env["CONFERO_CONFIG"] == str(file) and made.drain_s == 3


def test_the_page_is_where_the_options_or_the_configuration_say() -> None:
    made = plan(host="meet.example")
    assert made.join_url == "https://meet.example/r/lobby"
    assert told(made)["CONFERO_APPSERVER_PUBLIC_URL"] == "https://meet.example"
    assert plan(host="::1", lowest_port=1024).join_url == "https://[::1]:8443/r/lobby"
    configured = {"CONFERO_APPSERVER_PUBLIC_URL": "https://front.example", "CONFERO_APPSERVER_DEFAULT_ROOM": "hall"}
    assert plan(configured).join_url == "https://front.example/r/hall"
    assert plan(configured, host="h").join_url == "https://h/r/hall"


def test_other_options_become_variables() -> None:
    env = told(plan(state_dir=Path("/s"), database="sqlite://", log_level="debug", log_format="text"))
    assert env["CONFERO_STATE_DIR"] == "/s" and env["CONFERO_APPSERVER_DATABASE_URL"] == "sqlite://"
    assert env["CONFERO_LOG_LEVEL"] == "debug" and env["CONFERO_LOG_FORMAT"] == "text"


def test_the_table_of_sockets() -> None:
    made = plan(addresses={"mcu": "127.0.0.13"}, lowest_port=1024)
    assert made.sockets[0] == Socket(
        "appserver", "0.0.0.0", "8443", "tcp", "pages, REST, the WebSocket passed on to the notifier"
    )
    media = next(socket for socket in made.sockets if socket.ports == "5000-15000")
    assert media.address == "127.0.0.13"
    assert next(socket for socket in plan().sockets if socket.ports == "5000-15000").address == "all"
    assert made.sockets[-3:] == (
        Socket("sipgw", "*", "5060", "tcp/udp", "SIP"),
        Socket("sipgw", "*", "5061", "tcp", "SIP over TLS"),
        Socket("sipgw", "127.0.0.1", "2133", "tcp", "health, metrics, control"),
    )


def test_faults_of_all_services_and_options_are_one_error() -> None:
    env = {"CONFERO_MCU_HTTP_PORT": "x", "CONFERO_NOTIFIER_HTTP_PORTS": "1", "CONFERO_LOG_LEVEL": "loud"}
    with pytest.raises(ConfigError) as caught:
        plan(env, addresses={"mcp": "1.2.3.4"}, ports={("mcu", "media"): 5})
    places = [fault.where for fault in caught.value.faults]
    assert places == [
        "option --address mcp",
        "option --port mcu.media",
        "environment CONFERO_LOG_LEVEL",
        "environment CONFERO_NOTIFIER_HTTP_PORTS",
        "environment CONFERO_MCU_HTTP_PORT",
    ]


def test_a_service_that_is_not_installed_is_not_waited_for_or_wired() -> None:
    made = make(Options(), {}, lowest_port=1, specs=SPECS[:1], model_of=model_of)
    assert told(made) == {} and made.join_url == "https://localhost/r/lobby"


@pytest.mark.parametrize(
    ("host", "wild", "at"),
    [("0.0.0.0", True, "127.0.0.1"), ("::", True, "::1"), ("", True, "127.0.0.1"), ("10.0.0.1", False, "10.0.0.1")],
)
def test_wildcards(host: str, wild: bool, at: str) -> None:
    assert is_wildcard(host) is wild and reachable(host) == at


def test_urls() -> None:
    assert url("https", "::1", 443) == "https://[::1]"
    assert url("http", "host", 443) == "http://host:443"
