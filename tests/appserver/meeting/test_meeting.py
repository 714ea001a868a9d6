"""Meetings over the wire: application server, notifier and an MCU without media; restarts of each."""

from __future__ import annotations

from typing import Any

import pytest

from confero.appserver.meeting import chat
from confero.clock import SystemClock
from confero.errors import Refused
from confero.models.sip import SipHand, SipHandReply
from confero.runtime.client import ServiceClient

from ..site import SECRET
from .conftest import Hall


def code(problem: Any) -> str:
    return str(problem["type"]).rpartition(":")[2]


async def test_whoever_comes_is_told_of_the_meeting(hall: Hall) -> None:
    room = await hall.room()
    host = await hall.host(room)
    await host.call("POST", "messages", {"text": "hello"})
    guest = await hall.guest(room)
    assert guest.joined["meeting"]["started_at"] == host.joined["meeting"]["started_at"] is not None
    assert [message["text"] for message in guest.joined["chat"]] == ["hello"]
    status, state = await guest.call("GET", "meeting")
    assert (status, state) == (200, guest.joined["meeting"])


async def test_guests_ask_to_speak_and_a_host_lets_them(hall: Hall) -> None:
    room = await hall.room()
    host, guest = await hall.host(room), await hall.guest(room)
    await guest.offer()
    assert (await host.call("PATCH", "meeting", {"speak": "request"}))[0] == 200
    await guest.state(lambda state: state["speak"] == "request")
    assert hall.heard(guest).held
    assert (await guest.call("PUT", "hand", {"raised": True}))[0] == 204
    state = await host.state(lambda state: state["hands"])
    assert state["hands"][0]["participant"] == guest.id
    assert (await host.call("PATCH", f"participants/{guest.id}", {"may_speak": True}))[0] == 204
    state = await guest.state(lambda state: state["speakers"] == [guest.id])
    assert state["hands"] == [] and not hall.heard(guest).held


async def test_a_caller_raises_a_hand_and_takes_it_down(hall: Hall) -> None:
    """By the SIP gateway, within the limits that pages have; nobody else may ask for it."""
    room = await hall.room()
    host = await hall.host(room)
    place = await hall.site.app.telephony.places.knock(room, "Bob")
    gateway = ServiceClient("sipgw", "appserver", hall.site.internal_url, secret=SECRET, clock=SystemClock())
    path, wish = "/internal/v1/sip/hands", SipHand(room=room, participant=place.participant)
    assert (await gateway.call("POST", path, body=wish, reply=SipHandReply)).raised
    state = await host.state(lambda state: state["hands"])
    assert [hand["participant"] for hand in state["hands"]] == [place.participant]
    assert not (await gateway.call("POST", path, body=wish, reply=SipHandReply)).raised
    await host.state(lambda state: not state["hands"])
    await gateway.call("POST", path, body=wish, reply=SipHandReply)
    assert (await host.call("PATCH", f"participants/{place.participant}", {"hand": False}))[0] == 204
    await host.state(lambda state: not state["hands"])
    with pytest.raises(Refused, match="participant"):
        await gateway.call("POST", path, body=SipHand(room=room, participant="p_nobody"), reply=SipHandReply)
    with pytest.raises(Refused, match="too much"):
        for _ in range(6):
            await gateway.call("POST", path, body=wish, reply=SipHandReply)
    await gateway.close()


async def test_whoever_comes_into_a_silent_room_is_held_from_the_start(hall: Hall) -> None:
    room = await hall.room()
    host = await hall.host(room)
    await host.call("PATCH", "meeting", {"speak": "request"})
    guest = await hall.guest(room)
    await guest.offer()
    assert hall.heard(guest).held


async def test_mutes(hall: Hall) -> None:
    room = await hall.room()
    host, guest = await hall.host(room), await hall.guest(room)
    await host.offer()
    await guest.offer()
    assert (await host.call("PATCH", f"participants/{guest.id}", {"muted": True}))[0] == 204
    assert hall.heard(guest).muted
    assert (await host.call("PATCH", f"participants/{guest.id}", {"muted": False}))[0] == 204
    assert (await guest.event("ask"))["by"] == "Host"
    assert hall.heard(guest).muted, "only they can do that"
    await guest.browser.ask("mute", muted=False)
    assert await host.call("POST", "mute-all", {}) == (200, {"muted": 1})
    assert hall.heard(guest).muted and not hall.heard(host).muted


