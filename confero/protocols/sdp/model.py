"""A session description as frozen data: what WebRTC and SIP use of RFC 8866, typed; other attributes kept word for word.

Values are as they stand on the wire, except that numbers are numbers and fingerprints are bytes. Everything compares by
value, so that a round trip through text is an equality.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Setup = Literal["active", "passive", "actpass", "holdconn"]
TcpConnection = Literal["new", "existing"]
CandidateType = Literal["host", "srflx", "prflx", "relay"]

REVERSED: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
"""A direction as the other side sees it (RFC 3264 section 6.1)."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An ``a=`` line that this model has no field for."""

    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """``c=``: the address is an IP literal or a host name, never looked up here."""

    address: str
    family: Literal[4, 6] = 4
    ttl: int | None = None
    count: int | None = None
    """Number of consecutive multicast addresses."""


@dataclass(frozen=True, slots=True)
class Origin:
    """``o=``"""

    username: str
    session_id: int
    version: int
    address: str
    family: Literal[4, 6] = 4


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hash of the certificate that DTLS will show (RFC 8122). ``algorithm`` is lower case."""

    algorithm: str
    digest: bytes

    def __str__(self) -> str:
        return f"{self.algorithm} {self.digest.hex(':').upper()}"


@dataclass(frozen=True, slots=True)
class Crypto:
    """``a=crypto`` (RFC 4568): one way in which media may be protected. ``sdes`` reads keys and parameters."""

    tag: int
    suite: str
    keys: str = field(repr=False)
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExtMap:
    """A header extension (RFC 8285)."""

    id: int
    uri: str
    direction: Direction | None = None
    parameters: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An ICE candidate (RFC 8839 section 5.1). ``extra`` keeps name-value pairs that are not known here, in order."""

    foundation: str
    component: int
    transport: str
    """Lower case: ``udp`` or ``tcp``, or another word."""
    priority: int
    address: str
    port: int
    type: str
    related_address: str | None = None
    related_port: int | None = None
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Codec:
    """A payload type of an RTP m-line: ``a=rtpmap`` or the static assignment of RFC 3551, with its ``a=fmtp``."""

    pt: int
    name: str
    clock_rate: int
    channels: int = 1
    fmtp: str | None = None

    @property
    def key(self) -> tuple[str, int, int]:
        """What makes two codecs the same thing, whatever their payload types."""
        return self.name.lower(), self.clock_rate, self.channels

    def parameters(self) -> dict[str, str]:
        """The ``name=value`` pairs of ``fmtp``, names in lower case. What has no ``=`` has the value ``""``."""
        pairs = (part.strip().partition("=") for part in (self.fmtp or "").split(";"))
        return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


@dataclass(frozen=True, slots=True)
class Feedback:
    """``a=rtcp-fb`` (RFC 4585); ``pt`` None stands for ``*``."""

    pt: int | None
    value: str


@dataclass(frozen=True, slots=True)
class Rtcp:
    """``a=rtcp`` (RFC 3605)."""

    port: int
    connection: Connection | None = None


@dataclass(frozen=True, slots=True)
class Msid:
    """``a=msid`` (RFC 8830)."""

    stream: str
    track: str = ""


@dataclass(frozen=True, slots=True)
class SsrcAttribute:
    """``a=ssrc`` (RFC 5576)."""

    ssrc: int
    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """``a=group`` (RFC 5888)."""

    semantics: str
    mids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """What may stand at session level and at media level alike."""

    connection: Connection | None = None
    bandwidths: tuple[tuple[str, int], ...] = ()
    direction: Direction | None = None
    ice_ufrag: str | None = None
    ice_pwd: str | None = None
    ice_options: tuple[str, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    setup: Setup | None = None
    tcp_connection: TcpConnection | None = None
    """``a=connection`` (RFC 4145 section 5)."""
    extmaps: tuple[ExtMap, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    """The rest, in order."""


@dataclass(frozen=True, slots=True)
class Media(Section):
    """An ``m=`` line and what belongs to it."""

    kind: str = "audio"
    port: int = 0
    port_count: int | None = None
    protocol: str = "RTP/AVP"
    formats: tuple[str, ...] = ()
    codecs: tuple[Codec, ...] = ()
    """In the order of ``formats``; formats of which nothing is known have none."""
    feedback: tuple[Feedback, ...] = ()
    mid: str | None = None
    ptime: int | None = None
    """Milliseconds."""
    maxptime: int | None = None
    cryptos: tuple[Crypto, ...] = ()
    rtcp: Rtcp | None = None
    rtcp_mux: bool = False
    rtcp_rsize: bool = False
    bundle_only: bool = False
    candidates: tuple[Candidate, ...] = ()
    end_of_candidates: bool = False
    msids: tuple[Msid, ...] = ()
    ssrcs: tuple[SsrcAttribute, ...] = ()

    @property
    def offered(self) -> bool:
        """False for a section that is declined or withdrawn: port 0 that no bundle explains (RFC 8843 section 6)."""
        return self.port != 0 or self.bundle_only


@dataclass(frozen=True, slots=True)
class Session(Section):
    """A whole description."""

    origin: Origin = field(default_factory=lambda: Origin("-", 0, 0, "0.0.0.0"))
    name: str = "-"
    timing: tuple[tuple[int, int], ...] = ((0, 0),)
    """Start and stop of each ``t=`` line, as NTP seconds."""
    groups: tuple[Group, ...] = ()
    ice_lite: bool = False
    media: tuple[Media, ...] = ()

    def bundle_of(self, mid: str | None) -> Group | None:
        """The BUNDLE group that names this mid."""
        if mid is None:
            return None
        return next((g for g in self.groups if g.semantics == "BUNDLE" and mid in g.mids), None)

    def by_mid(self, mid: str) -> Media | None:
        return next((m for m in self.media if m.mid == mid), None)

    def transport_of(self, media: Media) -> Transport:
        """The ICE and DTLS values that hold for a section.

        Its own, else those of its bundle's tagged section (the first mid named, RFC 8843 section 7.1.3), else the session's.
        """
        group = self.bundle_of(media.mid)
        tagged = self.by_mid(group.mids[0]) if group else None
        sections: tuple[Section, ...] = (media, tagged, self) if tagged else (media, self)
        ice = next((s for s in sections if s.ice_ufrag and s.ice_pwd), None)
        return Transport(
            ice_ufrag=ice.ice_ufrag if ice else None,
            ice_pwd=ice.ice_pwd if ice else None,
            fingerprints=next((s.fingerprints for s in sections if s.fingerprints), ()),
            setup=next((s.setup for s in sections if s.setup), None),
        )

    def direction_of(self, media: Media) -> Direction:
        """RFC 8866 section 6.7: ``sendrecv`` where nothing is said."""
        return media.direction or self.direction or "sendrecv"

    def connection_of(self, media: Media) -> Connection | None:
        return media.connection or self.connection

    def extmaps_of(self, media: Media) -> tuple[ExtMap, ...]:
        """RFC 8285 section 6: a mapping at session level holds for every section."""
        return self.extmaps + media.extmaps


@dataclass(frozen=True, slots=True)
class Transport:
    """ICE and DTLS as they hold for one section."""

    ice_ufrag: str | None
    ice_pwd: str | None
    fingerprints: tuple[Fingerprint, ...]
    setup: Setup | None
