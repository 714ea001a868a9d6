"""Services are killed one after the other during a meeting: all are back, hear who may be heard, and nothing is forgotten.

All services share one address behind the front door. Two browsers with a page each, and two telephones; one of the browsers has no
way but the TURN server. ``CONFERO_TEST_LONG=1``: 50 people, and each service is asked to stop as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from confero.lab.members.chromium import Chromium, Tab
from confero.lab.page import TYPE_NAME, Page
from confero.lab.stack import Stack
from confero.models import RoomState

from ..sipgw.telephone import Telephone
from .listening import HEARD_DBFS, UNHEARD_DBFS, level, tone, until
from .relayed import ONLY, WAYS

HOST = "127.0.62.1"
SETTINGS = {
    "CONFERO_APPSERVER_ICE_POLICY": "all",
    "CONFERO_APPSERVER_JOINS_PER_MINUTE": "1000",
    "CONFERO_APPSERVER_STRANGERS_PER_MINUTE": "1000",
    "CONFERO_APPSERVER_MAX_CONNECTIONS_PER_SOURCE": "1000",
    "CONFERO_NOTIFIER_MAX_CONNECTIONS_PER_SOURCE": "1000",
    "CONFERO_MCU_DRAIN_S": "1",
    "CONFERO_MCU_OWNER_LEASE_S": "40",  # a gateway that starts on a busy machine keeps its calls
    "CONFERO_SIPGW_DRAIN_S": "1",
    "CONFERO_TURN_DRAIN_S": "1",
}
LONG = bool(int(os.environ.get("CONFERO_TEST_LONG", "0") or 0))
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900 if LONG else 180)]
TABS, PHONES = (4, 42) if LONG else (1, 2)
"""Pages of each browser; telephones."""
SERVICES = ("edge", "notifier", "turn", "sipgw", "appserver", "mcu")
SIGNALS = (signal.SIGKILL, signal.SIGTERM) if LONG else (signal.SIGKILL,)
HOST_HZ, SPEAKER_HZ, PHONE_HZ = 433.0, 719.0, 1151.0
PHONE_HEARS, PHONE_DEAF = 1000.0, 150.0
BACK_WITHIN_S = 60.0 if LONG else 25.0
"""A relay that is lost is noticed when consent ends (RFC 7675: 30 s at most), and all else sooner."""
FACTS = """(() => { const c = window.confero, { version, ...state } = c.meeting.state;
  return { screen: c.screen, open: c.signalling === "open", well: ["good", "fair", "poor"].includes(c.state), state,
    roster: Object.fromEntries(c.roster.map((p) => [p.id, [p.role, p.muted, p.held, p.state]])),
    chat: c.meeting.chat.map((m) => m.text) }; })()"""
"""What a page knows."""


@dataclass
class Meeting:
    """Who is there. The first page is the host's, the first of the other browser may speak, one telephone has a hand up."""

    stack: Stack
    room: str = ""
    pages: list[tuple[Page, Tab]] = field(default_factory=list)
    phones: list[Telephone] = field(default_factory=list)
    knocker: Page | None = None
    chat: list[str] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def speaker(self) -> Page:
        return self.pages[TABS][0]

    async def open(self, tab: Tab, name: str, invitation: str = "") -> Page:
        """Presses join; what comes then is the room's to say. ``invitation``: its link."""
        page = Page(tab, self.stack.page_url)
        page.name = name
        link, _, secret = (invitation or f"{self.stack.page_url}/r/{self.room}").partition("#")
        await tab.goto(f"{link}?test-audio=raw#{secret}")
        await page.until("window.confero?.screen === 'prejoin' && window.confero.microphone !== 'asking'")
        await tab.evaluate(f"({TYPE_NAME})({json.dumps(name)})")
        await page.press("button[type=submit]")
        return page

    async def say(self, text: str) -> None:
        """The host, in the chat."""
        tab = self.pages[0][1]
        if not await tab.page.locator("#chat-text").count():
            await tab.page.get_by_role("button", name="Chat").click()
        await tab.page.locator("#chat-text").fill(text)
        await tab.page.locator("#chat-text").press("Enter")
        self.chat.append(text)

    async def administer(self, method: str, path: str, body: Any) -> Any:
        token = (self.stack.state_dir / "admin-token").read_text().strip()
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http,
            http.request(method, f"{self.stack.page_url}/api/v1/{path}", json=body, ssl=self.stack.tls()) as response,
        ):
            assert response.status < 300, await response.text()
            return await response.json(content_type=None) if response.status != 204 else None

    # -- how it is --

    async def until_well(self) -> None:
        """Every page is in, knows everybody and everything, and is heard or not as the rules have it."""
        people = 2 * TABS + PHONES
        wanted = {"screen": "call", "open": True, "well": True, "state": self.state, "chat": self.chat}
        seen: list[Any] = []
        try:
            async with asyncio.timeout(BACK_WITHIN_S):
                while True:
                    seen = await asyncio.gather(*(self._facts(page) for page, _ in self.pages))
                    rosters = [one.pop("roster", {}) for one in seen]
                    if all(one == wanted for one in seen) and all(self._complete(one, people) for one in rosters):
                        break
                    await asyncio.sleep(0.2)
        except TimeoutError:
            odd = [
                one for one in zip(seen, rosters, strict=True) if one[0] != wanted or not self._complete(one[1], people)
            ]
            pytest.fail(
                f"not well after {BACK_WITHIN_S} s: wanted {wanted}, of {len(odd)} pages the first has {odd[0]}"
            )
        assert self.knocker is not None
        await self.knocker.until("window.confero.screen === 'waiting'")
        await self.pages[0][0].until("window.confero.meeting.lobby.length === 1", BACK_WITHIN_S)
        await self.until_heard()
        there = "SELECT id FROM participants WHERE session IS NOT NULL OR leg_mcu IS NOT NULL"
        await until(
            lambda: len(self.stack.rows(there)) == people + 1, BACK_WITHIN_S, "so it is written down, with who waits"
        )
        await self._no_other_legs()

    async def _no_other_legs(self) -> None:
        """The media server has the legs that pages show, and no orphan."""
        mcu = self.stack.client("mcu")
        try:
            found = await mcu.call("GET", f"/v1/rooms/{self.room}", reply=RoomState)
        finally:
            await mcu.close()
        shown = await self.pages[0][0].value("window.confero.roster.map((p) => p.leg)")
        assert sorted(shown) == sorted(one.leg for one in found.participants)

    async def _facts(self, page: Page) -> dict[str, Any]:
        with contextlib.suppress(Exception):  # a page that is on its way says nothing
            found: dict[str, Any] = await page.value(FACTS)
            return found
        return {}

    def _complete(self, roster: dict[str, list[Any]], people: int) -> bool:
        """All are there with media; guests are held, but for the one who was let."""
        free = [1 for role, muted, held, state in roster.values() if not held and not muted and state == "connected"]
        return len(roster) == people == sum(one[3] == "connected" for one in roster.values()) and len(free) == 2

    async def until_heard(self) -> None:
        """Host and speaker are heard by all others, not by themselves, and nobody hears the telephones."""
        async with asyncio.timeout(BACK_WITHIN_S):
            await asyncio.gather(*(self._until_hears(index) for index in range(2 * TABS)))
        for phone in self.phones:
            await until(
                lambda phone=phone: min(phone.sound.levels(HOST_HZ, SPEAKER_HZ)) > PHONE_HEARS,
                BACK_WITHIN_S,
                "the telephone hears both",
            )

    async def _until_hears(self, index: int) -> None:
        while not await self._hears(self.pages[index][0], host=index != 0, speaker=index != TABS):
            pass

    async def _hears(self, page: Page, *, host: bool, speaker: bool) -> bool:
        try:
            heard = await page.hear(0.4)
        except Exception:  # a page without sound raises whatever its browser raises
            return False
        right = [
            level(heard, hertz, 0.2) > HEARD_DBFS if wanted else level(heard, hertz, 0.2) < HEARD_DBFS
            for hertz, wanted in ((HOST_HZ, host), (SPEAKER_HZ, speaker))
        ]
        return all(right) and level(heard, PHONE_HZ, 0.2) < UNHEARD_DBFS + 20

    async def ring(self) -> None:
        """Telephones that are in no call dial the room."""
        for number, phone in enumerate(self.phones):
            if phone.hung_up or not phone.received:
                if phone.received:
                    await phone.close()
                self.phones[number] = phone = await Telephone.open((HOST, 5060), PHONE_HZ)
                assert await phone.call(self.room) == 200

    async def hang_up(self) -> None:
        for phone in self.phones:
            phone.hang_up()
        await asyncio.sleep(0.2)
        for phone in self.phones:
            await phone.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def meeting(stack: Stack) -> AsyncIterator[Meeting]:
    async with contextlib.AsyncExitStack() as cleanup:
        made = Meeting(stack)
        room = await made.administer("POST", "rooms", {"name": "Restarts", "max_participants": 100})
        made.room = room["id"]
        invited = await made.administer("POST", f"rooms/{made.room}/invitations", {"role": "host"})
        flags = (
            "--disable-background-timer-throttling",
            "--disable-renderer-backgrounding",
            "--ignore-certificate-errors",
        )
        for name, hertz in (("Near", HOST_HZ), ("Far", SPEAKER_HZ)):
            browser = await cleanup.enter_async_context(Chromium(tone(hertz), flags=flags))
            tabs: list[Tab] = [browser, *[await browser.another() for _ in range(TABS - 1)]]
            for number, tab in enumerate(tabs):
                if name == "Far":
                    await tab.page.add_init_script(script=ONLY % json.dumps(WAYS["udp"]))
                first = name == "Near" and not number
                page = await made.open(tab, f"{name} {number}", invited["url"] if first else "")
                await page.connected(40)
                made.pages.append((page, tab))
        made.phones = [await Telephone.open((HOST, 5060), PHONE_HZ) for _ in range(PHONES)]
        cleanup.push_async_callback(made.hang_up)
        await made.ring()
        await settle(made, await browser.another())
        yield made


