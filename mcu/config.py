"""Settings of the MCU."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from confero.config import ServiceConfig
from confero.ports import find

MEDIA = find("mcu", "media")


class McuConfig(ServiceConfig):
    """Everything that can be set; ``confero-mcu --help`` lists it."""

    http_host: str = "127.0.0.1"
    """Address of the control API; loopback or an internal one, browsers come through the notification server."""
    http_port: int = Field(default=find("mcu", "http").number, ge=0, le=65_535)
    """TCP port of the control API."""
    id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,64}$")
    """Name of this MCU, unique in the farm. Empty: made once and kept in ``state_dir/mcu-id``."""
    url: str = Field(default="", max_length=256)
    """Where the other services reach the control API. Empty: http://<http_host>:<http_port>."""
    appserver_url: str = f"http://127.0.0.1:{find('appserver', 'http').number}"
    """Where the application server's internal API is reached."""
    notifier_url: str = f"http://127.0.0.1:{find('notifier', 'http').number}"
    """Where the notification server is reached."""
    media_bind: list[str] = Field(default_factory=list)
    """Local addresses for media. Empty: all of them, IPv4 and IPv6."""
    media_advertise: list[str] = Field(default_factory=list)
    """Addresses that peers are told, each ``address`` or ``external=internal`` for 1:1 NAT.
    Empty: the bound ones; for a wildcard the machine's own as they are now, loopback only if there is nothing else."""
    media_to_loopback: bool = False
    """Whether descriptions may have RTP sent to this machine's loopback addresses: for labs. They may in any case where media is
    advertised there."""
    media_port_min: int = Field(default=MEDIA.low, ge=1, le=65_535)
    """First port for media."""
    media_port_max: int = Field(default=MEDIA.high, ge=1, le=65_535)
    """Last port for media."""
    media_tcp: bool = True
    """Whether media may come over TCP: of browsers where UDP does not get through (RFC 6544), at the same addresses and ports, and
    of telephones that offer it (RFC 4571)."""
    media_threads: int = Field(default=0, ge=0, le=64)
    """Media threads; 0: one for each core."""
    capacity: int = Field(default=1000, ge=1)
    """Capacity units that this MCU announces to the farm; an Opus leg costs 1."""
    max_rooms: int = Field(default=2000, ge=1, le=16_384)
    """Rooms at once."""
    max_legs: int = Field(default=4000, ge=1, le=8192)
    """Legs at once, over all rooms."""
    empty_room_s: float = Field(default=600.0, gt=0)
    """How long a room without participants is kept."""
    setup_s: float = Field(default=15.0, gt=0)
    """Time for DTLS, from the first ICE check on."""
    consent_s: float = Field(default=30.0, ge=1, le=3600)
    """A browser leg ends when no ICE check has come for this long (RFC 7675)."""
    stale_s: float = Field(default=8.0, gt=0)
    """A browser leg is shown as disconnected when no ICE check has come for this long."""
    owner_lease_s: float = Field(default=10.0, ge=1, le=3600)
    """Legs whose maker named itself their owner end when it has not been heard of for this long."""
    answer_s: float = Field(default=300.0, gt=0)
    """Time for the answer to an RTP offer of ours: a telephone may ring that long."""
    pass_through: bool = True
    """Whether a sole talker's Opus packets may be passed on as they are; False: everything is mixed and encoded."""
    opus_low_delay: bool = False
    """Opus is sent without its speech layer (CELT only): 4 ms sooner and at less than half the cost of encoding, but worse
    at low rates and under loss. For machines on which everybody talks."""
    jitter_mode: Literal["adaptive", "minimum"] = "adaptive"
    """How long packets wait before they are mixed. ``adaptive``: as long as the network makes it necessary.
    ``minimum``: until the next tick after the usual jitter, of which no more than 10 ms is waited for; for local networks
    and measurements."""
    jitter_min_ms: int = Field(default=0, ge=0, le=1000)
    """The jitter buffer never waits less. 0: 10, in the mode ``minimum`` nothing."""
    jitter_max_ms: int = Field(default=400, ge=40, le=10_000)
    """The jitter buffer never waits more; what would have to wait longer is dropped."""

    redundancy: Literal["off", "auto", "always"] = "auto"
    """Earlier packets sent again beside the newest, against loss, where the peer takes Opus so (RFC 2198; browsers do).
    ``auto``: as soon as the peer reports 1 % of loss, two where it is 10 %. ``always``: by the peer too, at twice the rate."""
    prompts_dir: Path | None = None
    """Folder of the sound files that the control API may play, by their names, before those that come with confero:
    a file ``welcome.opus`` here is what the telephone menu says at first."""

    @model_validator(mode="after")
    def _range(self) -> McuConfig:
        if self.media_port_min > self.media_port_max:
            raise ValueError("media_port_min is greater than media_port_max")
        if self.jitter_min_ms > self.jitter_max_ms:
            raise ValueError("jitter_min_ms is greater than jitter_max_ms")
        return self
