"""A member on a telephone that we did not write: it dials a room by way of the gateway, says a tone and keeps what it hears."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from confero.errors import RemoteError
from confero.lab.signals import sources
from confero.models import RoomState
from confero.runtime.client import ServiceClient

from .baresip import Baresip
from .telephone import POLL_S, TONE_DBFS, FileRecording, Line, Place, Telephone

SIP_PORT = 5060
SIPS_PORT = 5061
PATIENCE_S = 10.0


class SipMember:
    """One telephone in a room. ``phone``: not started yet. ``called``: the URI that it dials."""

    def __init__(self, name: str, phone: Telephone, *, called: str, room: str, mcu: ServiceClient) -> None:
        """``name``: what the phone shows of itself, by which it is found in the ``room``."""
        self.name = name
        self.phone = phone
        self.said = sources.tone(phone.hertz, 60.0, dbfs=TONE_DBFS)
        self.said_at: float | None = None
        self.participant = ""
        self.leg = ""
        self._called, self._room, self._mcu = called, room, mcu

    @property
    def heard(self) -> FileRecording:
        return self.phone.recording

    async def join(self) -> None:
        """Starts, dials, and returns once it hears. Raises TimeoutError, RemoteError when its call has ended instead."""
        await self.phone.start()
        await self.dial()

    async def dial(self) -> None:
        """The call, up to its first sound. Raises TimeoutError with what it has printed, RemoteError when it was not taken."""
        await self.phone.dial(self._called)
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not self.phone.established:
                    if self.phone.closed:
                        raise RemoteError(f"{self.name}: the call has ended: {self.phone.closed[-1]}")
                    await asyncio.sleep(POLL_S)
                self.said_at = time.monotonic()
                while self.heard.seconds == 0:  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(POLL_S)
                await self._find_leg()
        except TimeoutError:
            raise TimeoutError(f"{self.name} hears nothing; it said:\n{self.phone.log[-1500:]}") from None

    async def hang_up(self) -> None:
        await self.phone.hang_up()

    async def leave(self) -> None:
        """Ends the process. Idempotent."""
        await self.phone.stop()

    async def _find_leg(self) -> None:
        """By its name in the room."""
        while not self.leg:
            state = await self._mcu.call("GET", f"/v1/rooms/{self._room}", reply=RoomState)
            own = next((one for one in state.participants if one.display_name == self.name), None)
            if own is not None:
                self.participant, self.leg = own.id, own.leg
            else:
                await asyncio.sleep(POLL_S)


def baresip_member(
    name: str,
    hertz: int,
    *,
    gateway: str,
    room: str,
    mcu: ServiceClient,
    home: Path,
    line: Line | None = None,
    place: Place | None = None,
) -> SipMember:
    """A baresip that calls ``room`` at ``gateway``. ``home``: a folder of its own. ``place``: as of ``Baresip``."""
    line = line or Line()
    phone = Baresip(home, hertz=hertz, user=name.lower(), name=name, place=place, line=line)
    return SipMember(name, phone, called=room_uri(room, gateway, line), room=room, mcu=mcu)


def room_uri(room: str, gateway: str, line: Line) -> str:
    """What a telephone dials; its account's transport it adds itself."""
    host = f"[{gateway}]" if ":" in gateway else gateway
    return f"sip:{room}@{host}:{SIPS_PORT if line.transport == 'tls' else SIP_PORT}"
