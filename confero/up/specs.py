"""The services as a table: what ``confero up`` needs to know of each, and what the documents are tested against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Listen:
    """A port of a service: its purpose in ``confero.ports``, and the configuration fields that set it."""

    purpose: str
    host: str
    port: str


@dataclass(frozen=True)
class Door:
    """How a service comes by the connections of a port that it shares with others: the front door hands them over."""

    purpose: str
    """Of the port that the front door has instead."""
    folder: str
    """The field that takes the folder in which they meet."""
    listen: str
    """The field that says whether the service listens itself."""


@dataclass(frozen=True)
class Spec:
    """A service as the plan needs to know it; by convention its configuration is in ``<package>.config``."""

    name: str
    """Also the section of the configuration."""
    after: tuple[str, ...] = ()
    """Services that start before it. A matter of quiet logs: each must cope with any order."""
    listens: tuple[Listen, ...] = ()
    """One of them is that of ``health``."""
    wires: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Fields that take the URL of a port: service and purpose."""
    page: str = ""
    """The field that takes the URL under which people reach the page, which is its ``https`` port; empty: it has no page."""
    room: str = ""
    """The field with the room that is always there."""
    media: tuple[str, str, str] | None = None
    """Fields of a range of ports: list of addresses, first port, last port."""
    range: str = "media"
    """The purpose of that range."""
    health: str = "http"
    """The purpose of the port with ``/ready`` and ``/health``."""
    door: Door | None = None
    """None: it shares no port."""
    front: bool = False
    """It is the front door, which is only there where services share an address (``confero.up.front``)."""
    folder: str = ""
    """The package, where it is not ``confero.<name>``."""

    @property
    def package(self) -> str:
        return self.folder or f"confero.{self.name}"


HTTP = Listen("http", "http_host", "http_port")
SPECS: tuple[Spec, ...] = (
    Spec(
        "appserver",
        listens=(Listen("https", "https_host", "https_port"), HTTP),
        wires={"notifier_url": ("notifier", "http"), "sipgw_url": ("sipgw", "control")},
        page="public_url",
        room="default_room",
        door=Door("https", "handover_dir", "https_listen"),
    ),
    Spec("notifier", ("appserver",), (HTTP,), {"appserver_url": ("appserver", "http")}),
    # Before the media servers, so that it stops after them: by then browsers have let go of it.
    Spec(
        "turn",
        ("appserver",),
        (
            Listen("udp", "bind", "udp_port"),
            Listen("tls", "bind", "tcp_port"),
            Listen("control", "http_host", "http_port"),
        ),
        {"appserver_url": ("appserver", "http"), "front_url": ("edge", "https")},
        media=("relay_bind", "relay_port_min", "relay_port_max"),
        range="relay",
        health="control",
        door=Door("tls", "handover_dir", "tcp_listen"),
    ),
    Spec(
        "mcu",
        ("appserver", "notifier"),
        (HTTP,),
        {"url": ("mcu", "http"), "appserver_url": ("appserver", "http"), "notifier_url": ("notifier", "http")},
        media=("media_bind", "media_port_min", "media_port_max"),
    ),
    Spec(
        "sipgw",
        ("appserver", "notifier", "mcu"),
        (
            Listen("sip", "sip_bind", "sip_port"),
            Listen("sips", "sip_bind", "sips_port"),
            Listen("control", "http_host", "http_port"),
        ),
        {"appserver_url": ("appserver", "http"), "notifier_url": ("notifier", "http")},
        health="control",
    ),
    # The last to start, and the first to stop: nobody is let in to services that are not there.
    Spec(
        "edge",
        ("appserver",),
        (Listen("https", "https_host", "https_port"), Listen("control", "http_host", "http_port")),
        health="control",
        front=True,
    ),
)
