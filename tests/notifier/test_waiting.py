"""A browser in the lobby: it hears what concerns itself, has no media, and is another session once it is let in."""

from __future__ import annotations

from typing import Any

from confero.models import ClosedEvent, Publish, SpeakersEvent
from confero.models.meetings import AdmittedEvent

from ..support.browser import Browser
from .conftest import Stack

SDP = "v=0\r\n"


async def wait(stack: Stack, participant: str = "alice") -> tuple[Browser, dict[str, Any]]:
    browser = stack.browser()
    return browser, await browser.hello(stack.token(participant, waiting=True))


async def tell(stack: Stack, *events: Any, participant: str | None = None) -> None:
    await stack.mcu.publish(stack.url, Publish(room="lobby", participant=participant, events=list(events)))


async def test_the_welcome_tells_nothing_of_the_room(stack: Stack) -> None:
    bob = await stack.join("bob")
    assert (await bob.ask("offer", sdp=SDP))["type"] == "answer"
    asked = len(stack.mcu.calls)
    _, welcome = await wait(stack)
    assert (welcome["waiting"], welcome["roster"], welcome["participant"]) == (True, [], "alice")
    assert len(stack.mcu.calls) == asked


async def test_events_of_the_room_do_not_reach_the_lobby(stack: Stack) -> None:
    browser, _ = await wait(stack)
    bob = await stack.join("bob")
    await tell(stack, SpeakersEvent(speakers=[]))
    await tell(stack, AdmittedEvent(), participant="alice")
    assert (await browser.receive())["type"] == "admitted"
    assert (await bob.receive())["type"] == "speakers"


async def test_there_is_no_media_for_whoever_waits(stack: Stack) -> None:
    browser, _ = await wait(stack)
    for kind, fields in (("offer", {"sdp": SDP}), ("offer", {"sdp": SDP, "leg": "leg_1"}), ("mute", {"muted": False})):
        error = await browser.ask(kind, **fields)
        assert (error["problem"]["status"], error["problem"]["type"]) == (403, "urn:confero:problem:not-admitted")
    assert stack.mcu.legs == {}
    assert (await browser.ask("ping"))["type"] == "ok"
    assert (await browser.ask("leave"))["type"] == "ok"
    assert stack.mcu.calls == []


async def test_admitted_it_comes_again_and_the_waiting_session_ends(stack: Stack) -> None:
    waiting, _ = await wait(stack)
    inside = stack.browser()
    inside.session_id, inside.seen = waiting.session_id, waiting.seen
    welcome = await inside.hello(stack.token("alice"), resume=True)
    assert (welcome["resumed"], welcome["waiting"]) == (False, False)
    assert await waiting.close_code() == 4409
    assert (await inside.ask("offer", sdp=SDP))["type"] == "answer"
    await tell(stack, SpeakersEvent(speakers=[]))
    await inside.event("speakers")


async def test_a_waiting_session_resumes(stack: Stack) -> None:
    browser, _ = await wait(stack)
    browser.vanish()
    await tell(stack, AdmittedEvent(), participant="alice")
    welcome = await browser.hello(browser.token or stack.token("alice", waiting=True), resume=True)
    assert (welcome["resumed"], welcome["waiting"]) == (True, True)
    assert (await browser.receive())["type"] == "admitted"


async def test_refused_it_is_closed(stack: Stack) -> None:
    browser, _ = await wait(stack)
    await tell(stack, ClosedEvent(reason="refused"), participant="alice")
    assert (await browser.receive())["reason"] == "refused"
    assert await browser.close_code() == 4403


async def test_a_new_media_server_does_not_concern_the_lobby(stack: Stack) -> None:
    browser, _ = await wait(stack)
    await stack.mcu.tell_started(stack.url)
    await tell(stack, AdmittedEvent(), participant="alice")
    assert (await browser.receive())["type"] == "admitted"
