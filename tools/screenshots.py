"""Pictures of every page of the web client, at the size of a desktop and of a phone, light and dark: docs/images/client/.

``python tools/screenshots.py [PATTERN]`` makes those whose name the regular expression finds. The pages speak with the pretended
servers of tests/web, furnished by account_scene.py and meeting_scene.py there, so that pictures show the same things each time.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Literal

import aioice.ice
from playwright.async_api import Browser, Page, async_playwright

from confero.models import IncomingCallEvent

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.web.account_backend import AccountBackend  # noqa: E402
from tests.web.account_scene import furnish  # noqa: E402
from tests.web.backend import until  # noqa: E402
from tests.web.meeting_backend import MeetingBackend  # noqa: E402
from tests.web.meeting_scene import crowd, fill, talk  # noqa: E402
from tests.web.relay import LOOPBACK  # noqa: E402

TARGET = Path(os.environ.get("CONFERO_PICTURES", ROOT / "docs" / "images" / "client"))
SIZES = {"desktop": (1280, 800), "phone": (360, 740)}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
QUALITY = 52
SETTLE_MS = 400
"""For what moves in and for fonts."""
FLAGS = ("--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
Step = Callable[[Page], Awaitable[None]]
MeetingStep = Callable[[Page, MeetingBackend], Awaitable[None]]


async def nothing(page: Page) -> None:
    """The page as it opens."""


def press(name: str) -> Step:
    async def step(page: Page) -> None:
        await page.get_by_role("button", name=name).first.click()

    return step


def unfold(text: str) -> Step:
    async def step(page: Page) -> None:
        summary = page.locator("summary").filter(has_text=text).first
        await summary.click()
        await summary.evaluate("one => one.scrollIntoView()")

    return step


@dataclass(frozen=True)
class Shot:
    """One picture: ``name`` of the file, ``path`` that is opened, ``step`` that is taken then."""

    name: str
    path: str
    step: Step = nothing
    signed_in: bool = True
    whole: bool = False
    """The whole height of the page, not one screen of it."""


SHOTS = (
    Shot("home", "/"),
    Shot("home-guest", "/", signed_in=False),
    Shot("signin", "/signin", signed_in=False),
    Shot("signup", "/signup", signed_in=False),
    Shot("setup", "/setup#a-secret-of-one-use", signed_in=False),
    Shot("forgot", "/forgot", signed_in=False),
    Shot("reset", "/reset#a-secret-of-one-use", signed_in=False),
    Shot("rooms", "/rooms"),
    Shot("rooms-new", "/rooms", press("New room")),
    Shot("room", "/rooms/team-standup", whole=True),
    Shot("room-invitation", "/rooms/team-standup", press("New invitation")),
    Shot("records", "/records"),
    Shot("record", "/records/FIRST", whole=True),
    Shot("me", "/me", whole=True),
    Shot("me-menu", "/me", press("Account of")),
    Shot("me-key", "/me", press("Make a key")),
    Shot("admin", "/admin"),
    Shot("admin-users", "/admin/users"),
    Shot("admin-rooms", "/admin/rooms"),
    Shot("admin-servers", "/admin/servers"),
    Shot("admin-audit", "/admin/audit"),
    Shot("admin-telephony", "/admin/telephony"),
    Shot("api", "/api"),
    Shot("api-operation", "/api", unfold("/api/v1/rooms/{room}/join")),
)


# --- the meeting ---------------------------------------------------------------------------------------------------


async def join(page: Page, name: str = "Ada Lovelace") -> None:
    await page.get_by_label("Your name").fill(name)
    await page.get_by_role("button", name="Join").click()


async def inside(page: Page) -> None:
    await join(page)
    await until(lambda: page.evaluate("window.confero.media === 'connected'"))


def meeting(scene: Callable[[MeetingBackend], Awaitable[None]], *opened: str | re.Pattern[str]) -> MeetingStep:
    """Inside as a host; then the buttons ``opened`` are pressed, behind "More" where they are not shown."""

    async def step(page: Page, backend: MeetingBackend) -> None:
        await inside(page)
        await scene(backend)
        await until(lambda: page.evaluate(f"window.confero.roster.length === {len(backend.people)}"))
        for index, name in enumerate(opened):
            button = page.get_by_role("button", name=name).locator("visible=true").first
            if index == 0 and not await button.count():
                await page.get_by_role("button", name="More", exact=True).click()
            if await button.get_attribute("aria-pressed") != "true":
                await button.click()

    return step


async def as_is(backend: MeetingBackend) -> None:
    """Nobody else, nothing said."""


async def at_the_pin(page: Page, backend: MeetingBackend) -> None:
    await join(page)
    await page.get_by_role("alert").wait_for()


async def at_the_door(page: Page, backend: MeetingBackend) -> None:
    await join(page)
    await until(lambda: page.evaluate("window.confero.screen === 'waiting'"))


async def reconnecting(page: Page, backend: MeetingBackend) -> None:
    await meeting(talk)(page, backend)
    await backend.stop()
    await page.locator(".banner").wait_for()


async def ringing(page: Page, backend: MeetingBackend) -> None:
    await meeting(talk)(page, backend)
    await backend.tell(IncomingCallEvent(call="c9", name="Mary Jackson", number="+44 20 7946 0018", stale_s=30.0))
    await page.locator(".incoming").wait_for()


async def figures(page: Page, backend: MeetingBackend) -> None:
    await meeting(talk, "connection")(page, backend)
    await page.locator(".plot-line").first.wait_for(state="attached", timeout=15_000)
    await page.wait_for_timeout(6000)


async def left(page: Page, backend: MeetingBackend) -> None:
    await inside(page)
    await page.get_by_role("button", name="Leave").click()


async def as_it_opens(page: Page, backend: MeetingBackend) -> None:
    """The page before joining."""


@dataclass(frozen=True)
class Scene:
    """One picture of a meeting: ``step`` leads there; ``fields`` are set at the pretended server first."""

    name: str
    step: MeetingStep
    fields: dict[str, object] = field(default_factory=dict)


SCENES = (
    Scene("join", as_it_opens),
    Scene("join-pin", at_the_pin, {"pin": "2468"}),
    Scene("meeting-waiting", at_the_door, {"waits": True}),
    Scene("meeting-alone", meeting(as_is)),
    Scene("meeting", meeting(talk)),
    Scene("meeting-host", meeting(fill)),
    Scene("meeting-crowd", meeting(crowd)),
    Scene("meeting-people", meeting(fill, "People")),
    Scene("meeting-person", meeting(fill, "People", "Actions for Grace")),
    Scene("meeting-chat", meeting(talk, "Chat")),
    Scene("meeting-tools", meeting(fill, "Host tools")),
    Scene("meeting-invite", meeting(talk, "Invite")),
    Scene("meeting-statistics", figures),
    Scene("meeting-settings", meeting(talk, "Settings")),
    Scene("meeting-shortcuts", meeting(talk, "Settings", "Keyboard shortcuts")),
    Scene("meeting-dial", meeting(talk, "Call"), {"calls_out": True}),
    Scene("meeting-more", meeting(talk, re.compile("^(React|More)$"))),
    Scene("meeting-ringing", ringing),
    Scene("meeting-reconnecting", reconnecting),
    Scene("meeting-leave", meeting(talk, "Leave")),
    Scene("meeting-left", left),
)


async def take(browser: Browser, backend: AccountBackend, shot: Shot, size: str, scheme: Scheme) -> None:
    page = await open_page(browser, size, scheme)
    await page.goto(backend.url + shot.path.replace("FIRST", next(iter(backend.world.meetings))))
    await page.wait_for_load_state("networkidle")
    await shot.step(page)
    await keep(page, f"{shot.name}-{size}-{scheme}", whole=shot.whole)


async def play(browser: Browser, scene: Scene, size: str, scheme: Scheme) -> None:
    backend = MeetingBackend()
    backend.role = "host"
    for name, value in scene.fields.items():
        setattr(backend, name, value)
    await backend.start()
    page = await open_page(browser, size, scheme)
    await page.goto(f"{backend.url}/r/blue-fox")
    await page.get_by_label("Your name").wait_for()
    await scene.step(page, backend)
    await keep(page, f"{scene.name}-{size}-{scheme}")
    await backend.close()


async def open_page(browser: Browser, size: str, scheme: Scheme) -> Page:
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB"
    )
    return await context.new_page()


async def keep(page: Page, name: str, *, whole: bool = False) -> None:
    await page.wait_for_timeout(SETTLE_MS)
    await page.screenshot(path=TARGET / f"{name}.jpg", type="jpeg", quality=QUALITY, full_page=whole)
    await page.context.close()


async def shoot(pattern: str) -> None:
    backend = AccountBackend()
    await backend.start()
    furnish(backend)
    signed_in, nobody = backend.session, backend.session.model_copy(update={"user": None})
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [LOOPBACK]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for size, scheme in product(SIZES, SCHEMES):
            for shot in (one for one in SHOTS if re.search(pattern, one.name)):
                backend.session = signed_in if shot.signed_in else nobody
                await take(browser, backend, shot, size, scheme)
            for scene in (one for one in SCENES if re.search(pattern, one.name)):
                await play(browser, scene, size, scheme)
        await browser.close()
    await backend.close()


if __name__ == "__main__":
    TARGET.mkdir(parents=True, exist_ok=True)
    sys.exit(asyncio.run(shoot(sys.argv[1] if len(sys.argv) > 1 else "")))
