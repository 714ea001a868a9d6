"""What must not work does not, through page port, notifier and MCU: it is refused by name, and two who talk do not notice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

from confero.errors import RemoteError
from confero.lab.members import RtpMember, WebRtcMember
from confero.lab.signals.sources import Signal
from confero.lab.stack import Stack
from confero.models import JoinReply, RoomState
from confero.tokens import service_token, sign

from .listening import HEARD_DBFS, UNHEARD_DBFS, level, listen, tone, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 43
ROOM = "lobby"
ADA_HZ, PHONE_HZ, MALLORY_HZ = 433.0, 1151.0, 1873.0
PATIENCE_S = 10.0


@dataclass
class Duo:
    """Ada over WebRTC and a telephone, who talk."""

    ada: WebRtcMember
    phone: RtpMember

    async def undisturbed(self) -> None:
        """Each hears the other and nobody else."""
        ada, phone = await asyncio.gather(listen(self.ada), listen(self.phone))
        assert level(ada, PHONE_HZ) > HEARD_DBFS
        assert level(phone, ADA_HZ) > HEARD_DBFS
        assert max(level(ada, MALLORY_HZ), level(phone, MALLORY_HZ)) < UNHEARD_DBFS


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def duo(stack: Stack) -> AsyncIterator[Duo]:
    async with contextlib.AsyncExitStack() as cleanup:
        mcu = stack.client("mcu")
        cleanup.push_async_callback(mcu.close)
        ada = WebRtcMember("Ada", tone(ADA_HZ), page_url=stack.page_url, room=ROOM, tls=stack.tls())
        phone = RtpMember("Phone", tone(PHONE_HZ), mcu=mcu, room=ROOM, host=f"127.0.{NETWORK}.101")
        for member in (ada, phone):
            await member.join()
            cleanup.push_async_callback(member.leave)
        await until(lambda: len(ada.roster) == 2, PATIENCE_S, "Ada sees the phone")
        yield Duo(ada, phone)


@contextlib.asynccontextmanager
async def mallory(stack: Stack, alter: Callable[[str], str], said: Signal | None = None) -> AsyncIterator[WebRtcMember]:
    """Somebody who is let into the room as anybody is; has no media yet."""
    said = tone(MALLORY_HZ) if said is None else said
    member = WebRtcMember("Mallory", said, page_url=stack.page_url, room=ROOM, tls=stack.tls(), alter=alter)
    try:
        await member.enter()
        yield member
    finally:
        await member.leave()


async def room_state(stack: Stack) -> RoomState:
    mcu = stack.client("mcu")
    try:
        state = await mcu.call("GET", f"/v1/rooms/{ROOM}", reply=RoomState)
    finally:
        await mcu.close()
    assert state is not None
    return state


# --- offers ------------------------------------------------------------------------------------------------------


def with_formats(media: str, number: int, codec: str) -> Callable[[str], str]:
    """The offer as one of another medium, or of this codec alone."""

    def alter(sdp: str) -> str:
        lines = [line for line in sdp.splitlines() if not re.match(r"a=(rtpmap|fmtp|rtcp-fb):", line)]
        at, (_, port, protocol, *_) = next((i, line.split()) for i, line in enumerate(lines) if line[:7] == "m=audio")
        lines[at] = f"m={media} {port} {protocol} {number}"
        return "\r\n".join([*lines, f"a=rtpmap:{number} {codec}", ""])

    return alter


def without(pattern: str) -> Callable[[str], str]:
    """The offer without the lines that start so."""
    return lambda sdp: "".join(line for line in sdp.splitlines(keepends=True) if not re.match(pattern, line))


def spoil_fingerprints(sdp: str) -> str:
    """Well-formed fingerprints of a certificate that nobody has: the last digit of each is another one."""
    spoilt, count = re.subn(
        r"(a=fingerprint:\S+ \S+)([0-9A-F])(?=\r?\n)", lambda m: m[1] + ("0" if m[2] != "0" else "1"), sdp
    )
    assert count >= 1
    return spoilt


INVALID, UNUSABLE = "sdp-invalid", "sdp-no-usable-media"
OFFERS: dict[str, tuple[Callable[[str], str], str]] = {
    "no SDP at all": (lambda _: "good morning", INVALID),
    "cut off within a line": (lambda sdp: sdp[: sdp.index("m=audio") + len("m=audio")], INVALID),
    "a port that is none": (lambda sdp: re.sub(r"m=audio \d+", "m=audio 65536", sdp), INVALID),
    "a fingerprint that is no hex": (lambda sdp: re.sub(r"(a=fingerprint:\S+ )\S\S", r"\1XY", sdp), INVALID),
    "60 kB in one line": (lambda sdp: sdp + "a=" + "x" * 60_000 + "\r\n", INVALID),
    "only a codec that we do not have": (with_formats("audio", 97, "iLBC/8000"), UNUSABLE),
    "only video": (with_formats("video", 96, "VP8/90000"), UNUSABLE),
    "no fingerprint": (without("a=fingerprint:"), UNUSABLE),
    "no ICE credentials": (without("a=ice-"), UNUSABLE),
}


@pytest.mark.parametrize("name", OFFERS)
async def test_a_bad_offer_is_answered_with_its_problem(stack: Stack, duo: Duo, name: str) -> None:
    alter, code = OFFERS[name]
    async with mallory(stack, alter) as member:
        with pytest.raises(RemoteError) as refused:
            await member.negotiate()
        assert (refused.value.status, refused.value.code) == (422, code)
        await duo.undisturbed()
        await member.request("ping")  # the connection goes on
    assert {p.display_name for p in (await room_state(stack)).participants} == {"Ada", "Phone"}


async def test_a_leg_with_another_certificate_than_it_named_is_closed(stack: Stack, duo: Duo) -> None:
    async with mallory(stack, spoil_fingerprints) as member:
        await member.negotiate()
        await until(lambda: left_reason(duo.ada, member.participant), PATIENCE_S, "Ada sees Mallory leave")
        assert left_reason(duo.ada, member.participant) == "fingerprint-mismatch"
        await duo.undisturbed()
        await until(lambda: len(records(stack, member.participant)) == 2, PATIENCE_S, "both records are written")
        joined, left = records(stack, member.participant)
        assert (joined[0], left[0], left[1]) == ("joined", "left", "fingerprint-mismatch")  # and never "connected"
        assert left[2]["stun_checks"] > 0
        assert left[2]["tx_packets"] == 0
        assert member.heard.seconds == 0


def left_reason(witness: WebRtcMember, participant: str) -> str:
    """Why a participant left, as a witness was told; empty: not yet."""
    found = (e["reason"] for e in witness.events if e["type"] == "left" and e["participant"] == participant)
    return next(found, "")


def records(stack: Stack, participant: str) -> list[tuple[str, str, dict[str, int]]]:
    """Event, reason and counters of each of a participant's records."""
    query = "SELECT event, reason, stats FROM leg_records WHERE participant = ? ORDER BY id"
    return [(str(event), str(why), json.loads(str(s))) for event, why, s in stack.rows(query, participant)]


