"""The demonstration: a conference of speaking participants, and the matrix of who heard whom, how loud and how late."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from confero.errors import LocalError

from .members import RtpMember, WebRtcMember
from .members.loopback import gather_loopback
from .signals import analysis, sources
from .stack import Stack

NETWORK = 31
"""The demonstration's services live on 127.0.31.x, out of the way of a running system."""
ROOM = "lobby"
HEARD_DB = -14.0
"""Heard means: at least this loud against how it was said ..."""
UNHEARD_DB = -18.0
"""... and nobody's own voice comes back louder than this behind a codec (the fit's own floor lies near -25 dB)."""
LEAK_DB = -60.0
"""Own voice before the encoders, where the mixer's taps show it without a codec."""
SETTLE_S = 2.0

SCRIPT: tuple[tuple[str, str, int, str], ...] = (
    (
        "Ada",
        "en-gb",
        60,
        "Good morning everybody. This is Ada, speaking from a browser, and I would like to open our meeting with a few words.",
    ),
    (
        "Grace",
        "en-us",
        40,
        "Hello, Grace here. My packets are protected by D T L S and S R T P, and mixed with yours on one media thread.",
    ),
    (
        "Alan",
        "en-gb-scotland",
        25,
        "Alan is on the line as well. Whatever I say reaches all of you, but it never comes back to me as an echo.",
    ),
    (
        "Phone",
        "en-us",
        85,
        "And I am the telephone in this room. Eight kilohertz and mu law are all I have, but everyone can hear me.",
    ),
)


@dataclass(frozen=True)
class Ear:
    """What one participant heard."""

    name: str
    voices: dict[str, analysis.Voice]
    leak_db: float
    """Own voice in what the mixer made for this participant, before the encoder."""
    signal: sources.Signal


async def run(seconds: float = 15.0, output: Path = Path("demo.wav"), console: Console | None = None) -> int:
    """Starts the system, holds the conference, prints the matrix; 0 if everyone heard everyone else and nobody themselves."""
    console = console or Console()
    gather_loopback()
    with tempfile.TemporaryDirectory(prefix="confero-demo-") as state:
        stack = Stack(Path(state), network=NETWORK)
        console.print(f"starting the services on {', '.join(f'{a} ({s})' for s, a in stack.addresses.items())}")
        await stack.start()
        try:
            ears = await _conference(stack, seconds, console)
        finally:
            await stack.stop()
    console.print(_matrix(ears))
    sources.write_wav(output, ears[0].signal)
    console.print(f"what {ears[0].name} heard: {output}")
    faults = verdict(ears)
    for fault in faults:
        console.print(f"[red]{fault}[/red]")
    if not faults:
        console.print("[green]everyone heard everyone else, and nobody themselves[/green]")
    return 1 if faults else 0


def verdict(ears: list[Ear]) -> list[str]:
    """What is wrong with the conference, in words; empty when all is well."""
    faults = []
    for ear in ears:
        for talker, voice in ear.voices.items():
            if talker == ear.name and voice.level_db > UNHEARD_DB:
                faults.append(f"{ear.name} heard their own voice at {voice.level_db:.0f} dB")
            if talker != ear.name and voice.level_db < HEARD_DB:
                faults.append(f"{ear.name} did not hear {talker} ({voice.level_db:.0f} dB)")
        if ear.leak_db > LEAK_DB:
            faults.append(f"{ear.name}'s own voice is in their mix at {ear.leak_db:.0f} dB")
    return faults


async def _conference(stack: Stack, seconds: float, console: Console) -> list[Ear]:
    mcu = stack.client("mcu")
    tls = stack.tls()
    members: list[WebRtcMember | RtpMember] = []
    for index, said in enumerate(await asyncio.to_thread(_speeches, seconds)):
        name = SCRIPT[index][0]
        if name == "Phone":
            members.append(RtpMember(name, said, mcu=mcu, room=ROOM, host=f"127.0.{NETWORK}.101"))
        else:
            members.append(WebRtcMember(name, said, page_url=stack.page_url, room=ROOM, tls=tls))
    try:
        for member in members:
            await member.join()
            console.print(
                f"{member.name} has joined ({'plain RTP, G.711' if isinstance(member, RtpMember) else 'WebRTC, Opus'})"
            )
        await asyncio.sleep(SETTLE_S)
        for member in members:
            member.heard.clear()
        console.print(f"listening for {seconds:.0f} s")
        taps, _ = await asyncio.gather(_taps(stack, members, seconds), asyncio.sleep(seconds))
        return await asyncio.to_thread(_ears, members, taps)
    finally:
        await asyncio.gather(*(member.leave() for member in members), return_exceptions=True)
        await mcu.close()


def _speeches(seconds: float) -> list[sources.Signal]:
    """One endless text each, at a level at which the sum stays clear of the limiter."""
    texts = [sources.speech(text, voice=voice, pitch=pitch) for _, voice, pitch, text in SCRIPT]
    return [0.3 * sources.loop(text, round(seconds + 10)) for text in texts]


def _ears(members: list[WebRtcMember | RtpMember], taps: dict[str, tuple[sources.Signal, sources.Signal]]) -> list[Ear]:
    said = [(member.said, _required(member.said_at, member.name)) for member in members]
    names = [member.name for member in members]
    ears = []
    for member in members:
        heard = member.heard.signal()
        voices = analysis.find_voices(heard, _required(member.heard.started_at, member.name), said)
        gains = analysis.mix_gains(taps[member.name][1], [taps[name][0] for name in names])
        ears.append(Ear(member.name, dict(zip(names, voices, strict=True)), gains[names.index(member.name)], heard))
    return ears


def _required(moment: float | None, name: str) -> float:
    if moment is None:
        raise LocalError(f"{name} never said or heard anything")
    return moment


async def _taps(
    stack: Stack, members: list[WebRtcMember | RtpMember], seconds: float
) -> dict[str, tuple[sources.Signal, sources.Signal]]:
    """What each leg adds to the mix and what it hears before its encoder, cut to one common start on the mixer's clock."""
    length = min(10, max(1, int(seconds) - 1))
    calls = [stack.timed_tap(member.leg, point, length) for member in members for point in ("in", "out")]
    taps = await asyncio.gather(*calls)
    start = max(at for _, at in taps)
    cut = [signal[round((start - at) * sources.RATE / 1e9) :] for signal, at in taps]
    return {member.name: (cut[2 * i], cut[2 * i + 1]) for i, member in enumerate(members)}


def _matrix(ears: list[Ear]) -> Table:
    """Rows listen, columns talk."""
    table = Table(title="who hears whom: level against what was said, delay from mouth to ear", title_justify="left")
    table.add_column("listener \\ talker")
    for ear in ears:
        table.add_column(ear.name, justify="right")
    table.add_column("own voice before the encoder", justify="right")
    for ear in ears:
        cells = [_cell(voice, own=name == ear.name) for name, voice in ear.voices.items()]
        leak = "none" if ear.leak_db <= analysis.SILENCE_DB else f"{ear.leak_db:.0f} dB"
        table.add_row(ear.name, *cells, leak)
    return table


def _cell(voice: analysis.Voice, *, own: bool) -> str:
    if own:
        return f"[dim]self: {'-' if voice.level_db < UNHEARD_DB else f'{voice.level_db:.0f} dB'}[/dim]"
    if voice.level_db < HEARD_DB:
        return f"[red]not heard ({voice.level_db:.0f} dB)[/red]"
    return f"{voice.level_db:+.1f} dB  {voice.delay_s * 1000:.0f} ms"
