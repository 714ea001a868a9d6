"""The wire models of SIP's administration: accounts, trunks, the dial plan, room numbers (443, /api/v1/sip, admin token)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from .base import DisplayName, Id, Reply, Request

User = Annotated[str, StringConstraints(pattern=r"^[^\s@:<>\"\x00-\x1f\x7f]{1,64}$")]
"""User part of an account's address. No colon: it ends the user in digests (RFC 7616 section 3.4.2)."""
Realm = Annotated[str, StringConstraints(pattern=r"^[^\s@:<>\"\x00-\x1f\x7f]{1,128}$")]
SipUri = Annotated[str, StringConstraints(pattern=r"^sips?:[^\s<>\"\x00-\x1f\x7f]{1,250}$")]
Network = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f:.]{2,45}(/\d{1,3})?$")]
NumberPattern = Annotated[str, StringConstraints(min_length=1, max_length=64)]
"""docs/sip.md: literal, ``X``, a point at the end."""
RoomNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]
Pin = Annotated[str, StringConstraints(pattern=r"^[0-9]{4,16}$")]
Password = Annotated[SecretStr, Field(min_length=8, max_length=256)]
Text = Annotated[str, StringConstraints(max_length=256)]
Status = Annotated[int, Field(ge=300, le=699)]
"""Of a SIP answer."""
SipTransport = Literal["udp", "tcp", "tls"]
SipSource = Literal["any", "trunk", "account", "browser", "unknown"]
SipAction = Literal["room", "user", "menu", "trunk", "address", "reject"]
SipDirection = Literal["in", "out"]
SipMediaSecurity = Literal["none", "optional", "required"]
SipKeyExchange = Literal["sdes", "dtls"]


class SipAccountFields(Request):
    display_name: DisplayName
    allow_md5_without_qop: bool = False
    """For telephones that know RFC 2069 only: their digest can be repeated by whoever saw it."""
    may_call_out: bool = False
    call_out_patterns: list[NumberPattern] = Field(default_factory=list, max_length=32)
    """What it may call through trunks, as dialled; nothing else, and nothing where there is none."""
    calls_per_hour: int | None = Field(default=None, ge=0, le=100_000)
    """Calls out; None: as configured for everybody."""
    media_security: SipMediaSecurity = "optional"
    key_exchange: SipKeyExchange = "sdes"
    """In our offers, where protection is required; what the telephone offers is answered in its own way."""
    symmetric: bool = False
    """Its media may come from another address than it says, as behind NAT, and then goes back there."""
    enabled: bool = True


class SipAccountCreate(SipAccountFields):
    """POST /api/v1/sip/accounts"""

    user: User
    realm: Realm
    password: Password
    """Only hashes of it are kept."""


class SipAccountPatch(Request):
    """PATCH /api/v1/sip/accounts/{id}. Absent fields stay."""

    display_name: DisplayName | None = None
    password: Password | None = None
    allow_md5_without_qop: bool | None = None
    may_call_out: bool | None = None
    call_out_patterns: list[NumberPattern] | None = Field(default=None, max_length=32)
    calls_per_hour: int | None = Field(default=None, ge=0, le=100_000)
    media_security: SipMediaSecurity | None = None
    key_exchange: SipKeyExchange | None = None
    symmetric: bool | None = None
    enabled: bool | None = None


class SipAccountInfo(Reply):
    id: int
    user: str
    realm: str
    display_name: str
    allow_md5_without_qop: bool
    may_call_out: bool
    call_out_patterns: list[str]
    calls_per_hour: int | None
    media_security: str
    key_exchange: str
    symmetric: bool
    enabled: bool
    created_at: float


class SipServer(Request):
    uri: SipUri
    priority: int = Field(default=10, ge=0, le=65_535)
    """The lowest is tried first."""


class SipTrunkFields(Request):
    servers: list[SipServer] = Field(min_length=1, max_length=8)
    """Where calls go."""
    registrar: SipUri | None = None
    registers: bool = False
    """Whether we register there; else calls come from ``sources``."""
    transport: SipTransport = "udp"
    domain: Annotated[str, StringConstraints(max_length=128)] = ""
    """Of our address there; empty: the first server's host."""
    user: Annotated[str, StringConstraints(max_length=64)] = ""
    auth_user: Annotated[str, StringConstraints(max_length=64)] = ""
    """In digests; empty: ``user``."""
    realm: Annotated[str, StringConstraints(max_length=128)] = ""
    """Digests are answered for this realm only; empty: any that the trunk itself asks for."""
    expires: int = Field(default=600, ge=30, le=86_400)
    sources: list[Network] = Field(default_factory=list, max_length=32)
    """Addresses or networks from which its calls come. Empty: those of ``servers`` and ``registrar``."""
    caller_id: Literal["pass", "fixed", "anonymous"] = "pass"
    caller_number: Annotated[str, StringConstraints(max_length=64)] = ""
    """With ``fixed``: who calls, by number."""
    media_security: SipMediaSecurity = "optional"
    symmetric: bool = False
    """Media is sent to where it comes from."""
    options_s: int = Field(default=30, ge=0, le=3600)
    """Seconds between health checks by OPTIONS; 0: none."""
    enabled: bool = True


