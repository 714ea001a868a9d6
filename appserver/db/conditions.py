"""Conditions on rows that several statements share."""

from __future__ import annotations

from sqlalchemy import BindParameter, ColumnElement, or_

from .models import participants

_ROW = participants.c


def live(now: float | BindParameter[float]) -> ColumnElement[bool]:
    """``Person.is_live``: connected, heard, or expected."""
    return or_(_ROW.session.is_not(None), _ROW.leg_mcu.is_not(None), _ROW.reserved_until > now)


def inside(now: float | BindParameter[float]) -> ColumnElement[bool]:
    """They take a place in their room."""
    return _ROW.admitted & live(now)


def waits(now: float) -> ColumnElement[bool]:
    """They wait in its lobby."""
    return ~_ROW.admitted & live(now)