async def test_roles(hall: Hall) -> None:
    room = await hall.room()
    host, guest = await hall.host(room), await hall.guest(room)
    await guest.offer()
    status, problem = await guest.call("PATCH", "meeting", {"locked": True})
    assert (status, code(problem)) == (403, "not-allowed")
    assert (await host.call("PATCH", f"participants/{guest.id}", {"role": "host"}))[0] == 204
    assert (await guest.event("role"))["role"] == "host"
    assert hall.heard(guest).role == "host"
    assert (await guest.call("PATCH", "meeting", {"locked": True}))[0] == 200
    assert (await guest.call("PATCH", f"participants/{host.id}", {"role": "guest"}))[0] == 204
    status, problem = await guest.call("PATCH", f"participants/{guest.id}", {"role": "guest"})
    assert (status, code(problem)) == (409, "last-host")


async def test_a_locked_room_lets_nobody_new_in(hall: Hall) -> None:
    room = await hall.room()
    host = await hall.host(room)
    await host.call("PATCH", "meeting", {"locked": True})
    status, problem = await hall.site.call("POST", f"/api/v1/rooms/{room}/join", {"display_name": "Late"})
    assert (status, code(problem)) == (403, "room-locked")


async def test_whoever_is_removed_is_gone_and_stays_out(hall: Hall) -> None:
    room = await hall.room()
    host, guest = await hall.host(room), await hall.guest(room)
    await guest.offer()
    assert (await host.call("DELETE", f"participants/{guest.id}"))[0] == 204
    assert (await guest.event("closed"))["reason"] == "removed"
    assert await guest.browser.close_code() == 4403
    assert hall.heard(guest) is None
    again = {"display_name": "Guest", "previous_token": guest.token}
    status, problem = await hall.site.call("POST", f"/api/v1/rooms/{room}/join", again)
    assert (status, code(problem)) == (403, "removed")
    assert (await guest.call("POST", "messages", {"text": "hey"}))[0] == 403
    assert (await host.call("DELETE", f"participants/{guest.id}"))[0] == 404


async def test_the_end_for_all(hall: Hall) -> None:
    room = await hall.room()
    host, guest = await hall.host(room), await hall.guest(room)
    await guest.offer()
    assert (await host.call("POST", "meeting/end"))[0] == 204
    for one in (host, guest):
        assert (await one.event("closed"))["reason"] == "ended"
        assert await one.browser.close_code() == 4403
    assert room not in hall.site.mcu.rooms


async def test_somebody_is_moved_to_another_room(hall: Hall) -> None:
    room, side = await hall.room(), await hall.room()
    host, guest = await hall.host(room), await hall.guest(room)
    await guest.offer()
    status, problem = await host.call("POST", f"participants/{guest.id}/move", {"room": side})
    assert (status, code(problem)) == (403, "not-allowed"), "no host there"
    await host.call("POST", "meeting/end")


async def test_chat(hall: Hall) -> None:
    room = await hall.room()
    host, guest = await hall.host(room), await hall.guest(room)
    status, sent = await guest.call("POST", "messages", {"text": " Grüße 🎧 ", "nonce": "n1"})
    assert (status, sent["text"], sent["display_name"]) == (201, "Grüße 🎧", "Guest")
    assert (await host.event("chat"))["message"] == sent
    assert (await guest.call("POST", "messages", {"text": "again", "nonce": "n1"}))[1] == sent
    assert (await host.call("GET", "messages"))[1] == {"items": [sent], "next": None}
    assert (await guest.call("DELETE", f"messages/{sent['id']}"))[0] == 403
    assert (await host.call("DELETE", f"messages/{sent['id']}"))[0] == 204
    assert (await guest.event("chat_deleted"))["id"] == sent["id"]
    assert (await host.call("DELETE", f"messages/{sent['id']}"))[0] == 404


async def test_pages_of_the_chat(hall: Hall) -> None:
    guest = await hall.guest(await hall.room())
    for n in range(5):
        await guest.call("POST", "messages", {"text": str(n)})
    _, latest = await guest.call("GET", "messages?limit=2")
    _, before = await guest.call("GET", f"messages?limit=2&page={latest['next']}")
    _, first = await guest.call("GET", f"messages?limit=2&page={before['next']}")
    pages = [[message["text"] for message in page["items"]] for page in (latest, before, first)]
    assert (pages, first["next"]) == ([["3", "4"], ["1", "2"], ["0"]], None)
    status, problem = await guest.call("GET", "messages?page=x")
    assert (status, code(problem)) == (422, "page-invalid")


async def test_whoever_comes_late_is_told_where_the_earlier_chat_is(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "WELCOME", 2)
    room = await hall.room()
    host = await hall.host(room)
    for n in range(2):
        await host.call("POST", "messages", {"text": str(n)})
    assert (await hall.guest(room)).joined["chat_next"] is None
    await host.call("POST", "messages", {"text": "2"})
    late = await hall.guest(room)
    assert [message["text"] for message in late.joined["chat"]] == ["1", "2"]
    _, earlier = await late.call("GET", f"messages?page={late.joined['chat_next']}")
    assert ([message["text"] for message in earlier["items"]], earlier["next"]) == (["0"], None)


