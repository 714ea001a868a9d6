"""Events over the WebSocket, how a session outlives its connection, and what restarts do."""

from __future__ import annotations

from confero.models import ClosedEvent, Publish, SpeakersEvent

from ..support.waiting import until
from .conftest import Stack, StackMaker

SPEAKERS = SpeakersEvent(speakers=[])


# --- events, resume, end -------------------------------------------------------------------------------------------


async def test_events_reach_members_only(stack: Stack) -> None:
    alice, spy = await stack.join("alice"), await stack.join("spy", "elsewhere")
    for _ in range(3):
        await stack.mcu.publish(stack.url, Publish(room="lobby", events=[SPEAKERS]))
    assert [(await alice.receive())["seq"] for _ in range(3)] == [1, 2, 3]
    assert (await spy.ask("ping"))["type"] == "ok"
    assert spy.events == []


async def test_resume_after_a_broken_connection(stack: Stack) -> None:
    alice = await stack.join()
    leg = (await alice.ask("offer", sdp="v=0"))["leg"]
    await stack.mcu.publish(stack.url, Publish(room="lobby", events=[SPEAKERS]))
    await alice.event("speakers")
    alice.vanish()
    session = stack.notifier.hub.of_participant("alice")
    assert session is not None
    await until(lambda: session.sink is None)
    await stack.mcu.publish(stack.url, Publish(room="lobby", events=[SPEAKERS, SPEAKERS]))
    welcome = await alice.hello(stack.token(), resume=True)
    assert (welcome["resumed"], welcome["topics"][0]["seq"], welcome["session"]) == (True, 1, session.id)
    assert [entry["leg"] for entry in welcome["roster"]] == [leg]
    assert [(await alice.receive())["seq"] for _ in range(2)] == [2, 3]
    assert stack.appserver.kinds("alice").count("connected") <= 1
    assert (await alice.ask("mute", muted=True))["type"] == "ok"


async def test_whoever_is_known_goes_on_while_nobody_can_be_asked(stack: Stack) -> None:
    """With the token that the session has, and no other; who begins anew is sent to come again."""
    alice, bob = await stack.join("alice"), await stack.join("bob")
    token, other = stack.token("alice"), stack.token("mallory")
    alice.vanish()
    await stack.mcu.publish(stack.url, Publish(room="lobby", events=[SPEAKERS]))
    await bob.event("speakers")
    await stack.appserver.stop()
    mallory = stack.browser()
    mallory.session_id, mallory.seen = alice.session_id, alice.seen
    await mallory.connect()
    await mallory.send({"type": "hello", "token": other, "resume": alice.session_id, "seen": list(alice.seen.values())})
    assert await mallory.close_code() == 4503
    welcome = await alice.hello(token, resume=True)
    assert (welcome["resumed"], welcome["session"]) == (True, alice.session_id)
    assert (await alice.receive())["type"] == "speakers"
    assert (await alice.ask("ping"))["type"] == "ok"


async def test_resume_while_the_old_connection_hangs(stack: Stack) -> None:
    first = await stack.join()
    second = stack.browser()
    second.session_id, second.seen = first.session_id, first.seen
    assert (await second.hello(stack.token(), resume=True))["resumed"]
    assert await first.close_code() == 4409
    assert (await second.ask("ping"))["type"] == "ok"


async def test_resume_of_anothers_session_gives_a_fresh_one(stack: Stack) -> None:
    alice = await stack.join("alice")
    mallory = stack.browser()
    mallory.session_id = alice.session_id
    welcome = await mallory.hello(stack.token("mallory"), resume=True)
    assert not welcome["resumed"]
    assert welcome["session"] != alice.session_id
    assert (await alice.ask("ping"))["type"] == "ok"


async def test_same_participant_again(stack: Stack) -> None:
    first = await stack.join()
    second = await stack.join()
    assert await first.close_code() == 4409
    assert (await second.ask("ping"))["type"] == "ok"
    await until(lambda: stack.appserver.kinds("alice") == ["connected", "disconnected", "connected"])


async def test_after_the_window_the_leg_is_removed(make_stack: StackMaker) -> None:
    stack = await make_stack(resume_window_s=0.1)
    alice = await stack.join()
    leg = (await alice.ask("offer", sdp="v=0"))["leg"]
    alice.vanish()
    await until(lambda: stack.mcu.legs == {})
    assert ("DELETE", f"/v1/legs/{leg}?reason=owner-gone") in stack.mcu.calls
    await until(lambda: stack.appserver.kinds("alice") == ["connected", "disconnected"])
    welcome = await alice.hello(stack.token(), resume=True)
    assert not welcome["resumed"]


