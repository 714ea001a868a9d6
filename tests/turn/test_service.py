"""The TURN server as clients and operators find it: aioice allocates and talks over UDP, TCP and TLS."""

from __future__ import annotations

import asyncio
import ssl
import struct
import time

import pytest
import trustme
from aioice.stun import TransactionFailed

from confero.models.turn import TurnTransport
from confero.protocols.turn import issue
from confero.runtime import rotation
from confero.tokens import turn_secret
from confero.turnsecrets import FILE, rotate

from ..support.waiting import until
from .conftest import HouseMaker
from .house import PEER, SECRET, SERVER, STRANGER, House

WAYS: list[TurnTransport] = ["udp", "tcp", "tls"]


@pytest.mark.parametrize("via", WAYS)
async def test_a_client_is_relayed_both_ways(house: House, via: TurnTransport) -> None:
    echo, talk = await house.echo(), await house.allocate(via)
    for size in (1, 2, 3, 100, 1200):
        data = bytes(index % 251 for index in range(size))
        assert await talk.ask(echo, data) == b"echo " + data
    host, port = talk.relayed
    assert host == SERVER and 49_152 <= port <= 65_535
    assert {source for _, source in echo.heard} == {(host, port)}
    assert await house.metric("allocations") == 1
    assert await house.metric("to_peer_bytes", transport=via) == 1306
    await talk.close()
    await until(lambda: not house.app.server.allocations, "the allocation's end")


@pytest.mark.parametrize("via", WAYS)
async def test_a_wrong_password_is_refused_and_counted(house: House, via: TurnTransport) -> None:
    with pytest.raises(TransactionFailed) as caught:
        await house.allocate(via, password="wrong")
    assert caught.value.response.attributes["ERROR-CODE"][0] == 401
    assert house.app.server.allocations == 0
    assert await house.metric("authentication_failures") >= 1


async def test_a_name_whose_time_is_over_is_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "credentials", lambda user: issue(turn_secret(SECRET), user, time.time() - 1))
    with pytest.raises(TransactionFailed):
        await house.allocate()


