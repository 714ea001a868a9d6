"""The TURN server's machine alone: allocations made and deleted, in one thread, without sockets.

    python benchmarks/turn_machine.py            the table of docs/benchmarks.md, in half a minute
    python benchmarks/turn_machine.py --quick    few allocations: shows that it runs, not how fast

Each client asks without credentials, allocates, binds a channel and deletes. Each kind of request is timed in one go, of all
clients after one another, so that the tables are full while allocations are made. "md5" is what browsers do; "sha256" names an
algorithm (RFC 8489). Names are time-limited, signed by a secret. Of each case the fastest take counts, in CPU time.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from report import machine, save, show

from confero.protocols.stun import MD5, SHA256, Integrity, Kind, Message, Method, build, make_key
from confero.protocols.stun import attributes as a
from confero.protocols.stun.attributes import Row
from confero.protocols.turn import UDP, Accounts, Client, PeerPolicy, Relay, Server, Settings, actions, issue
from confero.ratelimit import Rate

TAKES = 3
SECRET = b"a secret of the benchmark"
WALL = 1_800_000_000.0
PEER = ("8.8.8.8", 5004)
FREELY = Rate(burst=1e9, per_s=1e9)


class Ports:
    """As many as there are wanted."""

    def __init__(self) -> None:
        self._free = list(range(1, 1 << 20))

    def reserve(
        self, family: int, protocol: int = UDP, *, even: bool = False, pair: bool = False
    ) -> tuple[Relay, ...] | None:
        handle = self._free.pop()
        return (Relay(handle, protocol, ("198.51.100.1", 49152 + handle % 16384)),)

    def release(self, relay: Relay) -> None:
        self._free.append(relay.handle)


class Asker:
    """A client as far as its messages go."""

    def __init__(self, number: int, luck: Random, *, sha256: bool) -> None:
        self.client = Client(
            "udp", (f"20.{number >> 16}.{number >> 8 & 255}.{number & 255}", 4000), ("198.51.100.1", 1)
        )
        self.username, password = issue(SECRET, f"user{number}", WALL + 3600)
        self._luck = luck
        self._algorithm = SHA256 if sha256 else MD5
        self._integrity = Integrity(make_key(self.username, "confero", password, self._algorithm), sha256)
        self._credentials: list[Row] = []

    def challenged(self, reply: Message) -> None:
        realm, nonce, algorithms = reply.get(a.REALM), reply.get(a.NONCE), reply.get(a.PASSWORD_ALGORITHMS)
        assert realm is not None and nonce is not None and algorithms is not None
        self._credentials = [a.USERNAME.of(self.username), a.REALM.of(realm), a.NONCE.of(nonce)]
        if self._integrity.sha256:
            self._credentials += [a.PASSWORD_ALGORITHMS.of(algorithms), a.PASSWORD_ALGORITHM.of(self._algorithm)]

    def say(self, method: Method, *rows: Row) -> tuple[Client, bytes]:
        integrity = self._integrity if self._credentials else None
        rows = (*rows, *self._credentials)
        return self.client, build(method, Kind.REQUEST, self._luck.randbytes(12), rows, integrity=integrity)


def serve(server: Server, said: Sequence[tuple[Client, bytes]], kind: Kind, now: float) -> tuple[float, list[Message]]:
    """CPU seconds for all of them, and the replies, each of which must be of this kind."""
    gc.collect()
    gc.freeze()
    begun = time.process_time()
    todo = [server.receive(client, data, now) for client, data in said]
    spent = time.process_time() - begun
    gc.unfreeze()
    replies = [Message.parse(one[-1].data) for one in todo if isinstance(one[-1], actions.Reply)]
    assert len(replies) == len(said) and all(reply.kind == kind for reply in replies), "a request was refused"
    return spent, replies


def fresh(count: int) -> Server:
    settings = Settings(allocations=count, strangers=FREELY, failures=FREELY)
    accounts = Accounts("confero", lambda: WALL, secrets=[SECRET])
    return Server(settings, accounts, PeerPolicy(), Ports(), Random(1))


def take(count: int, *, sha256: bool) -> dict[str, float]:
    """Microseconds for each kind of request."""
    server, luck = fresh(count), Random(2)
    askers = [Asker(number, luck, sha256=sha256) for number in range(count)]
    transport = a.REQUESTED_TRANSPORT.of(UDP)
    first, replies = serve(server, [one.say(Method.ALLOCATE, transport) for one in askers], Kind.ERROR, 1.0)
    for one, reply in zip(askers, replies, strict=True):
        one.challenged(reply)
    made, _ = serve(server, [one.say(Method.ALLOCATE, transport) for one in askers], Kind.SUCCESS, 2.0)
    channel = (a.CHANNEL_NUMBER.of(0x4000), a.XOR_PEER_ADDRESS.of(PEER))
    bound, _ = serve(server, [one.say(Method.CHANNEL_BIND, *channel) for one in askers], Kind.SUCCESS, 3.0)
    assert server.allocations == count
    ended, _ = serve(server, [one.say(Method.REFRESH, a.LIFETIME.of(0)) for one in askers], Kind.SUCCESS, 4.0)
    assert server.allocations == 0
    names = ("challenge", "allocate", "bind", "delete")
    return {name: 1e6 * spent / count for name, spent in zip(names, (first, made, bound, ended), strict=True)}


def memory(count: int) -> tuple[float, float]:
    """Bytes for an allocation with a permission and a channel, and those for one that is gone."""
    server, luck = fresh(count), Random(2)
    askers = [Asker(number, luck, sha256=True) for number in range(count)]
    transport = a.REQUESTED_TRANSPORT.of(UDP)
    _, replies = serve(server, [one.say(Method.ALLOCATE, transport) for one in askers], Kind.ERROR, 1.0)
    for asker, reply in zip(askers, replies, strict=True):
        asker.challenged(reply)
    said = [one.say(Method.ALLOCATE, transport) for one in askers]
    channel = (a.CHANNEL_NUMBER.of(0x4000), a.XOR_PEER_ADDRESS.of(PEER))
    bound = [one.say(Method.CHANNEL_BIND, *channel) for one in askers]
    gone = [one.say(Method.REFRESH, a.LIFETIME.of(0)) for one in askers]
    tracemalloc.start()
    for client, data in [*said, *bound]:
        server.receive(client, data, 2.0)
    held = tracemalloc.get_traced_memory()[0]
    for client, data in gone:
        server.receive(client, data, 3.0)
    gc.collect()
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held / count, left / count


def measure(count: int, takes: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name in ("md5", "sha256"):
        each = [take(count, sha256=name == "sha256") for _ in range(takes)]
        best = {part: min(one[part] for one in each) for part in each[0]}
        cycle = best["challenge"] + best["allocate"] + best["delete"]
        rows.append({"case": name, "live": count, **best, "allocations_per_s": 1e6 / cycle})
    held, left = memory(min(count, 2_000))
    rows.append({"case": "memory", "live": min(count, 2_000), "bytes_per_allocation": held, "bytes_left": left})
    return rows


def line(row: dict[str, Any]) -> str:
    if row["case"] == "memory":
        return f"| memory | {row['live']} | {row['bytes_per_allocation']:.0f} B each, {row['bytes_left']:.0f} B when gone | | | | |"
    parts = " | ".join(f"{row[part]:.0f}" for part in ("challenge", "allocate", "bind", "delete", "allocations_per_s"))
    return f"| {row['case']} | {row['live']} | {parts} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few allocations, one take")
    parser.add_argument("--out", type=Path, help="where the JSON goes (default: benchmarks/results/turn_machine.json)")
    options = parser.parse_args()
    rows = measure(300 if options.quick else 20_000, 1 if options.quick else TAKES)
    show("| case | live | 401, us | Allocate, us | ChannelBind, us | Refresh to 0, us | allocations a second |")
    show("|---|---|---|---|---|---|---|")
    for row in rows:
        show(line(row))
    show(f"written to {save('turn_machine', machine('Python only'), rows, options.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
