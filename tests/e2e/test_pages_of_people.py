"""A person who never saw confero: the printed link, a room, guests by PIN and invitation, telephones, sound, records; by pages."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Page as Tab
from playwright.async_api import expect

from confero.lab.members.chromium import Chromium
from confero.lab.page import TYPE_NAME, Page
from confero.lab.stack import Stack

from ..sipgw.telephone import Called, Telephone
from .listening import HEARD_DBFS, UNHEARD_DBFS, level, tone, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 69
HOST_HZ, GUEST_HZ, PHONE_HZ, CALLER_HZ = 433.0, 719.0, 1151.0, 887.0
PHONE_HEARS = 1000.0
LISTEN_S = 2.0
PASSWORD = "seven kettles in the moss"
PIN = "4711"


@dataclass
class People:
    stack: Stack
    host: Chromium
    guest: Chromium

    def page(self, browser: Chromium) -> Page:
        return Page(browser, self.stack.page_url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(stack: Stack) -> AsyncIterator[People]:
    async with contextlib.AsyncExitStack() as cleanup:
        host = await cleanup.enter_async_context(Chromium(tone(HOST_HZ)))
        guest = await cleanup.enter_async_context(Chromium(tone(GUEST_HZ)))
        yield People(stack, host, guest)


async def make_account(tab: Tab, stack: Stack) -> None:
    """The first administrator's, by the link that the terminal shows."""
    link = re.search(r"https://\S+/setup#[\w-]+", stack.output)
    assert link is not None, stack.output
    await tab.goto(link[0])
    await tab.locator("[name=login]").fill("ada")
    await tab.locator("[name=display_name]").fill("Ada Lovelace")
    await tab.locator("[name=password]").fill(PASSWORD)
    await tab.locator("button[type=submit]").click()
    await expect(tab.get_by_role("button", name="Account of Ada Lovelace")).to_be_visible()


async def sign_up(tab: Tab, origin: str) -> None:
    """A guest who liked it makes an account."""
    await tab.goto(f"{origin}/signup")
    await tab.locator("[name=login]").fill("grace")
    await tab.locator("[name=display_name]").fill("Grace Hopper")
    await tab.locator("[name=password]").fill(PASSWORD)
    await tab.get_by_role("button", name="Make the account").click()
    await expect(tab.get_by_role("button", name="Account of Grace Hopper")).to_be_visible()


async def make_room(tab: Tab, origin: str) -> str:
    """Its id."""
    await tab.goto(f"{origin}/rooms")
    await tab.get_by_role("button", name="New room").click()
    await tab.locator("[name=name]").fill("Planning")
    await tab.locator("[name=pin]").fill(PIN)
    await tab.get_by_role("switch", name="Lobby").check()
    await tab.get_by_role("button", name="Make the room").click()
    await expect(tab.get_by_role("heading", name="Planning")).to_be_visible()
    return tab.url.rpartition("/")[2]


async def invite(tab: Tab) -> str:
    """On the room's page: a link that is good once."""
    await tab.get_by_role("button", name="New invitation").click()
    await tab.locator("[name=note]").fill("For Linus")
    await tab.locator("[name=max_uses]").fill("1")
    await tab.get_by_role("button", name="Make the link").click()
    link: str = await tab.get_by_role("textbox", name="Your invitation link").input_value()
    await tab.get_by_role("button", name="Done").click()
    return link


async def number_of(tab: Tab, origin: str, room: str) -> str:
    """On the room's page: one that the system chooses."""
    await tab.goto(f"{origin}/rooms/{room}")
    await tab.locator("[name=number]").fill("auto")
    await tab.get_by_role("button", name="Save").click()
    await expect(tab.locator("[name=number]")).to_have_value(re.compile(r"^\d+$"))
    return await tab.locator("[name=number]").input_value()


async def go_in(page: Page, tab: Tab, url: str, name: str, pin: str = "") -> None:
    """Opens the room's link, types what is asked for, and asks to come in."""
    page.name = name
    await tab.goto(url)
    await page.until("window.confero?.screen === 'prejoin' && window.confero.microphone !== 'asking'")
    if pin:
        await tab.get_by_label("PIN", exact=True).fill(pin)
    await tab.evaluate(f"({TYPE_NAME})({name!r})")
    await tab.locator("button[type=submit]").click()


async def allow_calls(tab: Tab, origin: str) -> None:
    """An administrator lets rooms call any address."""
    await tab.goto(f"{origin}/admin/telephony")
    await tab.get_by_role("button", name="Let rooms call SIP addresses").click()
    await tab.get_by_role("dialog").get_by_role("button", name="Let them call").click()
    await expect(tab.get_by_text("can call any SIP address that this server reaches")).to_be_visible()


