"""The life of the process: start, farm, drain, stop, and what is left behind: nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from confero.config import ConfigError, load
from confero.errors import ConferoError, Refused
from confero.mcu.app import McuApp, leg_settings, stored_id
from confero.mcu.config import McuConfig
from confero.media import JitterBuffer
from confero.ports import find

from ..support.waiting import until
from .fakes import SECRET
from .others import Others
from .rig import Phone, Rig, config
from .stranger import Stranger


def test_defaults_are_those_of_the_port_map(tmp_path: Path) -> None:
    made = load(McuConfig, service="mcu", argv=["--state-dir", str(tmp_path)], env={})
    media = find("mcu", "media")
    assert made.http_port == 2131 and made.http_host == "127.0.0.1"
    assert (made.media_port_min, made.media_port_max) == (media.low, media.high)
    assert (made.appserver_url, made.notifier_url) == ("http://127.0.0.1:80", "http://127.0.0.1:14040")


def test_faults_are_all_named() -> None:
    env = {"CONFERO_MCU_MEDIA_PORT_MIN": "9000", "CONFERO_MCU_MEDIA_PORT_MAX": "8000", "CONFERO_MCU_CAPACITY": "0"}
    with pytest.raises(ConfigError) as caught:
        load(McuConfig, service="mcu", env=env)
    assert "capacity" in str(caught.value)
    del env["CONFERO_MCU_CAPACITY"]
    with pytest.raises(ConfigError, match="greater than"):
        load(McuConfig, service="mcu", env=env)


def test_the_name_is_kept(tmp_path: Path) -> None:
    first = stored_id(tmp_path / "state")
    assert first.startswith("mcu_") and stored_id(tmp_path / "state") == first
    with pytest.raises(ConfigError):
        stored_id(Path("/dev/null/nowhere"))
    for bad in (b"two words\n", b"", b"\xff\xfe"):
        (tmp_path / "mcu-id").write_bytes(bad)
        with pytest.raises(ConfigError):
            stored_id(tmp_path)


async def test_farm(rig: Rig, others: Others) -> None:
    await until(lambda: others.registered and others.started and others.beats, "registration", 4)
    assert rig.app.listener is not None
    assert others.registered[0].url == rig.app.listener.url == others.started[0].url
    await rig.room()
    await rig.phone("bob", 440)
    others.forget = True
    await until(lambda: len(others.registered) == 2, "again", 4)
    assert others.registered[1].participants == ["bob"] and others.registered[1].boot == rig.app.boot
    await until(lambda: others.beats[-1].legs == 1, "load", 4)
    assert (others.beats[-1].load, others.beats[-1].rooms) == (1, 1)


def descriptors() -> set[str]:
    """What is open, by what it is: numbers are used again."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists them
            found.add(str(path.readlink()))
    return found


def datagram_sockets() -> set[str]:
    """Of this process. Whatever HTTP keeps open is not among them."""
    tables = [Path(f"/proc/self/net/{name}").read_text().splitlines()[1:] for name in ("udp", "udp6")]
    return descriptors() & {f"socket:[{line.split()[9]}]" for table in tables for line in table}


async def test_stop_tells_what_happened_and_leaves_nothing(tmp_path: Path, others: Others) -> None:
    rig = Rig(tmp_path, **await others.start())
    before = descriptors()
    tasks = asyncio.all_tasks()
    await rig.start()
    await rig.room()
    phone, browser = await rig.phone("bob", 1000), await rig.browser("alice", 440)
    await until(lambda: rig.state("alice") == rig.state("bob") == "connected")
    for peer in rig.peers:
        await peer.close()
    rig.peers.clear()
    await rig.client.close()
    await rig.app.stop()
    await rig.app.stop()
    assert others.left("bob") == ["draining"]
    await until(lambda: asyncio.all_tasks() <= tasks, "no task is left")
    await until(lambda: descriptors() <= before, "no socket is left")
    assert phone.leg and browser.leg


async def test_coming_and_going_leaves_nothing(rig: Rig) -> None:
    await rig.room()
    before = datagram_sockets()
    stranger, phone = await Stranger.open(), await Phone.open(440)
    for round in range(60):
        browser = await rig.leg("b", sdp=stranger.offer())
        if round % 2:
            await stranger.check(browser.sdp)  # DTLS waits when it is ended
        first = await rig.leg("p", kind="rtp", sdp=phone.offer())
        second = await rig.leg("p", kind="rtp")
        assert rig.app.conference.registry.legs == 2
        with pytest.raises(Refused):
            await rig.stats(first.leg)
        await rig.client.call("DELETE", f"/v1/legs/{second.leg}?reason=left")
        await rig.client.call("DELETE", f"/v1/legs/{browser.leg}?reason=left")
    assert rig.app.conference.registry.legs == 0
    assert len(datagram_sockets() - before) >= 2  # its own: the look at them is right
    stranger.close()
    await phone.close()
    await until(lambda: datagram_sockets() == before, "no socket is left")
    await until(lambda: not [t for t in asyncio.all_tasks() if t.get_name().startswith("dtls")], "no task is left")
    assert rig.app.engine is not None
    await until(lambda: rig.app.engine.thread_stats(0)["legs"] == 0)  # type: ignore[union-attr]


async def test_drain_waits_for_the_last_leg(rig: Rig) -> None:
    await rig.room()
    phone = await rig.phone("bob", 440)
    drain = asyncio.get_running_loop().create_task(rig.app.drain())
    await asyncio.sleep(0.15)
    assert not drain.done()
    await rig.client.call("DELETE", f"/v1/legs/{phone.leg}")
    async with asyncio.timeout(1):
        await drain


async def test_ports_that_cannot_be_had(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for settings in (
            {"http_port": taken.getsockname()[1]},
            {"media_bind": ["192.0.2.99"]},
            {"media_port_min": 5060, "media_port_max": 5061},
        ):
            app = McuApp(config(tmp_path, **settings))
            with pytest.raises(ConferoError):
                await app.start()
            await app.stop()


def test_jitter_settings_become_the_legs(tmp_path: Path) -> None:
    assert leg_settings(config(tmp_path)).jitter == JitterBuffer(max_ms=400)
    least = config(tmp_path, jitter_mode="minimum", jitter_min_ms=5, jitter_max_ms=90)
    assert leg_settings(least).jitter == JitterBuffer(minimum=True, min_ms=5, max_ms=90)
    with pytest.raises(ValueError, match="jitter_min_ms"):
        config(tmp_path, jitter_min_ms=100, jitter_max_ms=90)


def test_alone_as_a_process(tmp_path: Path) -> None:
    """Starts with nobody to talk to, says so once for each, works, and ends on SIGTERM."""
    env = os.environ | {
        "CONFERO_STATE_DIR": str(tmp_path),
        "CONFERO_SECRET": SECRET.decode(),
        "CONFERO_MCU_HTTP_PORT": "0",
        "CONFERO_MCU_MEDIA_BIND": "127.0.0.1",
        "CONFERO_MCU_APPSERVER_URL": "http://127.0.0.1:9",
        "CONFERO_MCU_NOTIFIER_URL": "http://127.0.0.1:9",
    }
    with subprocess.Popen([sys.executable, "-m", "confero.mcu"], env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = []
        while not any('"ready"' in line for line in lines):
            lines.append(process.stderr.readline())
            assert lines[-1], "".join(lines)
        process.send_signal(signal.SIGTERM)
        lines += process.stderr.readlines()
        assert process.wait(10) == 0
    away = [line for line in lines if "service is away" in line]
    assert len(away) == 2
    assert not [line for line in lines if '"error"' in line]