async def settle(meeting: Meeting, waiting: Tab) -> None:
    """What is to be kept: rules, a hand, somebody who may speak, somebody who waits, a lock, chat."""
    room, host = f"rooms/{meeting.room}", meeting.pages[0][0]
    await host.until(f"window.confero.roster.length === {2 * TABS + PHONES}", 60)
    await meeting.administer("PATCH", f"{room}/meeting", {"speak": "request", "lobby": True})
    speaker = await meeting.speaker.value("window.confero.participant")
    await meeting.administer("PATCH", f"{room}/participants/{speaker}", {"may_speak": True})
    await meeting.phones[0].press("*9")
    await host.until("window.confero.meeting.state.hands.length === 1")
    meeting.knocker = await meeting.open(waiting, "Knocker")
    await meeting.knocker.until("window.confero.screen === 'waiting'")
    await host.until("window.confero.meeting.lobby.length === 1")
    await meeting.administer("PATCH", f"{room}/meeting", {"locked": True})
    await host.until("window.confero.meeting.state.locked && window.confero.meeting.state.waiting === 1")
    for page in (host, meeting.speaker):
        await page.mute(False)
    meeting.state = (await host.value(FACTS))["state"]
    await meeting.say("before all of it")
    await meeting.until_well()


async def telephones_come_again(meeting: Meeting) -> None:
    """They dial, wait in the lobby, and are let in; who waited before goes on waiting."""
    room, host = f"rooms/{meeting.room}", meeting.pages[0][0]
    await meeting.administer("PATCH", f"{room}/meeting", {"locked": False})
    (before,) = await host.value("window.confero.meeting.lobby.map((one) => one.participant)")
    await meeting.ring()
    await host.until(f"window.confero.meeting.lobby.length === {PHONES + 1}", 60)
    for one in await host.value("window.confero.meeting.lobby.map((one) => one.participant)"):
        if one != before:
            await meeting.administer("POST", f"{room}/lobby/{one}", {})
    await host.until(f"window.confero.roster.length === {2 * TABS + PHONES}", 60)
    await meeting.phones[0].press("*9")
    await host.until("window.confero.meeting.state.hands.length === 1")
    await meeting.administer("PATCH", f"{room}/meeting", {"locked": True})
    await host.until("window.confero.meeting.state.locked && window.confero.meeting.state.waiting === 1")
    meeting.state = (await host.value(FACTS))["state"]


async def stopped(stack: Stack, service: str, old: int) -> None:
    """The process has gone, and its successor is ready."""

    def another() -> bool:
        with contextlib.suppress(LookupError):
            return stack.pid(service) != old
        return False

    await until(another, 40, f"another {service}")
    await stack.wait_ready()


@pytest.mark.parametrize(("how", "service"), [(how, service) for how in SIGNALS for service in SERVICES])
async def test_everything_is_there_again_after(
    stack: Stack, meeting: Meeting, how: signal.Signals, service: str, record_figure: Callable[[str, str], None]
) -> None:
    old, begun = stack.pid(service), time.monotonic()
    os.kill(old, how)
    await stopped(stack, service, old)
    if (how, service) == (signal.SIGTERM, "sipgw"):  # who is asked to stop says goodbye to its calls
        await until(lambda: all(phone.hung_up for phone in meeting.phones), 20, "all telephones are hung up")
        await telephones_come_again(meeting)
    await meeting.say(f"after {service} and {how.name}")
    await meeting.until_well()
    people = 2 * TABS + PHONES
    record_figure(
        f"restart-{how.name.lower()}-{service}", f"{people} people well again {time.monotonic() - begun:.1f} s after it"
    )
