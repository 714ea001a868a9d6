"""``Session`` to text, in the order of RFC 8866 section 5; what the parser reads of it is equal to what was written."""

from __future__ import annotations

from collections.abc import Iterator

from .model import Candidate, Codec, Connection, Crypto, ExtMap, Media, Rtcp, Section, Session


def write(session: Session) -> str:
    """The description with CRLF line ends."""
    lines = [*_head(session)]
    for media in session.media:
        lines += _media(media)
    return "".join(f"{line}\r\n" for line in lines)


def _head(session: Session) -> Iterator[str]:
    origin = session.origin
    yield "v=0"
    yield f"o={origin.username} {origin.session_id} {origin.version} IN IP{origin.family} {origin.address}"
    yield f"s={session.name}"
    yield from _connection_and_bandwidth(session)
    yield from (f"t={start} {stop}" for start, stop in session.timing)
    yield from (" ".join(("a=group:" + group.semantics, *group.mids)) for group in session.groups)
    if session.ice_lite:
        yield "a=ice-lite"
    yield from _shared(session)


def _media(media: Media) -> Iterator[str]:
    port = f"{media.port}/{media.port_count}" if media.port_count is not None else str(media.port)
    yield " ".join((f"m={media.kind}", port, media.protocol, *media.formats))
    yield from _connection_and_bandwidth(media)
    if media.mid is not None:
        yield f"a=mid:{media.mid}"
    yield from _flags(media)
    yield from _shared(media)
    yield from (_crypto(crypto) for crypto in media.cryptos)
    yield from (_candidate(candidate) for candidate in media.candidates)
    if media.end_of_candidates:
        yield "a=end-of-candidates"
    if media.rtcp is not None:
        yield _rtcp(media.rtcp)
    yield from (f"a=msid:{msid.stream} {msid.track}".rstrip(" ") for msid in media.msids)
    for codec in media.codecs:
        yield from _codec(codec)
    yield from (f"a=rtcp-fb:{'*' if fb.pt is None else fb.pt} {fb.value}" for fb in media.feedback)
    if media.ptime is not None:
        yield f"a=ptime:{media.ptime}"
    if media.maxptime is not None:
        yield f"a=maxptime:{media.maxptime}"
    for ssrc in media.ssrcs:
        yield f"a=ssrc:{ssrc.ssrc} {ssrc.name}" + ("" if ssrc.value is None else f":{ssrc.value}")


def _connection_and_bandwidth(section: Section) -> Iterator[str]:
    if section.connection is not None:
        yield "c=" + _net_address(section.connection)
    yield from (f"b={kind}:{value}" for kind, value in section.bandwidths)


def _net_address(connection: Connection) -> str:
    parts = (connection.address, connection.ttl, connection.count)
    return f"IN IP{connection.family} " + "/".join(str(part) for part in parts if part is not None)


def _flags(media: Media) -> Iterator[str]:
    if media.bundle_only:
        yield "a=bundle-only"
    if media.rtcp_mux:
        yield "a=rtcp-mux"
    if media.rtcp_rsize:
        yield "a=rtcp-rsize"


def _shared(section: Section) -> Iterator[str]:
    if section.direction is not None:
        yield f"a={section.direction}"
    if section.ice_ufrag is not None:
        yield f"a=ice-ufrag:{section.ice_ufrag}"
    if section.ice_pwd is not None:
        yield f"a=ice-pwd:{section.ice_pwd}"
    if section.ice_options:
        yield "a=ice-options:" + " ".join(section.ice_options)
    yield from (f"a=fingerprint:{fingerprint}" for fingerprint in section.fingerprints)
    if section.setup is not None:
        yield f"a=setup:{section.setup}"
    if section.tcp_connection is not None:
        yield f"a=connection:{section.tcp_connection}"
    yield from (_extmap(extension) for extension in section.extmaps)
    for attribute in section.attributes:
        yield f"a={attribute.name}" + ("" if attribute.value is None else f":{attribute.value}")


def _extmap(extension: ExtMap) -> str:
    direction = f"/{extension.direction}" if extension.direction else ""
    return f"a=extmap:{extension.id}{direction} {extension.uri} {extension.parameters}".rstrip(" ")


def _crypto(crypto: Crypto) -> str:
    return " ".join((f"a=crypto:{crypto.tag} {crypto.suite} {crypto.keys}", *crypto.parameters))


def _candidate(candidate: Candidate) -> str:
    parts = [candidate.foundation, candidate.component, candidate.transport, candidate.priority]
    parts += [candidate.address, candidate.port, "typ", candidate.type]
    if candidate.related_address is not None:
        parts += ["raddr", candidate.related_address]
    if candidate.related_port is not None:
        parts += ["rport", candidate.related_port]
    return "a=candidate:" + " ".join(map(str, parts + [word for pair in candidate.extra for word in pair]))


def _rtcp(rtcp: Rtcp) -> str:
    return f"a=rtcp:{rtcp.port}" + (f" {_net_address(rtcp.connection)}" if rtcp.connection else "")


def _codec(codec: Codec) -> Iterator[str]:
    channels = f"/{codec.channels}" if codec.channels != 1 else ""
    yield f"a=rtpmap:{codec.pt} {codec.name}/{codec.clock_rate}{channels}"
    if codec.fmtp is not None:
        yield f"a=fmtp:{codec.pt} {codec.fmtp}"
