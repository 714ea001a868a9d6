"""What telephones may ask of a call, asked by sipp: each scenario says what it sends and what it must be answered."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from confero.lab.stack import Stack
from confero.models import RoomState

from ..support.waiting import until
from .sipp import Sipp, Transport, nobody_left, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 74
SETTINGS = {"CONFERO_APPSERVER_STRANGERS_PER_MINUTE": "10000"}
"""One address calls one room all the time here."""
HOST, OTHER_HOST = f"127.0.{NETWORK}.101", f"127.0.{NETWORK}.102"


def caller(
    stack: Stack,
    scenario: str,
    home: Path,
    transport: Transport = "u1",
    seconds: int = 20,
    extra: tuple[str, ...] = (),
) -> Sipp:
    gateway = stack.addresses["sipgw"]
    return Sipp(scenario, home, gateway=gateway, host=HOST, transport=transport, seconds=seconds, extra=extra)


QUICK = (
    *("plain", "no_offer", "hold", "late_ack", "options", "info", "update", "session_timer"),
    *("refer_refused", "replaces", "unknown", "video", "codecs", "nowhere"),
)
LASTING = {"no_ack": 50, "session_expires": 110, "session_refresh": 80} if os.environ.get("CONFERO_TEST_LONG") else {}
"""Seconds that each may take: timers of SIP, with their real lengths. Shorter tests of them run on a clock of their own."""
AGAIN = {"late_ack": 4, "no_ack": 10}
"""How often 200 must come: sipp passes over what comes again."""


@pytest.mark.parametrize("scenario", [*QUICK, *LASTING])
async def test_by_udp(stack: Stack, tmp_path: Path, scenario: str) -> None:
    call = caller(stack, scenario, tmp_path, seconds=LASTING.get(scenario, 20))
    await call.run()
    assert call.came("SIP/2.0 200") >= AGAIN.get(scenario, 0)
    await nobody_left(stack)


@pytest.mark.parametrize("scenario", ["plain", "large", "hold", "replaces"])
async def test_by_tcp(stack: Stack, tmp_path: Path, scenario: str) -> None:
    await caller(stack, scenario, tmp_path, "t1").run()
    await nobody_left(stack)


async def test_media_moves_to_another_codec_port_and_address(stack: Stack, tmp_path: Path) -> None:
    field = tmp_path / "addresses.csv"
    field.write_text(f"SEQUENTIAL\n{OTHER_HOST}\n")
    await caller(stack, "moves", tmp_path, extra=("-inf", str(field))).run()
    await nobody_left(stack)


async def test_a_call_is_cancelled_while_its_place_is_asked_for(stack: Stack, tmp_path: Path) -> None:
    """The application server stands still, so that the call hangs there."""
    with standing_still(stack, "appserver"):
        await caller(stack, "cancel", tmp_path).run()
    await nobody_left(stack)


async def test_an_invite_that_comes_again_is_the_same_call(stack: Stack, tmp_path: Path) -> None:
    """The application server stands still until it has come twice: an answer between them sipp does not expect."""
    call = caller(stack, "repeated", tmp_path)
    with standing_still(stack, "appserver"):
        await call.start()
        await until(lambda: call.came("INVITE ") == 2, "it has come twice")
        assert call.came("SIP/2.0 200") == 0
    await call.passes()
    assert len({line for line in call.lines("To:") if "tag=" in line}) == 1, "one dialog"
    await nobody_left(stack)


@contextlib.contextmanager
def standing_still(stack: Stack, service: str) -> Iterator[None]:
    pid = stack.pid(service)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_host_ends_a_call(stack: Stack, tmp_path: Path) -> None:
    """Whoever ends its leg at the MCU ends the call: the telephone is told by BYE."""
    call = caller(stack, "ended_by_us", tmp_path)
    await call.start()
    found = await somebody(stack)
    mcu = stack.client("mcu")
    try:
        state = await mcu.call("GET", "/v1/rooms/lobby", reply=RoomState)
        legs = [one.leg for one in state.participants if one.id in found]
        await mcu.call("DELETE", f"/v1/legs/{legs[0]}?reason=removed")
    finally:
        await mcu.close()
    await call.passes()
    await nobody_left(stack)
