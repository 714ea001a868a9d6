"""Between Python's values and the structs of the C headers."""

from __future__ import annotations

from functools import cache
from typing import Any

from ._core import ffi, lib
from .addresses import parse_ip
from .errors import EngineError
from .types import Address, CodecParams, Event, EventType, JitterBuffer, LegConfig, LegKind, Speaker


def fill_addr(addr: Any, address: Address | None) -> None:
    """Writes an address into a ``cf_addr``; None becomes family 0. Raises LocalError for what is not an address."""
    if address is None:
        addr.family = 0
        return
    ip = parse_ip(address.host)
    if not 0 <= address.port <= 65535:
        raise EngineError(f"{address.port} is not a port")
    addr.family = ip.version
    addr.port = address.port
    ffi.memmove(addr.ip, ip.packed, len(ip.packed))


def new_addr(address: Address | None) -> Any:
    addr = ffi.new("cf_addr *")
    fill_addr(addr, address)
    return addr


def text_field(name: str, value: str, size: int) -> bytes:
    """A string for a ``char[size]``, its terminating zero included. Raises EngineError."""
    data = value.encode()
    if len(data) >= size or b"\0" in data:
        raise EngineError(f"{name} must be shorter than {size} bytes, without zeros")
    return data


def fill_codec(out: Any, params: CodecParams) -> None:
    out.codec = int(params.codec)
    out.ptime_ms = params.ptime_ms
    out.bitrate = params.bitrate
    out.complexity = params.complexity
    out.fec = int(params.fec)
    out.loss_percent = params.loss_percent
    out.low_delay = int(params.low_delay)
    out.rate = params.rate
    out.channels = params.channels


def fill_jitter(out: Any, jitter: JitterBuffer) -> None:
    out.minimum = int(jitter.minimum)
    out.min_delay_ms = jitter.min_ms
    out.max_delay_ms = jitter.max_ms


_PLAIN = (
    "id",
    "room",
    "kind",
    "tx_pt",
    "audio_level_ext",
    "csrc_level_ext",
    "event_pt",
    "red_pt",
    "red",
    "dtx",
    "gate_dbov",
    "agc",
    "cn_pt",
    "mid_ext",
    "ssrc",
    "consent_timeout_ms",
    "media_timeout_ms",
)
_FLAGS = ("secure", "dtls", "unproven")
_TEXTS = {"mid": 16, "cname": 32, "local_ufrag": 33, "local_pwd": 65, "remote_ufrag": 33}
_RX_MAX = 8


def new_leg_config(config: LegConfig) -> Any:
    """A ``cf_leg_config``. Raises EngineError for values that do not fit."""
    if len(config.rx) > _RX_MAX:
        raise EngineError(f"a leg takes at most {_RX_MAX} payload types")
    if (config.kind is LegKind.RTP) != (config.sockets is not None):
        raise EngineError("RTP legs need sockets, and only they have some")
    out = ffi.new("cf_leg_config *")
    try:
        for name in _PLAIN:
            setattr(out, name, int(getattr(config, name)))
        fill_codec(out.tx, config.tx)
        fill_jitter(out.playout, config.jitter)
        for i, entry in enumerate(config.rx):
            out.rx[i].pt, out.rx[i].codec, out.rx[i].clock_rate = entry.number, int(entry.codec), entry.clock_rate
    except OverflowError as error:
        raise EngineError(f"leg configuration: {error}") from None
    out.rx_count = len(config.rx)
    for name, size in _TEXTS.items():
        setattr(out, name, text_field(name, getattr(config, name), size))
    for name in _FLAGS:
        setattr(out, name, int(getattr(config, name)))
    learns = lib.CF_SYMMETRIC_PORT if config.any_port else lib.CF_SYMMETRIC_NONE
    out.symmetric = lib.CF_SYMMETRIC_ALL if config.symmetric else learns
    if config.sockets is not None:
        out.rtp_socket, out.rtcp_socket = config.sockets.rtp, config.sockets.rtcp
    fill_addr(out.signalling, Address(config.signalling, 0) if config.signalling else None)
    fill_addr(out.remote_rtp, config.remote_rtp)
    fill_addr(out.remote_rtcp, config.remote_rtcp)
    return out


def event_from(c: Any) -> Event:
    """The value of one ``cf_event``."""
    digit = c.type == EventType.DIGIT
    return Event(
        type=EventType(c.type),
        room=c.room,
        leg=c.leg,
        at_ns=c.at,
        value=c.value,
        speakers=() if digit else tuple(Speaker(c.ids[i], c.levels[i]) for i in range(c.count)),
        text=ffi.string(c.text).decode(),
        in_band=digit and c.ids[0] == lib.CF_DIGIT_SOUND,
    )


def counters(struct: Any) -> dict[str, int]:
    """Every number of a struct by its name; nested structs are left out."""
    return {name: int(getattr(struct, name)) for name in _numbers(ffi.typeof(struct))}


@cache
def _numbers(kind: Any) -> tuple[str, ...]:
    """The fields of a struct, or of what a pointer points to, that are numbers; asked for of every leg twice a cycle."""
    struct = kind.item if kind.kind == "pointer" else kind
    return tuple(name for name, field in struct.fields if field.type.kind == "primitive")


def build_info() -> str:
    """One line: library versions and kernels in use."""
    return ffi.string(lib.cf_build_info()).decode()
