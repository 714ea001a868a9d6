"""In the room: who is there and talks, mute, devices, the link, leaving."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from confero.models import ActiveSpeaker, ClosedEvent, LeftEvent, SpeakersEvent

from .backend import Backend, until
from .conftest import JoinPage
from .peers import SAID_HZ, AiortcPeer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

WIDE = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 360, "height": 740}}


def tile(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.get_by_role("list", name="People in the room").get_by_role("listitem").filter(has_text=name)


async def test_roster_and_marks(join_page: JoinPage, backend: Backend) -> None:
    grace = backend.person("Grace Hopper")
    page = await join_page(**WIDE)
    await expect(tile(page, "Ada Lovelace")).to_contain_text("You")
    await expect(tile(page, "Grace Hopper")).not_to_contain_text("talking")
    await backend.tell(SpeakersEvent(speakers=[ActiveSpeaker(participant=grace.id, level=20)]))
    await expect(tile(page, "Grace Hopper")).to_contain_text("talking")
    assert (
        await tile(page, "Grace").locator(".voice").evaluate("(ring) => ring.style.getPropertyValue('--level')")
        == "0.8"
    )
    await backend.tell(SpeakersEvent(speakers=[]))
    await expect(tile(page, "Grace Hopper")).not_to_contain_text("talking")
    await backend.change(grace.id, muted=True)
    await expect(tile(page, "Grace Hopper")).to_contain_text("muted")
    await backend.change(grace.id, muted=False, state="disconnected")
    await expect(tile(page, "Grace Hopper")).to_contain_text("Connection lost")
    phone = backend.person("+49 30 1234567", kind="rtp")
    await backend.tell_roster()
    await expect(tile(page, "+49 30 1234567")).to_contain_text("by phone")
    await expect(page.get_by_role("log")).to_contain_text("+49 30 1234567 joined")
    del backend.people[phone.id]
    await backend.tell(LeftEvent(participant=phone.id, reason="bye"))
    await expect(page.get_by_role("log")).to_contain_text("+49 30 1234567 hung up")
    await expect(tile(page, "+49 30 1234567")).to_have_count(0)
    await expect(page.get_by_role("complementary", name="People").get_by_role("listitem")).to_have_count(2)


async def test_own_voice_is_shown(join_page: JoinPage) -> None:
    page = await join_page()
    await expect(tile(page, "Ada Lovelace")).to_contain_text("talking")
    await page.get_by_role("button", name="Mute", exact=True).click()
    await expect(tile(page, "Ada Lovelace")).not_to_contain_text("talking")


async def test_mute_by_button_and_key(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    await until(lambda: abs(backend.peer.loudest_hz() - SAID_HZ) < 3)
    await page.get_by_role("button", name="Mute", exact=True).click()
    await until(lambda: backend.mutes and backend.mutes[-1])
    await expect(tile(page, "Ada Lovelace")).to_contain_text("muted")
    await until(lambda: backend.peer.loudest_hz() == 0)
    await page.keyboard.press("m")
    await until(lambda: not backend.mutes[-1])
    await until(lambda: abs(backend.peer.loudest_hz() - SAID_HZ) < 3)
    await page.keyboard.press("Control+m")
    await page.get_by_role("button", name="Settings").click()
    await expect(page.get_by_label("Microphone", exact=True)).to_be_visible()  # what is hidden yet takes no key
    await page.get_by_label("Microphone", exact=True).press("m")
    assert await page.evaluate("window.confero.muted") is False


async def test_the_key_rests_while_a_dialog_is_open(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    await page.get_by_role("button", name="Settings").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.get_by_role("button", name="Close", exact=True).focus()
    await page.keyboard.press("m")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("m")
    await expect(page.get_by_role("button", name="Unmute", exact=True)).to_be_visible()
    await until(lambda: backend.mutes[-1:] == [True])


async def test_a_moderator_may_mute_but_not_unmute(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    own = await page.evaluate("window.confero.participant")
    await backend.change(own, muted=True)
    await expect(page.get_by_role("button", name="Unmute")).to_be_visible()
    await expect(page.get_by_text("A host muted you")).to_be_visible()
    await until(lambda: backend.mutes and backend.mutes[-1])
    told = len(backend.mutes)
    await backend.change(own, muted=False)
    await until(lambda: len(backend.mutes) > told and backend.mutes[-1])
    await expect(page.get_by_role("button", name="Unmute")).to_be_visible()


async def test_device_change(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page(**WIDE)
    source = "async () => (await window.confero.stats()).find((one) => one.type === 'media-source').trackIdentifier"
    before = await page.evaluate(source)
    await page.get_by_role("button", name="Settings").click()
    choice = page.get_by_label("Microphone", exact=True)
    await choice.select_option(label="Fake Audio Input 2")
    await until(lambda: page.evaluate(f"(async () => (await ({source})()) !== '{before}')()"))
    await expect(choice.locator("option:checked")).to_have_text("Fake Audio Input 2")
    await page.get_by_label("Speaker").select_option(index=1)
    await until(lambda: page.evaluate("document.querySelector('#remote-audio').sinkId !== ''"))
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(backend.offers) == 1
    await until(lambda: abs(backend.peer.loudest_hz() - SAID_HZ) < 3)


async def test_speaker_test_plays(join_page: JoinPage) -> None:
    page = await join_page(**WIDE)
    await page.get_by_role("button", name="Settings").click()
    test = page.get_by_role("button", name="Test the speaker")
    await test.click()
    await expect(test).to_be_disabled()
    await expect(test).to_be_enabled()


async def test_the_link_is_copied_or_selected(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page(permissions=["clipboard-read", "clipboard-write", "microphone"], **WIDE)
    await page.get_by_role("button", name="Invite", exact=True).click()
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_text("Link copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == f"{backend.url}/r/blue-fox"
    await page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_label("Send them this link", exact=True)).to_have_value(f"{backend.url}/r/blue-fox")
    selected = "() => document.activeElement.selectionEnd === document.activeElement.value?.length"
    await until(lambda: page.evaluate(f"({selected})()"))
    await page.get_by_role("button", name="Close", exact=True).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_many_people_on_a_phone(join_page: JoinPage, backend: Backend) -> None:
    for number in range(40):
        backend.person(f"Person {number}")
    page = await join_page(**PHONE)
    await expect(page.get_by_role("list", name="People in the room").get_by_role("listitem")).to_have_count(8)
    await page.get_by_role("button", name="34 more").click()
    await expect(page.get_by_role("list", name="Everybody in the room").get_by_role("listitem")).to_have_count(41)
    last = list(backend.people.values())[39]
    await backend.tell(SpeakersEvent(speakers=[ActiveSpeaker(participant=last.id, level=20)]))
    await page.get_by_role("button", name="Close the list").click()
    await expect(tile(page, last.display_name)).to_contain_text("talking")


async def test_leaving(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    own = await page.evaluate("window.confero.participant")
    await page.get_by_role("button", name="Leave").click()
    await expect(page.get_by_role("heading", name="You left the room")).to_be_focused()
    await until(lambda: backend.left == [own])
    assert await page.evaluate("window.confero.microphone") == "none"
    await page.get_by_role("button", name="Join again").click()
    await expect(page.get_by_label("Your name")).to_have_value("Ada Lovelace")
    await page.get_by_role("button", name="Join").click()
    await until(lambda: page.evaluate("window.confero.media === 'connected'"))


async def test_closing_the_tab_leaves(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    own = await page.evaluate("window.confero.participant")
    await page.goto("about:blank")
    await until(lambda: backend.left == [own])


async def test_going_back_leaves(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    await page.evaluate("history.pushState(null, '', '/'); dispatchEvent(new PopStateEvent('popstate'))")
    await expect(page.get_by_role("button", name="Start")).to_be_visible()
    await until(lambda: len(backend.left) == 1)


@pytest.mark.parametrize(
    ("reason", "words"), [("removed", "You were removed from the room"), ("room-closed", "The room was closed")]
)
async def test_removed(reason: str, words: str, join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    await backend.tell(ClosedEvent(reason=reason))
    await expect(page.get_by_role("heading", name=words)).to_be_visible()
    await expect(page.get_by_role("button", name="Join again")).to_have_count(0)


async def test_the_goodbye_is_left_to_the_server(join_page: JoinPage, backend: Backend) -> None:
    """Whoever is sent away hangs up a while later, so that records say what the server says."""
    page = await join_page()
    (peer,) = backend.peers.values()
    assert isinstance(peer, AiortcPeer)
    await asyncio.wait_for(peer.connected.wait(), 10)
    await backend.tell(ClosedEvent(reason="removed"))
    await expect(page.get_by_role("heading", name="You were removed from the room")).to_be_visible()
    await page.wait_for_timeout(500)
    assert peer.state == "connected"
    await until(lambda: peer.state == "closed")


async def test_sound_held_back_by_the_browser(join_page: JoinPage) -> None:
    hold = """
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
        if (!window.mayPlay) return Promise.reject(new DOMException("", "NotAllowedError"));
        return play.call(this);
    };"""
    page = await join_page(script=hold)
    await expect(page.get_by_role("alert")).to_contain_text("The browser holds the sound back")
    await page.evaluate("window.mayPlay = true")
    await page.get_by_role("button", name="Tap to hear").click()
    await expect(page.get_by_role("alert")).to_have_count(0)
