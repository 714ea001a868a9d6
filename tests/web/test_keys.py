"""A meeting by keyboard alone: keys and their dialog, where the focus goes, what screen readers are told, and how much."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from confero.models.meetings import Hand

from .backend import until
from .conftest import JoinPage
from .meeting_backend import MeetingBackend
from .test_accessibility import check

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

NARROW = {"viewport": {"width": 900, "height": 700}}


@pytest.fixture
def make_backend() -> type[MeetingBackend]:
    return MeetingBackend


def control(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.get_by_label("Call controls").get_by_role("button", name=name)


async def test_keys(join_page: JoinPage, backend: MeetingBackend) -> None:
    page = await join_page(**NARROW)
    await page.keyboard.press("h")
    await expect(control(page, "Lower hand")).to_be_visible()
    await page.keyboard.press("p")
    await expect(page.get_by_role("complementary", name="People")).to_be_visible()
    await page.keyboard.press("c")
    await expect(page.get_by_label("Message to everybody")).to_be_focused()
    await page.keyboard.type("chp?")
    await expect(page.get_by_label("Message to everybody")).to_have_value("chp?")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("complementary", name="Chat")).to_have_count(0)
    await expect(control(page, "Chat")).to_be_focused()
    await page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(dialog).to_contain_text("Raise or lower your hand")
    await check(page)
    await dialog.get_by_role("switch", name="Single letters act").click()
    await page.keyboard.press("Escape")
    await expect(control(page, "Chat")).to_be_focused()
    await page.keyboard.press("m")
    await page.keyboard.press("?")
    await expect(dialog).to_be_visible()
    assert await page.evaluate("window.confero.muted") is False


async def test_the_focus_stays_where_work_goes_on(join_page: JoinPage, backend: MeetingBackend) -> None:
    backend.role = "host"
    page = await join_page(**NARROW)
    for name in ("Grace", "Mary"):
        await backend.comes_to_the_door(name)
    await control(page, "People").click()
    await page.get_by_role("button", name="Let in Grace").click()
    await expect(page.get_by_role("button", name="Let in Mary")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="People")).to_be_focused()
    await page.get_by_role("button", name="Close the list").click()
    await expect(control(page, "People")).to_be_focused()
    await control(page, "More").click()
    await page.get_by_role("button", name="Host tools").click()
    await page.keyboard.press("Escape")
    await expect(control(page, "More")).to_be_focused()


async def test_screen_readers_are_told_in_few_words(join_page: JoinPage, backend: MeetingBackend) -> None:
    backend.role = "host"
    people = [backend.person(f"Person {number}") for number in range(12)]
    page = await join_page(**NARROW)
    await backend.now_is(hands=[Hand(participant=one.id, since=1.0) for one in people])
    await expect(page.get_by_role("log", name="Notices")).to_contain_text("12 people raised a hand")
    for number in range(8):
        await backend.says("Grace Hopper", f"Message {number}")
    await expect(page.get_by_role("log", name="Notices")).to_contain_text("Grace Hopper: Message 7")
    assert await page.locator(".toast").count() <= 3
    await page.keyboard.press("c")
    voice = page.get_by_role("status", name="New messages")
    await backend.says("Grace Hopper", "Are you there?")
    await expect(voice).to_have_text("Grace Hopper: Are you there?")
    for number in range(30):
        await backend.says("Mary", f"Burst {number}")
    await expect(voice).to_have_text("30 new messages, the last from Mary")


async def test_nothing_moves_for_who_wants_no_motion(join_page: JoinPage, backend: MeetingBackend) -> None:
    page = await join_page(reduced_motion="reduce", **NARROW)
    await control(page, "More").click()
    await page.get_by_role("button", name="Applause").click()
    await expect(page.locator(".floating-one")).to_have_count(1)
    moving = """document.getAnimations().filter((one) => one.playState === "running"
        && one.effect.getComputedTiming().endTime > 50).map((one) => one.effect.target.className)"""
    await until(lambda: page.evaluate("window.confero.state === 'good'"))
    assert await page.evaluate(moving) == []
