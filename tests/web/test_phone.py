"""Telephones on the page: dialled from the room and from the front page, keyed into, hung up, answered when they ring."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from confero.models import CallEvent, IncomingCallEvent, LeftEvent, ParticipantEvent, RingStoppedEvent

from .backend import Backend, problem, until
from .conftest import JoinPage, OpenPage
from .test_accessibility import RULES, SCHEMES, SMALL, check

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

WIDE = {"viewport": {"width": 1280, "height": 800}}
NUMBER = "+49 30 1234567"
COUNT_TONES = """
window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when); };
"""


def event(state: str, status: int = 0, reason: str = "", call: str = "c1") -> CallEvent:
    return CallEvent(call=call, state=state, status=status, reason=reason, name=NUMBER, participant="p_c1")  # type: ignore[arg-type]


def ring(call: str = "c9", **more: object) -> IncomingCallEvent:
    given = {"name": "Bob", "number": "4711", "stale_s": 30.0, **more}
    return IncomingCallEvent(call=call, **given)  # type: ignore[arg-type]


async def dial(page: Page, to: str = NUMBER) -> None:
    await page.get_by_role("button", name="Call", exact=True).click()
    await page.get_by_label("Telephone number or SIP address").fill(to)
    await page.keyboard.press("Enter")


async def test_a_number_is_called(join_page: JoinPage, backend: Backend) -> None:
    backend.calls_out = True
    page = await join_page(**WIDE)
    await dial(page)
    await until(lambda: [wish.to for wish in backend.dialled] == [NUMBER])
    line = page.locator(".banner-call")
    await expect(line).to_contain_text(f"{NUMBER} is being called")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await backend.tell(event("ringing", 180))
    await expect(line).to_contain_text("is ringing")
    phone = backend.person(NUMBER, kind="rtp", id="p_c1", state="connecting")
    await backend.tell(ParticipantEvent(participant=phone))
    await backend.tell(event("answered", 200))
    await expect(line).to_have_count(0)
    await expect(page.get_by_role("log")).not_to_contain_text("joined")
    await backend.change(phone.id, state="connected")
    await expect(page.get_by_role("log")).to_contain_text(f"{NUMBER} joined")
    await page.get_by_role("button", name=f"Hang up on {NUMBER}").click()
    await until(lambda: backend.telephone == [("DELETE", "/rooms/blue-fox/calls/p_c1", None)])
    del backend.people[phone.id]
    await backend.tell(LeftEvent(participant=phone.id, reason="bye"))
    await backend.tell(event("ended", 200))
    await expect(line).to_contain_text("is off the line")


async def test_what_cannot_be_called(join_page: JoinPage, backend: Backend) -> None:
    backend.calls_out = True
    page = await join_page()
    backend.refuse_call = problem("call-out-refused", 403)
    await dial(page, "0900")
    await expect(page.get_by_role("alert")).to_have_text("You may not call that number from here.")
    backend.refuse_call = None
    await page.get_by_label("Telephone number or SIP address").press("Enter")
    await until(lambda: backend.dialled)
    await backend.tell(event("ended", 486))
    await expect(page.locator(".banner-call")).to_contain_text("is busy")


async def test_a_call_is_given_up(join_page: JoinPage, backend: Backend) -> None:
    backend.calls_out = True
    page = await join_page()
    await dial(page)
    await page.get_by_role("button", name=f"Hang up on {NUMBER}").click()
    await until(lambda: backend.telephone == [("DELETE", "/rooms/blue-fox/calls/c1", None)])


async def test_keys_by_mouse_and_keyboard(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page(**WIDE)
    backend.person(NUMBER, kind="rtp", id="p_c1")
    backend.person("Somebody else's", kind="rtp", id="p_c2")
    await backend.tell_roster()
    await backend.tell(event("answered", 200))
    await expect(page.get_by_role("button", name="Keys for Somebody else's")).to_have_count(0)
    await page.get_by_role("button", name=f"Keys for {NUMBER}").click()
    await page.get_by_role("button", name="star").click()
    await page.keyboard.press("7")
    await expect(page.get_by_label("Pressed")).to_have_text("*7")
    path = "/rooms/blue-fox/calls/p_c1/digits"
    await until(lambda: backend.telephone == [("POST", path, {"digits": "*"}), ("POST", path, {"digits": "7"})])


async def test_without_the_right_there_is_no_button(join_page: JoinPage) -> None:
    page = await join_page()
    await expect(page.get_by_role("button", name="Leave")).to_be_visible()
    await expect(page.get_by_role("button", name="Call", exact=True)).to_have_count(0)


async def test_from_the_front_page(open_page: OpenPage, backend: Backend) -> None:
    page = await open_page("/")
    await expect(page.get_by_role("button", name="Start")).to_be_visible()
    await expect(page.get_by_label("Call a telephone")).to_have_count(0)
    backend.calls_out = True
    await page.reload()
    await page.get_by_label("Call a telephone").fill(NUMBER)
    await page.keyboard.press("Enter")
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("button", name="Join").click()
    await until(lambda: [wish.to for wish in backend.dialled] == [NUMBER])
    assert backend.creations[-1].name == f"Call to {NUMBER}"
    await expect(page.locator(".banner-call")).to_contain_text("is being called")


@pytest.mark.parametrize(("button", "action"), [("Accept", "accept"), ("I am busy", "busy"), ("Decline", "decline")])
async def test_a_call_rings(join_page: JoinPage, backend: Backend, button: str, action: str) -> None:
    page = await join_page(script=COUNT_TONES)
    await backend.tell(ring(user_data="order 7"))
    dialog = page.get_by_role("alertdialog", name="Bob")
    await expect(dialog).to_contain_text("from 4711")
    await expect(dialog).to_contain_text("order 7")
    await until(lambda: page.evaluate("window.tones >= 2"))
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_visible()
    await backend.tell(ring(user_data="order 7"))  # said again: still one ring
    await page.get_by_role("button", name=button).click()
    await until(lambda: backend.telephone == [("POST", "/calls/c9/answer", {"action": action})])
    await expect(dialog).to_have_count(0)


async def test_a_ring_that_stops_by_itself(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    await backend.tell(ring())
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    await backend.tell(RingStoppedEvent(call="c9", reason="accepted"))
    await expect(page.get_by_role("alertdialog")).to_have_count(0)
    await backend.tell(ring(call="c10", name="", number="", stale_s=0.3))
    await expect(page.get_by_role("alertdialog", name="Unknown caller")).to_be_visible()
    await expect(page.get_by_role("alertdialog")).to_have_count(0)


async def test_an_old_token_is_exchanged(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    token = next(iter(backend._tokens))
    backend._tokens["renewed"] = backend._tokens[token]
    await backend.tell(ring())
    keep = backend._tokens.pop(token)
    backend._tokens = {**backend._tokens, "other": keep}
    # Its join names nobody any more, and it comes in as somebody new: the answer is sent with a token that holds.
    await page.get_by_role("button", name="Accept").click()
    await until(lambda: backend.telephone == [("POST", "/calls/c9/answer", {"action": "accept"})])
    assert len(backend.joins) > 1


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", [{}, SMALL], ids=["desktop", "320px"])
async def test_everything_is_accessible(
    scheme: str, size: dict[str, object], join_page: JoinPage, open_page: OpenPage, backend: Backend
) -> None:
    backend.calls_out = True
    rules = RULES[scheme]
    front = await open_page("/", color_scheme=scheme, **size)
    await expect(front.get_by_label("Call a telephone")).to_be_visible()
    await check(front, rules)
    page = await join_page(color_scheme=scheme, **size)
    more = page.get_by_role("button", name="More", exact=True)
    if await more.is_visible():
        await more.click()
    await page.get_by_role("button", name="Call", exact=True).click()
    await check(page, rules)
    await page.get_by_label("Telephone number or SIP address").fill(NUMBER)
    await page.keyboard.press("Enter")
    await expect(page.locator(".banner-call")).to_be_visible()
    await check(page, rules)
    backend.person(NUMBER, kind="rtp", id="p_c1")
    await backend.tell_roster()
    await backend.tell(event("answered", 200))
    if await page.get_by_role("complementary").count() == 0:
        await page.get_by_role("button", name="People").click()
    await check(page, rules)
    await page.get_by_role("button", name=f"Keys for {NUMBER}").click()
    await check(page, rules)
    await page.keyboard.press("Escape")
    await backend.tell(ring(user_data="A word that is quite long: " + "x" * 100))
    await expect(page.get_by_role("button", name="Accept")).to_be_focused()
    await check(page, rules)
