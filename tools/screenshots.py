"""Pictures of every page of the web client, at the size of a desktop and of a phone, light and dark: docs/images/client/.

``python tools/screenshots.py [WORD]`` makes those whose name has the word in it. The pages speak with the pretended server of
tests/web, furnished by tests/web/account_scene.py, so that pictures show the same things each time.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, async_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.web.account_backend import AccountBackend  # noqa: E402
from tests.web.account_scene import furnish  # noqa: E402

TARGET = ROOT / "docs" / "images" / "client"
SIZES = {"desktop": (1280, 800), "phone": (360, 740)}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
QUALITY = 52
Step = Callable[[Page], Awaitable[None]]


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
"""Pages of the meeting are added here as well."""


async def take(browser: Browser, backend: AccountBackend, shot: Shot, size: str, scheme: Scheme) -> None:
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB"
    )
    page = await context.new_page()
    await page.goto(backend.url + shot.path.replace("FIRST", next(iter(backend.world.meetings))))
    await page.wait_for_load_state("networkidle")
    await shot.step(page)
    await page.wait_for_timeout(400)
    await page.screenshot(
        path=TARGET / f"{shot.name}-{size}-{scheme}.jpg", type="jpeg", quality=QUALITY, full_page=shot.whole
    )
    await context.close()


async def shoot(word: str) -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    backend = AccountBackend()
    await backend.start()
    furnish(backend)
    signed_in, nobody = backend.session, backend.session.model_copy(update={"user": None})
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for shot in (one for one in SHOTS if word in one.name):
            backend.session = signed_in if shot.signed_in else nobody
            for size in SIZES:
                for scheme in SCHEMES:
                    await take(browser, backend, shot, size, scheme)
        await browser.close()
    await backend.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(shoot(sys.argv[1] if len(sys.argv) > 1 else "")))
