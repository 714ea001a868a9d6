"""The wire models between SIP gateway and application server: who calls, where calls go, PINs, records (80, /internal/v1/sip)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from .base import TOLD_AT_ONCE, Id, Reply, Request, Role
from .rooms import RoomSpec
from .sipadmin import SipAction, SipDirection, SipKeyExchange, SipMediaSecurity, SipTrunkInfo, Text


class LadderStep(Request):
    """One message of a call's ladder."""

    at: float
    sent: bool
    """By us."""
    peer: Annotated[str, StringConstraints(max_length=128)]
    text: Annotated[str, StringConstraints(max_length=256)]
    """Start line, or what else is worth a line."""


class SipCallRecord(Request):
    """What is known of a call. A later revision replaces an earlier one."""

    id: Id
    revision: int = Field(ge=1, le=1_000_000)
    direction: SipDirection
    from_uri: Text
    to_uri: Text
    trunk: Annotated[str, StringConstraints(max_length=64)] = ""
    account: Annotated[str, StringConstraints(max_length=64)] = ""
    room: Annotated[str, StringConstraints(max_length=64)] = ""
    participant: Annotated[str, StringConstraints(max_length=64)] = ""
    started_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    status: int = Field(default=0, ge=0, le=699)
    """The last of the call's set-up, or 0."""
    reason: Annotated[str, StringConstraints(max_length=128)] = ""
    ladder: list[LadderStep] = Field(default_factory=list, max_length=200)
    media: dict[Annotated[str, StringConstraints(max_length=64)], int | float | str] = Field(
        default_factory=dict, max_length=64
    )
    mos: float | None = Field(default=None, ge=1, le=5)
    """Estimate by the E-model (ITU-T G.107)."""


class SipCallRecords(Request):
    """POST /internal/v1/sip/calls -> 204: of several calls, in one transaction."""

    records: list[SipCallRecord] = Field(min_length=1, max_length=TOLD_AT_ONCE)


class SipCallInfo(Reply):
    """One line of GET /api/v1/sip/calls."""

    id: str
    direction: SipDirection
    from_uri: str
    to_uri: str
    trunk: str
    account: str
    room: str
    participant: str
    started_at: float
    answered_at: float | None
    ended_at: float | None
    status: int
    reason: str
    mos: float | None


class SipCallDetail(SipCallInfo):
    """GET /api/v1/sip/calls/{id}"""

    ladder: list[dict[str, Any]]
    media: dict[str, Any]


class SipCallPage(Reply):
    items: list[SipCallInfo]
    next: str | None


class SipWatch(Request):
    """Query of GET /internal/v1/sip/config"""

    version: int = -1
    """What the caller has."""
    wait_s: float = Field(default=0, ge=0, le=30)
    """How long the answer may wait for another version."""


class SipGatewayAccount(Reply):
    user: str
    realm: str
    display_name: str
    allow_md5_without_qop: bool
    media_security: SipMediaSecurity = "optional"
    key_exchange: SipKeyExchange = "sdes"
    symmetric: bool = False


class SipGatewayTrunk(SipTrunkInfo):
    secret: str | None
    """In clear."""


class SipConfigReply(Reply):
    """GET /internal/v1/sip/config?version=&wait_s= : what is enabled."""

    version: int
    changed: bool
    """False: the caller has this version, and nothing more is said."""
    trunks: list[SipGatewayTrunk] = Field(default_factory=list)
    accounts: list[SipGatewayAccount] = Field(default_factory=list)


class SipCredentialsAsk(Request):
    """POST /internal/v1/sip/credentials; 404 ``account-unknown``."""

    user: Annotated[str, StringConstraints(max_length=128)]
    realm: Annotated[str, StringConstraints(max_length=128)]
    algorithm: Literal["MD5", "SHA-256", "SHA-512-256"] = "MD5"


class SipCredentials(Reply):
    ha1: str
    """H(user:realm:password) in hexadecimal."""
    display_name: str
    allow_md5_without_qop: bool


class SipCaller(Request):
    """Who calls, as far as the gateway has proved it."""

    source: Annotated[str, StringConstraints(max_length=64)] = ""
    """Address from which the call came."""
    trunk: Annotated[str, StringConstraints(max_length=64)] = ""
    account: Annotated[str, StringConstraints(max_length=64)] = ""
    """User of the account whose digest was right; with ``realm``."""
    realm: Annotated[str, StringConstraints(max_length=128)] = ""
    participant: Annotated[str, StringConstraints(max_length=64)] = ""
    """A browser, for calls out."""
    from_user: Annotated[str, StringConstraints(max_length=128)] = ""
    from_name: Annotated[str, StringConstraints(max_length=256)] = ""
    anonymous: bool = False
    """Asks not to be named (RFC 3323)."""


