"""The doctor against the whole system on one address, and against what is broken in it: its words have to name the fault."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from confero.lab.doctor import visit
from confero.lab.doctor.examine import chosen, examine
from confero.lab.doctor.findings import Finding, Verdict
from confero.lab.doctor.patient import Patient
from confero.lab.doctor.place import Place, Spot, from_inside, from_outside
from confero.lab.stack import Stack
from confero.models import IceServer, JoinReply
from confero.ports import UNPRIVILEGED, find
from confero.up.plan import Options

from ..support.coturn import Coturn
from ..support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOST = "127.0.48.1"
RELAY = "127.0.48.9"
NOT_BUILT = {"flash", "mediaproc"}
NOT_NAMED = {"outer address"}
"""It needs a STUN server that somebody names."""
RELAYED = {"turn udp", "turn tcp", "turn tls", "talk relayed"}
OF_TURN = RELAYED | {"stun udp", "stun tcp", "stun tls"}
NOT_TOLD = {"turn tls"}
"""Browsers refuse TLS by the installation's own authority, so that they are told no such way."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def coturn(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Coturn]:
    server = Coturn(RELAY, tmp_path_factory.mktemp("coturn"))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch, coturn: Coturn) -> Coturn:
    """Joins name the TURN server, as they do where one is installed."""
    name_servers(monkeypatch, [coturn.server()])
    return coturn


def name_servers(monkeypatch: pytest.MonkeyPatch, servers: list[IceServer]) -> None:
    grant = visit._grant

    async def with_servers(patient: Patient, room: str) -> JoinReply:
        return (await grant(patient, room)).model_copy(update={"ice_servers": servers})

    monkeypatch.setattr(visit, "_grant", with_servers)


def moved(stack: Stack) -> dict[tuple[str, str], int]:
    return {row: stack.port(*row) for row in UNPRIVILEGED if row[0] in stack.addresses}


def inside(stack: Stack) -> Place:
    return from_inside(Options(state_dir=stack.state_dir, addresses=stack.addresses, ports=moved(stack)), os.environ)


async def findings(place: Place, *only: str) -> dict[str, Finding]:
    found = await examine(Patient(place), chosen(place, only), total_s=40)
    return {finding.check: finding for finding in found}


def verdicts(found: dict[str, Finding], verdict: Verdict) -> set[str]:
    return {name for name, finding in found.items() if finding.verdict is verdict}


def faults(found: dict[str, Finding]) -> list[Finding]:
    return [finding for finding in found.values() if finding.verdict in (Verdict.FAIL, Verdict.WARN)]


async def test_a_healthy_installation_is_well_in_all_its_parts(stack: Stack) -> None:
    found = await findings(inside(stack))
    assert faults(found) == []
    own = NOT_TOLD if "turn" in stack.addresses else OF_TURN | {"turn"}
    assert verdicts(found, Verdict.SKIP) == NOT_BUILT | NOT_NAMED | own
    assert found["media udp"].what.startswith("media answers over UDP: 127.0.48.1:")


async def test_another_turn_server_is_well_too(stack: Stack, named: Coturn) -> None:
    found = await findings(inside(stack), *OF_TURN)
    # Its certificate is of an authority that nobody knows.
    assert [(one.check, one.verdict) for one in faults(found)] == [("stun tls", "warn")], faults(found)
    assert set(found) == OF_TURN and verdicts(found, Verdict.SKIP) == set()
    for transport in ("udp", "tcp", "tls"):
        assert "relayed by 127.0.48.9" in found[f"turn {transport}"].what


