"""CreatePermission and ChannelBind (RFC 8656 sections 9, 10.2, 12 and 12.2), seen at what the data path lets through."""

from __future__ import annotations

import pytest

from confero.protocols.stun import Method
from confero.protocols.stun import attributes as a
from confero.protocols.turn import PeerPolicy, Reach, Settings

from .world import BOTH, PEER, PEER6, Caller, World, signed

OTHER = ("8.8.8.8", 8888)


def ready(world: World | None = None) -> Caller:
    caller = (world or World()).caller()
    assert caller.allocate() == 0
    return caller


def test_a_permission_is_by_address_alone() -> None:
    caller = ready()
    assert not caller.reaches(PEER)
    assert caller.permit(PEER) == 0
    assert caller.reaches(PEER) and caller.reaches((PEER[0], 1)) and not caller.reaches(OTHER)


def test_it_lasts_300_seconds() -> None:
    caller = ready()
    world = caller.world
    assert caller.permit(PEER) == 0
    world.wait(299.9)
    assert caller.reaches(PEER)
    world.wait(0.1)
    assert not caller.reaches(PEER) and world.server.listing()[0].permissions == {}


def test_it_is_refreshed() -> None:
    caller = ready()
    for _ in range(2):
        assert caller.permit(PEER) == 0
        caller.world.wait(290)
    assert caller.reaches(PEER)


def test_several_at_once() -> None:
    caller = ready()
    assert caller.permit(PEER, OTHER, (PEER[0], 5)) == 0
    assert caller.reaches(PEER) and caller.reaches(OTHER)


@pytest.mark.parametrize(("bad", "code"), [(("10.0.0.1", 1), 403), (("2606:4700::1", 1), 443)])
def test_all_or_nothing(bad: tuple[str, int], code: int) -> None:
    caller = ready()
    assert caller.permit(PEER, bad, OTHER) == code
    assert not caller.reaches(PEER) and not caller.reaches(OTHER)


def test_without_a_peer() -> None:
    caller = ready()
    assert caller.permit() == 400


def test_with_a_malformed_peer() -> None:
    caller = ready()
    bad = a.Attribute(a.XOR_PEER_ADDRESS.number, "XOR-PEER-ADDRESS", a.RESERVATION_TOKEN.codec)
    data = signed(caller, Method.CREATE_PERMISSION, a.XOR_PEER_ADDRESS.of(PEER), bad.of(b"\0\3abcdef"))
    assert caller.ask(data)[0] == 400 and not caller.reaches(PEER)


def test_permissions_are_bounded() -> None:
    caller = ready(World(Settings(permissions_per_allocation=3)))
    assert caller.permit(*[(f"8.8.8.{n}", 1) for n in range(4)]) == 508
    assert caller.permit(*[(f"8.8.8.{n}", 1) for n in range(3)]) == 0
    assert caller.permit(("8.8.8.1", 2)) == 0
    assert caller.permit(PEER) == 508 and caller.bind(0x4000, PEER) == 508
    caller.world.wait(300)
    assert caller.permit(PEER) == 0


def test_a_channel_is_a_peer_with_a_permission() -> None:
    caller = ready()
    assert caller.bind(0x4000, PEER) == 0
    world = caller.world
    assert caller.reaches(PEER) and world.path.channel(caller.client, 0x4000, world.now) == PEER
    world.wait(300)
    assert not caller.reaches(PEER) and world.path.channel(caller.client, 0x4000, world.now) is None
    assert caller.permit(PEER) == 0 and world.path.channel(caller.client, 0x4000, world.now) == PEER
    assert caller.refresh(3600) == 0
    world.wait(299.9)
    assert world.path.channel(caller.client, 0x4000, world.now) == PEER
    world.wait(0.1)
    assert caller.permit(PEER) == 0 and world.path.channel(caller.client, 0x4000, world.now) is None


@pytest.mark.parametrize(
    ("channel", "code"),
    [(0x0000, 400), (0x3FFF, 400), (0x4000, 0), (0x4FFF, 0), (0x5000, 400), (0x7FFF, 400), (0xFFFF, 400)],
)
def test_channel_numbers(channel: int, code: int) -> None:
    assert ready().bind(channel, PEER) == code


