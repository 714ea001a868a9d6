"""Events in Chromium where no WebSocket gets through, and where no stream flows: through the real site and notification server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from confero.models import Publish, SpeakersEvent

from ..appserver.test_smoke import House
from .backend import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

NO_WEBSOCKET = """
window.WebSocket = class {
  constructor() { setTimeout(() => this.onclose?.({ code: 1006, reason: "" }), 1); }
  close() {}
};
"""
NO_STREAM = """
const real = window.fetch;
const blocked = (url) => String(url).endsWith("/events/stream");
window.fetch = (url, options) => (blocked(url) ? Promise.reject(new TypeError("blocked")) : real(url, options));
"""
LISTEN = """async (token) => {
  const { Signaling } = await import("/static/js/signaling.js");
  window.heard = { welcomes: [], events: [] };
  const url = location.href.replace(/^http/, "ws").replace(/[?#].*/, "").replace(/\\/[^/]*$/, "/events");
  window.signaling = new Signaling(url, token, {
    status() {}, end(reason) { window.heard.end = reason; },
    welcome(welcome) { window.heard.welcomes.push(welcome); },
    event(event) { window.heard.events.push(event); },
    refresh: async (token) => token, finalRefusal: () => null,
  });
  window.signaling.start();
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path, 15.0)
    await made.start(mcu_silence_s=60.0)  # nobody beats for it
    yield made
    await made.stop()


async def listening(browser: Browser, house: House, token: str, scripts: tuple[str, ...]) -> Page:
    context = await browser.new_context(ignore_https_errors=True)
    for script in scripts:
        await context.add_init_script(script)
    page = await context.new_page()
    await page.goto(f"{house.site.url}/")
    await page.evaluate(LISTEN, token)
    await until(lambda: attached(house))
    return page


def attached(house: House) -> bool:
    return any(session.sink is not None for session in house.notifier.hub.sessions())


async def heard(page: Page, count: int) -> dict[str, Any]:
    """All, once so many are of the speakers; the meeting's state may come in between."""
    await until(
        lambda: page.evaluate(f"window.heard.events.filter((one) => one.type === 'speakers').length === {count}")
    )
    found: dict[str, Any] = await page.evaluate("window.heard")
    return found


@pytest.mark.parametrize(
    ("scripts", "paths"),
    [((NO_WEBSOCKET,), {"stream"}), ((NO_WEBSOCKET, NO_STREAM), {"poll"})],
    ids=["a stream", "polls"],
)
async def test_what_happens_comes_by_fetch(
    browser: Browser, house: House, scripts: tuple[str, ...], paths: set[str]
) -> None:
    token = (await house.site.join("Ada"))["token"]
    page = await listening(browser, house, token, scripts)
    used: list[str] = []
    page.on("request", lambda request: used.append(request.url))
    speakers = Publish(room="lobby", events=[SpeakersEvent(speakers=[])])
    for number in range(3):
        await house.site.mcu.publish(house.notifier_url, speakers)
        await heard(page, number + 1)
    assert await page.evaluate("window.signaling.request({ type: 'ping' }, 5000)") == {"type": "ok", "id": 1}
    house.site.app.passing.drain()  # as when the way breaks
    await until(lambda: not attached(house))
    await house.site.mcu.publish(house.notifier_url, speakers)
    found = await heard(page, 4)
    assert [event["seq"] for event in found["events"]] == list(range(1, len(found["events"]) + 1))
    assert not found["welcomes"][0]["resumed"]
    assert len({welcome["session"] for welcome in found["welcomes"]}) == 1
    assert paths <= {url.rsplit("/", 1)[-1] for url in used}
    assert not any(token in url for url in used)
    await page.context.close()