class SipTrunkCreate(SipTrunkFields):
    """POST /api/v1/sip/trunks"""

    name: Id
    secret: Password | None = None
    """Digest password; kept encrypted."""


class SipTrunkPatch(Request):
    """PATCH /api/v1/sip/trunks/{name}. Absent fields stay; ``secret`` null takes it away."""

    servers: list[SipServer] | None = Field(default=None, min_length=1, max_length=8)
    registrar: SipUri | None = None
    registers: bool | None = None
    transport: SipTransport | None = None
    domain: Annotated[str, StringConstraints(max_length=128)] | None = None
    user: Annotated[str, StringConstraints(max_length=64)] | None = None
    auth_user: Annotated[str, StringConstraints(max_length=64)] | None = None
    realm: Annotated[str, StringConstraints(max_length=128)] | None = None
    secret: Password | None = None
    expires: int | None = Field(default=None, ge=30, le=86_400)
    sources: list[Network] | None = Field(default=None, max_length=32)
    caller_id: Literal["pass", "fixed", "anonymous"] | None = None
    caller_number: Annotated[str, StringConstraints(max_length=64)] | None = None
    media_security: SipMediaSecurity | None = None
    symmetric: bool | None = None
    options_s: int | None = Field(default=None, ge=0, le=3600)
    enabled: bool | None = None


class SipTrunkInfo(Reply):
    name: str
    servers: list[SipServer]
    registrar: str
    registers: bool
    transport: str
    domain: str
    user: str
    auth_user: str
    realm: str
    has_secret: bool
    expires: int
    sources: list[str]
    caller_id: str
    caller_number: str
    media_security: str
    symmetric: bool
    options_s: int
    enabled: bool


class DialRuleFields(Request):
    position: int = Field(ge=0, le=1_000_000)
    """Rules are asked in this order."""
    direction: SipDirection
    """``in``: a call that SIP brings; ``out``: one that a browser makes."""
    source: SipSource = "any"
    """Who calls: proven to be a trunk or an account, a browser; ``unknown``: not proven."""
    source_name: Annotated[str, StringConstraints(max_length=64)] = ""
    """One trunk, or one account's user; empty: each."""
    pattern: NumberPattern
    """Of the user part, as dialled or without the separators of a telephone number."""
    domain: Annotated[str, StringConstraints(max_length=255)] = ""
    """Of the address dialled: a host, or ``*.`` and its end; empty: any."""
    action: SipAction
    target: Annotated[str, StringConstraints(max_length=256)] = "{user}"
    """Of room, user and trunk (several by comma: fail-over). ``{user}``: as dialled; ``{number}``: stripped and prefixed."""
    strip: int = Field(default=0, ge=0, le=64)
    """Characters taken away in front of the number."""
    prepend: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z+*#]{0,32}$")] = ""
    skip_missing: bool = False
    """No such room, nobody of this name: the next rule is asked, instead of 404."""
    status: Status = 403
    """Of ``reject``."""
    enabled: bool = True
    note: Text = ""


class DialRuleCreate(DialRuleFields):
    """POST /api/v1/sip/rules"""


class DialRulePatch(Request):
    """PATCH /api/v1/sip/rules/{id}. Absent fields stay."""

    position: int | None = Field(default=None, ge=0, le=1_000_000)
    direction: SipDirection | None = None
    source: SipSource | None = None
    source_name: Annotated[str, StringConstraints(max_length=64)] | None = None
    pattern: NumberPattern | None = None
    domain: Annotated[str, StringConstraints(max_length=255)] | None = None
    action: SipAction | None = None
    target: Annotated[str, StringConstraints(max_length=256)] | None = None
    strip: int | None = Field(default=None, ge=0, le=64)
    prepend: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z+*#]{0,32}$")] | None = None
    skip_missing: bool | None = None
    status: Status | None = None
    enabled: bool | None = None
    note: Text | None = None


class DialRuleInfo(Reply):
    id: int
    position: int
    direction: SipDirection
    source: SipSource
    source_name: str
    pattern: str
    domain: str
    action: SipAction
    target: str
    strip: int
    prepend: str
    skip_missing: bool
    status: int
    enabled: bool
    note: str


class SipNumberCreate(Request):
    """POST /api/v1/sip/numbers: a telephone number for a room, which has one at most."""

    room: Id
    number: RoomNumber | None = None
    """None: nine random digits."""
    pin: Pin | None = None
    """Asked of telephones; only a hash of it is kept."""


class SipNumberPatch(Request):
    """PATCH /api/v1/sip/numbers/{number}; ``pin`` null takes it away."""

    pin: Pin | None


class SipNumberInfo(Reply):
    number: str
    room: str
    has_pin: bool
    created_at: float


class PageQuery(Request):
    limit: int = Field(default=50, ge=1, le=200)
    after: str = Field(default="", max_length=128)
    """``next`` of the page before."""


class SipAccountPage(Reply):
    items: list[SipAccountInfo]
    next: str | None
    """None: this was the last page."""


class SipTrunkPage(Reply):
    items: list[SipTrunkInfo]
    next: str | None


class DialRulePage(Reply):
    items: list[DialRuleInfo]
    next: str | None


class SipNumberPage(Reply):
    items: list[SipNumberInfo]
    next: str | None