async def test_reactions_are_seen_and_bounded(hall: Hall) -> None:
    room = await hall.room()
    host, guest = await hall.host(room), await hall.guest(room)
    assert (await guest.call("POST", "reactions", {"emoji": "👏"}))[0] == 204
    seen = await host.event("reaction")
    assert (seen["participant"], seen["display_name"], seen["emoji"]) == (guest.id, "Guest", "👏")
    assert (await guest.call("POST", "reactions", {"emoji": "x"}))[0] == 422
    answers = [(await guest.call("POST", "reactions", {"emoji": "🎉"}))[0] for _ in range(40)]
    assert 429 in answers


# --- restarts --------------------------------------------------------------------------------------------------------


async def _a_meeting(hall: Hall) -> Any:
    room = await hall.room()
    host, guest = await hall.host(room), await hall.guest(room)
    await guest.offer()
    await host.call("PATCH", "meeting", {"speak": "request", "locked": True, "spotlight": guest.id})
    await guest.call("PUT", "hand", {"raised": True})
    await guest.call("POST", "messages", {"text": "still here?"})
    return host, guest, (await host.call("GET", "meeting"))[1]


async def test_all_is_there_after_a_restart_of_the_application_server(hall: Hall) -> None:
    host, guest, state = await _a_meeting(hall)
    await hall.restart_appserver()
    assert await host.call("GET", "meeting") == (200, state)
    back = await hall.site.join("Guest", host.room, previous_token=guest.token)
    assert back["meeting"] == state
    assert [message["text"] for message in back["chat"]] == ["still here?"]
    assert (await host.call("PATCH", "meeting", {"locked": False}))[0] == 200, "still a host"


async def test_who_is_held_is_so_after_a_restart_of_notifier_and_mcu(hall: Hall) -> None:
    host, guest, _ = await _a_meeting(hall)
    await hall.restart_notifier()
    guest = await hall.seat(guest.joined)
    await hall.restart_mcu()
    await guest.event("renegotiate")
    await guest.offer()
    assert hall.heard(guest).held
    assert (await host.call("PATCH", f"participants/{guest.id}", {"may_speak": True}))[0] == 204
    assert not hall.heard(guest).held


async def test_what_could_not_be_told_is_told_later(hall: Hall) -> None:
    """The application server has written it, the notifier is away: after that comes back everybody is told, and held."""
    room = await hall.room()
    host, guest = await hall.host(room), await hall.guest(room)
    await guest.offer()
    await hall.notifier.stop()
    assert (await host.call("PATCH", "meeting", {"speak": "request"}))[0] == 200
    assert (await host.call("PATCH", f"participants/{host.id}", {"hand": False}))[0] == 204
    await hall.start_notifier()
    await hall.until(lambda: hall.heard(guest).held, "held after all")


async def test_whoever_was_removed_while_nobody_could_be_told_is_removed_later(hall: Hall) -> None:
    room = await hall.room()
    host, guest = await hall.host(room), await hall.guest(room)
    await guest.offer()
    await hall.notifier.stop()
    assert (await host.call("DELETE", f"participants/{guest.id}"))[0] == 204
    await hall.start_notifier()
    await hall.until(lambda: hall.heard(guest) is None, "removed after all")


async def test_whoever_is_in_a_deleted_room_is_sent_away(hall: Hall) -> None:
    room = await hall.room()
    guest = await hall.guest(room)
    await guest.offer()
    admin = {"Authorization": f"Bearer {(hall.site.app.config.state_dir / 'admin-token').read_text().strip()}"}
    assert (await hall.site.call("DELETE", f"/api/v1/rooms/{room}", None, admin))[0] == 204
    assert (await guest.event("closed"))["reason"] == "ended"
    assert room not in hall.site.mcu.rooms


async def test_a_deleted_room_ends_at_its_media_server_when_that_is_heard_of_again(hall: Hall) -> None:
    """The notifier was away, and the application server has been started anew meanwhile."""
    room = await hall.room()
    guest = await hall.guest(room)
    await guest.offer()
    await hall.site.mcu.register(hall.site.internal_url)  # says who is there
    await hall.notifier.stop()
    admin = {"Authorization": f"Bearer {(hall.site.app.config.state_dir / 'admin-token').read_text().strip()}"}
    assert (await hall.site.call("DELETE", f"/api/v1/rooms/{room}", None, admin))[0] == 204
    assert room in hall.site.mcu.rooms
    await hall.restart_appserver()
    await hall.start_notifier()
    await hall.until(lambda: room not in hall.site.mcu.rooms, "the room has ended there too")