@pytest.mark.parametrize("own_leg", [False, True])
async def test_nobody_can_touch_anothers_leg(stack: Stack, duo: Duo, own_leg: bool) -> None:
    offers: list[str] = []

    def remember(sdp: str) -> str:
        offers.append(sdp)
        return sdp

    async with mallory(stack, remember, said=0 * tone(MALLORY_HZ)) as member:
        if own_leg:
            await member.negotiate()
        else:
            await refused_as_unknown(member, "mute", muted=True)
        for leg in (duo.ada.leg, duo.phone.leg, "leg_of_nobody"):
            await refused_as_unknown(member, "offer", sdp=offers[0] if own_leg else "v=0", leg=leg)
        await duo.undisturbed()
    entries = {p.display_name: p for p in (await room_state(stack)).participants}
    assert {name: entry.leg for name, entry in entries.items()} == {"Ada": duo.ada.leg, "Phone": duo.phone.leg}
    assert not any(entry.muted for entry in entries.values())


async def refused_as_unknown(member: WebRtcMember, kind: str, **fields: object) -> None:
    with pytest.raises(RemoteError) as refused:
        await member.request(kind, **fields)
    assert (refused.value.status, refused.value.code) == (404, "leg-unknown")


# --- tokens and messages -----------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def events(stack: Stack) -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse, JoinReply]]:
    """A WebSocket before its hello, and a place in the room for it."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=stack.tls())) as http:
        join = f"{stack.page_url}/api/v1/rooms/{ROOM}/join"
        async with http.post(join, json={"display_name": "Mallory"}, raise_for_status=True) as response:
            grant = JoinReply.model_validate(await response.json())
        async with http.ws_connect(stack.page_url + grant.events_path, headers={"Origin": stack.page_url}) as socket:
            yield socket, grant


async def closing(socket: aiohttp.ClientWebSocketResponse) -> tuple[int, str]:
    """Close code and reason; what comes before is read over."""
    async with asyncio.timeout(PATIENCE_S):
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    assert message.type is aiohttp.WSMsgType.CLOSE
    return message.data, message.extra or ""


def claims(grant: JoinReply) -> dict[str, str]:
    return {"sub": grant.participant, "room": ROOM}


TOKENS: dict[str, tuple[Callable[[JoinReply, bytes], str], str]] = {
    "expired": (lambda g, s: sign(claims(g), kind="join", secret=s, expires=time.time() - 1), "token-expired"),
    "of another secret": (
        lambda g, s: sign(claims(g), kind="join", secret=s[::-1], expires=time.time() + 60),
        "token-invalid",
    ),
    "of another kind": (lambda g, s: service_token("mcu", "appserver", secret=s, now=time.time()), "token-invalid"),
    "for another participant": (lambda g, s: g.token[0:4] + "A" + g.token[5:], "token-invalid"),
    "without a signature": (lambda g, s: g.token.partition(".")[0], "token-invalid"),
}


@pytest.mark.parametrize("name", TOKENS)
async def test_a_bad_token_is_closed_with_4401(stack: Stack, duo: Duo, name: str) -> None:
    forge, reason = TOKENS[name]
    async with events(stack) as (socket, grant):
        await socket.send_json({"type": "hello", "token": forge(grant, stack.secret)})
        assert await closing(socket) == (4401, reason)
    await duo.undisturbed()


MESSAGES: dict[str, tuple[str | bytes, int]] = {
    "binary": (b"\x00" * 100, 4400),
    "no JSON": ("{", 4400),
    "of no known type": (json.dumps({"type": "promote", "id": 1}), 4400),
    "with a field too many": (json.dumps({"type": "ping", "id": 1, "leg": "x"}), 4400),
    "100 kB": (json.dumps({"type": "offer", "id": 1, "sdp": "v" * 100_000}), 4400),
    "400 kB": (json.dumps({"type": "offer", "id": 1, "sdp": "v" * 400_000}), 1009),
}


@pytest.mark.parametrize("greeted", [False, True])
@pytest.mark.parametrize("name", MESSAGES)
async def test_a_bad_message_closes_its_connection(stack: Stack, duo: Duo, name: str, greeted: bool) -> None:
    message, code = MESSAGES[name]
    async with events(stack) as (socket, grant):
        if greeted:
            await socket.send_json({"type": "hello", "token": grant.token})
            assert (await socket.receive_json(timeout=PATIENCE_S))["type"] == "welcome"
        await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))
        assert (await closing(socket))[0] == code
    await duo.undisturbed()


async def test_a_flood_of_messages_closes_its_connection(stack: Stack, duo: Duo) -> None:
    async with events(stack) as (socket, grant):
        await socket.send_json({"type": "hello", "token": grant.token})
        for number in range(1000):
            if socket.closed:
                break
            await socket.send_json({"type": "ping", "id": number})
        assert (await closing(socket))[0] == 4429
    await duo.undisturbed()
