"""Holds one call against a running system: two WebRTC members and a phone, each of whom must hear the others' tones.

Prints one line per fact and ``N passed, N failed``; exits with 1 if any failed.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import sys
from pathlib import Path

from confero.clock import SystemClock
from confero.lab.members import RtpMember, WebRtcMember
from confero.lab.signals import analysis, sources
from confero.runtime.client import ServiceClient

TONES = {"Ada": 433.0, "Grace": 719.0, "Phone": 1151.0}
HEARD_DBFS = -35.0
UNHEARD_DBFS = -60.0
LISTEN_S = 4.0


async def hold(page: str, ca: Path, secret: bytes, mcu_url: str, host: str, room: str) -> list[tuple[str, bool]]:
    """The facts of the call, each with whether it holds."""
    tls = ssl.create_default_context(cafile=str(ca))
    mcu = ServiceClient("lab", "mcu", mcu_url, secret=secret, clock=SystemClock())
    said = {name: sources.tone(hertz, 60.0, dbfs=-14) for name, hertz in TONES.items()}
    members: list[WebRtcMember | RtpMember] = [
        WebRtcMember(name, said[name], page_url=page, room=room, tls=tls) for name in ("Ada", "Grace")
    ]
    members.append(RtpMember("Phone", said["Phone"], mcu=mcu, room=room, host=host))
    try:
        for member in members:
            await member.join()
        await asyncio.sleep(1.5)
        for member in members:
            member.heard.clear()
        await asyncio.sleep(LISTEN_S)
        return [fact for member in members for fact in _facts(member)]
    finally:
        await asyncio.gather(*(member.leave() for member in members), return_exceptions=True)
        await mcu.close()


def _facts(member: WebRtcMember | RtpMember) -> list[tuple[str, bool]]:
    signal = member.heard.signal()
    facts = []
    for talker, hertz in TONES.items():
        level = analysis.tone_db(signal, hertz, window_s=0.5)
        own = talker == member.name
        wanted = level < UNHEARD_DBFS if own else level > HEARD_DBFS
        facts.append(
            (f"{member.name} {'does not hear itself' if own else f'hears {talker}'} ({level:.0f} dBFS)", wanted)
        )
    return facts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", required=True, help="origin of the web client")
    parser.add_argument("--ca", type=Path, required=True, help="certificate authority of the installation")
    parser.add_argument("--secret", type=Path, required=True, help="service secret, for the phone's leg")
    parser.add_argument("--mcu", required=True, help="control URL of the MCU")
    parser.add_argument("--host", default="172.30.0.1", help="address from which the phone sends")
    parser.add_argument("--room", default="lobby")
    options = parser.parse_args()
    facts = asyncio.run(
        hold(options.page, options.ca, options.secret.read_bytes(), options.mcu, options.host, options.room)
    )
    for text, holds in facts:
        sys.stdout.write(f"{'ok    ' if holds else 'FAILED'} {text}\n")
    failed = sum(not holds for _, holds in facts)
    sys.stdout.write(f"{len(facts) - failed} passed, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