async def test_without_a_turn_server_that_is_said(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    name_servers(monkeypatch, [])
    found = await findings(inside(stack), *RELAYED, "join")
    assert verdicts(found, Verdict.SKIP) == RELAYED
    assert all("names no TURN server" in found[check].what for check in RELAYED)
    if "turn" in stack.addresses:
        assert found["join"].verdict is Verdict.WARN and "[turn] appserver_url" in found["join"].advice


async def test_from_outside_it_needs_no_configuration_and_sees_what_is_open(stack: Stack, named: Coturn) -> None:
    place = from_outside(HOST, ports={("appserver", "https"): stack.port("appserver", "https")}, ca=inside(stack).ca)
    found = await findings(place)
    # Here all services are on the public address, as nobody should have them.
    assert verdicts(found, Verdict.FAIL) == {"internal ports"}, faults(found)
    for port in ("14040", "2131", "2133"):
        assert port in found["internal ports"].what
    assert "http_host" in found["internal ports"].advice
    assert not {"mcu", "database", "talk rtp"} & set(found)
    assert verdicts(found, Verdict.SKIP) == NOT_NAMED | {"flash"}
    assert "talk relayed" in verdicts(found, Verdict.OK)


async def test_the_command_prints_json_and_tells_by_its_exit_code(stack: Stack) -> None:
    ports = [f"{service}.{purpose}={port}" for (service, purpose), port in moved(stack).items()]
    argv = [word for port in ports for word in ("--port", port)]
    argv += [word for name, address in stack.addresses.items() for word in ("--address", f"{name}={address}")]
    good = await command("--state-dir", str(stack.state_dir), *argv, "--json", "--only", "page", "--only", "mcu")
    bad = await command(
        "--state-dir", str(stack.state_dir), *argv, "--port", "sipgw.sip=5069", "--json", "--only", "sip tcp"
    )
    none = await command("--outside")
    assert (good[0], bad[0], none[0]) == (0, 1, 2)
    report = json.loads(good[1])
    assert (report["verdict"], report["seen"]) == ("ok", "inside")
    assert [finding["check"] for finding in report["findings"]] == ["page", "mcu"]
    assert "nothing listens at 127.0.48.1:5069" in json.loads(bad[1])["findings"][0]["what"]
    assert "--address HOST" in none[2]
    assert stack.secret.decode().strip() not in good[1] + bad[1]


async def command(*argv: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "confero.cli", "doctor", *argv),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


# --- one thing broken at a time ---


async def test_services_that_hang_are_named(stack: Stack) -> None:
    services = ("appserver", "notifier", "mcu", "sipgw")
    pids = [stack.pid(service) for service in services]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        found = await findings(inside(stack), *services, "sip tcp", "page")
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    for check, port in {"notifier": "14040", "mcu": "2131", "sipgw": "2133", "sip tcp": "5060"}.items():
        assert found[check].verdict is Verdict.FAIL and f"no answer from {HOST}:{port}" in found[check].what
        assert "hangs" in found[check].advice
    # The front door takes the connection, and hands it to somebody who does nothing with it.
    assert found["page"].verdict is Verdict.FAIL and "see 'appserver'" in found["page"].advice
    await stack.wait_ready()


@pytest.mark.parametrize(
    ("service", "checks", "words"),
    [
        (
            "notifier",
            ("notifier", "events", "join"),
            ("nothing listens at 127.0.48.1:14040", "notifier-down", "notifier-down"),
        ),
        (
            "mcu",
            ("mcu", "join"),
            ("nothing listens at 127.0.48.1:2131", "the notification server cannot reach the MCU"),
        ),
        ("sipgw", ("sip udp", "sip tls", "sip websocket"), ("5060 (UDP)", "127.0.48.1:5061", "sipgw-down")),
        ("appserver", ("appserver", "database"), ("nothing listens", "does not answer: see 'appserver'")),
    ],
)
async def test_a_service_that_was_killed_is_named(
    stack: Stack, service: str, checks: Sequence[str], words: Sequence[str]
) -> None:
    pid = stack.kill(service)
    await until(lambda: not Path(f"/proc/{pid}").exists())  # ``up`` starts it again, a moment later
    found = await findings(inside(stack), *checks)
    await stack.wait_ready()
    assert [found[check].check for check in checks if words[checks.index(check)] not in found[check].what] == [], found
    assert f"confero-{service}" in " ".join(finding.advice for finding in found.values())


async def test_a_port_that_is_elsewhere_is_named(stack: Stack) -> None:
    place = inside(stack)
    place = replace(place, spots={**place.spots, ("notifier", "http"): Spot(HOST, 14041)})
    found = await findings(place, "notifier")
    assert found["notifier"].what == "nothing listens at 127.0.48.1:14041"
    assert "notifier.http" in found["notifier"].advice


async def test_another_name_than_the_certificates_is_named(stack: Stack) -> None:
    found = await findings(replace(inside(stack), name="meet.example"), "certificate", "name")
    told = found["certificate"]
    assert told.verdict is Verdict.FAIL and "not for meet.example" in told.what
    assert "certificate_names" in told.advice
    assert found["name"].verdict is Verdict.FAIL and "DNS" in found["name"].advice


async def test_media_that_a_firewall_drops_is_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that takes datagrams and says nothing, in place of one behind a firewall."""
    loop = asyncio.get_running_loop()
    silent, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.48.7", 0))
    enter = visit._enter

    async def behind_a_firewall(patient: Patient) -> visit.Visit:
        found = await enter(patient)
        host, port = silent.get_extra_info("sockname")
        return replace(found, candidates=tuple(replace(one, address=host, port=port) for one in found.candidates))

    monkeypatch.setattr(visit, "_enter", behind_a_firewall)
    try:
        found = await findings(inside(stack), "media udp", "media tcp")
    finally:
        silent.close()
    told = found["media udp"]
    assert told.verdict is Verdict.FAIL and "no answer over UDP" in told.what and "127.0.48.7" in told.what
    assert "let UDP 5000-15000 in to the MCU" in told.advice
    assert found["media tcp"].verdict is Verdict.WARN


async def test_an_address_that_only_the_inside_reaches_is_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    async def public(_: str) -> list[str]:
        return ["8.8.4.4"]

    for module in ("media", "strangers"):
        monkeypatch.setattr(f"confero.lab.doctor.{module}.resolved", public)
    found = await findings(inside(stack), "media addresses", "strangers")
    told = found["media addresses"]
    assert told.verdict is Verdict.FAIL and "8.8.4.4" in told.what
    assert "media_advertise to 8.8.4.4=127.0.48.1" in told.advice
    assert found["strangers"].verdict is Verdict.WARN and "make accounts and make rooms" in found["strangers"].what


async def test_a_silent_turn_server_is_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    silent, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.48.7", 0))
    port = silent.get_extra_info("sockname")[1]
    urls = [f"turn:127.0.48.7:{port}?transport=udp", f"turn:127.0.48.7:{port}?transport=tcp"]
    name_servers(monkeypatch, [IceServer(urls=urls, username="u", credential="p")])
    try:
        found = await findings(inside(stack), "stun udp", "stun tcp", "turn udp")
    finally:
        silent.close()
    for check in ("stun udp", "turn udp"):
        assert (
            found[check].what == f"no answer from 127.0.48.7:{port} (UDP)"
            and f"let UDP {port} in" in found[check].advice
        )
    assert found["stun tcp"].what == f"nothing listens at 127.0.48.7:{port}"


async def test_refused_credentials_are_named(stack: Stack, monkeypatch: pytest.MonkeyPatch, coturn: Coturn) -> None:
    name_servers(monkeypatch, [coturn.server("another password")])
    found = await findings(inside(stack), "turn")
    for transport in ("udp", "tcp", "tls"):
        told = found[f"turn {transport}"]
        assert told.verdict is Verdict.FAIL and "refuses the credentials" in told.what and "secret" in told.advice
        assert "another password" not in told.what + told.advice


async def test_a_turn_server_that_does_not_relay_to_the_mcu_is_named(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    strict = Coturn("127.0.48.10", tmp_path, ("--denied-peer-ip=127.0.0.0-127.255.255.255",))
    await strict.start()
    name_servers(monkeypatch, [strict.server()])
    try:
        found = await findings(inside(stack), "turn udp", "stun udp")
    finally:
        await strict.stop()
    assert found["stun udp"].verdict is Verdict.OK
    assert "refuses the MCU's address 127.0.48.1" in found["turn udp"].what and "exception" in found["turn udp"].advice


async def test_a_system_that_does_not_run_is_said_to_be_down(tmp_path: Path) -> None:
    place = from_inside(Options(state_dir=tmp_path, addresses=dict.fromkeys(("appserver", "mcu"), "127.0.48.20")), {})
    found = await findings(place)
    assert found["installation"].verdict is Verdict.FAIL and "--state-dir" in found["installation"].advice
    assert found["page"].what == f"nothing listens at 127.0.48.20:{find('appserver', 'https').number}"
    assert {"page", "certificate", "events", "appserver", "mcu", "join"} <= verdicts(found, Verdict.FAIL)
    assert {"talk", "media udp", "database"} <= verdicts(found, Verdict.SKIP)
    assert not (tmp_path / "secret").exists()
