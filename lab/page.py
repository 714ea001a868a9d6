"""The web client as a person uses it: by what is on the screen, in whatever browser; its state is read from ``window.confero``."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Protocol

from confero.errors import LocalError

from .members.chromium import Heard
from .signals.sources import Signal

PATIENCE_S = 20.0
POLL_S = 0.05


class Browser(Protocol):
    """What a page needs of a browser: ``Chromium`` and ``Firefox`` have it."""

    async def goto(self, url: str) -> None: ...

    async def evaluate(self, expression: str) -> Any: ...

    async def hear(self, seconds: float) -> Heard: ...


class Page:
    """One tab with the web client. Every wait gives up after 20 s with what the page showed."""

    def __init__(self, browser: Browser, origin: str) -> None:
        self._browser = browser
        self._origin = origin
        self.name = ""

    async def join(self, room: str, name: str) -> None:
        """Opens the room's page, types a name, presses join; returns when the media is connected."""
        self.name = name
        await self._browser.goto(f"{self._origin}/r/{room}?test-audio=raw")
        await self.until("window.confero?.screen === 'prejoin' && window.confero.microphone !== 'asking'")
        await self._browser.evaluate(f"({TYPE_NAME})({json.dumps(name)})")
        await self.press("button[type=submit]")
        await self.connected()

    async def connected(self, seconds: float = PATIENCE_S) -> None:
        """Waits until the page is in the call, with media that works, and plays it."""
        state = "['good', 'fair', 'poor'].includes(window.confero.state)"
        plays = "[...document.querySelectorAll('audio')].some((one) => one.srcObject)"
        here = "window.confero?.screen === 'call' && window.confero.remoteStream"
        await self.until(f"{here} && {state} && {plays}", seconds)

    async def leave(self) -> None:
        await self.press(".control-leave")
        await self.until("window.confero.screen === 'ended'")

    async def mute(self, muted: bool) -> None:
        """Presses the microphone button if it is not so already; returns when the roster says so too."""
        if await self.value("window.confero.muted") != muted:
            await self.press(".control-mic")
        mine = "window.confero.roster.find((p) => p.id === window.confero.participant)"
        await self.until(f"window.confero.muted === {json.dumps(muted)} && {mine}?.muted === {json.dumps(muted)}")

    async def hear(self, seconds: float) -> Signal:
        """What the page plays in the next ``seconds``."""
        return (await self._browser.hear(seconds)).signal

    async def leg(self) -> str:
        return str(await self.value("window.confero.leg"))

    async def sees(self) -> set[str]:
        """The names on the stage."""
        return set(await self.value("[...document.querySelectorAll('.stage .tile .name')].map((e) => e.textContent)"))

    async def sees_muted(self, name: str) -> None:
        await self._tile_has(name, ".mark-muted")

    async def sees_speaking(self, name: str) -> None:
        await self._tile_has(name, ".mark-talking")

    async def gone(self, name: str) -> None:
        """Waits until nobody of that name is on the stage."""
        names = "[...document.querySelectorAll('.stage .tile .name')].map((e) => e.textContent)"
        await self.until(f"!{names}.includes({json.dumps(name)})")

    async def press(self, selector: str) -> None:
        await self.until(f"document.querySelector({json.dumps(selector)}) !== null")
        await self.value(f"document.querySelector({json.dumps(selector)}).click()")

    async def value(self, expression: str) -> Any:
        return await self._browser.evaluate(expression)

    async def until(self, expression: str, seconds: float = PATIENCE_S) -> None:
        """Waits for a condition in the page. Raises LocalError with what the page shows instead."""
        deadline = time.monotonic() + seconds
        while not await self._browser.evaluate(f"Boolean({expression})"):
            if time.monotonic() > deadline:
                shown = await self._browser.evaluate("document.body.innerText.slice(0, 600)")
                state = await self._browser.evaluate("JSON.stringify(window.confero ?? null)")
                raise LocalError(
                    f"{self.name}: not within {seconds:.0f} s: {expression}\nstate {state}\nthe page shows:\n{shown}"
                )
            await asyncio.sleep(POLL_S)

    async def _tile_has(self, name: str, mark: str) -> None:
        tiles = "[...document.querySelectorAll('.stage .tile')]"
        await self.until(
            f"{tiles}.some((t) => t.querySelector('.name').textContent === {json.dumps(name)} && t.querySelector('{mark}'))"
        )


TYPE_NAME = """(name) => {
  const input = document.querySelector("#display-name");
  input.value = name;
  input.dispatchEvent(new InputEvent("input", { bubbles: true }));
}"""