@pytest.mark.parametrize("missing", [a.CHANNEL_NUMBER, a.XOR_PEER_ADDRESS])
def test_a_channel_without_its_attributes(missing: a.Attribute[object]) -> None:
    caller = ready()
    rows = [row for row in (a.CHANNEL_NUMBER.of(0x4000), a.XOR_PEER_ADDRESS.of(PEER)) if row[0] is not missing]
    assert caller.ask(signed(caller, Method.CHANNEL_BIND, *rows))[0] == 400


def test_bound_again_it_lives_on() -> None:
    caller = ready()
    assert caller.refresh(3600) == 0
    for _ in range(4):
        assert caller.bind(0x4000, PEER) == 0
        caller.world.wait(290)
    assert caller.world.path.channel(caller.client, 0x4000, caller.world.now) == PEER


def test_one_channel_one_peer() -> None:
    caller = ready()
    assert caller.bind(0x4000, PEER) == 0
    assert caller.bind(0x4000, OTHER) == 400 and caller.bind(0x4001, PEER) == 400
    assert caller.bind(0x4000, (PEER[0], PEER[1] + 1)) == 400
    assert caller.bind(0x4001, (PEER[0], PEER[1] + 1)) == 0
    assert caller.world.path.channel(caller.client, 0x4000, caller.world.now) == PEER


def test_a_channel_rests_for_five_minutes() -> None:
    """Section 12: late packets are not to reach somebody else. The same pair may be bound at any time."""
    caller = ready()
    world = caller.world
    assert caller.refresh(3600) == 0 and caller.bind(0x4000, PEER) == 0
    world.wait(600)
    assert caller.bind(0x4000, OTHER) == 400 and caller.bind(0x4001, PEER) == 400
    world.wait(299.9)
    assert caller.bind(0x4000, OTHER) == 400 and caller.bind(0x4001, PEER) == 400
    world.wait(0.1)
    assert caller.bind(0x4000, OTHER) == 0 and caller.bind(0x4001, PEER) == 0


def test_an_expired_channel_is_bound_again() -> None:
    caller = ready()
    assert caller.refresh(3600) == 0 and caller.bind(0x4000, PEER) == 0
    caller.world.wait(700)
    assert caller.bind(0x4000, PEER) == 0
    caller.world.wait(250)
    assert caller.world.path.channel(caller.client, 0x4000, caller.world.now) == PEER
    assert caller.bind(0x4000, OTHER) == 400


def test_channels_are_bounded() -> None:
    caller = ready(World(Settings(channels_per_allocation=2)))
    assert [caller.bind(0x4000 + n, (PEER[0], 5000 + n)) for n in range(3)] == [0, 0, 508]
    assert caller.bind(0x4001, (PEER[0], 5001)) == 0


@pytest.mark.parametrize(("peer", "code"), [(("192.168.1.1", 5), 403), ((PEER[0], 0), 403), (PEER6, 443)])
def test_channels_to_where_nobody_goes(peer: tuple[str, int], code: int) -> None:
    assert ready().bind(0x4000, peer) == code


def test_an_exception_is_of_ports() -> None:
    """A permission is by address (section 9), so the ports go along to the data path; a channel is refused at once."""
    world = World(policy=PeerPolicy([Reach.parse("10.0.0.5:5000-15000")]))
    caller = ready(world)
    assert caller.permit(("10.0.0.5", 80)) == 0
    reached = [
        port
        for port in (80, 4999, 5000, 5059, 5060, 5062, 14040, 14049, 15000, 15001)
        if caller.reaches(("10.0.0.5", port))
    ]
    assert reached == [5000, 5059, 5062, 15000]
    assert caller.bind(0x4000, ("10.0.0.5", 80)) == 403 and caller.bind(0x4000, ("10.0.0.5", 5060)) == 403
    assert caller.bind(0x4000, ("10.0.0.5", 5000)) == 0
    assert caller.permit(("10.0.0.6", 5000)) == 403


def test_both_families_of_a_dual_allocation() -> None:
    world = World(Settings(families=BOTH))
    caller = world.caller()
    assert caller.allocate(a.ADDITIONAL_ADDRESS_FAMILY.of(2)) == 0
    assert caller.bind(0x4000, PEER) == caller.bind(0x4001, PEER6) == 0
    assert caller.reaches(PEER) and caller.reaches(PEER6)


def test_allocations_know_nothing_of_one_another() -> None:
    world = World()
    one, two = ready(world), ready(world)
    assert one.bind(0x4000, PEER) == 0 and not two.reaches(PEER)
    assert two.bind(0x4000, OTHER) == 0 and two.bind(0x4001, PEER) == 0
