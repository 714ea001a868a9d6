"""A call's leg at an MCU: where the call is heard. Descriptions come from it and go to it; SIP is none of its business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from confero.errors import ConferoError, LocalError
from confero.models import LegPatch, LegStats, MediaSecurity, RtpLegCreate
from confero.models.sip import SipPlace
from confero.runtime.logging import get_logger

from ..peers import McuPeer, McuPeers

log = get_logger(__name__)

Reason = Literal["left", "removed", "bye", "owner-gone"]


@dataclass(frozen=True)
class Terms:
    """How a leg is made, beside its place."""

    owner: str
    """This gateway, in whose name legs are held."""
    security: MediaSecurity = "optional"
    key_exchange: Literal["sdes", "dtls", "ice"] = "sdes"
    """In our offers; ``ice``: what a browser takes."""
    symmetric: bool = False
    timeout_s: float = 0.0
    """0: silence ends no call; the SIP side and the lease do."""


class MediaLeg:
    """Made by ``open``, which may be repeated at another place; ``close`` it. All raise Refused, Unavailable."""

    def __init__(self, mcus: McuPeers, terms: Terms) -> None:
        self._mcus = mcus
        self._terms = terms
        self._place: SipPlace | None = None
        self.leg = ""
        """Empty: there is none."""

    @property
    def mcu_url(self) -> str:
        return self._place.mcu_url if self._place else ""

    @property
    def place(self) -> SipPlace:
        if self._place is None:
            raise LocalError("the call has no place in a room")
        return self._place

    @property
    def mcu(self) -> McuPeer:
        return self._mcus.at(self.place.mcu_url)

    async def open(self, place: SipPlace, offer: str | None, *, confirmed: bool) -> str:
        """A leg in the room of ``place``: the answer to ``offer``, or without one an offer of ours.

        ``confirmed``: media may go to the signalled address at once.
        """
        self._place = place
        await self.mcu.ensure_room(place.room, place.spec)
        reply = await self.mcu.create_leg(
            place.room,
            RtpLegCreate(
                kind="rtp",
                participant=place.participant,
                display_name=place.display_name,
                role=place.role,
                sdp=offer,
                symmetric=self._terms.symmetric,
                media_security=self._terms.security,
                key_exchange=self._terms.key_exchange,
                best_effort=self._terms.security == "optional",
                confirmed=confirmed,
                owner=self._terms.owner,
                media_timeout_s=self._terms.timeout_s,
            ),
        )
        self.leg = reply.leg
        return reply.sdp

    async def answer(self, offer: str) -> str:
        """The answer to a later offer of the peer."""
        reply = await self.mcu.answer_offer(self._need(), offer)
        self.leg = reply.leg
        return reply.sdp

    async def ask(self) -> str:
        """An offer of ours for the leg as it is."""
        return (await self.mcu.ask(self._need())).sdp

    async def take(self, answer: str) -> None:
        """The peer's answer to our offer."""
        await self.mcu.take_answer(self._need(), answer)

    async def withdraw(self) -> None:
        """Our offer was not taken: the leg goes on as it was."""
        await self.mcu.withdraw(self._need())

    async def confirm(self) -> None:
        """The peer has shown that it is where it says to be."""
        await self.mcu.patch(self._need(), LegPatch(confirmed=True))

    async def stats(self) -> LegStats | None:
        """Counters for the record; None if the leg has gone."""
        if not self.leg:
            return None
        try:
            return await self.mcu.stats(self.leg)
        except ConferoError as error:
            log.debug("no statistics", leg=self.leg, reason=str(error))
            return None

    async def close(self, reason: Reason) -> None:
        """Ends the leg. Idempotent; an MCU that cannot be reached ends it itself when the lease is over."""
        leg, self.leg = self.leg, ""
        if not leg:
            return
        try:
            await self.mcu.delete_leg(leg, reason)
        except ConferoError as error:
            log.info("leg not ended, its lease will", leg=leg, reason=str(error))

    def move_to(self, place: SipPlace) -> None:
        """Where the next leg is to be opened; this one is lost."""
        self._place = place

    def lost(self) -> None:
        """The MCU says that it has no such leg."""
        self.leg = ""

    def _need(self) -> str:
        if not self.leg:
            raise LocalError("the call has no leg")
        return self.leg
