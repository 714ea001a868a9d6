"""A call's leg at an MCU: where the call is heard. Descriptions come from it and go to it; SIP is none of its business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from confero.errors import ConferoError, LocalError, Refused
from confero.models import LegPatch, LegStats, MediaSecurity, Participant, Playing, PlayRequest, RtpLegCreate, Seat
from confero.models.sip import SipPlace
from confero.runtime.logging import get_logger

from ..peers import McuPeer, McuPeers

log = get_logger(__name__)

KeyExchange = Literal["sdes", "dtls", "ice"]
Reason = Literal["left", "removed", "bye", "owner-gone"]
ON_HOLD = ("a=sendonly", "a=inactive")


@dataclass(frozen=True)
class Terms:
    """How a leg is made, beside its place."""

    owner: str
    """This gateway, in whose name legs are held."""
    security: MediaSecurity = "optional"
    key_exchange: KeyExchange = "sdes"
    """In our offers; ``ice``: what a browser takes."""
    symmetric: bool = False
    timeout_s: float = 0.0
    """0: silence ends no call; the SIP side and the lease do."""


class MediaLeg:
    """Made by ``open``, which may be repeated at another place; ``close`` it. All raise Refused, Unavailable."""

    def __init__(self, mcus: McuPeers, terms: Terms) -> None:
        self._mcus = mcus
        self.terms = terms
        self._place: SipPlace | None = None
        self.leg = ""
        """Empty: there is none."""
        self.boot = ""
        """Of the MCU's process that has made it; empty: not known."""
        self.near = self._near_known = ""
        """The host that the peer's signalling comes from, where that is known; as the MCU has it."""
        self.alone = False
        """Nobody else was in the room when the leg came."""
        self.muted = False
        """By the caller or a host: also at the next leg, when an MCU was lost."""
        self.held = False
        """By the room's rules, until a host lets."""
        self._keying: KeyExchange | None = None
        """How the peer protects its media, as it has shown: offers of ours do as it does."""
        self._has_listened = False
        """The peer has taken media: when it takes none any more it is on hold, also at its next leg."""
        self._next: MediaLeg | None = None
        """At another place, while our offer of it waits for its answer."""

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

    def adopt(self, place: SipPlace, leg: str, described: str | None, near: str) -> None:
        """A leg that was made by the process before this one. ``described``: the peer's last description."""
        self._place, self.leg = place, leg
        self.near = self._near_known = near
        self._heard(described)

    def _heard(self, description: str | None) -> None:
        if description is not None:
            self._keying = keying_of(description)
            self._has_listened = self._has_listened or takes_media(description)

    async def open(self, place: SipPlace, offer: str | None, *, confirmed: bool) -> str:
        """A leg in the room of ``place``: the answer to ``offer``, or without one an offer of ours.

        ``confirmed``: media may go to the signalled address at once.
        """
        self._place, self._near_known = place, self.near
        self._heard(offer)
        reply = await self.mcu.open_leg(
            place.room,
            place.spec,
            RtpLegCreate(
                kind="rtp",
                participant=place.participant,
                display_name=place.display_name,
                role=place.role,
                sdp=offer,
                symmetric=self.terms.symmetric,
                signalling=self.near or None,
                media_security=self.terms.security,
                key_exchange=self._keying or self.terms.key_exchange,
                best_effort=self.terms.security == "optional",
                confirmed=confirmed,
                has_listened=self._has_listened,
                owner=self.terms.owner,
                collect=True,
                media_timeout_s=self.terms.timeout_s,
                muted=self.muted,
                held=not place.may_speak,
            ),
        )
        self.leg, self.boot, self.alone, self.held = reply.leg, reply.boot, reply.people == 1, not place.may_speak
        return reply.sdp

    async def answer(self, offer: str) -> str:
        """The answer to a later offer of the peer."""
        await self._tell_near()
        reply = await self.mcu.answer_offer(self._need(), offer)
        self._heard(offer)
        self.leg = reply.leg
        return reply.sdp

    async def ask(self) -> str:
        """An offer of ours for the leg as it is."""
        return (await self.mcu.ask(self._need())).sdp

    async def take(self, answer: str) -> None:
        """The peer's answer to our offer; if that was of another place, the leg there is the one from now on."""
        if self._next is None:
            await self._tell_near()
            await self.mcu.take_answer(self._need(), answer)
            self._heard(answer)
            return
        following, self._next = self._next, None
        following.near = self.near
        try:
            await following.take(answer)
        except ConferoError:
            await following.close("removed")
            raise
        await self.close("left")
        self._place, self.leg, self.alone = following.place, following.leg, following.alone
        self.boot, self.muted, self.held = following.boot, following.muted, following.held

    async def _tell_near(self) -> None:
        """Media of a symmetric peer may come from where its signalling comes from: before what it describes is taken."""
        if self.terms.symmetric and self.near != self._near_known:
            await self.mcu.patch(self._need(), LegPatch(signalling=self.near))
            self._near_known = self.near

    async def withdraw(self) -> None:
        """Our offer was not taken: the leg goes on as it was, where it was."""
        if self._next is None:
            await self.mcu.withdraw(self._need())
            return
        following, self._next = self._next, None
        await following.close("removed")

    async def shift(self, place: SipPlace) -> bool:
        """Into the room of ``place`` with the leg as it is. False if that needs another leg: nothing has changed."""
        if place.mcu_url != self.mcu_url:
            return False
        alone = not (await self.mcu.ensure_room(place.room, place.spec)).participants
        seat = Seat(participant=place.participant, display_name=place.display_name, role=place.role)
        try:
            await self.mcu.patch(self._need(), LegPatch(room=place.room, seat=seat, held=not place.may_speak))
        except Refused as error:
            if error.code != "other-media-thread":
                raise
            return False
        self._place, self.alone, self.held = place, alone, not place.may_speak
        return True

    async def prepare(self, place: SipPlace) -> str:
        """A second leg in the room of ``place``: our offer of it. Until ``take`` or ``withdraw`` the first goes on."""
        if self._next is not None:
            raise LocalError("the call is on its way already")
        following = MediaLeg(self._mcus, self.terms)
        following._keying, following.near = self._keying, self.near
        following._has_listened, following.muted = self._has_listened, self.muted
        offer = await following.open(place, None, confirmed=True)
        self._next = following
        return offer

    async def drop_room(self, room: str, mcu_url: str) -> None:
        """A room that was this call's alone. An MCU that cannot be reached drops it when it has been empty for a while."""
        try:
            await self._mcus.at(mcu_url).remove_room(room)
        except ConferoError as error:
            log.debug("room not removed", room=room, reason=str(error))

    async def play(self, file: str) -> Playing:
        """To this leg alone."""
        return await self.mcu.play(self._need(), PlayRequest(file=file))

    async def stop(self, leg: str, number: int) -> None:
        """What plays. Never raises: it may have ended."""
        try:
            await self.mcu.stop(leg, number)
        except ConferoError as error:
            log.debug("not stopped", leg=leg, reason=str(error))

    async def listen(self) -> None:
        """For keys by their sound, even of a peer that says it sends events."""
        await self.mcu.collect(self._need())

    async def show(self) -> Participant:
        """As the room's roster has it."""
        return self._seen(await self.mcu.leg(self._need()))

    async def patch(self, patch: LegPatch) -> Participant:
        return self._seen(await self.mcu.patch(self._need(), patch))

    def _seen(self, shown: Participant) -> Participant:
        self.muted, self.held = shown.muted, shown.held
        return shown

    async def confirm(self) -> None:
        """The peer has shown that it is where it says to be."""
        await self.mcu.patch(self._need(), LegPatch(confirmed=True))

    async def close(self, reason: Reason) -> LegStats | None:
        """Ends the leg: its last counters, None if it has gone. Idempotent.

        An MCU that cannot be reached ends it itself when the lease is over.
        """
        following, self._next = self._next, None
        if following is not None:
            await following.close("removed")
        leg, self.leg = self.leg, ""
        if not leg:
            return None
        try:
            return await self.mcu.delete_leg(leg, reason)
        except ConferoError as error:
            log.info("leg not ended, its lease will", leg=leg, reason=str(error))
            return None

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


def keying_of(description: str) -> KeyExchange:
    """How a peer that describes itself so would have our offers: a browser as it is, DTLS, else SDES, which may be left out."""
    if "a=ice-ufrag:" in description:
        return "ice"
    return "dtls" if "a=fingerprint:" in description else "sdes"


def takes_media(description: str) -> bool:
    """Whether a peer that describes itself so wants to be sent something (RFC 3264 section 8.4; in the old way too)."""
    nowhere = "c=IN IP4 0.0.0.0" in description and "a=ice-ufrag:" not in description
    return not nowhere and not any(line in description for line in ON_HOLD)
