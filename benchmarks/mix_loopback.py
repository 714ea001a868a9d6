"""The whole engine over loopback: real sockets, real time, a load generator in a process of its own that also listens.

    python benchmarks/mix_loopback.py            the table of docs/benchmarks.md, in less than 30 seconds
    python benchmarks/mix_loopback.py --quick    one row

WebRTC rows go through ICE and AES-GCM on one shared port, RTP rows through a port for each leg. CPU is that of the media thread
alone. Lateness: how much later than the punctual packet of its stream a packet left, by the kernel's stamp. The generator's own
lateness stands beside it: a row in which that was large says nothing about the engine and is measured again, twice at most.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import selectors
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from report import build, judge, machine, save, show

from confero.media import (
    Codec,
    CodecParams,
    Engine,
    EngineConfig,
    LegConfig,
    LegKind,
    PayloadType,
    SrtpKeys,
    SrtpProfile,
    build_info,
)

PASSWORD = "benchmark password"  # also in native/bench/bench_load.c
DISTURBED_MS = 10.0
"""Half a packet time: beyond it jitter buffers, not the mixer, decide what is heard."""
ATTEMPTS = 3
NICE = -15
PAYLOAD_TYPES = {"opus": PayloadType(111, Codec.OPUS, 48000), "pcmu": PayloadType(0, Codec.PCMU, 8000)}


@dataclass(frozen=True)
class Case:
    members: int
    talkers: int
    codec: str
    kind: str
    listeners: str = "open"
    seconds: int = 4

    def arguments(self) -> list[str]:
        return [str(self.members), str(self.talkers), self.codec, self.kind, self.listeners, str(self.seconds)]


CASES = (
    Case(20, 3, "opus", "webrtc", seconds=3),
    Case(200, 3, "opus", "webrtc", seconds=3),
    Case(200, 3, "opus", "webrtc", "quiet", seconds=3),
    Case(200, 3, "pcmu", "rtp", seconds=3),
)


def keys(member: int, to_engine: int) -> SrtpKeys:
    """As ``srtp_of`` in native/bench/bench_lib.h makes them."""
    number = member.to_bytes(4)
    return SrtpKeys(
        bytes((0x10, to_engine)).ljust(12, b"\0") + number, bytes((0x20, to_engine)).ljust(8, b"\0") + number
    )


def add_member(engine: Engine, case: Case, member: int) -> tuple[str, int]:
    """Puts a leg into room 1 and returns where its member sends to."""
    payload_type = PAYLOAD_TYPES[case.codec]
    webrtc = case.kind == "webrtc"
    sockets = None if webrtc else engine.open_rtp(1, mux=True)
    config = LegConfig(
        id=member + 1,
        room=1,
        kind=LegKind.WEBRTC if webrtc else LegKind.RTP,
        tx=CodecParams(codec=payload_type.codec),
        tx_pt=payload_type.number,
        rx=(payload_type,),
        local_ufrag=f"m{member}" if webrtc else "",
        local_pwd=PASSWORD if webrtc else "",
        remote_ufrag="peer" if webrtc else "",
        sockets=sockets,
        symmetric=not webrtc,
    )
    engine.add_leg(config)
    if sockets is not None:
        return sockets.address, sockets.rtp_port
    engine.set_keys(member + 1, SrtpProfile.AEAD_AES_128_GCM, rx=keys(member, 1), tx=keys(member, 0))
    return engine.candidates(1)[0]


def media_thread() -> Path:
    """The directory of the media thread in /proc."""
    for task in Path("/proc/self/task").iterdir():
        if (task / "comm").read_text().strip() == "cf-media-0":
            return task
    raise RuntimeError("there is no media thread")


def media_thread_ns() -> int:
    """CPU time of the media thread so far."""
    return int((media_thread() / "schedstat").read_text().split()[0])


def keep_apart(generator: int) -> None:
    """A core for the engine and another for the generator, and both before other work, as far as that is permitted."""
    cores = sorted(os.sched_getaffinity(0))
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, generator, NICE)
    if len(cores) > 1:
        os.sched_setaffinity(int(media_thread().name), {cores[0]})
        os.sched_setaffinity(generator, {cores[1]})


def drain_until_output(engine: Engine, output: IO[str]) -> str:
    """Reads the engine's events, as a service would, until the generator says a line."""
    with selectors.DefaultSelector() as selector:
        selector.register(engine.fileno(), selectors.EVENT_READ)
        selector.register(output, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select(timeout=60):
                if key.fileobj is output:
                    return output.readline()
                engine.events()


def measure(engine: Engine, case: Case, program: Path) -> dict[str, Any]:
    engine.add_room(1)
    targets = "".join("{} {}\n".format(*add_member(engine, case, member)) for member in range(case.members))
    generator = subprocess.Popen(
        [program, *case.arguments()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert generator.stdin is not None
    assert generator.stdout is not None
    timer = threading.Timer(case.seconds + 60, generator.kill)
    timer.start()
    try:
        keep_apart(generator.pid)
        with contextlib.closing(generator.stdin) as stdin:
            stdin.write(targets)
        if drain_until_output(engine, generator.stdout) != "measuring\n":
            raise RuntimeError("the load generator did not get as far as measuring")
        cpu, start, before = media_thread_ns(), engine.now(), engine.thread_stats(0)
        result: dict[str, Any] = json.loads(drain_until_output(engine, generator.stdout))
        cpu, elapsed, after = media_thread_ns() - cpu, engine.now() - start, engine.thread_stats(0)
    finally:
        generator.kill()
        generator.wait()
        timer.cancel()
    return result | figures(case, cpu, elapsed, before, after)


def figures(case: Case, cpu_ns: int, elapsed_ns: int, before: dict[str, int], after: dict[str, int]) -> dict[str, Any]:
    """``cpu_ns``: CPU time of the media thread during ``elapsed_ns``."""
    passed = {name: after[name] - before[name] for name in after}
    packets = passed["packets_in"] + passed["packets_out"]
    return {
        "members": case.members,
        "talkers": case.talkers,
        "codec": case.codec,
        "kind": case.kind,
        "listeners": case.listeners,
        "cpu_percent": round(100 * cpu_ns / elapsed_ns, 2),
        "cpu_us_per_member_second": round(1e6 * cpu_ns / elapsed_ns / case.members, 1),
        "cpu_us_per_packet": round(cpu_ns / 1000 / packets, 2),
        "tick_us_mean": round(passed["tick_ns_sum"] / 1000 / max(passed["ticks"], 1), 1),
        "tick_us_max": round(after["tick_ns_max"] / 1000, 1),
        "late_ticks": passed["late_ticks"],
        "send_failures": passed["send_failures"],
        "encodings_per_tick": round(passed["frames_encoded"] / max(passed["ticks"], 1), 2),
    }


def disturbed(row: dict[str, Any]) -> bool:
    """True if the load generator itself was held up: somebody else had the cores."""
    return bool(row["generator_late_ms"]["p99"] > DISTURBED_MS)


def measure_undisturbed(case: Case, program: Path) -> dict[str, Any]:
    for attempt in range(ATTEMPTS):
        with Engine(EngineConfig(threads=1, seed=1, bind=("127.0.0.1",), nice=NICE)) as engine:
            row = measure(engine, case, program)
        if not disturbed(row):
            break
        show(f"(attempt {attempt + 1}: the load generator was {row['generator_late_ms']['p99']:.0f} ms late)")
    return row


def faults_of(row: dict[str, Any]) -> list[str]:
    faults = judge(row)
    if row["unheard_members"]:
        faults.append(f"{row['unheard_members']} members got nothing")
    if disturbed(row):
        faults.append("the machine was too busy for a figure")
    return faults


HEAD = (
    "members",
    "talkers",
    "codec",
    "legs",
    "listeners",
    "CPU of one core",
    "µs per packet",
    "lost",
    "late p50 / p99 / max ms",
    "generator late p99 ms",
)


def line(row: dict[str, Any]) -> str:
    return (
        "| {members} | {talkers} | {codec} | {kind} | {listeners} | {cpu_percent:.1f} % | {cpu_us_per_packet} | {lost} "
        "| {late_ms[p50]:.2f} / {late_ms[p99]:.2f} / {late_ms[max]:.2f} | {generator_late_ms[p99]:.2f} |".format(**row)
    )


def allow_many_sockets() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one row only")
    parser.add_argument("--out", type=Path, help="where the JSON goes (default: benchmarks/results/mix_loopback.json)")
    options = parser.parse_args()
    allow_many_sockets()
    facts, program = machine(build_info()), build("bench_load")
    show(f"| {' | '.join(HEAD)} |")
    show("|---" * len(HEAD) + "|")
    rows, faults = [], []
    for case in CASES[:1] if options.quick else CASES:
        row = measure_undisturbed(case, program)
        rows.append(row)
        faults += [f"{case}: {fault}" for fault in faults_of(row)]
        show(line(row))
    show(f"written to {save('mix_loopback', facts, rows, options.out)}")
    for fault in faults:
        sys.stderr.write(fault + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
