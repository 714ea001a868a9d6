"""Settings of the TURN server."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from confero.config import KeptSecret, ServiceConfig
from confero.ports import find
from confero.protocols.turn import Reach

RELAY = find("turn", "relay")


class TurnConfig(ServiceConfig):
    """Everything that can be set; ``confero-turn --help`` lists it."""

    http_host: str = "127.0.0.1"
    """Address of the control port: health, metrics, allocations; loopback or an internal one."""
    http_port: int = Field(default=find("turn", "control").number, ge=0, le=65_535)
    """TCP port of it."""
    id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,64}$")
    """Name of this TURN server, unique among them. Empty: made once and kept in ``state_dir/turn-id``."""
    appserver_url: str = f"http://127.0.0.1:{find('appserver', 'http').number}"
    """Where the application server's internal API is reached."""
    bind: list[str] = Field(default_factory=list)
    """Local addresses on which clients are heard. Empty: all of the machine, IPv4 and IPv6."""
    udp_port: int = Field(default=find("turn", "udp").number, ge=0, le=65_535)
    """UDP port of clients."""
    tcp_port: int = Field(default=find("turn", "tls").number, ge=0, le=65_535)
    """TCP port of clients, plain and TLS alike: the first byte tells which."""
    tcp_listen: bool = True
    """Whether the TCP port is listened on here. Not where a front door listens there and hands the connections over."""
    handover_dir: Path | None = None
    """Folder of the Unix socket (``turn.sock``) over which a front door hands connections over; HTTP that came inside of TLS
    goes to the application server from there. Absent: neither."""
    handover_uids: list[int] = Field(default_factory=list)
    """User ids that may hand connections over and take them, besides this process's own."""
    front_url: str = ""
    """Where the front door is reached, whose port browsers are told for TCP and TLS. Empty: ours."""
    advertise: list[str] = Field(default_factory=list)
    """Names or addresses at which browsers reach this server. Empty: the bound addresses; where it is bound to all of the machine,
    the name under which the browser has found the page."""
    relay_bind: list[str] = Field(default_factory=list)
    """Addresses of relayed media, each ``address`` or ``external=internal``. Only media servers send there, so it may be an
    internal one. Empty: the bound ones; where it is bound to all of the machine, its own on the way out."""
    relay_port_min: int = Field(default=RELAY.low, ge=1024, le=65_535)
    """First port of relayed media."""
    relay_port_max: int = Field(default=RELAY.high, ge=1024, le=65_535)
    """Last port of relayed media."""
    realm: str = Field(default="confero", min_length=1, max_length=32, pattern=r'^[^"\\\x00-\x1f]+$')
    """Realm of the credentials."""
    turn_secret: KeptSecret | None = None
    """Secret that signs browsers' names and passwords, 32 characters or more, as the application server has it.
    When absent it is made from ``secret``, there as here; ``confero turn rotate`` puts another one in its place. On a command
    line others can see it."""
    earlier_turn_secrets: list[KeptSecret] = Field(default_factory=list, max_length=3)
    """Secrets of before, which are still taken while passwords that they signed are about."""
    threads: int = Field(default=0, ge=0, le=64)
    """Threads that relay packets; 0: one for each core."""
    max_allocations: int = Field(default=16_000, ge=1, le=65_536)
    """Allocations at once."""
    max_allocations_per_user: int = Field(default=40, ge=1)
    """Of one participant. A browser makes one for each URL and interface, and leaves them behind when its page is loaded anew."""
    max_connections: int = Field(default=8192, ge=1, le=65_536)
    """TCP and TLS connections at once, shared between the threads."""
    tcp_allocations: bool = False
    """Whether clients get relayed addresses for TCP as well (RFC 6062). Browsers ask for none. Peers are reached at public
    addresses only: exceptions are for UDP."""
    max_peer_connections: int = Field(default=2048, ge=1, le=65_536)
    """TCP connections to peers at once, 16 of one allocation."""
    max_bytes_per_s: int = Field(default=0, ge=0)
    """Bytes a second that an allocation relays, each way; 0: no limit."""
    max_total_bytes_per_s: int = Field(default=0, ge=0)
    """Bytes a second that all relay together, each way; 0: no limit."""
    lifetime_s: int = Field(default=600, ge=60, le=3600)
    """Seconds that an allocation lives without a refresh, where the client asks for nothing else (RFC 8656 section 3.2)."""
    max_lifetime_s: int = Field(default=3600, ge=60, le=86_400)
    """Seconds that it lives at most without one."""
    reach: list[str] = Field(default_factory=list, max_length=64)
    """Exceptions from the rule that nothing on this machine, in private and other special networks is relayed to: an address or
    network and UDP ports, such as 10.0.0.5:5000-15000 or [fd00::5]:5000-15000, less the services' own ports."""
    reach_farm: bool = True
    """Whether the media servers of the farm, as the application server tells them, are such exceptions."""
    reach_only: bool = False
    """Whether nothing else is relayed to: then this server is of use for conferences only."""
    nat64: list[str] = Field(default_factory=list, max_length=8)
    """Prefixes of 96 bits under which this network reaches IPv4, besides 64:ff9b::/96."""
    alternates: list[str] = Field(default_factory=list, max_length=8)
    """Other TURN servers as address:port, where new clients are sent while this one drains or is too busy (ALTERNATE-SERVER)."""
    redirect_above: int = Field(default=0, ge=0)
    """Allocations from which on new clients are sent there; 0: only while it drains."""
    certificate: Path | None = None
    """PEM file with the certificate chain for TLS; read again when it changes. Absent: what the application server has
    made in ``state_dir/tls``, as soon as it is there."""
    certificate_key: Path | None = None
    """PEM file with its private key."""

    @field_validator("bind")
    @classmethod
    def _bind(cls, value: list[str]) -> list[str]:
        for one in value:
            ip_address(one)
        return value

    @field_validator("reach")
    @classmethod
    def _reach(cls, value: list[str]) -> list[str]:
        for one in value:
            Reach.parse(one)
        return value

    @field_validator("nat64")
    @classmethod
    def _nat64(cls, value: list[str]) -> list[str]:
        for one in value:
            network = ip_network(one)
            if network.version != 6 or network.prefixlen != 96:
                raise ValueError(f"{one}: not an IPv6 prefix of 96 bits")
        return value

    @field_validator("alternates")
    @classmethod
    def _alternates(cls, value: list[str]) -> list[str]:
        for one in value:
            split_place(one)
        return value

    @model_validator(mode="after")
    def _fits(self) -> TurnConfig:
        if self.relay_port_min > self.relay_port_max:
            raise ValueError("relay_port_min is greater than relay_port_max")
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key belong together")
        if self.lifetime_s > self.max_lifetime_s:
            raise ValueError("lifetime_s is greater than max_lifetime_s")
        if self.redirect_above and not self.alternates:
            raise ValueError("redirect_above wants alternates")
        return self


def split_place(text: str) -> tuple[str, int]:
    """``203.0.113.5:14049`` or ``[2001:db8::5]:14049``. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or not 1 <= int(port) <= 65_535 or (":" in host) != host.startswith("["):
        raise ValueError(f"{text!r} is not an address:port")
    return str(ip_address(host.strip("[]"))), int(port)
