"""What an RTP leg says to offers and offers itself: descriptions in, agreements out. Ports are bound here, no stream is touched."""

from __future__ import annotations

from dataclasses import replace

from confero.models import RtpLegCreate
from confero.protocols.sdp import (
    ALL_CODECS,
    Fingerprint,
    LocalSecurity,
    LocalStream,
    LocalTcp,
    RtpAgreement,
    SdpError,
    Session,
    answer_rtp,
    offer_rtp,
)

from ..pipeline import codecs
from .base import Identity, LegContext
from .rtp_ports import NOWHERE, Ports, bind_for, bind_for_anyone, remote_of


class Talks:
    """For one leg."""

    def __init__(
        self, context: LegContext, wish: RtpLegCreate, identity: Identity, fingerprint: Fingerprint | None
    ) -> None:
        """``fingerprint``: None: no DTLS."""
        self._context = context
        self._wish = wish
        self._identity = identity
        self._fingerprint = fingerprint

    def moved(self, context: LegContext) -> None:
        self._context = context

    def ask(self, before: RtpAgreement | None) -> tuple[Session, Ports]:
        """An offer of all that the leg may use, and its ports. Raises SdpError, Refused ``no-ports``."""
        security = self._security(before)
        mux = security.offers == "dtls" and security.policy != "none"
        ports = bind_for_anyone(self._context, mux=mux)
        return offer_rtp(self._stream(self._wish.codecs), ports.local, mux=mux, security=security), ports

    def agree(self, offer: Session, before: RtpAgreement | None) -> tuple[RtpAgreement, Ports]:
        """Checks everything with ports that do not exist yet, then binds and answers: a refused offer binds nothing."""
        stream, security = self._stream(self._wish.codecs), self._security(before)
        tcp: LocalTcp = "possible" if self._context.engine.tcp else "none"
        draft = answer_rtp(offer, stream, NOWHERE, security, tcp)
        ports = bind_for(self._context, offer, draft)
        return answer_rtp(offer, stream, ports.local, security, tcp), ports

    def keep(self, offer: Session, before: RtpAgreement, ports: Ports) -> RtpAgreement | None:
        """The agreement under which the running stream goes on, if there is one. Raises SdpError for a bad address."""
        tcp: LocalTcp = "running" if before.tcp else "none"
        try:
            agreed = answer_rtp(offer, self._stream((_name(before),)), ports.local, self._security(before), tcp)
        except SdpError:
            return None
        agreed = replace(agreed, ptime=agreed.ptime or before.ptime, maxptime=agreed.maxptime or before.maxptime)
        same = _essence(agreed) == _essence(before) and codecs.extras_stay(agreed, before)
        rtp, _ = remote_of(self._context, agreed)
        same_family = rtp is None or (":" in rtp.host) == (":" in ports.external)
        return agreed if same and same_family else None

    def _security(self, before: RtpAgreement | None) -> LocalSecurity:
        return LocalSecurity(
            self._wish.media_security,
            offers="sdes" if self._wish.key_exchange == "sdes" else "dtls",
            best_effort=self._wish.best_effort,
            fingerprint=self._fingerprint,
            before=before.protection if before else None,
        )

    def _stream(self, names: tuple[str, ...]) -> LocalStream:
        identity = self._identity
        return LocalStream(
            identity.session_id,
            identity.next_version(),
            names,
            identity.ssrc,
            identity.cname,
            self._context.settings.redundancy,
        )


def _name(agreed: RtpAgreement) -> str:
    """As ``LocalStream`` has it."""
    return next(name for name in ALL_CODECS if name.lower() == agreed.send.name.lower())


def _essence(agreed: RtpAgreement) -> tuple[object, ...]:
    """What a running stream cannot change."""
    protection = agreed.protection
    transport = agreed.rtcp_mux, agreed.tcp, protection.keying, protection.dtls
    return agreed.send.pt, agreed.receive, codecs.transmit(agreed), transport
