"""Which addresses media is relayed from, and that they follow the machine's own."""

from __future__ import annotations

import asyncio

import pytest

from confero.media.addresses import Advertised
from confero.runtime.tasks import TaskBag
from confero.turn import addresses
from confero.turn.addresses import follows, relay_addresses, way_out
from confero.turn.ports import RelayPorts

from ..support.waiting import until

ANY = ["0.0.0.0", "::"]


@pytest.fixture(autouse=True)
def routes(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """Our address on the way out, by version."""
    found: dict[str, str | None] = {"192.0.2.1": "198.51.100.7", "2001:db8::1": None}
    monkeypatch.setattr(addresses, "route_to", found.get)
    return found


def one(address: str) -> Advertised:
    return Advertised(address, address)


def test_what_is_configured_then_what_is_bound_then_the_way_out(routes: dict[str, str | None]) -> None:
    assert relay_addresses(ANY, ["203.0.113.5=10.0.0.5"]) == [Advertised("203.0.113.5", "10.0.0.5")]
    assert relay_addresses(["198.51.100.9", "0.0.0.0"], []) == [one("198.51.100.9")]
    assert relay_addresses(ANY, []) == [one("198.51.100.7")]
    routes["2001:db8::1"] = "2001:db8::7"
    assert relay_addresses(ANY, []) == [one("198.51.100.7"), one("2001:db8::7")]
    routes.update({"192.0.2.1": None, "2001:db8::1": "fe80::1"})
    assert (way_out(ANY), relay_addresses(ANY, [])) == ([], [one("127.0.0.1")])


def test_only_what_nobody_has_said_is_followed() -> None:
    assert follows(ANY, []) and follows(["0.0.0.0"], [])
    assert not follows(ANY, ["10.0.0.5"]) and not follows(["0.0.0.0", "10.0.0.5"], [])


async def test_the_way_out_is_followed_and_kept_while_there_is_none(
    routes: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "LOOK_S", 0.01)
    used: list[list[Advertised]] = []
    ports = RelayPorts(relay_addresses(ANY, []), 50_000, 50_009, ())
    usual = ports.use
    monkeypatch.setattr(ports, "use", lambda found: used.append(found) or usual(found))
    tasks = TaskBag()
    tasks.spawn(addresses.follow(ANY, ports), name="follow")
    await until(lambda: used, "a look")
    routes["192.0.2.1"] = None
    await asyncio.sleep(0.05)
    used.clear()
    await asyncio.sleep(0.05)
    assert not used
    routes["192.0.2.1"] = "198.51.100.8"
    await until(lambda: used, "another look")
    assert used[0] == [one("198.51.100.8")] and not ports.use([one("198.51.100.8")])
    await tasks.close()
