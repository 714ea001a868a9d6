"""Meetings and chats in the database: versions, what is due, who is barred, what ends with the meeting."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, update

from confero.appserver.db.chatstore import KEPT, SqlChat
from confero.appserver.db.engine import Database
from confero.appserver.db.meetingstore import SqlMeetings
from confero.appserver.db.meetingtables import chat_messages, meeting_states
from confero.appserver.db.models import participants, rooms
from confero.appserver.db.repositories import SqlStore
from confero.appserver.meeting import rules
from confero.appserver.meeting.state import Outcome, Scene
from confero.errors import Refused
from confero.models.meetings import MeetingPatch, ParticipantPatch

from .test_repositories import NOW, ROOM, person

DUE = NOW + 5


@pytest.fixture
async def meetings(store: SqlStore, database: Database) -> SqlMeetings:
    await store.add_room(replace(ROOM, max_participants=10), 100)
    for name, role in (("alice", "host"), ("bob", "guest"), ("eve", "guest")):
        await store.admit(person(name, role=role, user=f"u-{name}"), replace(ROOM, max_participants=10), NOW)
    return SqlMeetings(database)


async def scene(meetings: SqlMeetings, whom: Any = "everybody") -> Scene:
    found = await meetings.scene("lobby", NOW, whom)
    assert found is not None
    return found


async def patch(meetings: SqlMeetings, **wish: Any) -> Outcome:
    def rule(scene: Scene) -> Outcome:
        return rules.patched(scene, MeetingPatch(**wish))

    done = await meetings.change("lobby", NOW, rule, "everybody", due=DUE)
    assert done is not None
    return done


async def gone(database: Database, *names: str) -> None:
    one = update(participants).where(participants.c.id.in_(names)).values(reserved_until=0.0)
    await database.write(lambda connection: connection.execute(one))


async def test_a_change_is_written_and_grows_the_version(meetings: SqlMeetings) -> None:
    assert (await scene(meetings)).meeting.version == 0
    done = await patch(meetings, locked=True, speak="request", spotlight="bob")
    again = await scene(meetings)
    assert done.scene == again
    meeting = again.meeting
    assert (meeting.version, meeting.locked, meeting.speak, meeting.spotlight) == (1, True, "request", "bob")
    assert (await patch(meetings, locked=True)).scene.meeting.version == 1


async def test_a_rule_that_refuses_changes_nothing(meetings: SqlMeetings) -> None:
    with pytest.raises(Refused):
        await patch(meetings, locked=True, spotlight="nobody")
    assert not (await scene(meetings)).meeting.locked
    assert await meetings.change("nowhere", NOW, rules.ended, due=DUE) is None


async def test_a_scene_holds_hosts_hands_and_whoever_is_asked_for(meetings: SqlMeetings) -> None:
    assert set((await scene(meetings, ())).people) == {"alice"}
    await meetings.change("lobby", NOW, partial(rules.hand, participant="bob", now=NOW, raised=True), ["bob"], due=DUE)
    assert set((await scene(meetings, ())).people) == {"alice", "bob"}
    assert set((await scene(meetings, ["eve"])).people) == {"alice", "bob", "eve"}


async def test_changes_at_once_all_count(meetings: SqlMeetings) -> None:
    def raised(name: str, at: float) -> Any:
        rule = partial(rules.hand, participant=name, now=at, raised=True)
        return meetings.change("lobby", NOW, rule, [name], due=DUE)

    await asyncio.gather(*(raised(name, NOW + n) for n, name in enumerate(("alice", "bob", "eve"))))
    found = await scene(meetings)
    assert found.meeting.version == 3
    assert all(one.hand_at for one in found.people.values())


async def test_what_is_due_is_due_until_that_version_was_told(meetings: SqlMeetings) -> None:
    await patch(meetings, locked=True)
    assert await meetings.due(DUE - 1) == []
    assert await meetings.due(DUE) == [("lobby", 1)]
    await patch(meetings, locked=False)
    await meetings.told("lobby", 1)
    assert await meetings.due(DUE) == [("lobby", 2)]
    await meetings.told("lobby", 2)
    assert await meetings.due(DUE) == []


async def test_a_rooms_settings_are_due_at_once(meetings: SqlMeetings, store: SqlStore) -> None:
    await patch(meetings, locked=True)
    await store.change_room("lobby", {"speak": "request"})
    assert await meetings.due(0.0) == [("lobby", 2)]


async def test_whoever_was_removed_is_barred_until_the_meeting_is_over(
    meetings: SqlMeetings, store: SqlStore, database: Database
) -> None:
    await meetings.change("lobby", NOW, partial(rules.begun, now=NOW), due=DUE)
    await meetings.change("lobby", NOW, partial(rules.removed, participant="bob", now=NOW), ["bob"], due=DUE)
    assert await store.barred("lobby", "bob", None, None)
    assert await store.barred("lobby", None, "u-bob", None)
    assert not await store.barred("lobby", "eve", "u-eve", None)
    assert not await store.barred("lobby", None, None, None)
    assert await store.live_count("lobby", NOW) == 2
    await gone(database, "alice", "eve")
    assert await meetings.deserted(NOW) == ["lobby"]
    await meetings.conclude("lobby", NOW)
    assert not await store.barred("lobby", "bob", "u-bob", None)
    assert await meetings.deserted(NOW) == []


async def test_a_meeting_is_not_over_while_somebody_is_there(meetings: SqlMeetings, database: Database) -> None:
    await meetings.change("lobby", NOW, partial(rules.begun, now=NOW), due=DUE)
    await patch(meetings, locked=True)
    await gone(database, "alice", "bob")
    assert await meetings.deserted(NOW) == []
    await meetings.conclude("lobby", NOW)
    assert (await scene(meetings)).meeting.locked
    await gone(database, "eve")
    await meetings.conclude("lobby", NOW)
    meeting = (await scene(meetings)).meeting
    assert (meeting.locked, meeting.started_at) == (False, None)


async def test_guests_wait_again_in_the_next_meeting_where_there_is_a_lobby(
    meetings: SqlMeetings, store: SqlStore, database: Database
) -> None:
    await meetings.change("lobby", NOW, partial(rules.begun, now=NOW), due=DUE)
    await patch(meetings, lobby=True)
    await gone(database, "alice", "bob", "eve")
    await meetings.conclude("lobby", NOW)
    alice, bob = await store.person("alice"), await store.person("bob")
    assert alice is not None and alice.admitted
    assert bob is not None and not bob.admitted


async def test_the_end_frees_all_places_and_names_who_waits(meetings: SqlMeetings, store: SqlStore) -> None:
    await store.admit(person("out", admitted=False), ROOM, NOW, waiting=5)
    await patch(meetings, locked=True)
    assert await meetings.end("lobby", NOW, due=DUE) == ["out"]
    assert await store.live_count("lobby", NOW) == 0
    meeting = (await scene(meetings)).meeting
    assert (meeting.ending, meeting.locked) == (True, False)
    await meetings.end_told("lobby")
    assert not (await scene(meetings)).meeting.ending
    assert await meetings.end("nowhere", NOW, due=DUE) is None


async def test_a_move_takes_a_place_in_the_other_room(meetings: SqlMeetings, store: SqlStore) -> None:
    await store.add_room(replace(ROOM, id="side", max_participants=1), 100)
    await meetings.move("lobby", "bob", "side", NOW, due=DUE, until=NOW + 30)
    bob = await store.person("bob")
    assert bob is not None and (bob.room, bob.admitted) == ("side", True)
    assert await store.live_count("side", NOW) == 1
    for who, room, code in (
        ("eve", "side", "room-full"),
        ("bob", "side", "participant-unknown"),
        ("eve", "x", "room-unknown"),
    ):
        with pytest.raises(Refused) as caught:
            await meetings.move("lobby", who, room, NOW, due=DUE, until=NOW + 30)
        assert caught.value.code == code


async def test_roles_are_kept(meetings: SqlMeetings, store: SqlStore) -> None:
    def rule(scene: Scene) -> Outcome:
        return rules.changed(scene, "bob", ParticipantPatch(role="host", may_speak=True))

    await meetings.change("lobby", NOW, rule, ["bob"], due=DUE)
    bob = await store.person("bob")
    assert bob is not None and (bob.role, bob.may_speak) == ("host", True)


# --- chat ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def chat(meetings: SqlMeetings, database: Database) -> SqlChat:
    return SqlChat(database)


async def say(chat: SqlChat, text: str, nonce: str | None = None, who: str = "bob", room: str = "lobby") -> int:
    message, _ = await chat.add(room, who, who.title(), text, nonce, NOW)
    return message.id


async def test_messages_are_numbered_in_their_room(chat: SqlChat) -> None:
    assert [await say(chat, "a"), await say(chat, "b 🎧"), await say(chat, "c", room="other")] == [1, 2, 1]
    assert [(m.id, m.text, m.display_name) for m in await chat.page("lobby", None, 10)] == [
        (1, "a", "Bob"),
        (2, "b 🎧", "Bob"),
    ]


async def test_all_who_write_at_once_are_kept(chat: SqlChat) -> None:
    numbers = await asyncio.gather(*(say(chat, str(n), who=f"p{n}") for n in range(12)))
    assert sorted(numbers) == list(range(1, 13))


async def test_a_nonce_counts_once_for_its_sender(chat: SqlChat) -> None:
    first, new = await chat.add("lobby", "bob", "Bob", "hello", "n1", NOW)
    again, fresh = await chat.add("lobby", "bob", "Bob", "hello", "n1", NOW + 1)
    assert (new, fresh, again) == (True, False, first)
    assert await say(chat, "mine", "n1", who="eve") != first.id
    assert len(await chat.page("lobby", None, 10)) == 2


async def test_pages_go_back_from_the_latest(chat: SqlChat) -> None:
    for n in range(5):
        await say(chat, str(n))
    assert [m.text for m in await chat.page("lobby", None, 2)] == ["3", "4"]
    assert [m.text for m in await chat.page("lobby", 4, 2)] == ["1", "2"]


async def test_a_message_is_taken_away(chat: SqlChat) -> None:
    number = await say(chat, "a")
    assert not await chat.delete("other", number)
    assert await chat.delete("lobby", number) and not await chat.delete("lobby", number)


async def test_the_oldest_of_too_many_go(chat: SqlChat, database: Database) -> None:
    await say(chat, "old")
    far = update(meeting_states).values(last_message=KEPT)
    await database.write(lambda connection: connection.execute(far))
    assert await say(chat, "new") == KEPT + 1
    assert [m.text for m in await chat.page("lobby", None, 10)] == ["new"]


async def test_what_is_of_a_room_goes_with_it(chat: SqlChat, store: SqlStore, database: Database) -> None:
    await say(chat, "a")
    await store.delete_room("lobby")
    meetings = SqlMeetings(database)
    assert [room for room, _ in await meetings.due(0.0)] == ["lobby"], "its people are to be told"
    await meetings.forget("lobby")
    for table in (chat_messages, meeting_states, rooms):
        assert await database.value(select(func.count()).select_from(table)) == 0
