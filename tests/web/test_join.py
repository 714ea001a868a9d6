"""From the front page into the room, and what is heard there."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .backend import Backend, until
from .conftest import JoinPage, OpenPage
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
