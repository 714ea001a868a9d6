"""Accounts of people (443, /api/v1): setting up, signing in, keys, one-time links, and what administrators do with accounts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from .base import DisplayName, Id, Reply, Request, Token

AccountRole = Literal["admin", "moderator", "user"]
Scope = Literal["rooms:read", "rooms:write", "meetings:moderate", "records:read", "admin"]
"""What an API key may be made for; never more than its maker may."""
Login = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{1,127}$")
]
"""What somebody signs in with: a short name or a mail address; case does not count."""
Mail = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^\s@<>\"]+@[^\s@<>\"]+$")]
Password = Annotated[SecretStr, Field(min_length=1, max_length=1024)]
"""As typed; the rules for a new one are in ``appserver.accounts.passwords``."""
OneTime = Annotated[SecretStr, Field(min_length=16, max_length=256)]
"""The secret of a one-time link; it stands in the fragment of the link, which no server and no log sees."""


class UserInfo(Reply):
    """An account, as its owner and administrators see it."""

    id: Id
    login: str
    display_name: str
    mail: str | None = None
    role: AccountRole
    enabled: bool = True
    created_at: float
    signed_in_at: float | None = None


class EventsToken(Reply):
    """POST /api/v1/me/events"""

    token: Token
    """For the first message to ``/events``, or for ``Authorization`` of a stream or poll."""
    expires_at: float


class SessionInfo(Reply):
    """GET, POST /api/v1/session: who is signed in."""

    user: UserInfo | None = None
    """None: nobody is."""
    csrf: str = ""
    """To be sent back as ``X-CSRF-Token`` with everything that changes something."""
    setup_needed: bool = False
    """There is no administrator yet."""
    sign_up: bool = False
    """Whether anybody may make an account."""
    mail: bool = False
    """Whether a forgotten password can be helped by mail."""
    password_min: int = 15
    """Characters of a new password at least."""


class SetupRequest(Request):
    """POST /api/v1/setup: the first administrator, by the link that the first start has printed."""

    secret: OneTime
    login: Login
    display_name: DisplayName
    password: Password
    mail: Mail | None = None


class SignUp(Request):
    """POST /api/v1/accounts"""

    login: Login
    display_name: DisplayName
    password: Password
    mail: Mail | None = None


class SignIn(Request):
    """POST /api/v1/session"""

    login: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=254)]
    password: Password


class MePatch(Request):
    """PATCH /api/v1/me. Absent fields stay; changing the mail address wants the password."""

    display_name: DisplayName | None = None
    mail: Mail | Literal[""] | None = None
    password: Password | None = None


class PasswordChange(Request):
    """PUT /api/v1/me/password: every other session ends."""

    current: Password
    new: Password


class AccountEnd(Request):
    """POST /api/v1/me/delete"""

    password: Password


class DeviceInfo(Reply):
    """One session of an account: a browser that is signed in."""

    id: Id
    created_at: float
    used_at: float
    source: str
    """Address of the last request."""
    agent: str
    current: bool = False


class KeyCreate(Request):
    """POST /api/v1/me/keys"""

    name: DisplayName
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=5)]
    expires_at: float | None = None


class KeyInfo(Reply):
    id: Id
    name: str
    scopes: list[Scope]
    created_at: float
    expires_at: float | None = None
    used_at: float | None = None
    hint: str
    """Its first characters."""


class KeyMade(KeyInfo):
    key: str
    """Shown this once: ``Authorization: Bearer <key>``."""


class ResetRequest(Request):
    """POST /api/v1/password-resets: always 202, whoever it is."""

    login: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=254)]


class ResetUse(Request):
    """POST /api/v1/password-resets/use"""

    secret: OneTime
    password: Password


class UserCreate(Request):
    """POST /api/v1/users, by an administrator; without ``password`` a reset link is wanted."""

    login: Login
    display_name: DisplayName
    role: AccountRole = "user"
    mail: Mail | None = None
    password: Password | None = None


class UserPatch(Request):
    """PATCH /api/v1/users/{user}. Absent fields stay. The last enabled administrator stays one."""

    display_name: DisplayName | None = None
    mail: Mail | Literal[""] | None = None
    role: AccountRole | None = None
    enabled: bool | None = None


class ResetLink(Reply):
    """POST /api/v1/users/{user}/reset-link"""

    url: str
    expires_at: float


class AuditEntry(Reply):
    """Somebody did something that is kept."""

    id: int
    at: float
    actor: str
    """Login, ``key <hint> of <login>``, ``participant <id>``, ``admin token``, or ``-``."""
    source: str
    action: str
    """The name of the rule, such as ``users.patch``, or ``session.refused``."""
    target: str = ""
    detail: str = ""


class UserQuery(Request):
    """GET /api/v1/users"""

    search: str | None = Field(default=None, max_length=64)
    """Part of login, name or mail address."""
    limit: int = Field(default=50, ge=1, le=200)
    page: str | None = Field(default=None, max_length=512)


class AuditQuery(Request):
    """GET /api/v1/audit"""

    actor: str | None = Field(default=None, max_length=128)
    """Part of who did it."""
    action: str | None = Field(default=None, max_length=64)
    """Its beginning."""
    limit: int = Field(default=50, ge=1, le=200)
    page: str | None = Field(default=None, max_length=128)


class UserPage(Reply):
    items: list[UserInfo]
    next: str | None = None


class AuditPage(Reply):
    items: list[AuditEntry]
    next: str | None = None


class DeviceList(Reply):
    items: list[DeviceInfo]


class KeyList(Reply):
    items: list[KeyInfo]
