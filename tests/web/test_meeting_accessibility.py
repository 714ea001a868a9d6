"""Every state of a meeting: no violation that axe finds, on a desktop in the light and on a phone in the dark."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from .backend import until
from .conftest import JoinPage, OpenPage
from .meeting_backend import MeetingBackend
from .meeting_scene import fill
from .test_accessibility import check, open_settings

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

LOOKS = {
    "desktop": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "phone": {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}},
}


@pytest.fixture
def make_backend() -> type[MeetingBackend]:
    return MeetingBackend


async def open_dialog(page: Page, name: str) -> None:
    more = page.get_by_role("button", name="More", exact=True)
    if await more.is_visible():
        await more.click()
        await check(page)
    await page.get_by_role("button", name=name, exact=True).click()
    await expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
async def test_meeting(look: str, join_page: JoinPage, backend: MeetingBackend) -> None:
    backend.role = "host"
    backend.write("p_other", "Grace Hopper", "Good morning. The agenda: https://example.org/agenda")
    page = await join_page(**LOOKS[look])
    await fill(backend)
    await page.get_by_role("button", name="Chat").click()
    await page.get_by_label("Message to everybody").fill("Good morning!")
    await page.keyboard.press("Enter")
    await expect(page.locator(".talk-own")).to_be_visible()
    await check(page)
    await page.get_by_role("button", name="Close the chat").click()
    await check(page)
    await page.get_by_role("button", name="People").click()
    await check(page)
    await page.get_by_role("button", name="Actions for Grace Hopper").click()
    await check(page)
    await page.get_by_role("button", name="Remove…").click()
    await check(page)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Close the list").click()
    for name in ("Host tools", "Invite"):
        await open_dialog(page, name)
        await check(page)
        await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Leave", exact=True).click()
    await check(page)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name=re.compile("(Good|Fair|Poor) connection")).click()
    await check(page)
    await page.keyboard.press("Escape")
    await open_settings(page)
    await check(page)


@pytest.mark.parametrize("look", LOOKS)
async def test_door(look: str, open_page: OpenPage, backend: MeetingBackend) -> None:
    backend.pin, backend.waits = "2468", True
    backend.rooms["blue-fox"] = backend.rooms["blue-fox"].model_copy(update={"pin_needed": True, "lobby": True})
    page = await open_page(**LOOKS[look])
    await page.get_by_label("Your name").fill("Ada")
    await check(page)
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await check(page)
    await page.get_by_label("PIN").fill("2468")
    await page.get_by_role("button", name="Join").click()
    await until(lambda: page.evaluate("window.confero.screen === 'waiting'"))
    await page.get_by_text("Microphone and speaker").click()
    await check(page)