async def call_a_telephone(people: People, ada: Page) -> str:
    """It rings, is answered and heard, shown with its number, muted, and hung up; that number."""
    tab, stack = people.host.page, people.stack
    phone = await Called.open((stack.addresses["sipgw"], stack.port("sipgw", "sip")), PHONE_HZ)
    number = f"4930123456@127.0.0.1:{phone.address[1]}"
    await tab.get_by_role("button", name="Call", exact=True).click()
    await tab.locator("#dial-to").fill(number)
    await tab.locator("#dial-to").press("Enter")
    await until(lambda: phone.invite, 10, "the telephone rings")
    phone.says("180 Ringing")
    phone.says("200 OK", sounds=True)
    row = tab.get_by_role("listitem").filter(has_text=number)
    await expect(row.get_by_text("By phone", exact=True)).to_be_visible()
    await ada.until("window.confero.roster.some((p) => p.kind === 'rtp' && p.state === 'connected')")
    assert level(await ada.hear(LISTEN_S), PHONE_HZ) > HEARD_DBFS
    await until(lambda: phone.sound.levels(HOST_HZ)[0] > PHONE_HEARS, 10, "the telephone hears the host")

    await tab.get_by_role("button", name=f"Actions for {number}").click()
    await tab.get_by_role("dialog").get_by_role("button", name="Mute", exact=True).click()
    await ada.sees_muted(number)
    assert level(await ada.hear(LISTEN_S), PHONE_HZ) < UNHEARD_DBFS

    await row.get_by_role("button", name=f"Hang up on {number}").click()
    await until(lambda: phone.hung_up, 10, "it is hung up on")
    await ada.gone(number)
    await phone.close()
    return number


async def a_telephone_calls(people: People, ada: Page, number: str) -> None:
    """It keys the PIN, waits in the lobby, is let in, and both hear each other."""
    tab, stack = people.host.page, people.stack
    phone = await Telephone.open((stack.addresses["sipgw"], stack.port("sipgw", "sip")), CALLER_HZ)
    assert await phone.call(number) == 200
    await until(lambda: len(phone.sound.heard) > 25, 10, "it is asked for the PIN")
    await phone.press(f"{PIN}#")
    await tab.get_by_role("button", name=re.compile("^Let in ")).click()
    await ada.until("window.confero.roster.some((p) => p.kind === 'rtp' && p.state === 'connected')")
    assert level(await ada.hear(LISTEN_S), CALLER_HZ) > HEARD_DBFS
    await until(lambda: phone.sound.levels(HOST_HZ)[0] > PHONE_HEARS, 10, "the caller hears the host")
    phone.hang_up()
    await ada.until("window.confero.roster.every((p) => p.kind !== 'rtp')")
    await phone.close()


async def somebody_comes_by_invitation(people: People, invitation: str) -> None:
    """No PIN is asked for; a host still lets them in."""
    tab = await people.guest.another()
    linus = Page(tab, people.stack.page_url)
    link, _, secret = invitation.partition("#")
    await go_in(linus, tab.page, f"{link}?test-audio=raw#{secret}", "Linus")
    await linus.until("window.confero.screen === 'waiting'")
    await people.host.page.get_by_role("button", name="Let in Linus").click()
    await linus.connected()
    await linus.leave()
    await linus.until("window.confero.screen === 'ended'")
    await tab.page.close()


async def test_from_the_first_page_to_the_record(people: People) -> None:
    origin = people.stack.page_url
    ada, ada_tab = people.page(people.host), people.host.page
    grace, grace_tab = people.page(people.guest), people.guest.page
    await make_account(ada_tab, people.stack)
    await allow_calls(ada_tab, origin)
    room = await make_room(ada_tab, origin)
    invitation = await invite(ada_tab)
    dial_in = await number_of(ada_tab, origin, room)
    link = f"{origin}/r/{room}?test-audio=raw"

    rooms = await ada_tab.context.new_page()
    await rooms.goto(f"{origin}/rooms")
    await expect(rooms.get_by_role("link", name="Planning", exact=True)).to_be_visible()
    await go_in(ada, ada_tab, link, "Ada Lovelace")
    await ada.connected()
    # Told by the notification server: a page that hears nothing looks every 15 s.
    await expect(rooms.get_by_text("1 person inside")).to_be_visible(timeout=6000)
    await rooms.close()
    await go_in(grace, grace_tab, link, "Grace Hopper", "0000")
    await expect(grace_tab.get_by_role("alert")).to_contain_text("PIN")
    await grace_tab.get_by_label("PIN", exact=True).fill(PIN)
    await grace_tab.locator("button[type=submit]").click()
    await grace.until("window.confero.screen === 'waiting'")

    await ada_tab.get_by_role("button", name="Let in Grace Hopper").click()
    await grace.connected()
    assert level(await grace.hear(LISTEN_S), HOST_HZ) > HEARD_DBFS
    assert level(await ada.hear(LISTEN_S), GUEST_HZ) > HEARD_DBFS

    await ada_tab.get_by_role("button", name="Actions for Grace Hopper").click()
    await ada_tab.get_by_role("dialog").get_by_role("button", name="Mute", exact=True).click()
    await ada.sees_muted("Grace Hopper")
    assert level(await ada.hear(LISTEN_S), GUEST_HZ) < UNHEARD_DBFS

    await somebody_comes_by_invitation(people, invitation)
    number = await call_a_telephone(people, ada)
    await a_telephone_calls(people, ada, dial_in)

    await ada_tab.get_by_role("button", name="Host tools").click()
    await ada_tab.get_by_role("button", name="End for everyone…").click()
    await ada_tab.get_by_role("button", name="End for everyone", exact=True).click()
    for page in (ada, grace):
        await page.until("window.confero.screen === 'ended'")

    await ada_tab.goto(f"{origin}/records")
    await ada_tab.get_by_role("link", name="Planning").first.click()
    for name in ("Ada Lovelace", "Grace Hopper"):
        await expect(ada_tab.get_by_role("rowheader", name=name)).to_be_visible()
    leg = ada_tab.get_by_role("row").filter(has=ada_tab.get_by_role("rowheader", name=number))
    await expect(leg).to_contain_text("PCMU")
    await sign_up(grace_tab, origin)
