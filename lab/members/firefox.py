"""A real Firefox on the real page, driven over WebDriver BiDi: no geckodriver, its fake microphone is a tone of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import itertools
import json
import os
import shutil
import signal
import tempfile
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
import av
import numpy as np

from confero.errors import LocalError
from confero.lab.signals.sources import RATE, Signal, from_pcm16

from .chromium import Heard

PREFERENCES: dict[str, object] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "permissions.default.microphone": 1,  # allowed; a page that may not listen is offered no loopback candidates
    "media.autoplay.default": 0,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
    "extensions.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "remote.active-protocols": 1,
}
FAKE_TONE_HZ = 1000.0
"""What Firefox's fake microphone says."""
START_TIMEOUT_S = 40.0
CALL_TIMEOUT_S = 40.0


class Firefox:
    """One headless Firefox with one tab; ``async with Firefox() as browser``."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="confero-firefox-", ignore_cleanup_errors=True)
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._ids = itertools.count(1)
        self._tab = ""

    async def __aenter__(self) -> Firefox:
        program = shutil.which("firefox-esr") or shutil.which("firefox")
        if program is None:
            raise LocalError("firefox is not installed (Debian: apt-get install firefox-esr)")
        profile = Path(self._folder.name) / "profile"
        await asyncio.to_thread(_write_profile, profile)
        self._process = await asyncio.create_subprocess_exec(
            program,
            *("--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "HOME": self._folder.name, "MOZ_CRASHREPORTER_DISABLE": "1"},
        )
        try:
            await self._connect(profile)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        self._folder.cleanup()

    async def goto(self, url: str) -> None:
        await self._call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """The JSON value of an expression (promises are awaited). Raises LocalError with the page's own error."""
        wrapped = f"(async () => JSON.stringify((await ({expression})) ?? null))()"
        reply = await self._call(
            "script.evaluate", expression=wrapped, target={"context": self._tab}, awaitPromise=True, userActivation=True
        )
        if reply["type"] != "success":
            raise LocalError(f"the page says: {reply['exceptionDetails']['text']}")
        return json.loads(reply["result"]["value"])

    async def hear(self, seconds: float) -> Heard:
        """Records what the page plays. Its AudioContext stands still without a sound card, so MediaRecorder listens."""
        found = await self.evaluate(f"window.__lab.recordFile({seconds})")
        return Heard(
            await asyncio.to_thread(_decode, base64.b64decode(found["file"])), float(found["startedAt"]) / 1000
        )

    async def _connect(self, profile: Path) -> None:
        port_file = profile / "WebDriverBiDiServer.json"
        async with asyncio.timeout(START_TIMEOUT_S):
            while not port_file.exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.2)
        port = json.loads(port_file.read_text())["ws_port"]
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(f"http://127.0.0.1:{port}/session", max_msg_size=64 << 20)
        await self._call("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        script = files("confero.lab.members").joinpath("ear.js").read_text()
        await self._call("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}")
        tree = await self._call("browsingContext.getTree")
        self._tab = tree["contexts"][0]["context"]

    async def _call(self, method: str, **params: Any) -> Any:
        assert self._socket is not None
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(CALL_TIMEOUT_S):
            async for message in self._socket:
                reply = message.json()
                if reply.get("id") != number:
                    continue
                if reply.get("type") == "error":
                    raise LocalError(f"{method}: {reply.get('message')}")
                return reply["result"]
        raise LocalError(f"{method}: Firefox closed the connection")


def _decode(file: bytes) -> Signal:
    """Samples of a WebM recording."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    parts = [np.zeros(0, dtype=np.int16)]
    with av.open(io.BytesIO(file), mode="r") as container:
        for frame in container.decode(audio=0):
            parts += [np.asarray(part.to_ndarray(), dtype=np.int16).reshape(-1) for part in resampler.resample(frame)]
    return from_pcm16(np.concatenate(parts))


def _write_profile(profile: Path) -> None:
    profile.mkdir(parents=True)
    lines = (f"user_pref({_js(name)}, {_js(value)});" for name, value in PREFERENCES.items())
    (profile / "user.js").write_text("\n".join(lines) + "\n")


def _js(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f'"{value}"'
