"""The database, the server, the network and devices go away: it is said, and all goes on by itself when they are back."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .account_backend import AccountBackend
from .account_scene import furnish
from .backend import Backend, problem, until
from .conftest import JoinPage, OpenPage

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

DEVICES = """
window.tracks = [];
window.missing = false;
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (constraints) => {
    if (window.missing) throw new DOMException("", "NotFoundError");
    const stream = await open(constraints);
    window.tracks.push(stream.getAudioTracks()[0]);
    return stream;
};
window.unplug = () => {
    const track = window.tracks.at(-1);
    track.stop();
    track.dispatchEvent(new Event("ended"));
};
window.hush = (muted) => {
    const track = window.tracks.at(-1);
    Object.defineProperty(track, "muted", { value: muted, configurable: true });
    track.dispatchEvent(new Event(muted ? "mute" : "unmute"));
};
"""


def banner(page: Page, words: str):  # type: ignore[no-untyped-def]
    return page.get_by_role("status").filter(has_text=words)


async def test_the_database_comes_back(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    people.refuse["/rooms"] = problem("database-down", 503)
    people.retry_after_s = 1
    page = await open_page("/rooms", at=people)
    await expect(banner(page, "The database can't be reached.")).to_be_visible()
    await expect(page.get_by_role("alert")).to_contain_text("This could not be loaded")
    asked = len([one for one in people.asked if one.startswith("GET /rooms")])
    await until(lambda: len([one for one in people.asked if one.startswith("GET /rooms")]) > asked)
    people.refuse.clear()
    await expect(page.get_by_role("link", name="Team standup", exact=True)).to_be_visible()
    await expect(banner(page, "The database can't be reached.")).to_have_count(0)
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_the_server_comes_back(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/rooms", at=people)
    await expect(page.get_by_role("link", name="Team standup", exact=True)).to_be_visible()
    await people.stop()
    await page.get_by_label("Find a room").fill("board")
    await expect(banner(page, "The server can't be reached.")).to_be_visible()
    await people.start()
    await page.get_by_role("button", name="Try now").click()
    await expect(page.get_by_role("link", name="Team standup", exact=True)).to_have_count(0)
    await expect(page.get_by_role("link", name="Board", exact=True)).to_be_visible()
    await expect(banner(page, "The server can't be reached.")).to_have_count(0)


async def test_lists_are_fresh_when_one_comes_back_to_them(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/rooms", at=people)
    await expect(page.get_by_text("6 people inside")).to_be_visible()
    room = people.world.rooms["team-standup"]
    people.world.rooms["team-standup"] = room.model_copy(update={"participants": 1})
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.get_by_text("1 person inside")).to_be_visible()


async def test_lists_follow_the_news(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/rooms", at=people)
    await expect(page.get_by_text("6 people inside")).to_be_visible()
    await until(lambda: len(people.listeners) == 1)
    room = people.world.rooms["team-standup"]
    people.world.rooms["team-standup"] = room.model_copy(update={"participants": 1})
    await people.changes("live", "team-standup")
    await expect(page.get_by_text("1 person inside")).to_be_visible()
    await people.drop_connections(1012)
    people.world.rooms["team-standup"] = room.model_copy(update={"participants": 2})
    await expect(page.get_by_text("2 people inside")).to_be_visible()


async def test_the_network_goes(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    await page.context.set_offline(True)
    await backend.drop_connections()
    await expect(banner(page, "You are offline.").first).to_be_visible()
    await page.context.set_offline(False)
    await expect(banner(page, "You are offline.")).to_have_count(0)
    await until(lambda: page.evaluate("window.confero.state === 'good'"))


async def test_a_microphone_is_unplugged_and_another_takes_its_place(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page(script=DEVICES)
    await page.evaluate("window.unplug()")
    await expect(page.get_by_role("log")).to_contain_text("Your microphone is gone. Now you are heard through")
    await expect(page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    await page.evaluate("window.missing = true; window.unplug()")
    await expect(page.get_by_role("alert")).to_contain_text("Your microphone is gone.")
    await expect(page.get_by_role("button", name="Unmute")).to_be_visible()
    await page.evaluate("window.missing = false; navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.get_by_role("button", name="Unmute").click()
    await until(lambda: backend.mutes and backend.mutes[-1] is False)


async def test_a_microphone_that_gives_no_sound(join_page: JoinPage) -> None:
    page = await join_page(script=DEVICES)
    await page.evaluate("window.hush(true)")
    await expect(page.get_by_role("alert")).to_contain_text("Your microphone gives no sound.")
    await page.evaluate("window.hush(false)")
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_the_computer_has_slept(join_page: JoinPage) -> None:
    page = await join_page()
    await page.evaluate("{ const now = Date.now; Date.now = () => now() + 60_000; }")
    await expect(page.get_by_role("log")).to_contain_text("The computer was asleep.")
    await until(lambda: page.evaluate("window.confero.state === 'good'"))
