"""Whatever is taken away, the page comes back by itself, or says why it does not."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from confero.models import LeftEvent

from .backend import Backend, problem, until
from .conftest import JoinPage, Launch, OpenPage
from .peers import LOOPBACK_FLAG, SAID_HZ, PagePeer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]


async def hears(page: Page, backend: Backend) -> None:
    await until(lambda: backend.peers and abs(backend.peer.loudest_hz() - SAID_HZ) < 3)
    await until(lambda: page.evaluate("window.confero.media === 'connected'"))
    await until(lambda: page.evaluate("['good', 'fair', 'poor'].includes(window.confero.state)"))


async def counts(page: Page) -> dict[str, int]:
    return dict(await page.evaluate("window.confero.counts"))


async def test_broken_connection_is_resumed(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    leg, session = await page.evaluate("[window.confero.leg, window.confero.session]")
    await backend.drop_connections()
    backend.person("Grace Hopper")
    await backend.tell_roster()
    await until(lambda: page.evaluate("window.confero.counts.resumes === 1"))
    assert backend.hellos[1].resume == session
    assert backend.hellos[1].seen[0].seq > 0
    await expect(page.get_by_role("list", name="People in the room")).to_contain_text("Grace Hopper")
    assert await page.evaluate("window.confero.leg") == leg
    assert len(backend.offers) == 1


async def test_notifier_without_memory_keeps_the_leg(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    await backend.drop_connections()
    backend.sessions.clear()
    await until(lambda: len(backend.hellos) == 2)
    await hears(page, backend)
    assert (await counts(page))["offers"] == 1
    assert (await counts(page))["resumes"] == 0


async def test_server_killed_and_restarted(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    await backend.stop()
    banner = page.get_by_text("The server can't be reached.")
    await expect(banner).to_be_visible()
    assert await page.evaluate("window.confero.state") == "reconnecting"
    await backend.lose_legs()
    backend.sessions.clear()
    await backend.start()
    await hears(page, backend)
    await expect(banner).to_have_count(0)
    assert (await counts(page))["offers"] == 2


async def test_try_now(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    attempts: list[float] = []
    page.on("websocket", lambda _: attempts.append(asyncio.get_running_loop().time()))
    page.on("request", lambda asked: "/events/" in asked.url and attempts.append(asyncio.get_running_loop().time()))
    await backend.stop()
    await until(lambda: len(attempts) == 5)
    await until(lambda: page.evaluate("window.confero.signalling === 'waiting'"))
    await backend.start()
    clicked = asyncio.get_running_loop().time()
    await page.get_by_role("button", name="Try now").click()
    await hears(page, backend)
    assert attempts[5] - clicked < 0.5  # by itself it would have waited 1 s at least


async def test_media_server_restarted(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    leg = await page.evaluate("window.confero.leg")
    await page.get_by_role("button", name="Mute", exact=True).click()
    await until(lambda: backend.mutes and backend.mutes[-1])
    await backend.restart_media()
    await until(lambda: len(backend.offers) == 2 and backend.peers)
    assert backend.offers[1].leg is None
    own = await page.evaluate("window.confero.participant")
    await until(lambda: own in backend.people and backend.people[own].muted)
    assert await page.evaluate("window.confero.leg") != leg
    await page.keyboard.press("m")
    await hears(page, backend)


async def test_own_leg_that_ended_is_made_anew(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    own = await page.evaluate("window.confero.participant")
    await backend.lose_legs()
    await backend.tell(LeftEvent(participant=own, reason="ice-timeout"))
    await hears(page, backend)
    assert (await counts(page))["offers"] == 2


async def test_media_server_down_is_tried_until_it_is_up(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    backend.refuse_offers = [problem("media-server-down", 503)] * 6
    await backend.restart_media()
    await expect(page.get_by_text("The sound was interrupted.")).to_be_visible()
    await hears(page, backend)
    assert len(backend.joins) == 2
    assert backend.joins[1].previous_token is not None


async def test_network_cut_is_healed_by_an_ice_restart(
    join_page: JoinPage, backend: Backend, open_page: OpenPage, launch: Launch
) -> None:
    other = await launch(LOOPBACK_FLAG, whole=True)  # the shell has no such flag
    try:
        helper = await open_page("/", program=other)
        backend.make_peer = lambda relay: PagePeer(relay, helper)
        page = await join_page()
        leg = await page.evaluate("window.confero.leg")
        backend.peers[leg].relay.cut = True
        await until(lambda: page.evaluate("window.confero.state === 'restoring'"), timeout=20)
        await until(lambda: len(backend.offers) > 1)
        assert backend.offers[1].leg == leg
        assert ufrag(backend.offers[1].sdp) != ufrag(backend.offers[0].sdp)
        backend.peers[leg].relay.cut = False
        await until(lambda: page.evaluate("window.confero.media === 'connected'"))
        assert await page.evaluate("window.confero.leg") == leg
        assert (await counts(page))["offers"] == 1
    finally:
        await other.close()


async def test_ice_restart_of_a_lost_leg_becomes_a_fresh_one(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    leg = await page.evaluate("window.confero.leg")
    await backend.lose_legs()
    await until(lambda: len(backend.offers) == 3 and backend.peers, timeout=20)
    assert [offer.leg for offer in backend.offers] == [None, leg, None]
    await hears(page, backend)


async def test_expired_token_is_renewed(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    session = await page.evaluate("window.confero.session")
    await backend.drop_connections(4401)
    await until(lambda: page.evaluate("window.confero.counts.resumes === 1"))
    assert backend.joins[1].previous_token == backend.hellos[0].token
    assert backend.hellos[1].token != backend.hellos[0].token
    assert backend.hellos[1].resume == session
    assert len(backend.offers) == 1


async def test_token_of_an_earlier_installation_comes_in_anew(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    own = await page.evaluate("window.confero.participant")
    backend.forget_tokens()
    await backend.drop_connections(4401)
    await until(
        lambda: page.evaluate(f"window.confero.participant !== '{own}' && window.confero.media === 'connected'")
    )
    assert [join.previous_token is None for join in backend.joins] == [True, False, True]
    await hears(page, backend)


async def test_token_refused_for_good(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    backend.refuse_hello = 4401
    await backend.drop_connections(4401)
    await expect(page.get_by_role("heading", name="Your place in the room has expired")).to_be_visible()


@pytest.mark.parametrize(
    ("code", "words"), [(4403, "You were removed from the room"), (4409, "You are in this room in another tab")]
)
async def test_final_close_codes(code: int, words: str, join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    await backend.drop_connections(code)
    await expect(page.get_by_role("heading", name=words)).to_be_visible()
    assert len(backend.hellos) == 1


async def test_room_gone_while_away(join_page: JoinPage, backend: Backend) -> None:
    page = await join_page()
    backend.refuse_join = problem("room-unknown", 404)
    await backend.drop_connections(4401)
    await expect(page.get_by_role("heading", name="There is no such room")).to_be_visible()


def ufrag(sdp: str) -> str:
    return next(line for line in sdp.splitlines() if line.startswith("a=ice-ufrag:"))
