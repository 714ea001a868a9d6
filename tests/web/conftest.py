"""A Chromium with a tone for a microphone, a fresh backend for each test, and a page that may log no error.

It is Chromium's shell: the same engine without the browser's own windows, which took a third of the time. Whole browsers are
the end-to-end tests' matter.
"""

from __future__ import annotations

import re
import shutil
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aioice.ice
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Playwright, Response, async_playwright, expect

from .account_backend import AccountBackend
from .backend import Backend, until
from .peers import RATE, SAID_HZ
from .relay import LOOPBACK

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
EXPECTED_NOISE = re.compile(r"WebSocket connection to|Failed to load resource|net::ERR_")
"""What Chromium itself logs when a test takes the server away; a missing file of the client is caught by its status."""

expect.set_options(timeout=10_000)


def write_tone(path: Path, hz: float, seconds: float = 2.0) -> Path:
    samples = 0.4 * np.sin(2 * np.pi * hz * np.arange(int(RATE * seconds)) / RATE)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as started:
        yield started


Launch = Callable[..., Awaitable[Browser]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def launch(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Launch:
    """Starts a Chromium: ``launch(*flags)``; ``without``: standard flags that it is not to have, ``whole``: not the shell."""
    tone = write_tone(tmp_path_factory.mktemp("tone") / "said.wav", SAID_HZ)

    async def start(*flags: str, without: tuple[str, ...] = (), whole: bool = False) -> Browser:
        name = "chromium" if whole else "chromium-headless-shell"
        program = shutil.which(name)
        assert program is not None, f"{name} is not installed (Debian: apt-get install {name})"
        kept = [flag for flag in FLAGS if flag not in without]
        capture = f"--use-file-for-fake-audio-capture={tone}"
        return await playwright.chromium.launch(executable_path=program, headless=True, args=[*kept, capture, *flags])

    return start


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(launch: Launch) -> AsyncIterator[Browser]:
    started = await launch()
    yield started
    await started.close()


@pytest.fixture
def make_backend() -> Callable[[], Backend]:
    """Overridden where more than a room is pretended."""
    return Backend


@pytest_asyncio.fixture(loop_scope="session")
async def backend(monkeypatch: pytest.MonkeyPatch, make_backend: Callable[[], Backend]) -> AsyncIterator[Backend]:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [LOOPBACK])
    running = make_backend()
    await running.start()
    yield running
    await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def people() -> AsyncIterator[AccountBackend]:
    """A backend with accounts; tests give it to ``open_page`` as ``at``."""
    running = AccountBackend()
    await running.start()
    yield running
    await running.close()


class Faults:
    """What a page must not do: log errors, throw, break the policy, ask for files that are not there."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(str(error)))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not EXPECTED_NOISE.search(message.text):
            self.found.append(message.text)

    def _response(self, response: Response) -> None:
        if response.status >= 400 and "/api/" not in response.url and "/events" not in response.url:
            self.found.append(f"{response.status} {response.url}")


OpenPage = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, backend: Backend) -> AsyncIterator[OpenPage]:
    """Opens a path of the backend in a browser context of its own; options are those of ``Browser.new_context``."""
    faults = Faults()
    contexts = []

    async def start(
        path: str = "/r/blue-fox?test-audio=raw",
        *,
        script: str = "",
        program: Browser | None = None,
        at: Backend | None = None,
        **options: object,
    ) -> Page:
        context = await (program or browser).new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        if script:
            await context.add_init_script(script)
        page = await context.new_page()
        faults.watch(page)
        await page.goto((at or backend).url + path)
        return page

    yield start
    for context in contexts:
        await context.close()
    assert faults.found == []


JoinPage = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session")
async def join_page(open_page: OpenPage) -> JoinPage:
    """Opens the room, types a name and joins; options are those of ``open_page``."""

    async def start(name: str = "Ada Lovelace", **options: object) -> Page:
        page = await open_page(**options)
        await page.get_by_label("Your name").fill(name)
        await page.get_by_role("button", name="Join").click()
        await until(lambda: page.evaluate("window.confero.media === 'connected'"))
        return page

    return start
