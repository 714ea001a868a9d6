"""At the door: PINs, invitations, waiting to be let in, whoever is signed in."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.async_api import Page, expect

from confero.models.accounts import UserInfo
from confero.models.joining import RoomDetail

from .backend import problem, until
from .conftest import OpenPage
from .meeting_backend import MeetingBackend

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]


@pytest.fixture
def make_backend() -> type[MeetingBackend]:
    return MeetingBackend


async def knock(page: Page, name: str = "Ada Lovelace") -> None:
    await page.get_by_label("Your name").fill(name)
    await page.get_by_role("button", name="Join").click()


async def test_a_room_with_a_pin(open_page: OpenPage, backend: MeetingBackend) -> None:
    backend.pin = "2468"
    backend.rooms["blue-fox"] = backend.rooms["blue-fox"].model_copy(update={"pin_needed": True})
    page = await open_page()
    await knock(page)
    await expect(page.get_by_role("alert")).to_contain_text("This room has a PIN")
    await page.get_by_label("PIN").fill("1111")
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("alert")).to_contain_text("That PIN is not right")
    await expect(page.get_by_label("PIN")).to_be_focused()
    backend.refuse_join = problem("too-many-tries", 429)
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("alert")).to_contain_text("Too many wrong PINs")
    backend.refuse_join = None
    await page.get_by_label("PIN").fill("2468")
    await page.get_by_role("button", name="Join").click()
    await until(lambda: page.evaluate("window.confero.media === 'connected'"))


async def test_the_way_in_is_in_sight_on_a_phone(open_page: OpenPage, backend: MeetingBackend) -> None:
    backend.rooms["blue-fox"] = backend.rooms["blue-fox"].model_copy(update={"pin_needed": True, "lobby": True})
    page = await open_page(viewport={"width": 390, "height": 667})
    await expect(page.get_by_role("button", name="Join the room")).to_be_in_viewport(ratio=1)
    await expect(page.get_by_role("button", name="Test the network")).not_to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        ("owner", "You come in as a host."),
        ("guest", "You are a member of this room: come in."),
        (None, "You come in as a host."),
    ],
)
async def test_who_is_known_by_account_is_asked_for_nothing(
    mine: Literal["owner", "guest"] | None, words: str, open_page: OpenPage, backend: MeetingBackend
) -> None:
    known = backend.rooms["blue-fox"].model_copy(update={"pin_needed": True, "lobby": True})
    backend.rooms["blue-fox"] = RoomDetail(**known.model_dump(), created_at=1.0, used_at=1.0, mine=mine)
    page = await open_page()
    await expect(page.get_by_text(words)).to_be_visible()
    await expect(page.get_by_label("PIN")).to_have_count(0)
    await expect(page.get_by_text("Guests wait here until a host lets them in.")).to_have_count(0)


async def test_an_invitation_leaves_the_address_and_lets_in(open_page: OpenPage, backend: MeetingBackend) -> None:
    backend.pin = "2468"
    page = await open_page("/r/blue-fox?test-audio=raw#invitation=s3cret-of-an-invitation")
    await expect(page.get_by_label("Your name")).to_be_visible()
    assert page.url == f"{backend.url}/r/blue-fox?test-audio=raw"
    await page.reload()
    await knock(page)
    await until(lambda: page.evaluate("window.confero.screen === 'call'"))
    shown = backend.joins[-1].invitation
    assert shown is not None and shown.get_secret_value() == "s3cret-of-an-invitation"


async def test_an_invitation_that_is_used_up_is_not_shown_again(open_page: OpenPage, backend: MeetingBackend) -> None:
    page = await open_page("/r/blue-fox?test-audio=raw#invitation=s3cret-of-an-invitation")
    backend.refuse_join = problem("invitation-used", 403)
    await knock(page)
    await expect(page.get_by_role("alert")).to_contain_text("This invitation is used up")
    backend.refuse_join = None
    await page.get_by_role("button", name="Join").click()
    await until(lambda: page.evaluate("window.confero.screen === 'call'"))
    assert backend.joins[-1].invitation is None


async def test_waiting_and_being_let_in(open_page: OpenPage, backend: MeetingBackend) -> None:
    backend.waits = True
    page = await open_page()
    await knock(page)
    await expect(page.get_by_role("heading", name="Please wait, somebody will let you in soon")).to_be_focused()
    assert await page.evaluate("window.confero.screen") == "waiting"
    await until(lambda: len(backend.hellos) == 1)
    await backend.drop_connections()
    await until(lambda: len(backend.hellos) == 2)
    assert backend.offers == []
    await until(lambda: any(session.ws is not None for session in backend.sessions.values()))
    await backend.admit()
    await until(lambda: page.evaluate("window.confero.media === 'connected'"))
    assert backend.joins[-1].previous_token is not None


async def test_a_host_is_awaited_and_one_may_go(open_page: OpenPage, backend: MeetingBackend) -> None:
    backend.waits = True
    backend.rooms["blue-fox"] = backend.rooms["blue-fox"].model_copy(update={"host_first": True})
    page = await open_page()
    await expect(page.get_by_text("The meeting begins when a host comes.")).to_be_visible()
    await knock(page)
    await expect(page.get_by_role("heading", name="The host is not here yet")).to_be_visible()
    await page.get_by_role("button", name="Leave").click()
    await expect(page.get_by_role("heading", name="You left the room")).to_be_visible()
    await until(lambda: len(backend.left) == 1)
    assert await page.evaluate("window.confero.microphone") == "none"


async def test_not_let_in(open_page: OpenPage, backend: MeetingBackend) -> None:
    backend.waits = True
    page = await open_page()
    await knock(page)
    await until(lambda: any(session.ws is not None for session in backend.sessions.values()))
    await backend.refuse()
    await expect(page.get_by_role("heading", name="You were not let in")).to_be_visible()


async def test_whoever_is_signed_in_has_a_name_and_proves_the_page(
    open_page: OpenPage, backend: MeetingBackend
) -> None:
    backend.user = UserInfo(id="u_1", login="grace", display_name="Grace Hopper", role="user", created_at=1.0)
    backend.csrf_needed = True
    page = await open_page()
    await expect(page.get_by_label("Your name")).to_have_value("Grace Hopper")
    await page.get_by_role("button", name="Join").click()
    await until(lambda: page.evaluate("window.confero.media === 'connected'"))
    assert backend.proofs == ["proof"]
