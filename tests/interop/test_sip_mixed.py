"""A mixed room: Chromium, Firefox, and three telephones that have nothing in common. The matrix of who hears whom is complete."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from confero.lab.members import Line, Linphone, RtpMember, SipMember, baresip_member, room_uri
from confero.lab.members.chromium import Chromium
from confero.lab.members.firefox import FAKE_TONE_HZ, Firefox
from confero.lab.page import Page
from confero.lab.signals.sources import Signal
from confero.lab.stack import Stack
from confero.models import RoomState
from confero.runtime.client import ServiceClient

from ..e2e.listening import listen, tone
from ..support.waiting import until
from .hearing import LISTEN_S, hears_all_but_itself
from .sipp import Sipp, nobody_left, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 83
GATEWAY, SIPP = f"127.0.{NETWORK}.14", f"127.0.{NETWORK}.101"
HERTZ = {"Chromium": 734.0, "Firefox": FAKE_TONE_HZ, "Baresip": 881, "Linphone": 1388, "Sipp": 1693.0}
Ears = dict[str, Callable[[], Awaitable[Signal]]]


class SippMember(RtpMember):
    """sipp makes the call; the sound is that of a plain RTP phone, whose address sipp's offer names."""

    def __init__(self, said: Signal, home: Path, *, mcu: ServiceClient, room: str) -> None:
        super().__init__("Sipp", said, mcu=mcu, room=room, host=SIPP)
        self._home = home
        self._sipp: Sipp

    async def _call(self) -> str:
        keys = ("-key", "audio_host", self._host, "-key", "audio_port", str(self._port))
        self._sipp = Sipp("signals", self._home, gateway=GATEWAY, host=SIPP, room=self._room, seconds=120, extra=keys)
        await self._sipp.start()
        await until(lambda: self._sipp.body("SIP/2.0 200"), "sipp's call is answered")
        return self._sipp.body("SIP/2.0 200")

    async def leave(self) -> None:
        """Hung up on by us, which its scenario checks."""
        if self._transport is not None:
            try:
                state = await self._mcu.call("GET", f"/v1/rooms/{self._room}", reply=RoomState)
                self.leg = next(one.leg for one in state.participants if one.display_name == "sipp")
                await super().leave()
                await self._sipp.passes()
            finally:
                await self._sipp.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ears(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ears]:
    """All are in one room and talk. What each hears, in the next ``LISTEN_S``."""
    room = await stack.make_room(talkers=0)
    async with contextlib.AsyncExitStack() as cleanup:
        mcu = stack.client("mcu")
        cleanup.push_async_callback(mcu.close)
        line = Line("tcp", "srtp")
        phones = (
            baresip_member(
                "Baresip", 881, gateway=GATEWAY, room=room, mcu=mcu, home=tmp_path_factory.mktemp("baresip")
            ),
            SipMember(
                "Linphone",
                Linphone(tmp_path_factory.mktemp("linphone"), hertz=1388, user="linphone", name="Linphone", line=line),
                called=room_uri(room, GATEWAY, line),
                room=room,
                mcu=mcu,
            ),
            SippMember(tone(HERTZ["Sipp"]), tmp_path_factory.mktemp("sipp"), mcu=mcu, room=room),
        )
        for phone in phones:
            cleanup.push_async_callback(phone.leave)
        browsers: dict[str, Chromium | Firefox] = {"Chromium": Chromium(tone(HERTZ["Chromium"])), "Firefox": Firefox()}
        pages = await asyncio.gather(
            *(cleanup.enter_async_context(entered(one, stack, room, name)) for name, one in browsers.items())
        )
        await asyncio.gather(*(phone.join() for phone in phones))
        await somebody(stack, len(HERTZ), room)
        yield {page.name: lambda page=page: page.hear(LISTEN_S) for page in pages} | {  # type: ignore[misc]
            phone.name: lambda phone=phone: listen(phone, LISTEN_S)
            for phone in phones  # type: ignore[misc]
        }
    await nobody_left(stack, room)


@contextlib.asynccontextmanager
async def entered(browser: Chromium | Firefox, stack: Stack, room: str, name: str) -> AsyncIterator[Page]:
    async with browser:
        page = Page(browser, stack.page_url)
        await page.join(room, name)
        yield page
        await page.leave()


async def test_each_hears_all_others_and_not_itself(ears: Ears) -> None:
    heard = dict(zip(ears, await asyncio.gather(*(hear() for hear in ears.values())), strict=True))
    for who, signal in heard.items():
        hears_all_but_itself(who, signal, HERTZ)
