"""Makes docs/images/room.png: the web client of a running system, with two browsers and a phone in the room."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from confero.lab.members import RtpMember
from confero.lab.members.chromium import Chromium
from confero.lab.page import Page
from confero.lab.signals import sources
from confero.lab.stack import Stack

TARGET = Path(__file__).resolve().parent.parent / "docs" / "images" / "room.png"
NETWORK = 43
SIZE = (1280, 720)


async def shoot() -> None:
    said = [
        sources.loop(sources.speech(text), 60.0)
        for text in ("Hello, this is Ada speaking.", "Grace is listening.", "Phone.")
    ]
    with tempfile.TemporaryDirectory() as state:
        stack = Stack(Path(state), network=NETWORK)
        await stack.start()
        mcu = stack.client("mcu")
        try:
            async with Chromium(said[0], width=SIZE[0], height=SIZE[1]) as ada, Chromium(said[1]) as grace:
                pages = Page(ada, stack.page_url), Page(grace, stack.page_url)
                await pages[0].join("lobby", "Ada Lovelace")
                await pages[1].join("lobby", "Grace Hopper")
                await pages[1].mute(True)
                phone = RtpMember("+44 20 7946 0018", said[2], mcu=mcu, room="lobby", host=f"127.0.{NETWORK}.101")
                await phone.join()
                await pages[0].sees_speaking("Ada Lovelace")
                await asyncio.sleep(5)
                TARGET.parent.mkdir(parents=True, exist_ok=True)
                await ada.page.screenshot(path=TARGET)
                await phone.leave()
        finally:
            await mcu.close()
            await stack.stop()


if __name__ == "__main__":
    sys.exit(asyncio.run(shoot()))
