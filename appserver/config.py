"""Settings of the application server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from confero.config import KeptSecret, ServiceConfig
from confero.errors import LocalError
from confero.models import Role
from confero.models.joining import IcePolicy
from confero.models.turn import TurnTransport
from confero.ports import find

from .sip.patterns import PatternError, parse

ICE_URL = re.compile(r"(stuns?:[^\s?/@]+|turns?:[^\s?/@]+(\?transport=(udp|tcp))?)")
EVERYWHERE = "*"
"""Every address of the machine, IPv4 and IPv6."""


class AppserverConfig(ServiceConfig):
    """Everything that can be set; ``confero-appserver --help`` lists it."""

    https_host: str = Field(default=EVERYWHERE, min_length=1)
    """Address of the public port: pages, REST, the events WebSocket. ``*``: all of IPv4 and IPv6."""
    https_port: int = Field(default=find("appserver", "https").number, ge=0, le=65_535)
    """TCP port of the public address."""
    https_listen: bool = True
    """Whether the public address is listened on here. Not where a front door listens there and hands the connections over."""
    handover_dir: Path | None = None
    """Folder of the Unix socket (``appserver.sock``) over which a front door hands connections over; absent: none does."""
    handover_uids: list[int] = Field(default_factory=list)
    """User ids that may hand connections over, besides this process's own."""
    http_host: str = "127.0.0.1"
    """Address of the internal port, for the notifier and the MCUs; loopback or an internal one."""
    http_port: int = Field(default=find("appserver", "http").number, ge=0, le=65_535)
    """TCP port of the internal address."""
    notifier_url: str = f"http://127.0.0.1:{find('notifier', 'http').number}"
    """Where the notification server is reached."""
    sipgw_url: str = f"http://127.0.0.1:{find('sipgw', 'control').number}"
    """Where the SIP gateway's control port is reached."""
    public_url: str = ""
    """Where people reach the page, such as https://meet.example; empty: as the browser asked for it."""
    database_url: SecretStr | None = None
    """SQLAlchemy URL, such as mysql+aiomysql://user:password@host/confero. When absent: SQLite in ``state_dir/confero.db``.
    ``?ssl_ca=FILE`` asks for TLS, with ``ssl_cert`` and ``ssl_key`` for a certificate of ours (docs/operations.md)."""
    database_connections: int = Field(default=20, ge=2, le=1000)
    """Connections to a database server at most, half of which are kept. SQLite has two in any case."""
    database_timeout_s: float = Field(default=5.0, ge=1, le=60)
    """What is asked of the database is given up after this, with all its tries."""
    database_slow_s: float = Field(default=0.5, gt=0)
    """What takes the database longer is a line in the log."""
    certificate: Path | None = None
    """PEM file with the certificate chain of the public address; read again when it changes. When absent a local CA is made."""
    certificate_key: Path | None = None
    """PEM file with its private key."""
    certificate_names: list[str] = Field(default_factory=list)
    """Further names and addresses for the certificate of the local CA."""
    admin_token: KeptSecret | None = None
    """What administrators show as bearer token under /api/v1/sip, 32 characters or more.
    When absent, ``state_dir/admin-token`` is read, or made once. On a command line others can see it."""
    call_out_roles: list[Role] = Field(default=["host"])
    """Roles in rooms that may call telephones out of their room: host, guest."""
    call_out_patterns: list[str] = Field(default=["."], max_length=32)
    """What they may dial, as patterns (docs/sip.md); the dial plan must have a way for it as well."""
    strangers_per_minute: float = Field(default=30.0, gt=0)
    """Calls into one room by telephones that have not proved who they are, half as many at once: each holds a place."""
    calls_out_per_hour: int = Field(default=20, ge=0)
    """Calls out in an hour by one browser, or by an account that has no number of its own."""
    sign_up: Literal["open", "closed"] = "open"
    """``open``: anybody may make an account; ``closed``: administrators make them."""
    max_accounts: int = Field(default=100_000, ge=1)
    """Accounts in the database."""
    accounts_per_hour: float = Field(default=30.0, gt=0)
    """Accounts that one source address may make, and links to new passwords that it may ask for or use, as many at once."""
    passwords_shortest: int = Field(default=15, ge=8, le=64)
    """Characters of a new password at least. A password is the only proof here: 15 by NIST SP 800-63B-4."""
    passwords_memory_kib: int = Field(default=47_104, ge=64, le=1 << 20)
    """Memory for each hash of a password (argon2id), of which two are made at a time."""
    passwords_passes: int = Field(default=2, ge=1, le=16)
    """Passes over it."""
    session_idle_days: float = Field(default=14.0, gt=0)
    """Who has not come for this long has to sign in again."""
    session_days: float = Field(default=90.0, gt=0)
    """And so has everybody after this."""
    keys_per_account: int = Field(default=50, ge=0)
    """API keys that an account may have."""
    audit_days: float = Field(default=365.0, gt=0)
    """Lines of the audit log are deleted after this."""
    smtp_server: str = Field(default="", pattern=r"^([A-Za-z0-9.-]{1,253}:[0-9]{1,5})?$")
    """Mail server for links to new passwords, such as mail.example:587 (``starttls``) or mail.example:465 (``tls``).
    Empty: none is sent, administrators make the links."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """``starttls``: nothing is sent if the server has none; ``tls``: from the first byte; ``none``: in the clear."""
    smtp_user: str = Field(default="", max_length=255)
    """To sign in there; empty: nobody."""
    smtp_password: SecretStr | None = None
    """Its password. On a command line others can see it."""
    mail_from: str = Field(default="confero@localhost.localdomain", pattern=r"^[^\s@<>]+@[^\s@<>]+$", max_length=254)
    """Sender of what is mailed."""
    default_room: str = Field(default="lobby", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """Id of the room that is always there."""
    max_rooms: int = Field(default=100_000, ge=1)
    """Rooms in the database."""
    rooms_per_user: int = Field(default=1000, ge=1)
    """Rooms that one account may own."""
    members_per_room: int = Field(default=1000, ge=1)
    """Accounts that a room may know as its members."""
    invitations_per_room: int = Field(default=200, ge=1, le=1000)
    """Invitations of a room that can still be used."""
    waiting_per_room: int = Field(default=200, ge=1, le=2000)
    """People in a room's lobby at once."""
    guests_make_rooms: bool = True
    """Whether rooms can be made by whoever has no account."""
    dial_in_numbers: list[Annotated[str, StringConstraints(pattern=r"^[0-9+*#() /.-]{1,32}$")]] = Field(
        default_factory=list, max_length=16
    )
    """Telephone numbers that lead to the menu of rooms, as people are to read them."""
    sip_domain: str = Field(default="", pattern=r"^(([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?)?$")
    """Host of the SIP addresses that people are shown, with a port if it is another than SIP's own, where the SIP gateway is not
    reached at the page's. Empty: the page's."""
    token_ttl_s: float = Field(default=600.0, gt=0)
    """How long a join token is good for."""
    rejoin_window_s: float = Field(default=43_200.0, ge=0)
    """How long after its end a join token still proves who comes back."""
    join_grace_s: float = Field(default=30.0, ge=0)
    """How long a place is kept for somebody who has a token but no connection yet, or has just lost it."""
    room_creations_per_minute: float = Field(default=10.0, gt=0)
    """Rooms that one source address may create; as many at once."""
    joins_per_minute: float = Field(default=120.0, gt=0)
    """Joins from one source address, as many at once; a whole office may share one."""
    calls_per_minute: float = Field(default=20.0, gt=0)
    """Calls that browsers at one source address may try to make, as many at once."""
    mcu_silence_s: float = Field(default=4.0, gt=0)
    """An MCU without heartbeat for this long counts as lost."""
    turn_silence_s: float = Field(default=6.0, gt=0)
    """A TURN server without heartbeat for this long is offered to nobody any more."""
    turn_secret: KeptSecret | None = None
    """Signs browsers' names and passwords for TURN, 32 characters or more; the TURN servers must have the same.
    When absent it is made from ``secret``, there as here; ``confero turn rotate`` puts another one in its place. On a command
    line others can see it."""
    turn_ttl_s: float = Field(default=43_200.0, ge=60, le=604_800)
    """Seconds for which these are good. A page whose are over asks for new ones before it needs them."""
    turn_transports: list[TurnTransport] = Field(default=["udp", "tcp", "tls"])
    """Ways to our TURN servers that browsers are told: udp, tcp, tls. None: TURN is not offered."""
    turns_trusted: bool = False
    """Whether browsers trust the TURN servers' certificate although no public authority has signed it, since your own is
    installed there. Without, ``turns:`` is only offered with one that a public authority has signed: others refuse it silently."""
    ice_urls: list[str] = Field(default_factory=list, max_length=16)
    """Further STUN and TURN servers for browsers, as stun:, turn: and turns: URLs (RFC 7064, 7065)."""
    ice_secret: SecretStr | None = None
    """The secret shared with these TURN servers for time-limited passwords (coturn: static-auth-secret)."""
    ice_policy: IcePolicy = "all"
    """``relay``: browsers' media goes through TURN servers only; then an MCU need not be reached from outside."""
    retention_days: float = Field(default=90.0, gt=0)
    """Call records, and rooms that nobody used, are deleted after this."""
    max_websockets: int = Field(default=5000, ge=1)
    """Events WebSockets passed on at once."""
    max_connections_per_source: int = Field(default=2000, ge=1)
    """Connections to the public port at once from one address (an IPv6 /64 counts as one); a whole office may share one."""

    @field_validator("public_url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/")):
            raise ValueError("not a URL such as https://meet.example")
        return value.rstrip("/")

    @field_validator("ice_urls")
    @classmethod
    def _ice_urls(cls, value: list[str]) -> list[str]:
        for url in value:
            if not ICE_URL.fullmatch(url):
                raise ValueError(f"{url!r} is not a URL such as turn:turn.example:3478?transport=udp")
        return value

    @field_validator("call_out_patterns")
    @classmethod
    def _patterns(cls, value: list[str]) -> list[str]:
        for text in value:
            try:
                parse(text)
            except PatternError as error:
                raise ValueError(error.detail) from None
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        from .db.engine import database_url  # here, since `confero up` reads this model and has no use for SQLAlchemy

        try:
            database_url(value.get_secret_value(), Path())
        except LocalError as error:
            raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _pair(self) -> AppserverConfig:
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key belong together")
        return self

    @model_validator(mode="after")
    def _ice(self) -> AppserverConfig:
        if self.ice_secret is None and any(url.startswith("turn") for url in self.ice_urls):
            raise ValueError("ice_urls with TURN servers want ice_secret")
        return self

    @model_validator(mode="after")
    def _reached(self) -> AppserverConfig:
        if not self.https_listen and self.handover_dir is None:
            raise ValueError("without https_listen nobody gets here, unless connections come through handover_dir")
        return self
