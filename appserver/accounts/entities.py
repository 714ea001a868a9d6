"""What is known of accounts: plain values that the rules and the database share. Every time is Unix time."""

from __future__ import annotations

from dataclasses import dataclass, field

from confero.models.accounts import AccountRole, Scope


@dataclass(frozen=True)
class User:
    """An account."""

    id: str
    login: str
    """Lower case."""
    display_name: str
    created_at: float
    role: AccountRole = "user"
    mail: str | None = None
    enabled: bool = True
    password: str | None = field(default=None, repr=False)
    """Its argon2id hash; None: there is none yet, a reset link makes one."""
    signed_in_at: float | None = None


@dataclass(frozen=True)
class Session:
    """A browser that is signed in. The cookie's secret is nowhere: only its digest is."""

    id: str
    digest: str = field(repr=False)
    user: str
    csrf: str = field(repr=False)
    created_at: float
    used_at: float
    """To some minutes, so that not every request writes."""
    expires_at: float
    """The absolute end."""
    source: str
    agent: str


@dataclass(frozen=True)
class Key:
    """An API key; only the digest of its secret is kept."""

    id: str
    digest: str = field(repr=False)
    user: str
    name: str
    scopes: frozenset[Scope]
    hint: str
    created_at: float
    expires_at: float | None = None
    used_at: float | None = None


@dataclass(frozen=True)
class Link:
    """A one-time link to a new password."""

    digest: str = field(repr=False)
    user: str
    created_at: float
    expires_at: float


@dataclass(frozen=True)
class Note:
    """A line of the audit log before it has its number."""

    at: float
    actor: str
    source: str
    action: str
    target: str = ""
    detail: str = ""
