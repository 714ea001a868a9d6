"""A real Chromium on the real page: its microphone is a file, its ears are read back as PCM."""

from __future__ import annotations

import base64
import shutil
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from playwright.async_api import BrowserContext, Page, Playwright, async_playwright

from confero.errors import LocalError
from confero.lab.signals.sources import Signal, from_pcm16, write_wav

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # suggestions of the address bar: a hidden page a window, that costs as much as the page in it
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
)


@dataclass(frozen=True)
class Heard:
    """A recording and the wall time in seconds of its first sample."""

    signal: Signal
    started_at: float


class Tab:
    """A page of a browser."""

    page: Page

    def __init__(self, page: Page) -> None:
        self.page = page

    async def goto(self, url: str) -> None:
        await self.page.goto(url)

    async def evaluate(self, expression: str) -> Any:
        """The JSON value of an expression; promises are awaited."""
        return await self.page.evaluate(expression)

    async def hear(self, seconds: float) -> Heard:
        """Records what the page plays. Raises playwright's Error if it plays nothing."""
        found = await self.page.evaluate("seconds => window.__lab.record(seconds)", seconds)
        return heard_from(found)

    async def ice_connected_at(self) -> float:
        """Wall time in seconds at which the newest peer connection's ICE connected; 0: not yet."""
        return float(await self.page.evaluate("window.__lab.iceConnectedAt")) / 1000


class Chromium(Tab):
    """One browser process with one page, and more that are asked for; ``async with Chromium(said) as browser``.

    ``said``: what its microphone hears, over and over; None: whoever sits there refuses the page the microphone.
    ``program``: what to start instead of the machine's own.
    """

    def __init__(
        self,
        said: Signal | None,
        *,
        width: int = 1280,
        height: int = 800,
        flags: tuple[str, ...] = (),
        program: Path | None = None,
    ) -> None:
        self._said = said
        self._program = program
        self._size = (width, height)
        self._flags = flags
        self._folder = tempfile.TemporaryDirectory(prefix="confero-chromium-")
        self._playwright: Playwright | None = None
        self._context: BrowserContext | None = None

    async def __aenter__(self) -> Chromium:
        program = self._program or shutil.which("chromium")
        if program is None:
            raise LocalError("chromium is not installed (Debian: apt-get install chromium)")
        folder = Path(self._folder.name)
        self._playwright = await async_playwright().start()
        self._context = await self._playwright.chromium.launch_persistent_context(
            folder / "profile",
            executable_path=program,
            headless=True,
            ignore_https_errors=True,
            viewport={"width": self._size[0], "height": self._size[1]},
            permissions=[] if self._said is None else ["microphone"],
            args=[*FLAGS, *self._microphone(folder), *self._flags],
        )
        await self._context.add_init_script(script=files("confero.lab.members").joinpath("ear.js").read_text())
        self.page = self._context.pages[0]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._context is not None:
            await self._context.close()
        if self._playwright is not None:
            await self._playwright.stop()
        self._folder.cleanup()

    def _microphone(self, folder: Path) -> tuple[str, ...]:
        """The flags that answer the browser's question for it."""
        if self._said is None:
            return ("--use-fake-ui-for-media-stream=deny",)
        write_wav(folder / "said.wav", self._said)
        return ("--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={folder / 'said.wav'}")

    async def another(self) -> Tab:
        """A further page, whose microphone hears the same."""
        assert self._context is not None
        return Tab(await self._context.new_page())


def heard_from(found: dict[str, object]) -> Heard:
    """What ear.js returns, as a signal."""
    pcm = np.frombuffer(base64.b64decode(str(found["pcm"])), dtype="<i2")
    return Heard(from_pcm16(pcm), float(str(found["startedAt"])) / 1000)
