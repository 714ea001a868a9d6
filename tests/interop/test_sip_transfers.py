"""Transfers against other programs: whoever may call somebody may have him called, and hears how it goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from confero.lab.stack import Stack
from confero.models import RoomState

from .siplab import Admin, known
from .sipp import Sipp, nobody_left

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 79
ALICE, CAROL = f"127.0.{NETWORK}.101", f"127.0.{NETWORK}.110"


async def test_a_transfer_calls_by_the_dial_plan_and_reports(stack: Stack, tmp_path: Path) -> None:
    """Carol has early media reliably (PRACK), rings, answers; she stays when Alice has left, until she is hung up on."""
    admin = Admin(stack)
    rule = {"position": 10, "direction": "in", "source": "account", "pattern": "carol", "domain": CAROL}
    await admin.add("rules", rule | {"action": "address"})
    rights = {"may_call_out": True, "call_out_patterns": ["carol"]}
    account = {"user": "alice", "realm": "confero", "password": "a-long-password", "display_name": "Alice"}
    await admin.add("accounts", account | rights)
    await known(stack, "sip_accounts", 1)
    (tmp_path / "carol.csv").write_text(f"SEQUENTIAL\n{CAROL}\n")
    gateway = stack.addresses["sipgw"]
    extra = ("-inf", str(tmp_path / "carol.csv"), "-auth_uri", f"lobby@{gateway}:5060")
    carol = Sipp("answers_reliably", tmp_path, gateway=gateway, host=CAROL, port=5060, seconds=40)
    alice = Sipp("refers", tmp_path, gateway=gateway, host=ALICE, extra=extra)
    await carol.start()
    try:
        await alice.run()
        mcu = stack.client("mcu")
        try:
            state = await mcu.call("GET", "/v1/rooms/lobby", reply=RoomState)
            (one,) = [one for one in state.participants if one.display_name == "carol"]
            await nobody_left(stack, but=(one.id,))
            await mcu.call("DELETE", f"/v1/legs/{one.leg}?reason=removed")
        finally:
            await mcu.close()
        await carol.passes()
    finally:
        await carol.stop()
    await nobody_left(stack)
