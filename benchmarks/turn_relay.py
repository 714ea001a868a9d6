"""Packets through a TURN relay: ours against coturn, on one core, in the same run.

    python benchmarks/turn_relay.py              the tables of docs/benchmarks.md, in four minutes
    python benchmarks/turn_relay.py --quick      short windows: shows that it runs, not how fast
    python benchmarks/turn_relay.py --only ours
    python benchmarks/turn_relay.py --set-up     allocations a second and their memory alone, of our whole service too

The server has core 0 to itself, the load core 1, which is awake all the time (``native/bench/bench_turn.c``): it allocates, binds a
channel for each of its flows, and sends packets both ways at once. Delay is from client to peer or back, through the relay. All
servers run at real-time priority, so that what else runs delays neither; load above one packet at a time ("in bursts") comes as
eight equal packets of one flow.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import trustme
from report import build, machine, save, show

from confero.protocols.turn import issue
from confero.tokens import turn_secret

PORT, TLS_PORT = 13478, 15349
SERVERS = ("ours", "coturn")
SETTING_UP = {"ours": ("ours", "service"), "coturn": ("coturn",)}
"""Of ours, allocations are made by the data path alone, and by the whole service, which asks who they are as coturn does."""
SECRET = "a secret of the benchmark of 32 characters"
SOURCES = 200
"""Addresses of clients: what one of them may ask of the service without credentials is counted."""
SERVER_CORE, LOAD_CORE = "0", "1"
LOSS_BOUND = 0.001
FLAT_FROM, FLAT_STEP, FLAT_MOST = 60_000, 1.25, 600_000
"""Packets a second of the search for the most that is relayed."""
BURST = 8
ALLOCATIONS = 2000
FIRST = ("sh", "-c", 'echo -20 2>/dev/null >/proc/self/autogroup; exec "$@"', "sh")
"""In a session of its own: between sessions it is this that nice says nothing about (sched(7), the autogroup feature)."""
TABLES = Path(__file__).resolve().parent / "turn_tables.py"


@dataclass(frozen=True)
class Load:
    """What is asked of a server."""

    transport: str = "udp"
    payload: int = 100
    rate: int = 10_000
    burst: int = 1
    flows: int = 100
    indications: bool = False
    seconds: float = 3.0


PACED = (
    *(Load(payload=payload, rate=rate) for payload in (100, 1000) for rate in (10_000, 50_000)),
    Load(indications=True),
    *(Load(transport=transport, rate=rate) for transport in ("tcp", "tls") for rate in (10_000, 50_000)),
)


def commands(server: str, folder: Path) -> list[str]:
    chain, key = str(folder / "chain.pem"), str(folder / "key.pem")
    if server == "service":
        return [sys.executable, "-m", "confero.turn", "--state-dir", str(folder), *service_options()]
    if server == "ours":
        return [sys.executable, str(TABLES), "--port", str(PORT), "--certificate", chain, "--key", key]
    ports = [f"--listening-port={PORT}", f"--tls-listening-port={TLS_PORT}", "--relay-threads=1", "--no-dtls"]
    who = ["--lt-cred-mech", "--user=u:p", "--realm=t", "--allow-loopback-peers", "--no-cli", f"--cert={chain}"]
    place = ["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--log-file=stdout", f"--pidfile={folder}/pid"]
    return ["turnserver", "-n", *place, *ports, *who, f"--pkey={key}"]


def service_options() -> list[str]:
    """One thread, no TLS; peers of loopback are an exception, and all clients one user."""
    options = {
        "bind": "127.0.0.1",
        "udp-port": PORT,
        "tcp-port": PORT,
        "http-port": 0,
        "threads": 1,
        "reach": "127.0.0.1:20001-65535",
        "max-allocations-per-user": 60_000,
        "appserver-url": "http://127.0.0.1:9",
    }
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def answers() -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", PORT), timeout=0.2):
        return True
    return False


@contextlib.contextmanager
def running(server: str, folder: Path) -> Iterator[int]:
    """The server's process id; it is ended at the end."""
    command = ["taskset", "-c", SERVER_CORE, *real_time(), *commands(server, folder)]
    env = {**os.environ, "CONFERO_SECRET": SECRET}
    with (
        (folder / f"{server}.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=env) as process,
    ):
        try:
            for _ in range(100):
                if answers():
                    break
                time.sleep(0.1)
            else:
                raise SystemExit(f"{server} does not answer: {(folder / f'{server}.log').read_text()[-500:]}")
            yield process.pid
        finally:
            process.terminate()


def real_time() -> list[str]:
    may = subprocess.run(["chrt", "-f", "1", "true"], capture_output=True, check=False).returncode == 0
    return ["chrt", "-f", "1"] if may else []


def measure(server: str, pid: int, load: Load) -> dict[str, Any]:
    """One window's figures."""
    port = TLS_PORT if server == "coturn" and load.transport == "tls" else PORT
    options = {
        "pid": pid,
        "port": port,
        "transport": load.transport,
        "payload": load.payload,
        "rate": load.rate,
        "burst": load.burst,
        "flows": load.flows,
        "indications": int(load.indications),
        "seconds": load.seconds,
    }
    command = [*FIRST, "taskset", "-c", LOAD_CORE, "nice", "-n", "-20", str(build("bench_turn"))]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
    if done.returncode != 0:
        raise SystemExit(f"{server}: {done.stderr}")
    return row_of(server, load, json.loads(done.stdout))


def row_of(server: str, load: Load, raw: dict[str, Any]) -> dict[str, Any]:
    received, seconds = raw["received"], max(raw["seconds"], 1e-9)
    return {
        "server": server,
        "transport": load.transport,
        "payload": load.payload,
        "offered": load.rate,
        "indications": load.indications,
        "burst": load.burst,
        "pps": round(received / seconds),
        "loss": round(max(0.0, 1 - received / raw["sent"]), 5) if raw["sent"] else 0.0,
        "us_per_packet": round(raw["cpu_s"] * 1e6 / received, 2) if received else None,
        "cores": round(raw["cpu_s"] / seconds, 2),
        "p50_us": raw["p50_us"],
        "p99_us": raw["p99_us"],
    }


def flat_out(server: str, pid: int, load: Load) -> dict[str, Any]:
    """The highest rate of the search at which less than one packet in 1,000 is lost and the load itself keeps up."""
    best: dict[str, Any] = {}
    rate = float(FLAT_FROM)
    while rate <= FLAT_MOST:
        row = measure(server, pid, replace(load, rate=int(rate)))
        if row["loss"] >= LOSS_BOUND or row["pps"] < 0.97 * rate:
            break
        best = row
        rate *= FLAT_STEP
    return {**best, "kind": "flat out", "server": server, "payload": load.payload, "burst": load.burst}


def set_up(server: str, pid: int) -> dict[str, Any]:
    """Memory and allocations a second, one client after the other, each with a channel."""
    name, password = ("u", "p")
    if server == "service":
        name, password = issue(turn_secret(SECRET.encode()), "bench", time.time() + 600)
    command = [*FIRST, "taskset", "-c", LOAD_CORE, str(build("bench_turn")), "--pid", str(pid), "--port", str(PORT)]
    command += ["--user", name, "--password", password, "--sources", str(SOURCES), "--seconds", "0"]
    done = subprocess.run(
        [*command, "--flows", str(ALLOCATIONS)], capture_output=True, text=True, check=False, start_new_session=True
    )
    if done.returncode != 0:
        raise SystemExit(f"{server}: {done.stderr}")
    raw = json.loads(done.stdout)
    grown = raw["resident_after_kb"] - raw["resident_before_kb"]
    return {
        "kind": "set-up",
        "server": server,
        "allocations": ALLOCATIONS,
        "kb_per_allocation": round(grown / ALLOCATIONS, 2),
        "allocations_per_second": round(ALLOCATIONS / raw["set_up_s"]),
        "cpu_us_per_allocation": round(raw["set_up_cpu_s"] * 1e6 / ALLOCATIONS),
    }


def set_ups(server: str, folder: Path) -> list[dict[str, Any]]:
    rows = []
    for one in SETTING_UP[server]:
        with running(one, folder) as pid:
            rows.append(set_up(one, pid))
    return rows


def measure_server(server: str, folder: Path, seconds: float) -> list[dict[str, Any]]:
    rows = set_ups(server, folder)
    with running(server, folder) as pid:
        for load in PACED:
            rows.append({"kind": "paced", **measure(server, pid, replace(load, seconds=seconds))})
        for payload in (100, 1000):
            for burst in (1, BURST):
                load = Load(payload=payload, burst=burst, seconds=min(seconds, 1.5))
                rows.append(flat_out(server, pid, load))
    return rows


def table(rows: Sequence[dict[str, Any]]) -> None:
    names = [name for name in rows[0] if name != "kind"]
    show(f"\n| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        show(f"| {' | '.join(str(row.get(name, '')) for name in names)} |")


def certificates(folder: Path) -> None:
    cert = trustme.CA().issue_cert("turn.test")
    (folder / "chain.pem").write_bytes(b"".join(blob.bytes() for blob in cert.cert_chain_pems))
    (folder / "key.pem").write_bytes(cert.private_key_pem.bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=SERVERS)
    parser.add_argument("--set-up", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if shutil.which("turnserver") is None and options.only != "ours":
        raise SystemExit("coturn is not installed (Debian: apt-get install coturn)")
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("this needs two cores")
    rows = []
    facts = machine("the data path, its tables set by hand")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certificates(folder)
        for server in [options.only] if options.only else SERVERS:
            if options.set_up:
                rows += set_ups(server, folder)
            else:
                rows += measure_server(server, folder, 0.5 if options.quick else 3.0)
    for kind in ("set-up",) if options.set_up else ("paced", "flat out", "set-up"):
        table([row for row in rows if row["kind"] == kind])
    if not options.quick:
        show(f"written to {save('turn_set_up' if options.set_up else 'turn_relay', facts, rows, options.out)}")


if __name__ == "__main__":
    main()