class SipRouteAsk(Request):
    """POST /internal/v1/sip/route"""

    call: Id
    direction: SipDirection
    caller: SipCaller
    user: Annotated[str, StringConstraints(max_length=512)]
    """User part of the address called, unescaped."""
    domain: Annotated[str, StringConstraints(max_length=255)] = ""


class SipPlace(Reply):
    """A place in a room for a telephone: make the room at the MCU by ``spec``, then the leg."""

    participant: Id
    display_name: str
    role: Role
    room: Id
    spec: RoomSpec
    mcu: Id
    mcu_url: str
    reserved_until: float
    """The place is kept until then; the leg's own record keeps it afterwards."""
    may_speak: bool = True
    """False: the leg is held until a host lets."""
    waiting: bool = False
    """In the lobby: no leg yet. Asked for again, with ``participant``, every few seconds, it is kept, until it is a place in the
    room, or 404 ``participant-unknown`` for whoever was refused."""


class SipMove(Request):
    """PUT /v1/calls/{call}/place at the SIP gateway -> 204: the call goes into that room, by another leg where that is needed."""

    place: SipPlace


class SipBrowser(Reply):
    """A browser to be made to ring, through the notifier."""

    participant: Id
    room: Id
    display_name: str


class SipDecision(Reply):
    """What is to become of a call: by ``action`` the fields that go with it."""

    action: SipAction
    rule: int | None = None
    """Which rule of the dial plan decided."""
    place: SipPlace | None = None
    """``room``: where the caller goes. ``trunk``, ``address``, ``user`` with an account: where the called goes, if a
    browser calls."""
    number: str = ""
    """``menu``: the room's number if only its PIN is to be asked, else nothing. ``trunk``, ``address``: what to call."""
    host_pin: bool = False
    """``menu``: only hosts have a PIN, as ``ask-host`` of SipPinReply says."""
    user: str = ""
    """``user``: whose registered telephones ring, if any."""
    realm: str = ""
    browsers: list[SipBrowser] = Field(default_factory=list)
    """``user``: browsers that ring."""
    trunks: list[str] = Field(default_factory=list)
    """``trunk``: in the order in which to try them."""
    caller_number: dict[str, str] = Field(default_factory=dict)
    """``trunk``: for each trunk who calls; nothing: anonymous."""
    domain: str = ""
    """``address``"""
    status: int = 0
    """``reject``: of the SIP answer."""
    code: str = ""
    """``reject``: the reason, such as ``room-unknown``, ``call-out-refused``, ``call-out-limit``."""


class SipPinAsk(Request):
    """POST /internal/v1/sip/pin: a number and perhaps a PIN were keyed."""

    call: Id
    caller: SipCaller
    number: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]
    pin: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,16}$")] | None = None
    """None: only the number is known yet. Empty: of somebody who has none, after ``ask-host``."""


class SipPinReply(Reply):
    outcome: Literal["accepted", "ask-pin", "ask-host", "wrong", "wait"]
    """``ask-pin`` is answered for a number that has a PIN, and for one that nobody has; ``ask-host`` where only hosts have one:
    whoever keys none is a guest. ``wait``: too many tries; this one was not looked at."""
    place: SipPlace | None = None
    tries_left: int = 0
    """Of this call."""
    retry_after_s: float = 0.0
    """Before that each try is answered ``wait``."""


class SipPlaceAsk(Request):
    """POST /internal/v1/sip/places: a place for a call's other end or after a transfer; with ``participant`` the present one
    again, for when its MCU was lost."""

    room: Id | None = None
    """None: a fresh room for this call."""
    participant: Id | None = None
    caller: SipCaller = SipCaller()


class SipGivenUp(Request):
    """POST /internal/v1/sip/places/given-up: a caller who waited in the room's lobby has hung up."""

    room: Id
    participant: Id


class SipHand(Request):
    """POST /internal/v1/sip/hands: a caller's hand goes up, or down if it was up."""

    room: Id
    participant: Id


class SipHandReply(Reply):
    raised: bool
    """What it is now."""
