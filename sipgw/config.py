"""Settings of the SIP gateway."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from confero.config import ServiceConfig
from confero.ports import find

PASSED = re.compile(r"[Xx]-[A-Za-z0-9-]{1,62}")
"""Others belong to SIP itself."""


class SipgwConfig(ServiceConfig):
    """Everything that can be set; ``confero-sipgw --help`` lists it."""

    http_host: str = "127.0.0.1"
    """Address of the control port, where SIP over WebSocket arrives too; loopback or an internal one."""
    http_port: int = Field(default=find("sipgw", "control").number, ge=0, le=65_535)
    """TCP port of it."""
    sip_bind: list[str] = Field(default_factory=list)
    """Local addresses for SIP. Empty: all of the machine, IPv4 and IPv6."""
    sip_port: int = Field(default=find("sipgw", "sip").number, ge=0, le=65_535)
    """Port for UDP and TCP."""
    sips_port: int = Field(default=find("sipgw", "sips").number, ge=0, le=65_535)
    """TCP port for TLS."""
    sip_advertise: list[str] = Field(default_factory=list)
    """Addresses that peers are told in Via and Contact, each ``address`` or ``external=internal`` for 1:1 NAT.
    Empty: our own address on the way to the peer."""
    domains: list[str] = Field(default_factory=list)
    """Names besides our addresses under which this gateway is meant, such as meet.example."""
    realm: str = Field(default="confero", min_length=1, max_length=128, pattern=r'^[^"\\\x00-\x1f]+$')
    """Realm of digest authentication; the accounts' passwords hold for it only."""
    digest_algorithms: list[Literal["SHA-256", "SHA-512-256", "MD5"]] = Field(default=["MD5"], min_length=1)
    """Hashes in which passwords are asked for, the preferred first. Many telephones give up at a challenge that is not MD5, even
    where one in MD5 stands beside it; SHA-256 is for installations that know theirs."""
    register_least_s: int = Field(default=60, ge=1, le=3600)
    """Seconds for which a telephone registers at least; a shorter wish is answered 423."""
    register_most_s: int = Field(default=3600, ge=60, le=86_400)
    """Seconds for which it registers at most; a longer wish is cut down."""
    register_contacts: int = Field(default=10, ge=1, le=100)
    """Telephones of one account at once; one more takes the place of the one unheard for longest."""
    flow_timer_s: int = Field(default=25, ge=2, le=600)
    """Seconds within which a telephone that keeps its way to us open by itself (RFC 5626, over UDP) is asked to be heard of again.
    Shorter than a NAT remembers a silent one: 30 s with many."""
    certificate: Path | None = None
    """PEM file with the certificate chain for TLS; read again when it changes.
    When absent, that of the application server in ``state_dir/tls`` is used as soon as it is there."""
    certificate_key: Path | None = None
    """PEM file with its private key."""
    peer_ca: Path | None = None
    """PEM file with the authorities that TLS peers are judged by. When absent, those of the system."""
    nameservers: list[str] = Field(default_factory=list)
    """Name servers for NAPTR and SRV, each an address or ``address:port``. Empty: the machine's."""
    appserver_url: str = f"http://127.0.0.1:{find('appserver', 'http').number}"
    """Where the application server's internal API is reached."""
    notifier_url: str = f"http://127.0.0.1:{find('notifier', 'http').number}"
    """Where the notification server is reached."""
    hep_server: str | None = None
    """Homer server to which each SIP message is mirrored by HEP (UDP): ``address:port``, ``[address]:port`` for IPv6.
    What is mirrored is not redacted: digests, keys and digits go there as they are."""
    hep_agent: int = Field(default=2133, ge=1, le=2**32 - 1)
    """Number under which that server knows this gateway."""
    hep_key: SecretStr | None = None
    """Password of that server for agents, if it asks for one."""
    unproven_calls: int = Field(default=100, ge=1)
    """Calls of one source, and calls into one room, that may be answered without an ACK at once; trunks are not held to it.
    Beyond them 503: whoever forges addresses sends no ACK."""
    ring_s: float = Field(default=45.0, gt=0, le=600)
    """How long browsers and telephones ring before nobody has answered."""
    pass_headers: list[str] = Field(default_factory=list, max_length=16)
    """Header fields of INVITEs, such as X-Customer, that are told to the page that is called, and taken from the page that calls.
    User-to-User (RFC 7433) always goes, as user data."""
    max_calls: int = Field(default=2000, ge=1)
    """Calls at once; beyond them 503 with Retry-After."""
    max_late_s: float = Field(default=0.5, gt=0)
    """How late the gateway may be with what is due, on the average of half a second, before new calls get 503 with Retry-After.
    Half a second is when peers say the same again (T1 of RFC 3261), and load begins to feed on itself. It takes new calls again
    when it is half as late."""
    max_transactions: int = Field(default=20_000, ge=100)
    """Requests of peers that are kept for their repetitions; a fifth as many may wait for an answer, and three fifths may be ours.
    Who asks beyond that gets 503 with Retry-After."""
    requests_per_s: float = Field(default=50.0, gt=0)
    """Requests outside of calls that one source may send on average, unless it is a trunk; beyond it nothing is answered."""
    request_burst: float = Field(default=200.0, ge=1)
    """Requests outside of calls that one source may send at once."""

    @field_validator("sip_bind")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        for address in value:
            ip_address(address)
        return value

    @field_validator("hep_server")
    @classmethod
    def _hep(cls, value: str | None) -> str | None:
        if value is not None:
            split_address(value)
        return value

    @field_validator("pass_headers")
    @classmethod
    def _header_names(cls, value: list[str]) -> list[str]:
        for name in value:
            if not PASSED.fullmatch(name):
                raise ValueError(f"{name!r}: names that begin with X- can be passed")
        return value

    @model_validator(mode="after")
    def _pair(self) -> SipgwConfig:
        if self.register_least_s > self.register_most_s:
            raise ValueError("register_least_s is above register_most_s")
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key belong together")
        return self


def split_address(text: str) -> tuple[str, int]:
    """``address:port``. Raises ValueError."""
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not separator or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError("an address and a port are needed: 192.0.2.1:9060")
    return str(ip_address(host)), int(port)
