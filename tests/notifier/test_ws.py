"""The WebSocket over a real socket: entry, welcome, requests, resume, and everything a bad client may do."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest

from confero.errors import Refused
from confero.models import ClosedEvent, Participant, ParticipantEvent, Publish, SpeakersEvent
from confero.tokens import service_token

from ..support.waiting import until
from .conftest import Stack, StackMaker
from .fakes import SECRET

SPEAKERS = SpeakersEvent(speakers=[])


def closes(stack: Stack, code: str) -> float:
    """How many WebSockets were closed with the code, as /metrics tells it."""
    return stack.notifier.http.metrics.registry.get_sample_value("confero_websocket_closes_total", {"code": code}) or 0


# --- entry -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "http://127.0.0.1.evil.example", "https://127.0.0.1"]
)
async def test_foreign_origin_is_refused_before_the_upgrade(stack: Stack, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await stack.browser().connect(headers=headers)
    assert caught.value.status == 403


async def test_forwarded_origin_needs_the_application_servers_token(stack: Stack) -> None:
    forwarded = {"Origin": "https://meet.example", "Host": "meet.example", "X-Forwarded-Proto": "https"}
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await stack.browser().connect(headers=forwarded)
    token = service_token("appserver", "notifier", secret=SECRET, now=time.time())
    browser = stack.browser()
    await browser.connect(headers={**forwarded, "Authorization": f"Bearer {token}"})
    await browser.ws.close()


@pytest.mark.parametrize("query", ["?token=x", "?x"])
async def test_query_is_refused(stack: Stack, query: str) -> None:
    async with stack.http.get(f"{stack.url}/events{query}", headers={"Origin": stack.url}) as response:
        assert response.status == 400
        assert (await response.json())["type"] == "urn:confero:problem:query-not-allowed"


async def test_plain_get_is_told_to_upgrade(stack: Stack) -> None:
    async with stack.http.get(f"{stack.url}/events", headers={"Origin": stack.url}) as response:
        assert response.status == 426


async def test_wrong_method(stack: Stack) -> None:
    async with stack.http.post(f"{stack.url}/events", headers={"Origin": stack.url}) as response:
        assert response.status == 405


async def test_too_many_from_one_address(make_stack: StackMaker) -> None:
    stack = await make_stack(max_connections_per_source=2)
    browsers = [await stack.join("a"), await stack.join("b")]
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await stack.browser().connect()
    assert caught.value.status == 429
    await browsers[0].ws.close()
    await until(lambda: stack.notifier.gate.count == 1)
    await stack.join("c")


async def test_too_many_in_all(make_stack: StackMaker) -> None:
    stack = await make_stack(max_connections=1)
    held = await stack.join("a")
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await stack.browser().connect()
    assert caught.value.status == 429
    assert not held.ws.closed


# --- hello -----------------------------------------------------------------------------------------------------------


async def test_welcome_carries_the_roster(stack: Stack) -> None:
    bob = await stack.join("bob")
    answer = await bob.ask("offer", sdp="v=0")
    alice = stack.browser()
    welcome = await alice.hello(stack.token("alice"))
    assert welcome["roster"] == [
        Participant(id="bob", display_name="Bob", kind="webrtc", leg=answer["leg"]).model_dump()
    ]
    assert (welcome["resumed"], [place["seq"] for place in welcome["topics"]]) == (False, [0, 0])
    assert (welcome["participant"], welcome["room"], welcome["room_name"]) == ("alice", "lobby", "Lobby")


async def test_welcome_of_a_room_that_the_mcu_does_not_know(stack: Stack) -> None:
    welcome = await stack.browser().hello(stack.token())
    assert welcome["roster"] == []


async def test_welcome_while_the_mcu_is_away(stack: Stack) -> None:
    await stack.mcu.stop()
    welcome = await stack.browser().hello(stack.token())
    assert welcome["roster"] == []


async def test_connected_notice(stack: Stack) -> None:
    alice = await stack.join()
    await until(lambda: stack.appserver.kinds("alice") == ["connected"])
    notice = stack.appserver.notices[0][1]
    assert (notice.session, notice.room, notice.notifier) == (alice.session_id, "lobby", "notifier")


async def test_no_hello_in_time(make_stack: StackMaker) -> None:
    stack = await make_stack(hello_timeout_s=0.05)
    browser = stack.browser()
    await browser.connect()
    assert await browser.close_code() == 4401


async def test_pings_do_not_replace_hello(make_stack: StackMaker) -> None:
    stack = await make_stack(hello_timeout_s=0.2)
    browser = stack.browser()
    await browser.connect()
    for _ in range(3):
        await browser.ws.ping()
    assert await browser.close_code() == 4401


async def test_something_else_before_hello(stack: Stack) -> None:
    browser = stack.browser()
    await browser.connect()
    await browser.send({"type": "ping", "id": 1})
    assert await browser.close_code() == 4401


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Refused("forged", status=401, code="token-invalid"), 4401),
        (Refused("expired", status=401, code="token-expired"), 4401),
        (Refused("removed", status=403, code="removed"), 4403),
        (Refused("room is gone", status=404, code="room-unknown"), 4403),
    ],
)
async def test_refused_tokens(stack: Stack, answer: Refused, code: int) -> None:
    stack.appserver.grants["bad"] = answer
    browser = stack.browser()
    await browser.connect()
    await browser.send({"type": "hello", "token": "bad"})
    assert await browser.close_code() == code
    assert len(stack.notifier.hub) == 0


async def test_application_server_away(stack: Stack) -> None:
    await stack.appserver.stop()
    browser = stack.browser()
    await browser.connect()
    await browser.send({"type": "hello", "token": stack.token()})
    assert await browser.close_code() == 4503


# --- messages ---------------------------------------------------------------------------------------------------------

MALFORMED: list[Any] = [
    "",
    "no json",
    "{}",
    "[]",
    "null",
    '{"type":"nonsense","id":1}',
    '{"type":"publish","room":"lobby","events":[]}',
    '{"type":"offer","id":1}',
    '{"type":"offer","id":1,"sdp":""}',
    '{"type":"offer","id":"one","sdp":"v=0"}',
    '{"type":"offer","id":1,"sdp":"v=0","leg":"../../rooms"}',
    '{"type":"mute","id":1,"muted":true,"participant":"bob"}',
    '{"type":"hello","token":"again"}',
    "[" * 10_000,
    json.dumps({"type": "offer", "id": 1, "sdp": "x" * 100_000}),
    '{"type":"ping","id":' + "1" * 5000 + "}",
]


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: text[:40])
async def test_malformed_messages(stack: Stack, text: str) -> None:
    alice, bob = await stack.join("alice"), await stack.join("bob")
    await alice.ws.send_str(text)
    assert await alice.close_code() == 4400
    assert (await bob.ask("ping"))["type"] == "ok"


async def test_malformed_hello(stack: Stack) -> None:
    browser = stack.browser()
    await browser.connect()
    await browser.ws.send_str("no json")
    assert await browser.close_code() == 4400


async def test_binary_messages(stack: Stack) -> None:
    alice = await stack.join()
    await alice.ws.send_bytes(b"\x00\x01")
    assert await alice.close_code() == 4400


async def test_frames_beyond_any_message(stack: Stack) -> None:
    alice = await stack.join()
    await alice.ws.send_str("x" * 1_000_000)
    assert await alice.close_code() in (
        1009,
        1006,
    )  # a reset may overtake the close frame, since what was sent is not read
    await until(lambda: stack.notifier.gate.count == 0)


async def test_invalid_utf8(stack: Stack) -> None:
    alice = await stack.join()
    await alice.ws.send_frame(b"\xff\xfe", aiohttp.WSMsgType.TEXT)
    assert await alice.close_code() == 1007


async def test_flood_of_messages(stack: Stack) -> None:
    alice, bob = await stack.join("alice"), await stack.join("bob")
    for number in range(200):
        await alice.send({"type": "ping", "id": number})
    assert await alice.close_code() == 4429
    assert (await bob.ask("ping"))["type"] == "ok"


async def test_flood_of_pings(stack: Stack) -> None:
    alice = await stack.join("alice")
    for _ in range(200):
        await alice.ws.ping()
    assert await alice.close_code() == 4429


async def test_too_many_requests_while_the_mcu_is_slow(stack: Stack) -> None:
    alice = await stack.join("alice")
    stack.mcu.hold = asyncio.Event()
    for number in range(20):
        await alice.send({"type": "offer", "id": number, "sdp": "v=0"})
    assert await alice.close_code() == 4429
    stack.mcu.hold.set()


async def test_slow_reader(make_stack: StackMaker) -> None:
    stack = await make_stack(queue_bytes=3 << 20)
    slow, quick = await stack.join("slow"), await stack.join("quick")
    big = ParticipantEvent(participant=Participant(id="x", display_name="y" * 50_000, kind="rtp", leg="l"))
    publish = Publish(room="lobby", participant="slow", events=[big] * 10)
    hub = stack.notifier.hub
    for _ in range(100):
        await stack.mcu.publish(stack.url, publish)
        session = hub.of_participant("slow")
        if session is not None and session.sink is None:
            break
    else:
        raise AssertionError("a reader that reads nothing was never closed")
    assert (await quick.ask("ping"))["type"] == "ok"
    assert await slow.close_code() == 4429
    await until(lambda: closes(stack, "4429") == 1)


async def test_a_reader_that_never_reads_is_reset(make_stack: StackMaker) -> None:
    stack = await make_stack(queue_bytes=1 << 19)
    slow = await stack.join("slow")
    big = ParticipantEvent(participant=Participant(id="x", display_name="y" * 50_000, kind="rtp", leg="l"))
    publish = Publish(room="lobby", events=[big] * 10)
    while stack.notifier.gate.count:
        await stack.mcu.publish(stack.url, publish)
    assert closes(stack, "4429") == 1
    assert not slow.ws.closed  # it has read nothing, not even the end


async def test_silent_peer(make_stack: StackMaker) -> None:
    stack = await make_stack(ping_interval_s=0.1)
    browser = stack.browser()
    await browser.connect(autoping=False)
    await browser.send({"type": "hello", "token": stack.token()})
    assert await browser.close_code() == 4408


async def test_peer_that_answers_pings_stays(make_stack: StackMaker) -> None:
    stack = await make_stack(ping_interval_s=0.05)
    alice = await stack.join()
    reading = asyncio.ensure_future(alice.event("speakers"))  # noqa: TID251 - a test's own
    await asyncio.sleep(0.4)
    await stack.mcu.publish(stack.url, Publish(room="lobby", events=[SPEAKERS]))
    assert (await reading)["type"] == "speakers"


# --- requests ---------------------------------------------------------------------------------------------------------


async def test_offer_reaches_the_mcu(stack: Stack) -> None:
    alice = await stack.join()
    answer = await alice.ask("offer", sdp="v=0")
    assert (answer["type"], answer["sdp"]) == ("answer", "answer")
    again = await alice.ask("offer", sdp="v=0", leg=answer["leg"])
    assert (again["leg"], again["sdp"]) == (answer["leg"], "answer again")


async def test_large_sdp_fits(stack: Stack) -> None:
    alice = await stack.join()
    assert (await alice.ask("offer", sdp="a=x\r\n" * 9000))["type"] == "answer"


async def test_another_participants_leg(stack: Stack) -> None:
    alice, bob = await stack.join("alice"), await stack.join("bob")
    leg = (await bob.ask("offer", sdp="v=0"))["leg"]
    reply = await alice.ask("offer", sdp="v=0", leg=leg)
    assert reply["problem"]["status"] == 404
    assert ("PUT", f"/v1/legs/{leg}/offer") not in stack.mcu.calls


async def test_mute(stack: Stack) -> None:
    alice = await stack.join()
    leg = (await alice.ask("offer", sdp="v=0"))["leg"]
    assert (await alice.ask("mute", muted=True))["type"] == "ok"
    assert stack.mcu.legs[leg][1].muted


async def test_problem_of_the_mcu(stack: Stack) -> None:
    alice = await stack.join()
    stack.mcu.failures["POST", "/v1/rooms/lobby/legs"] = Refused(
        "no usable media", status=422, code="sdp-no-usable-media"
    )
    problem = (await alice.ask("offer", sdp="v=0"))["problem"]
    assert (problem["type"], problem["status"]) == ("urn:confero:problem:sdp-no-usable-media", 422)
    assert (await alice.ask("ping"))["type"] == "ok"


async def test_absent_mcu_then_back(stack: Stack) -> None:
    alice = await stack.join()
    await stack.mcu.stop()
    problem = (await alice.ask("offer", sdp="v=0"))["problem"]
    assert (problem["type"], problem["status"]) == ("urn:confero:problem:media-server-down", 503)
    await stack.mcu.start()
    assert (await alice.ask("offer", sdp="v=0"))["type"] == "answer"


async def test_room_that_moved_while_the_mcu_is_away(stack: Stack) -> None:
    alice = await stack.join()
    await stack.mcu.stop()
    stack.token("alice", mcu="mcu-2", mcu_url="http://127.0.0.1:9")
    reply = await alice.ask("offer", sdp="v=0")
    assert reply["problem"]["status"] == 503
    assert [event["type"] for event in alice.events] == ["renegotiate"]


async def test_leave(stack: Stack) -> None:
    alice = await stack.join()
    await alice.ask("offer", sdp="v=0")
    assert (await alice.ask("leave"))["type"] == "ok"
    assert await alice.close_code() == 1000
    assert stack.mcu.legs == {}
    await until(lambda: stack.appserver.kinds("alice") == ["connected", "disconnected"])


async def test_a_page_that_leaves_and_is_closed_at_once_has_left(stack: Stack) -> None:
    """Its goodbye and its close come together, while the MCU takes its time."""
    alice = await stack.join()
    await alice.ask("offer", sdp="v=0")
    stack.mcu.hold = asyncio.Event()
    await alice.ws.send_json({"type": "leave", "id": 9})
    await alice.ws.close()
    await until(lambda: stack.mcu.calls[-1][0] == "DELETE", "the MCU is asked")
    stack.mcu.hold.set()
    await until(lambda: not stack.mcu.legs and not len(stack.notifier.hub), "no leg and no session are left")
    await until(lambda: stack.appserver.kinds("alice") == ["connected", "disconnected"])


# --- events, resume, end ----------------------------------------------------------------------------------------------


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


# --- restart ----------------------------------------------------------------------------------------------------------


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


async def test_those_who_do_not_read_hold_up_nobody(make_stack: StackMaker) -> None:
    """Ten members that read nothing, one that does: it gets every event, in order and soon, and they are closed."""
    stack = await make_stack(queue_bytes=2 << 20)
    deaf = [await stack.join(f"deaf{number}") for number in range(10)]
    quick = await stack.join("quick")
    event = ParticipantEvent(participant=Participant(id="x", display_name="y" * 60_000, kind="rtp", leg="l"))
    slowest = 0.0
    for number in range(1, 301):
        begun = time.monotonic()
        await stack.mcu.publish(stack.url, Publish(room="lobby", events=[event]))
        assert (await quick.receive())["seq"] == number
        slowest = max(slowest, time.monotonic() - begun)
    await until(lambda: closes(stack, "4429") == len(deaf))
    assert (await quick.ask("ping"))["type"] == "ok"
    assert slowest < 2.0
