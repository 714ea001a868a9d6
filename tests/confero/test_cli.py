"""The command: its options, its errors, and ``up`` with services that are installed for the test alone."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

import confero
from confero import cli, errors, turnsecrets

RUN_UP = Path(__file__).with_name("fake_stack") / "run_up.py"


def run(*argv: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, argv)
    return result.exit_code, result.output


def test_version() -> None:
    code, text = run("version")
    assert code == 0 and text.startswith(f"confero {confero.__version__}\nmedia engine: ")


def test_ports() -> None:
    code, text = run("ports")
    assert code == 0 and "14040" in text and "49152-65535" in text


def test_turn_gets_another_secret(tmp_path: Path) -> None:
    code, text = run("turn", "rotate", "--state-dir", str(tmp_path), "--after", "3600")
    (first,) = turnsecrets.read(tmp_path / turnsecrets.FILE)
    assert code == 0 and "a new secret signs from 20" in text and first.secret.decode() not in text
    code, text = run("turn", "rotate", "--state-dir", str(tmp_path), "--revoke")
    (only,) = turnsecrets.read(tmp_path / turnsecrets.FILE)
    assert code == 0 and "from now on, alone" in text and only.since == 0 and only.secret != first.secret
    code, text = run("turn", "rotate", "--state-dir", "/dev/null/nowhere")
    assert code == 1 and "confero turn rotate: /dev/null/nowhere" in text


def test_help_and_nothing_name_the_commands() -> None:
    for argv in ((), ("--help",)):
        _, text = run(*argv)
        assert all(word in text for word in ("up", "demo", "bench", "turn", "ports", "version"))


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("up", "--address", "mcu"), "is not NAME=VALUE"),
        (("up", "--address", "=x"), "is not NAME=VALUE"),
        (("up", "--port", "mcu=1"), "is not SERVICE.PURPOSE=1..65535"),
        (("up", "--port", "mcu.http=0"), "is not SERVICE.PURPOSE=1..65535"),
        (("up", "--port", "mcu.http=66000"), "is not SERVICE.PURPOSE=1..65535"),
        (("up", "--log-level", "loud"), "loud"),
        (("demo", "--seconds", "1"), "greater than or equal to 3"),
        (("bench", "mix", "--members", "10,x"), "numbers from 2 on, as many in each room"),
        (("bench", "mix", "--members", "10", "--rooms", "3"), "numbers from 2 on, as many in each room"),
        (("bench", "mix", "--mcu", "jitter_mode"), "is not NAME=VALUE"),
        (("bench", "mix", "--codec", "mp3"), "mp3"),
        (("nothing",), "No such command"),
    ],
)
def test_wrong_options_are_explained(argv: tuple[str, ...], message: str) -> None:
    code, text = run(*argv)
    words = re.sub(r"[\s│]+", " ", text)
    assert code == 2 and message in words


def test_demo_runs_the_labs_demonstration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[float, Path]] = []

    async def fake(*, seconds: float, output: Path) -> int:
        asked.append((seconds, output))
        return 1

    class Module:
        run = staticmethod(fake)

    monkeypatch.setattr(cli.lab, "import_module", lambda name: Module)
    code, _ = run("demo", "--seconds", "5", "--output", str(tmp_path / "x.wav"))
    assert code == 1 and asked == [(5.0, tmp_path / "x.wav")]


def test_demo_tells_its_errors_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fake(**_: object) -> int:
        raise errors.LocalError("espeak-ng is not installed")

    class Module:
        run = staticmethod(fake)

    monkeypatch.setattr(cli.lab, "import_module", lambda name: Module)
    assert run("demo") == (1, "confero demo: espeak-ng is not installed\n")


def test_bench_hands_its_axes_to_the_lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[dict[str, Any], dict[str, Any]]] = []

    class Module:
        @staticmethod
        def run(axes: dict[str, Any], wishes: dict[str, Any]) -> int:
            asked.append((axes, wishes))
            return 1

    monkeypatch.setattr(cli.lab, "import_module", lambda name: Module)
    argv = "--members", "50,100", "--mcu", "jitter_mode=minimum", "--mcu", "opus_low_delay=true", "--peer", "janus"
    code, _ = run("bench", "mix", *argv, "--out", str(tmp_path))
    ((axes, wishes),) = asked
    assert code == 1
    assert (axes["members"], wishes["members"], wishes["peers"]) == (50, [50, 100], ["janus"])
    assert axes["mcu"] == {"jitter_mode": "minimum", "opus_low_delay": True}


def test_bench_tells_its_errors_in_one_line() -> None:
    unknown = "confero bench: no such peer: asterisk (there are janus and aiortc)\n"
    assert run("bench", "mix", "--peer", "asterisk") == (1, unknown)


# --- up, for real: two tiny services of our own ---


class Up:
    """``confero up`` as a process of its own, on ports of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            two.bind(("127.0.0.1", 0))
            self.alpha, self.beta = one.getsockname()[1], two.getsockname()[1]
        self.folder = folder
        self.lines: list[str] = []
        self.process: asyncio.subprocess.Process

    async def start(self, *argv: str, **env: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CONFERO_")}
        ports = ["--port", f"appserver.http={self.alpha}", "--port", f"mcu.http={self.beta}"]
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(RUN_UP), "up", "--state-dir", str(self.folder), *ports, *argv),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**clean, "PYTHONUNBUFFERED": "1", "COLUMNS": "120", **env},
        )

    async def until(self, text: str, seconds: float = 30) -> str:
        """The first line from now on that holds ``text``."""
        assert self.process.stdout is not None
        async with asyncio.timeout(seconds):
            while line := (await self.process.stdout.readline()).decode():
                self.lines.append(line.rstrip())
                if text in line:
                    return line.rstrip()
        raise AssertionError("\n".join([f"no {text!r} in:", *self.lines]))

    async def end(self, seconds: float = 30) -> int:
        assert self.process.stdout is not None
        async with asyncio.timeout(seconds):
            self.lines += (await self.process.stdout.read()).decode().splitlines()
            return await self.process.wait()

    async def ask(self, port: int) -> dict[str, str]:
        """The configuration with which the service on this port runs, and its pid."""
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/about") as response:
            found: dict[str, str] = await response.json()
            return found


