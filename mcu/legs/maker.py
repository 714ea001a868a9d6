"""New legs: of the kind that is wished for, in the engine already, with their answer or offer."""

from __future__ import annotations

from dataclasses import replace

from confero import models
from confero.protocols.sdp import offers_ice, parse

from ..rooms.participant import Leg
from .base import LegContext
from .channel import Turnstile
from .dtls import Certificate
from .handshake import DtlsMeans
from .rtp import RtpLeg
from .webrtc import WebRtcLeg

ICE = "a=ice-ufrag:"
"""A description without it is not read for ICE: most telephones' have none, and reading takes long."""


class LegMaker:
    def __init__(self, context: LegContext, certificate: Certificate) -> None:
        """``context``: what legs of all rooms have in common."""
        self._context = context
        self._means = DtlsMeans(certificate, Turnstile())

    def open(self, wish: models.WebRtcLegCreate | models.RtpLegCreate, room: int) -> tuple[Leg, str]:
        """The leg, and its answer or offer. ``room``: the engine's number. Raises Refused, SdpError; then nothing has changed."""
        number, context = self._context.next_number(), replace(self._context, room=room)
        if isinstance(wish, models.WebRtcLegCreate):
            browser = WebRtcLeg(number, context, self._means)
            return browser, browser.open(wish.sdp)
        if wish.media_security != "none" and _needs_ice(wish):
            modern = WebRtcLeg(number, context, self._means, wish)
            return modern, modern.open(wish.sdp)
        phone = RtpLeg(number, context, wish, self._means)
        return phone, phone.open(wish.sdp)


def _needs_ice(wish: models.RtpLegCreate) -> bool:
    """A browser that speaks SIP: it offers ICE with DTLS, or is to be offered that."""
    if wish.sdp is None:
        return wish.key_exchange == "ice"
    return ICE in wish.sdp and offers_ice(parse(wish.sdp))
