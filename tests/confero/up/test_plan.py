"""The plan of ``confero up``: who is told what, with the configuration of services that exist only here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from confero.config import ConfigError, ServiceConfig, default_state_dir
from confero.up.plan import Moved, Options, Plan, Socket, is_wildcard, make, reachable, url
from confero.up.specs import SPECS, Spec


class AppserverConfig(ServiceConfig):
    https_host: str = "0.0.0.0"
    https_port: int = 443
    http_host: str = "127.0.0.1"
    http_port: int = 80
    notifier_url: str = "http://127.0.0.1:14040"
    public_url: str = ""
    default_room: str = "lobby"
    database_url: str = ""
    https_listen: bool = True
    handover_dir: Path | None = None


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


class TurnConfig(ServiceConfig):
    http_host: str = "127.0.0.1"
    http_port: int = 2134
    bind: list[str] = Field(default_factory=list)
    udp_port: int = 14049
    tcp_port: int = 443
    tcp_listen: bool = True
    handover_dir: Path | None = None
    front_url: str = ""
    appserver_url: str = ""
    relay_bind: list[str] = Field(default_factory=list)
    relay_port_min: int = 49_152
    relay_port_max: int = 65_535


class EdgeConfig(ServiceConfig):
    https_host: str = "*"
    https_port: int = 443
    http_host: str = "127.0.0.1"
    http_port: int = 2136
    handover_dir: Path | None = None


MODELS: dict[str, type[ServiceConfig]] = {
    "appserver": AppserverConfig,
    "notifier": NotifierConfig,
    "mcu": McuConfig,
    "sipgw": SipgwConfig,
    "turn": TurnConfig,
    "edge": EdgeConfig,
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
    assert [child.name for child in made.children] == ["appserver", "notifier", "turn", "mcu", "sipgw", "edge"]
    assert [child.url for child in made.children] == [
        "http://127.0.0.1",
        "http://127.0.0.1:14040",
        "http://127.0.0.1:2134",
        "http://127.0.0.1:2131",
        "http://127.0.0.1:2133",
        "http://127.0.0.1:2136",
    ]
    assert told(made) == {
        "CONFERO_APPSERVER_NOTIFIER_URL": "http://127.0.0.1:14040",
        "CONFERO_NOTIFIER_APPSERVER_URL": "http://127.0.0.1",
        "CONFERO_MCU_URL": "http://127.0.0.1:2131",
        "CONFERO_MCU_APPSERVER_URL": "http://127.0.0.1",
        "CONFERO_MCU_NOTIFIER_URL": "http://127.0.0.1:14040",
        "CONFERO_SIPGW_APPSERVER_URL": "http://127.0.0.1",
        "CONFERO_SIPGW_NOTIFIER_URL": "http://127.0.0.1:14040",
        "CONFERO_TURN_APPSERVER_URL": "http://127.0.0.1",
        "CONFERO_TURN_FRONT_URL": "https://127.0.0.1",
        "CONFERO_TURN_TCP_LISTEN": "false",
        "CONFERO_TURN_HANDOVER_DIR": str(default_state_dir({"HOME": "/h"}) / "handover"),
        "CONFERO_APPSERVER_HTTPS_LISTEN": "false",
        "CONFERO_APPSERVER_HANDOVER_DIR": str(default_state_dir({"HOME": "/h"}) / "handover"),
    }
    assert made.moved == () and made.join_url == "https://localhost/r/lobby"
    assert made.children[3].command[1:] == ("-m", "confero.mcu") and made.children[3].after == ("appserver", "notifier")


def test_addresses_reach_the_service_and_everyone_who_calls_it() -> None:
    made = plan(addresses={"appserver": "127.0.0.11", "notifier": "::1", "mcu": "127.0.0.13"})
    env = told(made)
    assert env["CONFERO_APPSERVER_HTTPS_HOST"] == env["CONFERO_APPSERVER_HTTP_HOST"] == "127.0.0.11"
    assert env["CONFERO_MCU_HTTP_HOST"] == env["CONFERO_MCU_MEDIA_BIND"] == "127.0.0.13"
    assert env["CONFERO_MCU_NOTIFIER_URL"] == "http://[::1]:14040"
    assert env["CONFERO_MCU_APPSERVER_URL"] == "http://127.0.0.11"
    assert "edge" not in [child.name for child in made.children], "they have addresses of their own"
    assert made.join_url == "https://127.0.0.11/r/lobby"


def test_where_low_ports_are_not_permitted_others_are_used_and_everyone_knows() -> None:
    made = plan(lowest_port=1024)
    env = told(made)
    assert made.moved == (Moved("appserver", "http", 80, 8080), Moved("edge", "https", 443, 8443))
    assert (env["CONFERO_EDGE_HTTPS_PORT"], env["CONFERO_APPSERVER_HTTP_PORT"]) == ("8443", "8080")
    assert env["CONFERO_MCU_APPSERVER_URL"] == "http://127.0.0.1:8080" == made.children[0].url
    assert made.join_url == "https://localhost:8443/r/lobby"


def test_a_threshold_between_the_two_moves_only_the_lower() -> None:
    assert plan(lowest_port=100).moved == (Moved("appserver", "http", 80, 8080),)


def test_a_port_that_somebody_chose_is_not_moved() -> None:
    assert plan({"CONFERO_APPSERVER_HTTP_PORT": "81"}, lowest_port=1024).moved == (Moved("edge", "https", 443, 8443),)
    made = plan(lowest_port=1024, ports={("appserver", "https"): 444, ("appserver", "http"): 8081})
    assert made.moved == () and made.join_url == "https://localhost:444/r/lobby"
    env = told(made)
    assert env["CONFERO_NOTIFIER_APPSERVER_URL"] == "http://127.0.0.1:8081"
    assert env["CONFERO_EDGE_HTTPS_PORT"] == "444", "the front door is where the page was to be"


def without_a_front_door(**options: Any) -> Plan:
    return plan(front_door=False, **options)


def test_without_a_front_door_the_page_has_its_port() -> None:
    made = without_a_front_door(lowest_port=1024)
    assert [child.name for child in made.children] == ["appserver", "notifier", "turn", "mcu", "sipgw"]
    assert made.moved == (Moved("appserver", "https", 443, 8443), Moved("appserver", "http", 80, 8080))
    assert told(made)["CONFERO_APPSERVER_HTTPS_PORT"] == "8443"
    assert not {"CONFERO_APPSERVER_HTTPS_LISTEN", "CONFERO_APPSERVER_HANDOVER_DIR"} & set(told(made))


def test_the_front_door_is_where_the_page_was_to_be() -> None:
    made = plan(addresses=dict.fromkeys(MODELS, "127.0.0.9"), state_dir=Path("/s"))
    assert told(made)["CONFERO_EDGE_HTTPS_HOST"] == "127.0.0.9"
    assert made.join_url == "https://127.0.0.9/r/lobby"
    assert told(made)["CONFERO_APPSERVER_HANDOVER_DIR"] == "/s/handover"
    assert [(one.service, one.ports) for one in made.sockets if one.ports == "443"] == [("edge", "443")]
    made = plan({"CONFERO_APPSERVER_HTTPS_HOST": "10.0.0.1", "CONFERO_APPSERVER_HTTPS_PORT": "9443"}, lowest_port=1024)
    assert made.join_url == "https://10.0.0.1:9443/r/lobby"
    assert (told(made)["CONFERO_EDGE_HTTPS_HOST"], told(made)["CONFERO_EDGE_HTTPS_PORT"]) == ("10.0.0.1", "9443")


def test_the_front_door_may_have_an_address_of_its_own() -> None:
    env = {"CONFERO_EDGE_HTTPS_HOST": "10.0.0.2", "CONFERO_EDGE_HANDOVER_DIR": "/run/confero", "HOME": "/h"}
    made = plan(env)
    assert made.join_url == "https://10.0.0.2/r/lobby"
    assert told(made)["CONFERO_APPSERVER_HANDOVER_DIR"] == "/run/confero"


def test_a_listener_that_somebody_wants_stays_beside_the_front_door() -> None:
    env = {"CONFERO_APPSERVER_HTTPS_LISTEN": "true", "CONFERO_APPSERVER_HTTPS_PORT": "9443"}
    made = plan(env)
    assert [(one.service, one.ports) for one in made.sockets if one.ports in ("443", "9443")] == [
        ("appserver", "9443"),
        ("edge", "443"),
    ]
    assert told(made)["CONFERO_APPSERVER_HTTPS_LISTEN"] == "true"
    assert "CONFERO_EDGE_HTTPS_PORT" not in told(made) and made.join_url == "https://localhost/r/lobby"


def test_the_front_door_can_be_asked_for() -> None:
    made = plan(addresses={"appserver": "127.0.0.11", "notifier": "127.0.0.12"}, front_door=True)
    assert made.children[-1].name == "edge" and told(made)["CONFERO_EDGE_HTTPS_HOST"] == "127.0.0.11"


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
    made = without_a_front_door(addresses={"mcu": "127.0.0.13"}, lowest_port=1024)
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


def test_without_a_front_door_the_page_has_the_port_that_it_would_share() -> None:
    env = told(plan(front_door=False))
    assert env["CONFERO_TURN_TCP_LISTEN"] == "false" and "CONFERO_APPSERVER_HTTPS_LISTEN" not in env
    assert "CONFERO_TURN_FRONT_URL" not in env
    apart = told(plan(addresses={"appserver": "127.0.0.11", "turn": "127.0.0.15"}))
    assert "CONFERO_TURN_TCP_LISTEN" not in apart and apart["CONFERO_TURN_RELAY_BIND"] == "127.0.0.15"


def test_a_turn_server_with_several_addresses_does_not_move_the_front_door() -> None:
    env = told(plan({"HOME": "/h", "CONFERO_TURN_BIND": "192.0.2.5,2001:db8::5"}, front_door=True))
    assert "CONFERO_EDGE_HTTPS_HOST" not in env
