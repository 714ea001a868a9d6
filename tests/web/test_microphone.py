"""Refused, missing and busy microphones: each is told, and one can listen all the same."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.async_api import Page, expect

from .backend import Backend, until
from .conftest import Launch, OpenPage
from .peers import SAID_HZ

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

FAILING = """
let fails = true;
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (constraints) => {
    if (fails) throw new DOMException("", "NAME");
    return open(constraints);
};
addEventListener("let-it-work", () => { fails = false; });
"""


async def listens(page: Page, backend: Backend) -> None:
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("button", name="Join and listen").click()
    await until(lambda: page.evaluate("window.confero.media === 'connected'"))
    assert "a=recvonly" in backend.offers[0].sdp
    await until(lambda: True in backend.mutes)
    await expect(page.get_by_role("button", name="Unmute")).to_be_visible()


async def test_refused(launch: Launch, open_page: OpenPage, backend: Backend) -> None:
    deaf = await launch("--use-fake-ui-for-media-stream=deny", without=("--use-fake-ui-for-media-stream",))
    try:
        page = await open_page(program=deaf)
        await expect(page.get_by_role("alert")).to_contain_text("Microphone access is blocked")
        await listens(page, backend)
        await page.keyboard.press("m")
        await expect(page.get_by_text("No microphone: see Settings")).to_be_visible()
    finally:
        await deaf.close()


async def test_none_found(launch: Launch, open_page: OpenPage, backend: Backend) -> None:
    bare = await launch(without=("--use-fake-device-for-media-stream",))
    try:
        page = await open_page(program=bare)
        await expect(page.get_by_role("alert")).to_contain_text("No microphone found")
        await listens(page, backend)
    finally:
        await bare.close()


@pytest.mark.parametrize(
    ("name", "words"),
    [("NotReadableError", "The microphone is in use"), ("OddError", "The microphone could not be opened")],
)
async def test_busy_and_tried_again(name: str, words: str, open_page: OpenPage) -> None:
    page = await open_page(script=FAILING.replace("NAME", name))
    await expect(page.get_by_role("alert")).to_contain_text(words)
    await page.evaluate("dispatchEvent(new Event('let-it-work'))")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.get_by_role("button", name="Microphone on")).to_be_enabled()


async def test_one_that_appears_is_picked_up(open_page: OpenPage) -> None:
    page = await open_page(script=FAILING.replace("NAME", "NotFoundError"))
    await expect(page.get_by_role("alert")).to_contain_text("No microphone found")
    await page.evaluate(
        "dispatchEvent(new Event('let-it-work')); navigator.mediaDevices.dispatchEvent(new Event('devicechange'))"
    )
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_switched_on_during_the_call(open_page: OpenPage, backend: Backend) -> None:
    page = await open_page(script=FAILING.replace("NAME", "NotReadableError"))
    await listens(page, backend)
    await page.evaluate("dispatchEvent(new Event('let-it-work'))")
    await page.get_by_role("button", name="Unmute").click()
    await until(lambda: backend.offers[-1].leg is not None or len(backend.offers) > 1)
    await expect(page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    await until(lambda: False in backend.mutes)
    assert "a=sendrecv" in backend.offers[-1].sdp


async def test_one_that_is_pulled_out_mutes_until_told(open_page: OpenPage, backend: Backend) -> None:
    spy = "const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);" \
        "navigator.mediaDevices.getUserMedia = async (wanted) => {" \
        "  if (window.pulled) throw new DOMException('', 'NotFoundError');" \
        "  return (window.given = await open(wanted)); };"  # fmt: skip
    page = await open_page(script=spy)
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("button", name="Join").click()
    await until(lambda: page.evaluate("window.confero.media === 'connected'"))
    await page.evaluate("window.pulled = true; window.given.getTracks()[0].dispatchEvent(new Event('ended'))")
    await expect(page.get_by_role("button", name="Unmute")).to_be_visible()
    await until(lambda: backend.mutes and backend.mutes[-1])
    await page.evaluate("window.pulled = false")
    await page.get_by_role("button", name="Unmute").click()
    await expect(page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    assert len(backend.offers) == 1


PLAYED = """
window.played = [];
const name = URL.createObjectURL;
URL.createObjectURL = (blob) => {
    const context = new OfflineAudioContext(1, 1, 48000);
    void blob.arrayBuffer().then((file) => context.decodeAudioData(file)).then((sound) => {
        window.played.push({ seconds: sound.duration, samples: Array.from(sound.getChannelData(0).subarray(24000, 72000)) });
    });
    return name.call(URL, blob);
};
"""


async def test_the_own_voice_is_heard(open_page: OpenPage) -> None:
    """What is played back is what the microphone heard, for as long as one spoke; and it can be broken off."""
    page = await open_page(script=PLAYED)
    await page.get_by_role("button", name="Test the microphone").click()
    await expect(page.get_by_role("status").filter(has_text="Say something")).to_have_count(1)
    await expect(page.get_by_role("status").filter(has_text="That is how others hear you")).to_have_count(1)
    await until(lambda: page.evaluate("window.played.length === 1"))
    voice = await page.evaluate("window.played[0]")
    assert 2.5 < voice["seconds"] < 4
    spectrum = np.abs(np.fft.rfft(np.array(voice["samples"]) * np.hanning(len(voice["samples"]))))
    assert abs(int(np.argmax(spectrum)) - SAID_HZ) <= 2
    await page.get_by_role("button", name="Listen…").click()
    await expect(page.get_by_role("button", name="Test the microphone")).to_be_visible()
