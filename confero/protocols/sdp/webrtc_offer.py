"""An ICE-lite offer of one audio stream to a browser that is called, and what its answer agrees on (RFC 8829, 8839, 5763)."""

from __future__ import annotations

from .errors import SdpError
from .model import REVERSED, Codec, ExtMap, Group, Media, Msid, Origin, Session, SsrcAttribute
from .offer_answer import (
    EVENTS,
    NAMES,
    NOISE,
    LocalStream,
    connection_to,
    find_events,
    find_noise,
    formats,
    no_usable_media,
    offered_codecs,
)
from .security import strong
from .webrtc import (
    AUDIO_LEVEL,
    CSRC_AUDIO_LEVEL,
    PROTOCOLS,
    SDES_MID,
    LocalTransport,
    WebRtcAgreement,
    candidates_of,
)

MID = "0"
EXTENSIONS = (ExtMap(1, AUDIO_LEVEL), ExtMap(2, CSRC_AUDIO_LEVEL), ExtMap(3, SDES_MID))


def offer_webrtc(stream: LocalStream, transport: LocalTransport) -> Session:
    """All of the stream's codecs, in order; the peer may be client or server of DTLS."""
    address, port = transport.addresses[0]
    codecs = offered_codecs(stream.codecs)
    media = Media(
        kind="audio",
        port=port,
        protocol="UDP/TLS/RTP/SAVPF",
        formats=formats(codecs),
        codecs=codecs,
        connection=connection_to(address),
        direction="sendrecv",
        mid=MID,
        rtcp_mux=True,
        rtcp_rsize=True,
        ice_ufrag=transport.ice_ufrag,
        ice_pwd=transport.ice_pwd,
        fingerprints=(transport.fingerprint,),
        setup="actpass",
        extmaps=EXTENSIONS,
        candidates=candidates_of(transport),
        end_of_candidates=True,
        msids=(Msid(stream.cname, f"{stream.cname}-audio"),),
        ssrcs=(SsrcAttribute(stream.ssrc, "cname", stream.cname),),
    )
    at = connection_to(address)
    origin = Origin("-", stream.session_id, stream.version, at.address, at.family)
    return Session(origin=origin, ice_lite=True, groups=(Group("BUNDLE", (MID,)),), media=(media,))


def apply_webrtc_answer(offer: Session, answer: Session) -> WebRtcAgreement:
    """What an answer to ``offer_webrtc`` agrees on. Raises SdpError where it does not fit the offer (RFC 3264 section 6)."""
    if len(answer.media) != len(offer.media):
        raise SdpError(f"the answer has {len(answer.media)} m-lines, the offer {len(offer.media)}")
    ours, theirs = offer.media[0], answer.media[0]
    common = _common(ours, theirs)
    reason = _unfit(answer, theirs, common)
    if reason is not None:
        raise no_usable_media([f"the answer has {reason}"])
    remote, codec = answer.transport_of(theirs), common[0]
    extensions = {
        e.uri: e.id for e in answer.extmaps_of(theirs) if (e.uri, e.id) in {(x.uri, x.id) for x in EXTENSIONS}
    }
    noise = find_noise(theirs, codec)
    return WebRtcAgreement(
        description=offer,
        index=0,
        send=codec,
        receive=tuple(next(c for c in ours.codecs if c.key == found.key) for found in common),
        events=find_events(theirs, codec),
        receive_events=tuple(c for c in ours.codecs if c.name == EVENTS),
        noise=noise if NOISE in ours.codecs else None,
        receive_noise=(NOISE,) if NOISE in ours.codecs else (),
        direction=REVERSED[answer.direction_of(theirs)],
        ptime=theirs.ptime,
        maxptime=theirs.maxptime,
        mid=ours.mid,
        mid_ext=extensions.get(SDES_MID, 0),
        audio_level_ext=extensions.get(AUDIO_LEVEL, 0),
        csrc_level_ext=extensions.get(CSRC_AUDIO_LEVEL, 0),
        remote_ufrag=str(remote.ice_ufrag),
        remote_pwd=str(remote.ice_pwd),
        fingerprints=strong(remote),
        dtls_role="client" if remote.setup == "passive" else "server",
    )


def _common(ours: Media, theirs: Media) -> list[Codec]:
    offered = {codec.key for codec in ours.codecs}
    return [codec for codec in theirs.codecs if codec.key in offered and codec.key in NAMES]


def _unfit(answer: Session, theirs: Media, common: list[Codec]) -> str | None:
    remote = answer.transport_of(theirs)
    checks = (
        (theirs.kind == "audio" and theirs.protocol in PROTOCOLS, "another m-line than the offer"),
        (theirs.port != 0, "declined it"),
        (theirs.rtcp_mux, "no rtcp-mux"),
        (remote.ice_ufrag is not None, "no ICE user name and password"),
        (bool(strong(remote)), "no sha-256 or stronger fingerprint"),
        (remote.setup in ("active", "passive"), "no setup:active or setup:passive"),
        (bool(common), "no codec of the offer"),
    )
    return next((reason for passed, reason in checks if not passed), None)
