"""From the front page into the room, and what is heard there."""

from __future__ import annotations

import pytest
from playwright.async_api import Route, expect

from .backend import Backend, problem, until
from .conftest import JoinPage, Launch, OpenPage
from .peers import PLAYED_HZ, SAID_HZ

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

HEARD_HZ = """async () => {
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 32768, smoothingTimeConstant: 0 });
    context.createMediaStreamSource(document.querySelector('#remote-audio').srcObject).connect(analyser);
    await new Promise((done) => setTimeout(done, 1500));
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    return bins.indexOf(Math.max(...bins)) * context.sampleRate / analyser.fftSize;
}"""


async def test_sound_goes_both_ways(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    await until(lambda: abs(backend.peer.loudest_hz() - SAID_HZ) < 3)
    assert abs(await page.evaluate(HEARD_HZ) - PLAYED_HZ) < 5
    assert backend.joins[0].display_name == "Ada Lovelace"
    assert await page.evaluate("window.confero.counts.offers") == 1


async def test_new_room_from_the_front_page(open_page: OpenPage, backend: Backend) -> None:
    page = await open_page("/")
    await page.get_by_label("New room").fill("Standup")
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("heading", name="Standup")).to_be_visible()
    assert page.url == f"{backend.url}/r/red-owl"
    await page.go_back()
    await expect(page.get_by_role("button", name="Start")).to_be_visible()


async def test_how_a_new_room_sounds_is_chosen(open_page: OpenPage, backend: Backend) -> None:
    page = await open_page("/")
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("heading", name="Red owl")).to_be_visible()
    await page.go_back()
    await page.get_by_text("Sound of the room").click()
    await page.get_by_label("A short sound when somebody comes or goes").check()
    await page.get_by_label("A soft noise").check()
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("heading", name="Red owl")).to_be_visible()
    assert [(wish.announce, wish.noise_dbov) for wish in backend.creations] == [(False, None), (True, 70)]


async def test_a_room_is_entered_by_its_link_or_its_code(open_page: OpenPage, backend: Backend) -> None:
    page = await open_page("/")
    field = page.get_by_label("Have a link or a room's code?")
    await field.fill("not a room")
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_text("neither a room's link nor its code")).to_be_visible()
    await field.fill(f"{backend.url}/r/blue-fox?x=1")
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_role("heading", name="Blue fox")).to_be_visible()
    await expect(page.get_by_text("2 people are here")).to_be_visible()


async def test_a_name_is_needed_and_remembered(open_page: OpenPage, backend: Backend) -> None:
    page = await open_page()
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_text("Enter a name")).to_be_visible()
    assert backend.joins == []
    await page.get_by_label("Your name").fill("  Grace  ")
    await page.get_by_role("button", name="Join").click()
    await until(lambda: backend.joins)
    assert backend.joins[0].display_name == "Grace"
    await page.reload()
    await expect(page.get_by_label("Your name")).to_have_value("Grace")


async def test_the_microphone_is_seen_before_joining(open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.get_by_label("Microphone", exact=True)).to_be_enabled()
    assert await page.get_by_label("Microphone", exact=True).locator("option").count() >= 2
    level = "Number(getComputedStyle(document.querySelector('.level')).getPropertyValue('--level'))"
    await page.mouse.click(5, 5)
    await until(lambda: page.evaluate(f"{level} > 0.5"))


async def test_joining_muted_is_told(open_page: OpenPage, backend: Backend) -> None:
    page = await open_page()
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("button", name="Microphone on").click()
    await expect(page.get_by_text("You join muted")).to_be_visible()
    await page.get_by_role("button", name="Join").click()
    await until(lambda: True in backend.mutes)
    await expect(page.get_by_role("button", name="Unmute")).to_be_visible()
    await until(lambda: backend.peer.connected.is_set())
    assert backend.peer.loudest_hz() == 0


