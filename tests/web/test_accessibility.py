"""Every screen: no violation that axe finds, in both colour schemes; usable at 320 px and by keyboard alone."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from confero.models import ActiveSpeaker, SpeakersEvent

from .backend import Backend, problem, until
from .conftest import JoinPage, OpenPage

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]
RULES: dict[str, tuple[str, ...]] = {"light": (), "dark": ("color-contrast", "link-in-text-block")}
"""By night only the colours are others: all rules are asked by day."""
SMALL = {"viewport": {"width": 320, "height": 568}}

ENDLESS = """document.getAnimations().filter(
    (one) => one.playState === "running" && one.effect.getTiming().iterations === Infinity
)"""
WIDE = """document.documentElement.scrollWidth <= innerWidth ? [] : [location.pathname].concat(
    [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
        .map((one) => one.outerHTML.slice(0, 120)).slice(0, 8)
)"""
"""What makes the page wider than the window."""
SETTLED = """Promise.all(
    document.getAnimations()
        .filter((one) => one.effect.getTiming().iterations !== Infinity)
        .map((one) => one.finished.catch(() => {}))
)"""


async def check(page: Page, rules: tuple[str, ...] = ()) -> None:
    """No violation of any rule of axe (or of those of these names), and nothing to scroll sideways for."""
    assert AXE.exists(), "axe-core is not installed: run `npm ci`"
    await page.evaluate(SETTLED)
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    chosen = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = await page.evaluate("chosen => axe.run(chosen)", chosen)
    words = [
        f"{one['id']}: {node['html']} {node['failureSummary']}" for one in found["violations"] for node in one["nodes"]
    ]
    assert words == []
    assert await page.evaluate(WIDE) == []


async def fill(backend: Backend) -> None:
    """A room in which everything that can be shown is shown."""
    grace = backend.person("Grace Hopper", role="host")
    backend.person("Katherine Johnson", muted=True)
    backend.person("+49 30 1234567", kind="rtp")
    backend.person("A name that is so long that no tile of any width will ever hold it", state="disconnected")
    await backend.tell_roster()
    await backend.tell(SpeakersEvent(speakers=[ActiveSpeaker(participant=grace.id, level=20)]))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", [{}, SMALL], ids=["desktop", "320px"])
async def test_quiet_screens(scheme: str, size: dict[str, object], open_page: OpenPage, backend: Backend) -> None:
    rules = RULES[scheme]
    page = await open_page("/", color_scheme=scheme, **size)
    await check(page, rules)
    await page.get_by_text("Sound of the room").click()
    await check(page, rules)
    await page.get_by_label("Have a link").fill("?")
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await check(page, rules)
    await page.goto(f"{backend.url}/r/blue-fox")
    await expect(page.get_by_label("Microphone", exact=True)).to_be_enabled()
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await check(page, rules)
    backend.refuse_join = problem("room-full", 409)
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await check(page, rules)
    await page.goto(f"{backend.url}/r/no-such-room")
    await expect(page.get_by_role("heading", name="There is no such room")).to_be_visible()
    await check(page, rules)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", [{}, SMALL], ids=["desktop", "320px"])
async def test_room(scheme: str, size: dict[str, object], join_page: JoinPage, backend: Backend) -> None:
    rules = RULES[scheme]
    page = await join_page(color_scheme=scheme, **size)
    await check(page, rules)
    await fill(backend)
    await expect(page.get_by_role("log")).to_contain_text("joined")
    await check(page, rules)
    if await page.get_by_role("complementary").count() == 0:
        await page.get_by_role("button", name="People").click()
    await check(page, rules)
    await page.get_by_role("button", name="Close the list").click()
    await open_settings(page)
    await check(page, rules)
    await page.keyboard.press("Escape")
    await page.keyboard.press("m")
    await backend.stop()
    await expect(page.get_by_text("The server can't be reached.")).to_be_visible()
    await check(page, rules)


async def open_settings(page: Page) -> None:
    """On a phone they lie behind "More"."""
    more = page.get_by_role("button", name="More", exact=True)
    if await more.is_visible():
        await more.click()
    await page.get_by_role("button", name="Settings").click()


async def test_by_keyboard_alone(open_page: OpenPage, backend: Backend) -> None:
    page = await open_page()
    await expect(page.get_by_label("Your name")).to_be_focused()
    await page.keyboard.type("Ada")
    await page.keyboard.press("Enter")
    await until(lambda: page.evaluate("window.confero.media === 'connected'"))
    await expect(page.get_by_role("heading", name="Blue fox")).to_be_focused()
    settings = page.get_by_role("button", name="Settings")
    await settings.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(settings).to_be_focused()
    await page.get_by_role("button", name="Leave").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="You left the room")).to_be_focused()


async def test_motion_stops_where_it_is_not_wanted(open_page: OpenPage) -> None:
    page = await open_page("/", reduced_motion="reduce")
    assert await page.locator(".table-bar").count() == 6
    await until(lambda: page.evaluate(f"({ENDLESS}).length === 0"))
