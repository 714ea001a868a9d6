"""Holds one call against a running system: two WebRTC members, a leg of plain RTP and a telephone (baresip) that dials the room by
SIP; each must hear the others' tones.

Prints one line per fact and ``N passed, N failed``; exits with 1 if any failed.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import sys
import tempfile
from pathlib import Path

from confero.clock import SystemClock
from confero.lab.members import RtpMember, SipMember, WebRtcMember, baresip_member
from confero.lab.signals import analysis, sources
from confero.runtime.client import ServiceClient

TONES = {"Ada": 433.0, "Grace": 719.0, "Leg": 1151.0, "Telephone": 1709.0}
HEARD_DBFS = -35.0
UNHEARD_DBFS = -60.0
LISTEN_S = 4.0
Anybody = WebRtcMember | RtpMember | SipMember


def everybody(options: argparse.Namespace, mcu: ServiceClient, home: Path) -> list[Anybody]:
    """Nobody has joined yet. ``home``: a folder for the telephone."""
    tls = ssl.create_default_context(cafile=str(options.ca))
    room, host = options.room, options.host
    said = {name: sources.tone(hertz, 60.0, dbfs=-14) for name, hertz in TONES.items()}
    browsers = [WebRtcMember(name, said[name], page_url=options.page, room=room, tls=tls) for name in ("Ada", "Grace")]
    leg = RtpMember("Leg", said["Leg"], mcu=mcu, room=room, host=host)
    hertz = round(TONES["Telephone"])
    telephone = baresip_member("Telephone", hertz, gateway=options.gateway, room=room, mcu=mcu, home=home, host=host)
    return [*browsers, leg, telephone]


async def hold(options: argparse.Namespace, home: Path) -> list[tuple[str, bool]]:
    """The facts of the call, each with whether it holds."""
    mcu = ServiceClient("lab", "mcu", options.mcu, secret=options.secret.read_bytes(), clock=SystemClock())
    members = everybody(options, mcu, home)
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


def _facts(member: Anybody) -> list[tuple[str, bool]]:
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
    parser.add_argument("--gateway", required=True, help="address of the SIP gateway, port 5060")
    parser.add_argument("--host", default="172.30.0.1", help="address from which the phones send")
    parser.add_argument("--room", default="lobby")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="confero-telephone-") as home:
        facts = asyncio.run(hold(options, Path(home)))
    for text, holds in facts:
        sys.stdout.write(f"{'ok    ' if holds else 'FAILED'} {text}\n")
    failed = sum(not holds for _, holds in facts)
    sys.stdout.write(f"{len(facts) - failed} passed, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
