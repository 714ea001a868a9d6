"""The gateway is killed during calls, and another one takes over: calls go on, and end properly from either side."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from ..mcu.fakes import SECRET
from ..support.waiting import until
from .house import House, free_port
from .telephone import Telephone


class Killed(House):
    """Its gateway is a process of its own, always on the same ports."""

    async def open_gateway(self) -> None:
        self.port, self.control = free_port(), free_port()
        await self.again()

    @property
    def sip(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    async def again(self) -> None:
        options = {
            "http-host": "127.0.0.1",
            "http-port": self.control,
            "sip-bind": "127.0.0.1",
            "sip-port": self.port,
            "sips-port": free_port(),
            "state-dir": self.folder,
            "secret": SECRET.decode(),
            "appserver-url": self.office.listener.url,
            "notifier-url": "http://127.0.0.1:9",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        with (self.folder / "gateway.log").open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "confero.sipgw",
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        await until_ready(f"http://127.0.0.1:{self.control}/ready")

    async def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> None:
        with suppress(ProcessLookupError):
            self.process.terminate()
        await self.process.wait()
        await self.office.listener.close()
        await self.rig.stop()


async def until_ready(url: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(20):
        while True:
            with suppress(aiohttp.ClientError):
                async with http.get(url) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.05)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Killed]:
    made = Killed(tmp_path)
    await made.start()
    yield made
    await made.stop()


async def test_calls_outlive_the_gateway(house: Killed) -> None:
    phones = [await Telephone.open(house.sip, hertz) for hertz in (440, 700, 1000)]
    one, two, three = phones
    for phone in phones:
        assert await phone.call("meeting") == 200
    await until(lambda: len(house.roster("meeting")) == 3, "three in the room")
    await until(lambda: one.sound.levels(700)[0] > 1000, "a voice")
    await house.kill()
    leaving = next(p for p in house.rig.app.conference.registry.participants() if p[0].id == "p3")
    house.rig.app.conference.end(*leaving, "removed")  # meanwhile a host removes the third
    await house.again()
    assert one.sound.levels(700)[0] > 1000  # nobody has heard that the gateway was away
    await until(lambda: three.hung_up, "BYE to the one whose leg has gone", 5)
    one.hang_up()
    await until(lambda: one.status("BYE") == 200, "an answer to BYE")
    await until(lambda: house.roster("meeting") == ["p2"], "one left")
    house.rig.app.conference.end_leg(house.rig.app.conference.leases.renew(house_owner(house))[0], "removed")
    await until(lambda: two.hung_up, "BYE to the one who was removed")
    await until(lambda: len({r.id for r in house.office.records if r.revision > 1}) == 3, "three last records")
    journal = (house.folder / "sipgw" / "journal").read_bytes
    await until(lambda: journal().count(b'"entry":null') == 3, "an empty journal")
    for phone in phones:
        await phone.close()


def house_owner(house: House) -> str:
    return (house.folder / "sipgw" / "owner").read_text().strip()


async def test_keys_and_menus_go_on(house: Killed) -> None:
    phone = await Telephone.open(house.sip)
    assert await phone.call("menu") == 200
    await until(lambda: house.legs == 1)
    await asyncio.sleep(0.3)
    await house.kill()
    await house.again()
    await until(lambda: phone.received and house.legs == 1)
    await asyncio.sleep(1.0)
    await phone.press("4711#")
    await until(lambda: len(house.roster("meeting")) == 1, "in the room")
    phone.hang_up()
    await until(lambda: house.legs == 0, "no leg left")
    await phone.close()


async def test_old_keys_count_once(house: Killed) -> None:
    """The MCU still has them when the next gateway asks: who had muted itself stays so, and its next key is the first."""
    phone = await Telephone.open(house.sip)
    assert await phone.call("meeting") == 200
    await until(lambda: len(house.roster("meeting")) == 1, "in the room")
    (someone,) = house.rig.app.conference.registry.room("meeting").participants.values()
    await phone.press("*6")
    await until(lambda: someone.settings.muted, "muted")
    await house.kill()
    await house.again()
    await asyncio.sleep(1.0)
    assert someone.settings.muted
    await phone.press("*6")
    await until(lambda: not someone.settings.muted, "heard again")
    phone.hang_up()
    await until(lambda: house.legs == 0, "no leg left")
    await phone.close()


async def test_sipps_calls_end_well_though_the_gateway_is_killed(house: Killed) -> None:
    host, port = house.sip
    sipp = await asyncio.create_subprocess_exec(
        *("sipp", "-sn", "uac", f"{host}:{port}", "-s", "meeting", "-i", "127.0.0.1", "-p", str(free_port())),
        *("-m", "20", "-r", "20", "-d", "6000", "-timeout", "30", "-nostdin"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=house.folder,
    )
    await until(lambda: house.legs == 20, "all calls")
    await asyncio.sleep(0.5)
    await house.kill()
    await house.again()
    assert await sipp.wait() == 0
    await until(lambda: house.legs == 0, "no orphaned leg")
