"""Many allocations, for long (R19, R37): quotas hold, everything comes back, and memory with it."""

from __future__ import annotations

import gc
import tracemalloc

from confero.protocols.stun import Method
from confero.protocols.stun import attributes as a
from confero.protocols.turn import Settings
from confero.ratelimit import Rate

from .world import PEER, UDP_ROW, Caller, FakePorts, World, signed

FREELY = Rate(burst=1e9, per_s=1e9)


def churned(world: World, caller: Caller, count: int) -> None:
    """One client after another allocates, binds a channel and leaves; every fourth vanishes."""
    for number in range(count):
        client = caller.client._replace(peer=("192.0.2.1", 1024 + number % 60_000))
        one = Caller(world, client, caller.turn)
        nonce = one.challenge()[1]
        said = [signed(one, Method.ALLOCATE, UDP_ROW, nonce=nonce)]
        said.append(
            signed(one, Method.CHANNEL_BIND, a.CHANNEL_NUMBER.of(0x4000), a.XOR_PEER_ADDRESS.of(PEER), nonce=nonce)
        )
        said += [signed(one, Method.REFRESH, a.LIFETIME.of(0), nonce=nonce)] if number % 4 else []
        assert [one.ask(data)[0] for data in said] == [0] * len(said)
        world.wait(0.5)
        world.path.events.clear()


def test_memory_comes_back() -> None:
    """600 in five minutes of the clock, twice; benchmarks/turn_machine.py does it with 20,000 at once.

    Kept, they would be 1.4 MB; Python's own free lists are what is left.
    """
    world = World(Settings(strangers=FREELY, failures=FREELY, allocations_per_user=400))
    caller = world.caller()
    churned(world, caller, 600)
    world.wait(700)
    gc.collect()
    tracemalloc.start()
    churned(world, caller, 600)
    world.wait(700)
    gc.collect()
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert world.server.allocations == 0 and world.ports.taken == {} and world.ports.released == 1_200
    assert left < 300_000 < 600_000 < peak


def test_the_pool_three_times_over() -> None:
    """R19: every port is handed out, 508 beyond, and all of them come back, three times."""
    world = World(Settings(strangers=FREELY, failures=FREELY, allocations_per_user=200), ports=FakePorts(49152, 49251))
    for _ in range(3):
        callers = [world.caller() for _ in range(101)]
        codes = [caller.allocate() for caller in callers]
        assert codes == [0] * 100 + [508] and len(world.ports.taken) == 100
        world.wait(600)
        assert world.ports.taken == {} and world.server.timer() is None
    assert world.ports.reserved == world.ports.released == 300


def test_thousands_of_wishes_of_one_user() -> None:
    """R19: 486 past the quota, 508 past permissions and channels; somebody else is served all the while."""
    world = World(Settings(strangers=FREELY, failures=FREELY))
    codes = [world.caller().allocate() for _ in range(500)]
    assert codes == [0] * 40 + [486] * 460
    greedy = world.caller("bob")
    assert greedy.allocate() == 0
    asked = [greedy.bind(0x4000 + number % 0x1000, (f"8.8.{number >> 8}.{number & 255}", 1)) for number in range(1_000)]
    assert asked.count(0) == 64 and set(asked[64:]) <= {508, 400}
    asked = [greedy.permit((f"9.8.{number >> 8}.{number & 255}", 1)) for number in range(1_000)]
    assert set(asked) == {508}
    assert world.caller("bob").allocate() == 0
    (entry,) = [entry for entry in world.path.entries.values() if entry.client == greedy.client]
    assert len(entry.permits) == len(entry.channels) == 64


def test_reservations_that_nobody_uses() -> None:
    """R19: they count, and lapse."""
    world = World(Settings(strangers=FREELY, allocations_per_user=10))
    codes = [world.caller().allocate(a.EVEN_PORT.of(True)) for _ in range(6)]
    assert codes == [0] * 5 + [486] and world.server.reservations == 5
    world.wait(30)
    assert world.server.reservations == 0 and world.caller().allocate(a.EVEN_PORT.of(True)) == 0