async def test_another_secret_is_taken_up_while_it_runs(
    make_house: HouseMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one's names stay good, what they have allocated goes on, and one that is revoked is refused."""
    monkeypatch.setattr(rotation, "LOOK_S", 0.02)
    house = await make_house()
    echo, talk = await house.echo(), await house.allocate()
    path = house.state_dir / FILE
    new = rotate(path, time.time() - 60, after_s=30)
    await until(lambda: house.app.secrets.signing == new.secret, "it signs")
    await asyncio.sleep(0.1)
    await (await house.allocate()).close()
    monkeypatch.setattr(house, "credentials", lambda user: issue(new.secret, user, time.time() + 600))
    await (await house.allocate()).close()
    rotate(path, time.time(), after_s=10, revoke=True)
    await until(lambda: house.app.secrets.signing != new.secret, "another one signs")
    await asyncio.sleep(0.1)
    with pytest.raises(TransactionFailed):
        await house.allocate()
    assert await talk.ask(echo) == b"echo hello"


@pytest.mark.parametrize("host", [STRANGER, SERVER, "127.0.0.1", "10.0.0.1", "169.254.169.254"])
async def test_peers_that_nobody_has_excepted_are_refused(house: House, host: str) -> None:
    echo, talk = await house.echo(), await house.allocate()
    talk.transport.sendto(b"hello", (host, 21_000))
    assert await talk.ask(echo) == b"echo hello"
    assert await house.metric("answers", code="403", method="channel-bind") == 1


async def test_an_exception_is_for_its_ports_alone(house: House) -> None:
    open_echo, shut_echo = await house.echo(), await house.echo(low=30_000)
    talk = await house.allocate()
    with pytest.raises(TimeoutError):
        await talk.ask(shut_echo, seconds=0.5)
    assert await talk.ask(open_echo) == b"echo hello" and not shut_echo.heard


async def test_strangers_do_not_get_through_to_a_client(house: House) -> None:
    echo, talk = await house.echo(), await house.allocate()
    assert await talk.ask(echo) == b"echo hello"
    other = await house.echo(STRANGER)
    other.transport.sendto(b"unasked", talk.relayed)
    assert await talk.ask(echo, b"again") == b"echo again"
    assert await house.metric("drops", reason="no_permission") == 1


async def test_the_list_shows_what_an_allocation_does_and_can_end_it(house: House) -> None:
    echo, talk = await house.echo(), await house.allocate("tcp", "bob")
    await talk.ask(echo, b"12345")
    await house.allocate("udp", "carol")
    (row,) = await house.get("/v1/allocations?user=bob")
    assert (row["user"], row["transport"], row["channels"], row["to_peer_bytes"]) == ("bob", "tcp", 1, 5)
    assert row["relayed"] == ["{}:{}".format(*talk.relayed)]
    assert len(await house.get("/v1/allocations")) == 2
    assert await house.get("/v1/allocations", caller="sipgw") == 403
    await house.get(f"/v1/allocations/{row['id']}", method="DELETE")
    assert len(await house.get("/v1/allocations")) == 1
    with pytest.raises(TimeoutError):
        await talk.ask(echo, seconds=0.3)
    assert await house.get(f"/v1/allocations/{row['id']}", method="DELETE") == 404


async def test_a_client_whose_connection_ends_leaves_nothing(house: House) -> None:
    talk = await house.allocate("tcp")
    before = len(house.app.ports)
    talk.transport._TurnTransport__inner_protocol.transport.abort()  # type: ignore[attr-defined]
    await until(lambda: not house.app.server.allocations, "the allocation's end")
    assert before == 1 and len(house.app.ports) == 0


async def test_draining_sends_new_clients_elsewhere_and_leaves_old_ones_alone(make_house: HouseMaker) -> None:
    house = await make_house(alternates=["127.0.77.8:3478"])
    echo, talk = await house.echo(), await house.allocate()
    await house.get("/v1/drain", method="POST")
    with pytest.raises(TransactionFailed) as caught:
        await house.allocate()
    answer = caught.value.response.attributes
    assert answer["ERROR-CODE"][0] == 300
    assert await talk.ask(echo) == b"echo hello"
    assert await house.get("/ready") == 503
    drained = asyncio.ensure_future(house.app.drain())  # noqa: TID251 - its end is awaited below
    await asyncio.sleep(0.2)
    assert not drained.done()
    await talk.close()
    await asyncio.wait_for(drained, 5)


async def test_the_ports_run_out_without_a_leak(make_house: HouseMaker) -> None:
    house = await make_house(relay_port_min=50_000, relay_port_max=50_002)
    talks = [await house.allocate() for _ in range(3)]
    with pytest.raises(TransactionFailed) as caught:
        await house.allocate()
    assert caught.value.response.attributes["ERROR-CODE"][0] == 508
    assert await house.metric("relayed_addresses_exhausted") == 1
    await talks[1].close()
    await until(lambda: house.app.server.allocations == 2, "the allocation's end")
    talk = await house.allocate()
    assert await talk.ask(await house.echo()) == b"echo hello"


async def test_a_users_quota(make_house: HouseMaker) -> None:
    house = await make_house(max_allocations_per_user=2)
    for _ in range(2):
        await house.allocate()
    with pytest.raises(TransactionFailed) as caught:
        await house.allocate()
    assert caught.value.response.attributes["ERROR-CODE"][0] == 486
    assert (await house.allocate(user="bob")).relayed


async def test_a_renewed_certificate_is_taken_up_and_old_connections_go_on(house: House) -> None:
    echo, old = await house.echo(), await house.allocate("tls")
    house.authority = trustme.CA()
    house.certify(house.authority)
    await asyncio.sleep(0)
    house.app.certificates.look()
    new = await house.allocate("tls")
    assert await new.ask(echo) == await old.ask(echo) == b"echo hello"


async def test_without_a_certificate_plain_tcp_works(make_house: HouseMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(House, "certify", lambda self, authority: None)
    house = await make_house()
    with pytest.raises((OSError, ssl.SSLError)):
        await house.allocate("tls")
    assert await (await house.allocate("tcp")).ask(await house.echo()) == b"echo hello"
    assert [one.transport for one in house.app._registration().listeners] == ["udp", "tcp"]


async def test_stun_binding_tells_where_we_are_seen(house: House) -> None:
    loop = asyncio.get_running_loop()
    got: asyncio.Future[bytes] = loop.create_future()

    class Client(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            got.set_result(data)

    transport, _ = await loop.create_datagram_endpoint(Client, remote_addr=(SERVER, house.app.udp_port))
    transport.sendto(struct.pack("!HHI12s", 1, 0, 0x2112A442, b"twelve bytes"))
    answer = await asyncio.wait_for(got, 5)
    port = transport.get_extra_info("sockname")[1]
    assert answer[:2] == b"\x01\x01" and struct.pack("!H", port ^ 0x2112) in answer
    transport.close()


async def test_peers_of_the_farm_are_reached_on_their_media_ports(make_house: HouseMaker) -> None:
    from confero.models.turn import MediaPlace

    house = await make_house(reach=[])
    echo, talk = await house.echo(), await house.allocate()
    with pytest.raises(TimeoutError):
        await talk.ask(echo, seconds=0.3)
    house.app.reaching.told([MediaPlace(host=PEER, low=21_000, high=29_999)])
    assert await talk.ask(echo) == b"echo hello"


async def test_a_client_over_ipv6_is_relayed_to_ipv4(make_house: HouseMaker) -> None:
    house = await make_house(bind=["::1"], relay_bind=[SERVER])
    talk = await house.allocate("udp", host="::1")
    assert await talk.ask(await house.echo()) == b"echo hello"
    (row,) = await house.get("/v1/allocations")
    assert row["client"].startswith("[::1]:") and row["relayed"] == ["{}:{}".format(*talk.relayed)]


async def test_what_is_told_outside_may_differ_from_what_is_bound(make_house: HouseMaker) -> None:
    house = await make_house(relay_bind=[f"198.51.100.7={SERVER}"], advertise=["turn.example"])
    talk = await house.allocate()
    assert talk.relayed[0] == "198.51.100.7"
    assert await talk.ask(await house.echo()) == b"echo hello"
    assert {one.host for one in house.app._registration().listeners} == {"turn.example"}
