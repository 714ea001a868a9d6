"""Pages of people who are signed in: they hear what concerns their account, from any page, and are in no room."""

from __future__ import annotations

from typing import Any

from confero.models import ChangedEvent, ClosedEvent, Publish, SpeakersEvent

from ..support.browser import Browser
from ..support.waiting import until
from .conftest import Stack, StackMaker
from .test_http_ways import listening


async def listen(stack: Stack, user: str = "u_alice") -> tuple[Browser, dict[str, Any]]:
    browser = stack.browser()
    return browser, await browser.hello(stack.user_token(user))


async def tell(stack: Stack, user: str, *events: Any) -> None:
    await stack.mcu.publish(stack.url, Publish(users=[user], events=list(events)))


CHANGED = ChangedEvent(what="rooms", room="blue-fox")


async def test_every_page_of_the_user_hears_it_and_nobody_else(stack: Stack) -> None:
    first, welcome = await listen(stack)
    assert welcome["user"] == "u_alice"
    assert [place["topic"] for place in welcome["topics"]] == ["user:u_alice"]
    second, _ = await listen(stack)
    other, _ = await listen(stack, "u_bob")
    member = await stack.join("alice")
    await tell(stack, "u_alice", CHANGED)
    for page in (first, second):
        found = await page.receive()
        assert found == {"topic": "user:u_alice", "seq": 1, "type": "changed", "what": "rooms", "room": "blue-fox"}
    for elsewhere in (other, member):
        assert (await elsewhere.ask("ping"))["type"] == "ok"
        assert elsewhere.events == []


async def test_events_of_rooms_do_not_come(stack: Stack) -> None:
    page, _ = await listen(stack)
    await stack.mcu.publish(stack.url, Publish(room="lobby", events=[SpeakersEvent(speakers=[])]))
    await tell(stack, "u_alice", CHANGED)
    assert (await page.receive())["type"] == "changed"


async def test_it_resumes_and_is_told_what_it_missed(stack: Stack) -> None:
    page, _ = await listen(stack)
    page.vanish()
    await until(lambda: all(session.sink is None for session in stack.notifier.hub.sessions()))
    await tell(stack, "u_alice", CHANGED)
    assert (await page.hello(stack.user_token(), resume=True))["resumed"]
    assert (await page.receive())["seq"] == 1


async def test_there_is_no_media_outside_of_a_room(stack: Stack) -> None:
    page, _ = await listen(stack)
    for kind, fields in (("offer", {"sdp": "v=0"}), ("mute", {"muted": True})):
        assert (await page.ask(kind, **fields))["problem"]["type"] == "urn:confero:problem:no-room"
    assert stack.mcu.calls == []
    assert (await page.ask("leave"))["type"] == "ok"
    assert await page.close_code() == 1000


async def test_the_application_server_is_told_who_listens(make_stack: StackMaker) -> None:
    stack = await make_stack(resume_window_s=0.1)
    page, welcome = await listen(stack)
    await until(lambda: [(one.kind, one.user) for one in stack.appserver.users] == [("connected", "u_alice")])
    page.vanish()
    await until(lambda: [one.kind for one in stack.appserver.users] == ["connected", "disconnected"])
    assert {one.session for one in stack.appserver.users} == {welcome["session"]}
    assert stack.appserver.notices == []
    await stack.notifier.stop()
    await stack.start_notifier()
    await until(lambda: len(stack.appserver.snapshots) == 2)


async def test_of_too_many_pages_the_oldest_ends(stack: Stack) -> None:
    pages = [(await listen(stack))[0] for _ in range(21)]
    assert await pages[0].close_code() == 4409
    await tell(stack, "u_alice", CHANGED)
    for page in pages[1:]:
        assert (await page.receive())["type"] == "changed"


async def test_whoever_is_signed_out_is_closed(stack: Stack) -> None:
    page, _ = await listen(stack)
    await tell(stack, "u_alice", ClosedEvent(reason="signed-out"))
    assert (await page.receive())["reason"] == "signed-out"
    assert await page.close_code() == 4403


async def test_a_stream_listens_too(stack: Stack) -> None:
    async with listening(stack, stack.user_token()) as page:
        assert (await page.next())["user"] == "u_alice"
        await tell(stack, "u_alice", CHANGED)
        assert (await page.next())["what"] == "rooms"
