"""Settings of the front door."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from confero.config import ServiceConfig
from confero.ports import find

EVERYWHERE = "*"
"""Every address of the machine, IPv4 and IPv6."""


class EdgeConfig(ServiceConfig):
    """Everything that can be set; ``confero-edge --help`` lists it."""

    https_host: str = Field(default=EVERYWHERE, min_length=1)
    """Address of the public port. ``*``: all of IPv4 and IPv6."""
    https_port: int = Field(default=find("edge", "https").number, ge=0, le=65_535)
    """TCP port of the public address."""
    http_host: str = "127.0.0.1"
    """Address of the internal port with health and metrics; loopback or an internal one."""
    http_port: int = Field(default=find("edge", "control").number, ge=0, le=65_535)
    """TCP port of the internal address."""
    handover_dir: Path | None = None
    """Folder of the Unix sockets over which services take connections. When absent: ``state_dir/handover``."""
    handover_uids: list[int] = Field(default_factory=list)
    """User ids of services that run as other users than the front door."""
    classify_s: float = Field(default=5.0, gt=0, le=60)
    """Seconds in which a connection must have said what it is."""
    max_undecided: int = Field(default=4096, ge=1)
    """Connections at once that have not said yet what they are; beyond it the oldest of them is closed. Never more than a half of
    the files that the process may have open."""
    max_undecided_per_source: int = Field(default=512, ge=1)
    """The same from one address (an IPv6 /64 counts as one); beyond it the oldest of that source is closed."""

    @property
    def folder(self) -> Path:
        """Where the takers' sockets are."""
        return self.handover_dir or self.state_dir / "handover"
