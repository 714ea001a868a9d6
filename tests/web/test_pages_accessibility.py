"""The pages beside the meeting: nothing that axe finds in any state, in both schemes, at a phone's width; by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .account_backend import AccountBackend
from .account_scene import furnish
from .backend import problem
from .conftest import OpenPage
from .test_accessibility import RULES, check

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

STRANGERS = ("/signin", "/signup", "/setup#a-secret-of-one-use", "/forgot", "/reset#a-secret-of-one-use", "/setup")
PAGES = (
    "/",
    "/rooms",
    "/rooms/team-standup",
    "/records",
    "/records/FIRST",
    "/me",
    "/admin",
    "/admin/users",
    "/admin/rooms",
    "/admin/servers",
    "/admin/audit",
    "/admin/telephony",
    "/api",
)
DIALOGS = (
    ("/rooms", "New room"),
    ("/rooms/team-standup", "New invitation"),
    ("/rooms/team-standup", "Delete the room"),
    ("/me", "Make a key"),
    ("/me", "Account of Ada Lovelace"),
    ("/admin/users", "New user"),
    ("/admin/telephony", "Let rooms call SIP addresses"),
    ("/admin/telephony", "New rule"),
    ("/admin/telephony", "New number"),
)


async def go(page: Page, people: AccountBackend, path: str) -> None:
    """Opens a path and waits until all of the page is there."""
    await page.goto("about:blank")
    await page.goto(people.url + path.replace("FIRST", next(iter(people.world.meetings), "")))
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.locator(".skeleton")).to_have_count(0)


async def both(page: Page) -> None:
    """In the scheme of day all rules, in that of night those of colours."""
    await page.emulate_media(color_scheme="light")
    await check(page)
    await page.emulate_media(color_scheme="dark")
    await check(page, RULES["dark"])


async def test_pages_of_strangers(open_page: OpenPage, people: AccountBackend) -> None:
    page = await open_page("/", at=people)
    for path in STRANGERS:
        await go(page, people, path)
        await both(page)
    await go(page, people, "/signup")
    await page.get_by_role("button", name="Make the account").click()
    await expect(page.get_by_role("alert")).to_have_count(3)
    await both(page)


async def test_pages_of_people(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/", at=people)
    for path in PAGES:
        await go(page, people, path)
        await both(page)
    for path, name in DIALOGS:
        await go(page, people, path)
        await page.get_by_role("button", name=name).first.click()
        await both(page)


async def test_pages_on_a_phone(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/", at=people, viewport={"width": 320, "height": 640}, color_scheme="dark")
    for path in PAGES:
        await go(page, people, path)
        await check(page, ("target-size",))


async def test_nothing_there_and_nothing_to_be_had(open_page: OpenPage, people: AccountBackend) -> None:
    people.sign_in(people.account("ada", "Ada Lovelace", role="admin"))
    page = await open_page("/", at=people)
    for path in ("/rooms", "/records", "/admin", "/admin/servers", "/admin/audit"):
        await go(page, people, path)
        await expect(page.locator(".empty")).to_be_visible()
        await both(page)
    people.refuse = {path: problem("database-down", 503) for path in ("/rooms", "/me/keys", "/me/sessions")}
    for path in ("/rooms", "/me"):
        await go(page, people, path)
        await expect(page.get_by_role("alert").first).to_contain_text("The database can't be reached.")
        await both(page)


async def test_signing_in_and_making_a_room_by_keyboard_alone(open_page: OpenPage, people: AccountBackend) -> None:
    people.account("ada", "Ada Lovelace", "copper river seven")
    page = await open_page("/signin", at=people)
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.keyboard.press("Tab")  # the mark that leads home
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("User name")).to_be_focused()
    await page.keyboard.type("ada")
    await page.keyboard.press("Tab")
    await page.keyboard.type("copper river seven")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Rooms")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.get_by_label("Name", exact=True).focus()
    await page.keyboard.type("Planning")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Planning")).to_be_focused()
