"""Firefox opens every page beside the meeting, and leads a meeting: what is made for one browser works in the other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aioice.ice
import pytest
import pytest_asyncio

from confero.lab.members.firefox import Firefox
from confero.lab.page import Page
from confero.models.meetings import Hand

from .account_backend import AccountBackend
from .account_scene import furnish
from .meeting_backend import MeetingBackend
from .relay import LOOPBACK

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

PAGES = {
    "/": "One room",
    "/rooms": "Rooms",
    "/rooms/team-standup": "Team standup",
    "/records": "Records",
    "/me": "Your account",
    "/admin": "Live",
    "/admin/users": "Users",
    "/admin/servers": "Media servers",
    "/admin/audit": "Audit log",
    "/admin/telephony": "Telephony",
    "/api": "API",
}
SHEETS = "[...document.styleSheets].every((sheet) => sheet.cssRules.length > 1)"
NARROW = "document.documentElement.scrollWidth <= innerWidth"
SETTLED = "document.querySelector('.skeleton, .loading') === null"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def firefox() -> AsyncIterator[Firefox]:
    async with Firefox() as started:
        yield started


async def pressed(page: Page, name: str) -> None:
    """A button by what is written on it."""
    found = f"[...document.querySelectorAll('button')].find((one) => one.innerText.trim().startsWith('{name}'))"
    await page.until(f"{found} !== undefined")
    await page.value(f"{found}.click()")


async def test_pages(firefox: Firefox) -> None:
    people = AccountBackend()
    await people.start()
    furnish(people)
    page = Page(firefox, people.url)
    try:
        for path, heading in PAGES.items():
            await firefox.goto(people.url + path)
            await page.until(f"document.querySelector('h1')?.innerText.startsWith('{heading}') && {SETTLED}")
            assert await page.value("document.querySelector('[role=alert]')?.innerText ?? ''") == "", path
            assert await page.value(f"{SHEETS} && {NARROW}"), path
        await firefox.goto(people.url + "/rooms")
        await pressed(page, "New room")
        await page.until("document.querySelector('dialog[open] input') !== null")
        await page.value("document.querySelector('dialog[open]').requestClose?.()")
    finally:
        await people.close()


async def test_a_meeting(firefox: Firefox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [LOOPBACK])
    backend = MeetingBackend()
    backend.role = "host"
    await backend.start()
    page = Page(firefox, backend.url)
    try:
        await page.join("blue-fox", "Ada Lovelace")
        grace = backend.person("Grace Hopper")
        await backend.tell_roster()
        await backend.now_is(hands=[Hand(participant=grace.id, since=1.0)])
        await page.until("document.querySelector('.toasts').innerText.includes('Grace Hopper raised a hand')")
        await page.until("document.querySelector('.toasts').matches(':popover-open')")
        await pressed(page, "Chat")
        await backend.says("Grace Hopper", "See https://example.org")
        await page.until("document.querySelector('.messages a')?.href === 'https://example.org/'")
        await pressed(page, "Host tools" if await page.value("innerWidth >= 1024") else "More")
        await page.until("document.querySelector('dialog[open]') !== null")
        assert await page.value(NARROW)
    finally:
        await backend.close()
