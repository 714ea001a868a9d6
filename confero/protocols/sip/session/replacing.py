"""Calls that take another call's place: the Replaces header, and what an attended transfer refers to (RFC 3891, RFC 5589)."""

from __future__ import annotations

from urllib.parse import quote

from ..dialog import Dialog
from ..errors import SipError
from ..fields import Replaces, read
from ..message import Request
from .core import Phase


def replaces_in(invite: Request) -> Replaces | None:
    """What an INVITE wants to replace; None if nothing. Raises SipError (400) for two at once (section 3), or a malformed one."""
    if len(invite.headers.rows("Replaces")) > 1:
        raise SipError("more than one Replaces", status=400)
    return read(invite, Replaces)


def names(replaces: Replaces, dialog: Dialog) -> bool:
    """Section 3: the to-tag is that of the end that is asked."""
    return dialog.id == (replaces.call_id, replaces.to_tag, replaces.from_tag)


def judged(replaces: Replaces, phase: Phase, *, we_called: bool) -> int:
    """Whether a call that is named may be replaced (section 3): 200, or the status of the refusal."""
    if phase == "ended":
        return 603
    if phase == "established":
        return 486 if replaces.early_only else 200
    # Whom we have called may be replaced while he rings; whoever rings here may not.
    return 200 if we_called else 481


def as_peer_has(dialog: Dialog) -> Replaces:
    """What names this dialog to its other end: for somebody who is to take our place in it."""
    return Replaces(dialog.call_id, dialog.remote_tag, dialog.local_tag)


def refer_to(uri: str, replaces: Replaces | None = None) -> str:
    """A Refer-To value (RFC 3515 section 2.1); with ``replaces``, that of an attended transfer (RFC 5589 section 7)."""
    return f"<{uri}?Replaces={quote(str(replaces), safe='')}>" if replaces else f"<{uri}>"