@pytest.fixture
async def up(tmp_path: Path) -> AsyncIterator[Up]:
    made = Up(tmp_path / "state")
    yield made
    if made.process.returncode is None:
        made.process.kill()  # its children follow
        await made.process.wait()


async def test_up_starts_all_wires_them_and_stops_them_in_order(up: Up) -> None:
    await up.start("--host", "localhost")
    await up.until("Everything is ready. Open https://localhost:8443/")
    table = [line.split()[:4] for line in up.lines]
    assert ["mcu", "127.0.0.1", str(up.beta), "tcp"] in table
    alpha, beta = await up.ask(up.alpha), await up.ask(up.beta)
    assert alpha["public_url"] == "https://localhost:8443" and beta["appserver_url"] == f"http://127.0.0.1:{up.alpha}"
    assert beta["state_dir"] == str(up.folder) and (up.folder / "secret").exists()
    up.process.send_signal(signal.SIGINT)
    assert await up.end() == 0
    said = [line for line in up.lines if line.startswith("confero: ")]
    assert said == [
        "confero: starting appserver, mcu",
        "confero: appserver is ready",
        "confero: mcu is ready",
        "confero: stopping mcu",
        "confero: stopping appserver",
    ]
    assert any(re.match(r"mcu       \| \S+ info    mcu       ready", line) for line in up.lines)


async def test_up_brings_a_killed_service_back(up: Up) -> None:
    await up.start()
    await up.until("Everything is ready")
    before = await up.ask(up.beta)
    os.kill(int(before["pid"]), signal.SIGKILL)
    await up.until("mcu was ended by SIGKILL")
    await up.until("mcu is ready again")
    after = await up.ask(up.beta)
    assert after["pid"] != before["pid"]
    up.process.terminate()
    assert await up.end() == 0


async def test_up_says_in_one_line_that_a_port_is_in_use(up: Up) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", up.beta))
        taken.listen()
        await up.start()
        line = await up.until("given up after 5 failures")
        assert f"mcu ended with code 1 (cannot listen on 127.0.0.1:{up.beta}: Address already in use)" in line
        assert await up.end() == 1
    assert "confero: stopping appserver" in up.lines


async def test_up_lists_the_faults_of_all_services_before_it_starts_any(up: Up) -> None:
    await up.start("--address", "nobody=1.2.3.4", CONFERO_MCU_SPEED="fast", CONFERO_APPSERVER_HTTP_HOSTS="x")
    assert await up.end() == 2
    head, *faults = up.lines
    assert head == "confero up: 3 faults in the configuration"
    assert [fault.split(":")[0] for fault in faults] == [
        "  option --address nobody",
        "  environment CONFERO_APPSERVER_HTTP_HOSTS",
        "  environment CONFERO_MCU_SPEED",
    ]
    assert not up.folder.exists()


async def test_up_in_json_passes_the_services_lines_on_untouched(up: Up) -> None:
    await up.start("--log-format", "json")
    await up.until("Everything is ready")
    up.process.terminate()
    assert await up.end() == 0
    records = [json.loads(line) for line in up.lines if line.startswith("{")]
    assert {record["service"] for record in records} == {"appserver", "mcu"}


async def test_up_asked_twice_to_stop_does_not_wait(up: Up) -> None:
    await up.start(CONFERO_MCU_SLOW="true", CONFERO_DRAIN_S="600")
    await up.until("Everything is ready")
    up.process.terminate()
    await up.until("stopping mcu")
    up.process.terminate()
    assert await up.end() == 0
    assert "confero: mcu is killed: asked twice" in up.lines
