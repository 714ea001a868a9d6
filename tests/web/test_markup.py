"""What people write is text wherever it is shown: every page and the meeting, with markup in all that somebody else can name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from confero.models.calls import IncomingCallEvent

from .account_backend import AccountBackend
from .account_scene import furnish
from .conftest import JoinPage, OpenPage
from .meeting_backend import MeetingBackend

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

MARKUP = "<img src=x onerror=alert(1)>"
GIVEN = frozenset(
    (
        *(
            "name",
            "display_name",
            "note",
            "room_name",
            "login",
            "text",
            "agent",
            "detail",
            "target",
            "actor",
            "mail",
            "hint",
        ),
        *("source", "owner", "created_by", "reason", "from_uri", "to_uri", "version", "mcu", "title"),
    )
)
"""Fields whose content somebody chooses, or could."""
MADE = "img[src='x'], [onerror], a[href^='javascript' i], iframe, object, body script:not([src])"
"""What markup would make; the pages themselves have none of it."""
PAGES = {
    "/": False,
    "/rooms": True,
    "/rooms/team-standup": True,
    "/records": True,
    "/records/FIRST": True,
    "/me": True,
    "/admin": True,
    "/admin/users": True,
    "/admin/rooms": True,
    "/admin/servers": True,
    "/admin/audit": True,
}
"""And whether it must show some of it."""


def poisoned(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: poisoned(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner, name) for inner in value]
    return f"{value} {MARKUP}" if isinstance(value, str) and name in GIVEN else value


async def poison(route: Route) -> None:
    """Answers as the server does, with markup in them."""
    response = await route.fetch()
    if "json" not in response.headers.get("content-type", ""):
        return await route.fulfill(response=response)
    return await route.fulfill(response=response, body=json.dumps(poisoned(await response.json())))


async def check(page: Page, *, shown: bool = True) -> None:
    if shown:
        await expect(page.get_by_text(MARKUP).first).to_be_attached()
    assert await page.locator(MADE).count() == 0, page.url


@pytest.fixture
def make_backend() -> type[MeetingBackend]:
    return MeetingBackend


async def test_pages(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/", at=people)
    page.on("dialog", lambda dialog: pytest.fail(f"{page.url} ran it: {dialog.message}"))
    await page.route("**/api/v1/**", poison)
    first = next(iter(people.world.meetings))
    for path, shown in PAGES.items():
        await page.goto(people.url + path.replace("FIRST", first))
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.locator(".skeleton")).to_have_count(0)
        await check(page, shown=shown)


async def test_the_meeting(join_page: JoinPage, backend: MeetingBackend) -> None:
    backend.person(MARKUP)
    backend.write("p_other", MARKUP, f"Earlier {MARKUP}", at=1e9)
    page = await join_page(viewport={"width": 1280, "height": 800})
    page.on("dialog", lambda dialog: pytest.fail(f"the meeting ran it: {dialog.message}"))
    await backend.comes_to_the_door(MARKUP)
    await backend.says(MARKUP, f"javascript:alert(1) {MARKUP}")
    await expect(page.get_by_role("log", name="Notices")).to_contain_text(MARKUP)
    await page.get_by_role("button", name="Chat 1 unread").click()
    await expect(page.locator(".messages").get_by_text(MARKUP).first).to_be_visible()
    await expect(page.get_by_role("list", name="People in the room")).to_contain_text(MARKUP)
    await backend.tell(IncomingCallEvent(call="c1", name=MARKUP, number=MARKUP, stale_s=60))
    await expect(page.get_by_role("alertdialog")).to_contain_text(MARKUP)
    await check(page)
