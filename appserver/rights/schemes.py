"""How a caller can prove who they are, by the rule that judges them: security schemes as OpenAPI names them."""

from __future__ import annotations

from typing import Any

from .gate import COOKIE, SAFE_METHODS
from .table import RELATIONS, Relation, Rule

SCHEMES: dict[str, dict[str, Any]] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "Of `POST /api/v1/session`. Whatever changes something wants `csrf` beside it.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "`csrf` of `GET /api/v1/session`: another site, which has the cookie sent, does not know it.",
    },
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, made by `POST /api/v1/me/keys`: begins with `ck_`, and may what its scopes say.",
    },
    "participant": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token that `POST /api/v1/rooms/{room}/join` has given, for this room.",
    },
    "admin": {
        "type": "http",
        "scheme": "bearer",
        "description": "The installation's admin token (`admin-token` in its state directory).",
    },
}
IN_ROOM: frozenset[Relation] = frozenset({"participant", "room-host"})
ACCOUNTS: frozenset[Relation] = frozenset(RELATIONS) - {"anyone", "participant"}


def ways(rule: Rule, method: str) -> tuple[tuple[str, ...], ...]:
    """Any of these is enough; each is what has to be shown together, ``()`` nothing."""
    if not rule.judged:
        return ((),)
    open_to_all, scoped = "anyone" in rule.may, rule.scope is not None
    session = ("session",) if method in SAFE_METHODS else ("session", "csrf")
    wanted: list[tuple[bool, tuple[str, ...]]] = [
        (open_to_all, ()),
        (bool(rule.may & IN_ROOM), ("participant",)),
        (open_to_all or bool(rule.may & ACCOUNTS), session),
        (scoped and (open_to_all or bool(rule.may & ACCOUNTS)), ("key",)),
        ("admin" in rule.may or (open_to_all and scoped), ("admin",)),
    ]
    return tuple(way for holds, way in wanted if holds)


def refusals(rule: Rule, method: str) -> tuple[str, ...]:
    """The problems that the guard, or the database, may answer under the rule, as ``Route.errors`` has them."""
    if not rule.judged:
        return ()
    shown = (
        "401 token-invalid",
        "401 token-expired",
        "403 scope-missing",
        "429 too-many-requests",
        "503 database-down",
    )
    changes = () if method in SAFE_METHODS else ("403 csrf", "503 database-unsure")
    closed = () if "anyone" in rule.may else ("401 sign-in-needed", "403 not-allowed")
    return (*closed, *shown, *changes)


def who(rule: Rule) -> str:
    """Who may, in a sentence or two."""
    if not rule.judged:
        return ""
    people = "; ".join(RELATIONS[one] for one in RELATIONS if one in rule.may)
    return f"For {people}. " + (f"An API key needs the scope `{rule.scope}`." if rule.scope else "Not for API keys.")