@pytest.mark.parametrize("path", ["/r/no-such-room", "/r/a/b", "/r/"])
async def test_unknown_room(path: str, open_page: OpenPage, backend: Backend) -> None:
    page = await open_page("/")
    await page.evaluate(
        "(path) => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }", path
    )
    await expect(page.get_by_role("heading", name="There is no such room")).to_be_visible()
    await page.get_by_role("button", name="Front page").click()
    await expect(page.get_by_role("button", name="Start")).to_be_visible()


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("room-full", 409, "This room is full"),
        ("no-media-server", 503, "No media server is ready"),
        ("too-many-requests", 429, "Too many requests"),
    ],
)
async def test_refused_join_can_be_tried_again(
    code: str, status: int, words: str, open_page: OpenPage, backend: Backend
) -> None:
    backend.refuse_join = problem(code, status)
    page = await open_page()
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("alert")).to_contain_text(words)
    backend.refuse_join = None
    await page.get_by_role("button", name="Join").click()
    await until(lambda: page.evaluate("window.confero.media === 'connected'"))


async def test_server_out_of_reach_before_joining(open_page: OpenPage, backend: Backend) -> None:
    page = await open_page()
    await page.get_by_label("Your name").fill("Ada")
    await backend.stop()
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("alert")).to_contain_text("The server can't be reached")
    await backend.start()
    await page.get_by_role("button", name="Join").click()
    await until(lambda: page.evaluate("window.confero.media === 'connected'"))


async def test_media_server_that_is_full_ends_the_call(open_page: OpenPage, backend: Backend) -> None:
    backend.refuse_offers = [problem("room-full", 409)]
    page = await open_page()
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("heading", name="This room is full")).to_be_visible()


async def test_unsupported_browser(open_page: OpenPage) -> None:
    page = await open_page(script="delete window.RTCPeerConnection")
    await expect(page.get_by_role("heading", name="This browser can't join")).to_be_visible()


async def test_a_page_that_did_not_come_through_comes_again(open_page: OpenPage) -> None:
    """As when the network changes while it is fetched: all of it is missing then, not only what was lost."""
    page = await open_page("/")
    loads, broken = 0, {1, 3}

    async def count(route: Route) -> None:
        nonlocal loads
        loads += route.request.is_navigation_request()
        await route.continue_()

    async def lose(route: Route) -> None:
        await (route.abort("connectionreset") if loads in broken else route.continue_())

    await page.route("**/*", count)
    await page.route("**/js/store.js", lose)
    await page.reload()
    await until(lambda: loads == 2)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("alert")).to_contain_text("The page has not come through completely")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert loads == 4


async def test_a_page_that_never_comes_says_so(open_page: OpenPage) -> None:
    page = await open_page("/")
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await page.clock.install()
    await page.route("**/js/store.js", hold)
    await page.reload(wait_until="commit")
    await expect(page.get_by_text("Opening…")).to_be_visible()
    again = page.get_by_role("button", name="Try again")
    for _ in range(20):
        await page.clock.run_for(5000)
        if await again.count():
            break
    await expect(again).to_be_visible()
    for route in held:
        await route.continue_()
    await expect(page.get_by_role("heading", level=1)).to_be_visible()


async def test_page_without_https_says_so_and_listens(launch: Launch, open_page: OpenPage, backend: Backend) -> None:
    plain = await launch("--host-resolver-rules=MAP confero.test 127.0.0.1")
    try:
        page = await open_page("/", program=plain)
        await page.goto(f"http://confero.test:{backend.port}/r/blue-fox")
        await expect(page.get_by_role("alert")).to_contain_text("This page is not secure")
        await page.get_by_label("Your name").fill("Ada")
        await page.get_by_role("button", name="Join and listen").click()
        await until(lambda: page.evaluate("window.confero.media === 'connected'"))
        assert "a=recvonly" in backend.offers[0].sdp
    finally:
        await plain.close()