async def test_after_the_window_a_leg_with_media_stays(make_stack: StackMaker) -> None:
    """As when only the way for events was cut: the participant finds the leg again."""
    stack = await make_stack(resume_window_s=0.1)
    alice = await stack.join()
    leg = (await alice.ask("offer", sdp="v=0"))["leg"]
    stack.mcu.set_state(leg, "connected")
    bob = await stack.join("bob")
    await bob.ask("offer", sdp="v=0")
    alice.vanish()
    bob.vanish()
    await until(lambda: list(stack.mcu.legs) == [leg] and len(stack.notifier.orphans) == 1)
    await until(lambda: stack.appserver.kinds("alice") == ["connected", "disconnected"])
    welcome = await alice.hello(stack.token(), resume=True)
    assert not welcome["resumed"]
    assert [entry["leg"] for entry in welcome["roster"]] == [leg]


async def test_removed_participant(stack: Stack) -> None:
    alice = await stack.join()
    await stack.mcu.publish(
        stack.url, Publish(room="lobby", participant="alice", events=[ClosedEvent(reason="removed")])
    )
    assert (await alice.receive())["type"] == "closed"
    assert await alice.close_code() == 4403


async def test_started_mcu(stack: Stack) -> None:
    alice = await stack.join()
    leg = (await alice.ask("offer", sdp="v=0"))["leg"]
    await stack.mcu.stop()
    await stack.mcu.start()
    await stack.mcu.tell_started(stack.url)
    await stack.mcu.tell_started(stack.url)
    assert await alice.event("renegotiate") == {
        "topic": "participant:alice",
        "seq": 1,
        "type": "renegotiate",
        "reason": "media-server-started",
    }
    assert (await alice.ask("offer", sdp="v=0", leg=leg))["problem"]["status"] == 404
    assert (await alice.ask("offer", sdp="v=0"))["type"] == "answer"
    assert len(alice.events) == 1


async def test_a_later_token_moves_the_whole_room(stack: Stack) -> None:
    alice = await stack.join("alice")
    bob = stack.browser()
    await bob.hello(stack.token("bob", mcu="mcu-2", mcu_url="http://127.0.0.1:9"))
    assert (await alice.event("renegotiate"))["reason"] == "moved"
    assert bob.events == []


# --- restart -------------------------------------------------------------------------------------------------------


async def test_killed_notifier(stack: Stack) -> None:
    alice = await stack.join()
    leg = (await alice.ask("offer", sdp="v=0"))["leg"]
    await stack.notifier.stop()
    assert await alice.close_code() in (1012, 1006)
    await stack.start_notifier()
    welcome = await alice.hello(stack.token(), resume=True)
    assert (welcome["resumed"], [place["seq"] for place in welcome["topics"]]) == (False, [0, 0])
    assert [entry["leg"] for entry in welcome["roster"]] == [leg]
    assert (await alice.ask("offer", sdp="v=0", leg=leg))["leg"] == leg
    assert [snapshot.sessions for snapshot in stack.appserver.snapshots] == [[], []]


async def test_drain_tells_browsers_to_come_back(stack: Stack) -> None:
    alice = await stack.join()
    await stack.notifier.drain()
    assert await alice.close_code() == 1012


async def test_application_server_restarts(stack: Stack) -> None:
    alice = await stack.join("alice")
    await stack.appserver.stop()
    assert (await alice.ask("offer", sdp="v=0"))["type"] == "answer"
    assert (await alice.ask("leave"))["type"] == "ok"
    await stack.appserver.start()
    await until(lambda: "disconnected" in stack.appserver.kinds("alice"))
    await stack.join("bob")


async def test_nothing_is_left_behind(make_stack: StackMaker) -> None:
    stack = await make_stack(resume_window_s=0.1)
    browsers = [await stack.join(f"p{number}") for number in range(10)]
    for browser in browsers:
        await browser.ask("offer", sdp="v=0")
    for browser in browsers[::2]:
        browser.vanish()
    for browser in browsers[1::2]:
        await browser.ask("leave")
        assert await browser.close_code() == 1000
    await until(lambda: len(stack.notifier.hub) == 0 and not stack.mcu.legs)
    await until(lambda: stack.notifier.gate.count == 0)
