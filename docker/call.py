"""Holds one call against a running system: two WebRTC members, a leg of plain RTP, a telephone (baresip) that dials the room by
SIP, and Chromium, which comes from outside by the published ports and may use TURN only, over UDP and over TCP; each must hear the
others' tones.

Prints one line per fact and ``N passed, N failed``; exits with 1 if any failed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from confero.clock import SystemClock
from confero.lab.members import RtpMember, SipMember, WebRtcMember, baresip_member
from confero.lab.members.chromium import Chromium
from confero.lab.members.telephone import Here
from confero.lab.page import Page
from confero.lab.signals import analysis, sources
from confero.runtime.client import ServiceClient

TONES = {"Ada": 433.0, "Grace": 719.0, "Leg": 1151.0, "Telephone": 1709.0}
WALLED, WALLED_HZ = "Walled", 2311.0
EVERY_TONE = TONES | {WALLED: WALLED_HZ}
WAYS = {"udp": "^turn:.*transport=udp$", "tcp": "^turn:.*transport=tcp$"}
RELAY_ONLY = """(() => { const wanted = new RegExp(%s), Native = window.RTCPeerConnection;
  const only = (c) => ({ ...c, iceTransportPolicy: "relay",
    iceServers: c.iceServers.map((s) => ({ ...s, urls: s.urls.filter((u) => wanted.test(u)) })) });
  window.RTCPeerConnection = class extends Native {
    constructor(c) { super(only(c)); }
    setConfiguration(c) { super.setConfiguration(only(c)); }
  }; })()"""
CHOSEN = """window.confero.stats().then((all) => { const byId = (id) => all.find((s) => s.id === id);
  const pair = byId(all.find((s) => s.type === "transport").selectedCandidatePairId), mine = byId(pair.localCandidateId);
  return [mine.candidateType, mine.relayProtocol]; })"""
"""How the browser's media goes."""
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
    telephone = baresip_member(
        "Telephone", hertz, gateway=options.gateway, room=room, mcu=mcu, home=home, place=Here(host)
    )
    return [*browsers, leg, telephone]


async def hold(options: argparse.Namespace, home: Path) -> list[tuple[str, bool]]:
    """The facts of the call, each with whether it holds."""
    mcu = ServiceClient("lab", "mcu", options.mcu, secret=options.secret.read_bytes(), clock=SystemClock())
    members = everybody(options, mcu, home)
    try:
        for member in members:
            await member.join()
        return [fact for way in WAYS for fact in await listen(options, way, members)]
    finally:
        await asyncio.gather(*(member.leave() for member in members), return_exceptions=True)
        await mcu.close()


async def listen(options: argparse.Namespace, way: str, members: list[Anybody]) -> list[tuple[str, bool]]:
    """What all hear while a browser is there that has only this way."""
    async with walled(options, way) as page:
        await asyncio.sleep(1.5)
        for member in members:
            member.heard.clear()
        heard = await page.hear(LISTEN_S)
        facts = [fact for member in members for fact in _facts(member.name, member.heard.signal())]
        found = await page.value(CHOSEN)
    facts += [*_facts(WALLED, heard), (f"{WALLED} comes by {' over '.join(found)}", found == ["relay", way])]
    return [(f"{way}: {text}", holds) for text, holds in facts]


@contextlib.asynccontextmanager
async def walled(options: argparse.Namespace, way: str) -> AsyncIterator[Page]:
    """A browser that has joined from outside, with TURN over ``way`` and nothing else."""
    said = sources.tone(WALLED_HZ, 60.0, dbfs=-14)
    async with Chromium(said, flags=("--ignore-certificate-errors",)) as browser:
        await browser.page.add_init_script(script=RELAY_ONLY % json.dumps(WAYS[way]))
        page = Page(browser, options.page)
        await page.join(options.room, WALLED)
        yield page
        await page.leave()


def _facts(name: str, signal: sources.Signal) -> list[tuple[str, bool]]:
    facts = []
    for talker, hertz in EVERY_TONE.items():
        level = analysis.tone_db(signal, hertz, window_s=0.5)
        own = talker == name
        wanted = level < UNHEARD_DBFS if own else level > HEARD_DBFS
        facts.append((f"{name} {'does not hear itself' if own else f'hears {talker}'} ({level:.0f} dBFS)", wanted))
    return facts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", required=True, help="origin of the web client, as it is published")
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
