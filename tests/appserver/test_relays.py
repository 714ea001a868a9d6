"""TURN servers at the application server: they register, hear of media servers, and browsers hear of them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from confero.appserver.config import AppserverConfig
from confero.errors import Refused
from confero.models import McuRegister
from confero.models.turn import MediaPlace, TurnHeartbeat, TurnListener, TurnPeers, TurnRegister
from confero.protocols.turn import rest_password
from confero.tokens import turn_secret
from confero.turnsecrets import FILE, rotate

from .conftest import SiteMaker
from .site import SECRET, Site

REGISTER = TurnRegister(id="turn-1", boot="b1", listeners=[TurnListener(transport="udp", port=14049)])
BEAT = TurnHeartbeat(boot="b1", allocations=0)
PLACE = MediaPlace(host="192.0.2.9", low=5000, high=15_000)


async def test_a_join_tells_of_the_turn_servers_that_live(site: Site) -> None:
    assert (await site.join())["ice_servers"] == []
    await site.tell("turn", "POST", "turns", REGISTER, TurnPeers)
    joined = await site.join()
    (server,) = joined["ice_servers"]
    assert server["urls"] == ["turn:localhost:14049?transport=udp"]
    assert server["username"].endswith(":" + joined["participant"]) and server["credential"]
    assert (joined["ice_ttl_s"], joined["ice_policy"]) == (43_200, "all")
    await site.tell("turn", "PUT", "turns/turn-1/heartbeat", TurnHeartbeat(boot="b1", allocations=1, draining=True))
    assert (await site.join())["ice_servers"] == []


async def test_relays_may_be_tried_before_joining(site: Site) -> None:
    """For a minute, under a name of its own each time, and not without end."""
    await site.tell("turn", "POST", "turns", REGISTER, TurnPeers)
    names = set()
    for _ in range(6):
        status, told = await site.call("POST", "/api/v1/network-test", {})
        assert (status, told["ice_policy"]) == (200, "all")
        (server,) = told["ice_servers"]
        until, _, name = server["username"].partition(":")
        assert 50 < float(until) - time.time() <= 61
        assert server["credential"] == rest_password(turn_secret(SECRET), server["username"])
        names.add(name)
    assert len(names) == 6
    assert (await site.call("POST", "/api/v1/network-test", {}))[0] == 429


async def test_turn_servers_hear_where_media_servers_take_media(site: Site) -> None:
    assert (await site.tell("turn", "POST", "turns", REGISTER, TurnPeers)).media == []
    mcu = McuRegister(id="m", boot="b", url="http://127.0.0.1:1", capacity=10, media=[PLACE])
    await site.tell("mcu", "POST", "mcus", mcu)
    assert (await site.tell("turn", "PUT", "turns/turn-1/heartbeat", BEAT, TurnPeers)).media == [PLACE]


async def test_a_turn_server_that_knows_all_there_is_waits_for_news(site: Site) -> None:
    known = (await site.tell("turn", "POST", "turns", REGISTER, TurnPeers)).version
    waiting = BEAT.model_copy(update={"known": known, "wait_s": 3.0})
    again = await site.tell(
        "turn", "PUT", "turns/turn-1/heartbeat", waiting.model_copy(update={"wait_s": 0.01}), TurnPeers
    )
    assert (again.media, again.version) == ([], known)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(site.tell("turn", "PUT", "turns/turn-1/heartbeat", waiting, TurnPeers))
        await asyncio.sleep(0.2)
        assert not task.done()
        mcu = McuRegister(id="m", boot="b", url="http://127.0.0.1:1", capacity=10, media=[PLACE])
        await site.tell("mcu", "POST", "mcus", mcu)
        async with asyncio.timeout(1.5):
            told = await task
    assert told.media == [PLACE] and told.version != known
    assert (await site.tell("turn", "PUT", "turns/turn-1/heartbeat", waiting, TurnPeers)).media == [PLACE]


async def test_strangers_are_to_register_and_others_are_not_heard(site: Site) -> None:
    with pytest.raises(Refused) as caught:
        await site.tell("turn", "PUT", "turns/turn-2/heartbeat", BEAT, TurnPeers)
    assert caught.value.status == 404
    with pytest.raises(Refused) as caught:
        await site.tell("mcu", "POST", "turns", REGISTER, TurnPeers)
    assert caught.value.status == 403


async def test_another_secret_signs_without_a_restart(site: Site, tmp_path: Path) -> None:
    await site.tell("turn", "POST", "turns", REGISTER, TurnPeers)

    async def credential() -> tuple[str, str]:
        (server,) = (await site.join())["ice_servers"]
        return server["credential"], server["username"]

    given, name = await credential()
    assert given == rest_password(turn_secret(SECRET), name)
    new = rotate(tmp_path / FILE, time.time() - 60, after_s=30)
    site.app.turn_secrets.look()
    given, name = await credential()
    assert given == rest_password(new.secret, name)


async def test_the_operators_own_servers_and_policy(make_site: SiteMaker) -> None:
    site = await make_site(ice_urls=["stun:stun.example:3478"], ice_policy="relay")
    await site.mcu.register(site.internal_url)
    joined = await site.join()
    assert [server["urls"] for server in joined["ice_servers"]] == [["stun:stun.example:3478"]]
    assert joined["ice_policy"] == "relay"


async def test_relays_of_others_are_for_those_who_join(make_site: SiteMaker) -> None:
    site = await make_site(
        ice_urls=["stun:stun.example:3478", "turn:turn.example:3478"], ice_secret="a secret of somebody else"
    )
    await site.mcu.register(site.internal_url)
    urls = [server["urls"] for server in (await site.join())["ice_servers"]]
    assert urls == [["stun:stun.example:3478"], ["turn:turn.example:3478"]]
    _, told = await site.call("POST", "/api/v1/network-test", {})
    assert [server["urls"] for server in told["ice_servers"]] == [["stun:stun.example:3478"]]


@pytest.mark.parametrize("url", ["http://turn.example", "turn:", "turn:user@turn.example", "turn:a?transport=sctp"])
def test_urls_that_browsers_would_refuse(url: str) -> None:
    with pytest.raises(ValueError, match="ice_urls"):
        AppserverConfig(ice_urls=[url])


def test_turn_servers_of_others_want_their_secret() -> None:
    with pytest.raises(ValueError, match="ice_secret"):
        AppserverConfig(ice_urls=["turn:turn.example:3478"])
