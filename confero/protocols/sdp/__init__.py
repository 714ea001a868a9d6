"""Session descriptions for WebRTC and SIP: a bounded parser, frozen data, a writer, and offer/answer. No I/O, no clock."""

from .errors import SdpError
from .model import Codec, Fingerprint, Media, Session
from .offer_answer import ALL_CODECS, Agreement, LocalStream, Redundancy
from .parser import Limits, parse
from .rtp import Endpoint, LocalPorts, LocalTcp, RtpAgreement, TcpRole, answer_rtp, apply_answer, offer_rtp
from .security import STRONG_HASHES, Dtls, LocalSecurity, Policy, Protection, strong
from .webrtc import LocalTransport, WebRtcAgreement, answer_webrtc, offers_ice
from .webrtc_offer import apply_webrtc_answer, offer_webrtc
from .writer import write

__all__ = [
    "ALL_CODECS",
    "STRONG_HASHES",
    "Agreement",
    "Codec",
    "Dtls",
    "Endpoint",
    "Fingerprint",
    "Limits",
    "LocalPorts",
    "LocalSecurity",
    "LocalStream",
    "LocalTcp",
    "LocalTransport",
    "Media",
    "Policy",
    "Protection",
    "Redundancy",
    "RtpAgreement",
    "SdpError",
    "Session",
    "TcpRole",
    "WebRtcAgreement",
    "answer_rtp",
    "answer_webrtc",
    "apply_answer",
    "apply_webrtc_answer",
    "offer_rtp",
    "offer_webrtc",
    "offers_ice",
    "parse",
    "strong",
    "write",
]
