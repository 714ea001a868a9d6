"""Who is there, by what notifiers tell, in whatever order and however often."""

from __future__ import annotations

from typing import Literal

from confero.appserver.news.online import Online
from confero.models import UserNotice, UserSession


def notice(
    kind: Literal["connected", "disconnected"], session: str, user: str = "ada", notifier: str = "n1"
) -> UserNotice:
    return UserNotice(kind=kind, session=session, user=user, notifier=notifier)


def test_a_user_is_there_from_the_first_page_to_the_last() -> None:
    online = Online()
    assert online.told([notice("connected", "s1"), notice("connected", "s2")]) == [("ada", True)]
    assert online.told([notice("disconnected", "s1")]) == []
    assert "ada" in online
    assert online.told([notice("disconnected", "s2")]) == [("ada", False)]
    assert "ada" not in online
    assert len(online) == 0


def test_what_is_said_twice_happens_once() -> None:
    online = Online()
    online.told([notice("connected", "s1"), notice("connected", "s1"), notice("disconnected", "s1")])
    assert online.told([notice("disconnected", "s1"), notice("disconnected", "unknown")]) == []
    assert "ada" not in online


def test_a_snapshot_puts_right_what_was_lost() -> None:
    online = Online()
    online.told([notice("connected", "s1"), notice("connected", "s2", "bob"), notice("connected", "s1", notifier="n2")])
    changes = online.snapshot("n1", [UserSession(session="s3", user="eve")])
    assert sorted(changes) == [("bob", False), ("eve", True)]
    assert "ada" in online  # by the other notifier
    assert online.snapshot("n2", []) == [("ada", False)]
