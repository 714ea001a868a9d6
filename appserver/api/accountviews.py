"""Accounts as the API shows them: everything but secrets."""

from __future__ import annotations

from confero.models.accounts import AuditEntry, DeviceInfo, KeyInfo, UserInfo

from ..accounts.entities import Key, Note, Session, User


def user_info(user: User) -> UserInfo:
    return UserInfo(
        id=user.id,
        login=user.login,
        display_name=user.display_name,
        mail=user.mail,
        role=user.role,
        enabled=user.enabled,
        created_at=user.created_at,
        signed_in_at=user.signed_in_at,
    )


def device_info(session: Session, current: str | None) -> DeviceInfo:
    return DeviceInfo(
        id=session.id,
        created_at=session.created_at,
        used_at=session.used_at,
        source=session.source,
        agent=session.agent,
        current=session.id == current,
    )


def key_info(key: Key) -> KeyInfo:
    return KeyInfo(
        id=key.id,
        name=key.name,
        scopes=sorted(key.scopes),
        created_at=key.created_at,
        expires_at=key.expires_at,
        used_at=key.used_at,
        hint=key.hint,
    )


def audit_entry(number: int, note: Note) -> AuditEntry:
    return AuditEntry(
        id=number,
        at=note.at,
        actor=note.actor,
        source=note.source,
        action=note.action,
        target=note.target,
        detail=note.detail,
    )
