"""The meeting: hands, reactions, chat, what guests are told, and what hosts do."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from confero.models.meetings import AskEvent, Hand, MeetingEvent, MeetingState, MovedEvent, RoleEvent

from .backend import problem, until
from .conftest import JoinPage
from .meeting_backend import MeetingBackend

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

WIDE = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 360, "height": 740}}


@pytest.fixture
def make_backend() -> type[MeetingBackend]:
    return MeetingBackend


def tile(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.get_by_role("list", name="People in the room").get_by_role("listitem").filter(has_text=name)


def row(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.get_by_role("list", name="Everybody in the room").get_by_role("listitem").filter(has_text=name)


async def menu(page: Page, name: str, deed: str) -> None:
    await page.get_by_role("button", name=f"Actions for {name}").click()
    await page.get_by_role("dialog").get_by_role("button", name=deed, exact=True).click()


async def test_hands_have_numbers_and_stale_states_are_ignored(join_page: JoinPage, backend: MeetingBackend) -> None:
    grace = backend.person("Grace Hopper")
    page = await join_page(**WIDE)
    await backend.now_is(hands=[Hand(participant=grace.id, since=1.0)])
    await page.get_by_role("button", name="Raise hand").click()
    await expect(tile(page, "Ada Lovelace")).to_contain_text("hand raised, number 2")
    await expect(row(page, "Grace Hopper")).to_contain_text("hand raised, number 1")
    await backend.tell(MeetingEvent(state=MeetingState(version=1)))
    await backend.now_is(locked=True)
    await expect(page.get_by_text("Locked")).to_be_visible()
    await expect(tile(page, "Grace Hopper")).to_contain_text("hand raised, number 1")
    await page.get_by_role("button", name="Lower hand").click()
    await expect(tile(page, "Ada Lovelace")).not_to_contain_text("hand raised")


async def test_reactions_float_and_go(join_page: JoinPage) -> None:
    page = await join_page(**WIDE)
    await page.get_by_role("button", name="React").click()
    await page.get_by_role("button", name="Applause").click()
    await expect(page.locator(".floating-one")).to_contain_text("Ada Lovelace")
    await expect(page.locator(".floating-one")).to_have_count(0)


async def test_chat(join_page: JoinPage, backend: MeetingBackend) -> None:
    for number in range(5):
        backend.write("p_other", "Grace Hopper", f"Earlier {number}", at=1e9 + number * 86400)
    page = await join_page(**WIDE)
    await backend.says("Grace Hopper", "See https://example.org/a_(b). <img src=x> javascript:alert(1)")
    await expect(page.get_by_role("log", name="Notices")).to_contain_text("Grace Hopper: See https://example.org")
    await page.get_by_role("button", name="Chat 1 unread").click()
    link = page.get_by_role("link", name="https://example.org/a_(b)")
    await expect(link).to_have_attribute("rel", re.compile("noopener"))
    assert await page.locator(".messages a").count() == 1
    assert await page.locator(".messages img").count() == 0
    await expect(page.get_by_text("Earlier 2")).to_be_visible()
    await expect(page.get_by_text("Earlier 0")).to_have_count(0)
    await page.get_by_role("button", name="Earlier messages").click()
    await expect(page.get_by_text("Earlier 0")).to_have_count(1)
    await expect(page.get_by_role("button", name="Earlier messages")).to_have_count(0)
    await page.get_by_label("Message to everybody").fill("Hello all")
    await page.keyboard.press("Enter")
    await expect(page.locator(".talk-own")).to_contain_text("Hello all")
    await expect(page.get_by_label("Message to everybody")).to_have_value("")
    backend.refuse_order = problem("too-many-requests", 429)
    await page.get_by_label("Message to everybody").fill("Too fast")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("log", name="Notices")).to_contain_text("That was a lot at once")
    await expect(page.get_by_label("Message to everybody")).to_have_value("Too fast")


async def test_no_earlier_messages_are_offered_where_there_are_none(
    join_page: JoinPage, backend: MeetingBackend
) -> None:
    backend.write("p_other", "Grace Hopper", "Good morning")
    page = await join_page(**WIDE)
    await page.get_by_role("button", name="Chat").click()
    await expect(page.get_by_text("Good morning")).to_be_visible()
    await expect(page.get_by_role("button", name="Earlier messages")).to_have_count(0)


async def test_speaking_on_request(join_page: JoinPage, backend: MeetingBackend) -> None:
    page = await join_page(**WIDE)
    own = await page.evaluate("window.confero.participant")
    await backend.now_is(speak="request")
    await expect(page.get_by_role("button", name="Ask to speak")).to_be_visible()
    await until(lambda: backend.mutes[-1:] == [True])
    await page.keyboard.press("m")
    await expect(page.get_by_text("Your hand is up, number 1")).to_be_visible()
    assert backend.mutes[-1] is True
    await backend.now_is(speakers=[own], hands=[])
    await expect(page.get_by_role("log", name="Notices")).to_contain_text("You may speak now")
    await page.get_by_role("button", name="Unmute").click()
    await until(lambda: backend.mutes[-1] is False)


async def test_a_host_asks_to_unmute(join_page: JoinPage, backend: MeetingBackend) -> None:
    page = await join_page(**WIDE)
    await page.keyboard.press("m")
    await until(lambda: backend.mutes[-1:] == [True])
    await backend.tell(AskEvent(what="unmute", by="Grace Hopper"))
    await expect(page.get_by_role("alert")).to_contain_text("Grace Hopper asks you to unmute")
    await page.get_by_role("button", name="Unmute now").click()
    await until(lambda: backend.mutes[-1] is False)
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_push_to_talk(join_page: JoinPage, backend: MeetingBackend) -> None:
    page = await join_page(**WIDE)
    await page.keyboard.press("m")
    await until(lambda: backend.mutes[-1:] == [True])
    await page.get_by_role("heading", name="Blue fox").focus()
    await page.keyboard.down(" ")
    await until(lambda: backend.mutes[-1] is False)
    await page.keyboard.up(" ")
    await until(lambda: backend.mutes[-1] is True)


async def test_what_hosts_do_with_one_person(join_page: JoinPage, backend: MeetingBackend) -> None:
    grace = backend.person("Grace Hopper")
    backend.role = "host"
    page = await join_page(**WIDE)
    await menu(page, "Grace Hopper", "Mute")
    await expect(tile(page, "Grace Hopper")).to_contain_text("muted")
    await menu(page, "Grace Hopper", "Ask to unmute")
    await expect(page.get_by_role("log", name="Notices")).to_contain_text("Grace Hopper was asked to unmute")
    await menu(page, "Grace Hopper", "Put in the spotlight")
    await expect(tile(page, "Grace Hopper")).to_contain_text("Spotlight")
    await menu(page, "Grace Hopper", "Make a host")
    await expect(row(page, "Grace Hopper")).to_contain_text("Host")
    await menu(page, "Grace Hopper", "Move to another room…")
    await page.get_by_label("Link or code of the other room").fill("https://meet.test/r/red-owl")
    await page.get_by_role("button", name="Move", exact=True).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await menu(page, "Grace Hopper", "Remove…")
    await page.get_by_role("button", name="Remove", exact=True).click()
    await expect(tile(page, "Grace Hopper")).to_have_count(0)
    path = f"/participants/{grace.id}"
    assert backend.orders == [
        ("PATCH", path, {"muted": True}),
        ("PATCH", path, {"muted": False}),
        ("PATCH", "/meeting", {"spotlight": grace.id}),
        ("PATCH", path, {"role": "host"}),
        ("POST", f"{path}/move", {"room": "red-owl"}),
        ("DELETE", path, None),
    ]


async def test_what_hosts_do_for_all(join_page: JoinPage, backend: MeetingBackend) -> None:
    grace = backend.person("Grace Hopper")
    backend.role = "host"
    page = await join_page(**WIDE)
    await page.get_by_role("button", name="Host tools").click()
    await page.get_by_role("switch", name="Lock the room").click()
    await expect(page.get_by_role("switch", name="Lock the room")).to_be_checked()
    await page.get_by_role("switch", name="Speaking on request").click()
    await page.get_by_role("button", name="Mute everybody else").click()
    await expect(page.get_by_role("log", name="Notices")).to_contain_text("2 people were muted")
    await page.keyboard.press("Escape")
    await backend.now_is(hands=[Hand(participant=grace.id, since=1.0)])
    await menu(page, "Grace Hopper", "Let them speak")
    await until(lambda: backend.state.speakers == [grace.id])
    await page.get_by_role("button", name="Host tools").click()
    await page.get_by_role("button", name="End for everyone…").click()
    await page.get_by_role("button", name="End for everyone", exact=True).click()
    await until(lambda: backend.orders[-1] == ("POST", "/meeting/end", None))


async def test_a_host_who_leaves_others_is_asked(join_page: JoinPage, backend: MeetingBackend) -> None:
    backend.person("Grace Hopper")
    backend.role = "host"
    page = await join_page(**WIDE)
    own = await page.evaluate("window.confero.participant")
    leave = page.get_by_role("button", name="Leave", exact=True)
    await leave.click()
    await expect(page.get_by_role("button", name="Just leave")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(leave).to_be_focused()
    await leave.click()
    await page.get_by_role("button", name="End for everyone").click()
    await until(lambda: [order[:2] for order in backend.orders] == [("POST", "/meeting/end")])
    await leave.click()
    await page.get_by_role("button", name="Just leave").click()
    await expect(page.get_by_role("heading", name="You left the room")).to_be_focused()
    await until(lambda: backend.left == [own])


async def test_a_host_alone_leaves_at_once(join_page: JoinPage, backend: MeetingBackend) -> None:
    backend.role = "host"
    page = await join_page(**WIDE)
    await page.get_by_role("button", name="Leave", exact=True).click()
    await expect(page.get_by_role("heading", name="You left the room")).to_be_focused()


async def test_nobody_is_alone_while_somebody_waits(join_page: JoinPage, backend: MeetingBackend) -> None:
    backend.role = "host"
    page = await join_page(**WIDE)
    await expect(page.get_by_text("You are the only one here.")).to_be_visible()
    await backend.comes_to_the_door("Katherine Johnson")
    await expect(page.get_by_text("You are the only one here.")).to_have_count(0)


async def test_the_lobby_of_hosts(join_page: JoinPage, backend: MeetingBackend) -> None:
    backend.role = "host"
    page = await join_page(viewport={"width": 1024, "height": 700})
    await backend.comes_to_the_door("Katherine Johnson")
    await expect(page.get_by_text("Katherine Johnson is waiting to come in")).to_be_visible()
    await backend.comes_to_the_door("+44 20 7946 0018", "rtp")
    await page.get_by_role("button", name="People 2 waiting").click()
    await page.get_by_role("button", name="Let in Katherine Johnson").click()
    await expect(page.get_by_role("button", name="Let in Katherine Johnson")).to_have_count(0)
    await page.get_by_role("button", name="Send away +44 20 7946 0018").click()
    await until(lambda: [order[:2] for order in backend.orders] == [("POST", "/lobby/w_0"), ("DELETE", "/lobby/w_1")])
    await expect(page.get_by_text("Waiting")).to_have_count(0)


async def test_becoming_a_host_and_none(join_page: JoinPage, backend: MeetingBackend) -> None:
    page = await join_page(**WIDE)
    await expect(page.get_by_role("button", name="Host tools")).to_have_count(0)
    await backend.tell(RoleEvent(role="host"))
    await expect(page.get_by_role("button", name="Host tools")).to_be_visible()
    await backend.tell(RoleEvent(role="guest"))
    await expect(page.get_by_role("button", name="Host tools")).to_have_count(0)


async def test_moved_to_another_room(join_page: JoinPage, backend: MeetingBackend) -> None:
    page = await join_page(**WIDE)
    backend.rooms["red-owl"] = backend.rooms["blue-fox"].model_copy(update={"id": "red-owl", "name": "Red owl"})
    token = next(iter(backend._tokens))
    await backend.tell(MovedEvent(room="red-owl", token=token))
    await expect(page.get_by_role("heading", name="Red owl")).to_be_visible()
    await until(lambda: page.evaluate("window.confero.media === 'connected'"))
    assert backend.joins[-1].previous_token == token
    assert page.url.startswith(f"{backend.url}/r/red-owl")


async def test_inviting(join_page: JoinPage, backend: MeetingBackend) -> None:
    backend.role = "host"
    page = await join_page(permissions=["clipboard-read", "clipboard-write", "microphone"], **WIDE)
    await page.get_by_role("button", name="Invite", exact=True).click()
    await expect(page.get_by_role("dialog")).to_contain_text("+44 20 7946 0018")
    await expect(page.get_by_text("They are asked for the PIN, too: 2468")).to_be_visible()
    await page.get_by_label("Lets in").select_option("1 person")
    await page.get_by_role("button", name="Make a link").click()
    await page.get_by_role("button", name="Copy New invitation").click()
    assert await page.evaluate("navigator.clipboard.readText()") == f"{backend.url}/r/blue-fox#invitation=secret"
    (made,) = backend.invitations
    assert made.max_uses == 1 and made.expires_at is not None and made.role == "guest"
    await page.get_by_role("button", name="Take back").click()
    await until(lambda: backend.orders == [("DELETE", "/invitations/i0", None)])


async def test_inviting_where_telephones_are_not_let_in(join_page: JoinPage, backend: MeetingBackend) -> None:
    backend.telephones = False
    backend.role = "host"
    page = await join_page(**WIDE)
    await page.get_by_role("button", name="Invite", exact=True).click()
    await expect(page.get_by_text("Telephones can't come in")).to_be_visible()
    await expect(page.get_by_role("heading", name="By telephone")).to_have_count(0)


async def test_guests_know_that_a_pin_is_asked_for(join_page: JoinPage, backend: MeetingBackend) -> None:
    page = await join_page(**WIDE)
    await page.get_by_role("button", name="Invite", exact=True).click()
    await expect(page.get_by_text("They are asked for the room's PIN, too. The host knows it.")).to_be_visible()


async def test_statistics_as_plots_and_as_a_table(join_page: JoinPage) -> None:
    page = await join_page(**WIDE)
    await page.get_by_role("button", name=re.compile("(Good|Fair|Poor) connection")).click()
    sent = page.get_by_role("row", name="Sent, kbit/s").get_by_role("cell").first
    await expect(sent).to_have_text(re.compile(r"[1-9]"))
    await expect(page.locator(".plot-line")).to_have_count(5)
    await page.get_by_role("button", name="Test the network").click()
    await expect(page.get_by_text("This browser may use the network for sound.")).to_be_visible()


async def test_on_a_phone(join_page: JoinPage, backend: MeetingBackend) -> None:
    backend.role = "host"
    page = await join_page(**PHONE)
    await page.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("button", name="Thumbs up").click()
    await expect(page.locator(".floating-one")).to_contain_text("Ada Lovelace")
    await page.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("button", name="Host tools").click()
    await expect(page.get_by_role("switch", name="Lobby")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Chat").click()
    await page.get_by_label("Message to everybody").fill("From a phone")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".talk-own")).to_contain_text("From a phone")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
