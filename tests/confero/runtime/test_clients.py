"""Clients by URL: one for each, and not more than are used."""

from __future__ import annotations

from confero.clock import FakeClock
from confero.runtime.clients import KEPT, ServiceClients


async def test_one_for_each_url() -> None:
    clients = ServiceClients("lab", "mcu", secret=b"s" * 32, clock=FakeClock())
    first = clients.at("http://mcu-1")
    assert clients.at("http://mcu-1") is first and clients.at("http://mcu-2") is not first
    await clients.close()
    assert clients.at("http://mcu-1") is not first, "closed ones are not handed out"
    await clients.close()


async def test_the_one_unused_for_longest_is_closed() -> None:
    clients = ServiceClients("lab", "mcu", secret=b"s" * 32, clock=FakeClock())
    made = [clients.at(f"http://mcu-{number}") for number in range(KEPT)]
    clients.at("http://mcu-0")
    clients.at("http://one-more")
    assert clients.at("http://mcu-0") is made[0]
    assert clients.at("http://mcu-1") is not made[1]
    await clients.close()
