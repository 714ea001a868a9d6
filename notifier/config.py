"""Settings of the notification server."""

from __future__ import annotations

from pydantic import Field, field_validator

from confero.config import ServiceConfig
from confero.ports import find

from .entry import normal_origin


class NotifierConfig(ServiceConfig):
    """Everything that can be set; ``confero-notifier --help`` lists it."""

    http_host: str = "127.0.0.1"
    """Address to bind; loopback or an internal one, browsers come through the application server."""
    http_port: int = Field(default=find("notifier", "http").number, ge=0, le=65_535)
    """TCP port."""
    instance: str = Field(default="notifier", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """Name of this notifier, unique among those of one application server."""
    appserver_url: str = f"http://127.0.0.1:{find('appserver', 'http').number}"
    """Where the application server's internal API is reached."""
    allowed_origins: list[str] = Field(default_factory=list)
    """Origins besides the page's own that may open a WebSocket, such as https://portal.example."""
    max_connections: int = Field(default=10_000, ge=1)
    """WebSockets at once."""
    max_connections_per_source: int = Field(default=500, ge=1)
    """WebSockets at once from one address (an IPv6 /64 counts as one); a whole office may share one."""
    hello_timeout_s: float = Field(default=5.0, gt=0)
    """Time for the first message."""
    resume_window_s: float = Field(default=15.0, ge=0)
    """How long a session outlives its connection."""
    ping_interval_s: float = Field(default=10.0, gt=0)
    """Time between pings; a connection silent from one ping to the next is closed."""
    messages_per_s: float = Field(default=20.0, gt=0)
    """Messages and pings that one WebSocket may send on average."""
    message_burst: int = Field(default=60, ge=1)
    """Messages and pings that one WebSocket may send at once."""
    queue_bytes: int = Field(default=1 << 20, ge=1024)
    """Bytes that may wait for a slow reader, beside what the kernel holds. Of one who is further behind the connection is
    closed; it comes back for what it has missed."""

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            if normal_origin(origin) is None:
                raise ValueError(f"not an origin such as https://portal.example: {origin!r}")
        return value
