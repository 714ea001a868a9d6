"""The client with the real application server: sessions, keys, a room and its people, records as files."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from confero.client import Client, NotAllowed, NotFound, SignInNeeded
from confero.models.accounts import KeyCreate, SignIn, SignUp, UserQuery
from confero.models.joining import JoinRequest, RoomCreate, RoomDetail, RoomPatch
from confero.models.meetings import ChatSend, InvitationCreate, MemberPut

from .browser import PASSWORD
from .site import Site


@pytest.fixture
async def client(site: Site) -> AsyncIterator[Client]:
    async with Client(site.url, ssl=site.trust) as made:
        yield made


def wish(login: str) -> SignUp:
    return SignUp(login=login, display_name=login.title(), password=SecretStr(PASSWORD))


async def test_a_session_from_sign_up_to_sign_out(client: Client) -> None:
    with pytest.raises(SignInNeeded):
        await client.me.get()
    await client.session.sign_up(wish("ada"))
    assert (await client.me.get()).login == "ada"
    assert (await client.session.get()).user is not None
    await client.session.sign_out()
    with pytest.raises(SignInNeeded):
        await client.me.get()
    await client.session.sign_in(SignIn(login="ADA", password=SecretStr(PASSWORD)))
    made = await client.me.make_key(KeyCreate(name="Panel", scopes=["rooms:read"]))
    async with Client(client._to.base, key=made.key, ssl=client._to._ssl) as panel:
        assert (await panel.me.get()).login == "ada"
        with pytest.raises(NotAllowed) as caught:
            await panel.rooms.create(RoomCreate())
        assert caught.value.code == "scope-missing"


async def test_a_room_and_its_people(site: Site, client: Client) -> None:
    await client.session.sign_up(wish("grace"))
    await client.session.sign_up(wish("ada"))
    room = await client.rooms.create(RoomCreate(name="Planning", pin="4711", lobby=True))
    assert [one.id async for one in client.rooms.all()] == [room.id]
    await client.members.put(room.id, "grace", MemberPut(role="host"))
    assert [one.login for one in (await client.members.list(room.id)).items] == ["grace"]
    link = await client.invitations.create(room.id, InvitationCreate(note="Suppliers"))
    async with Client(site.url, ssl=site.trust) as guest:
        seen = await guest.rooms.get(room.id)
        assert seen.pin_needed and not isinstance(seen, RoomDetail)
        with pytest.raises(NotAllowed) as caught:
            await guest.rooms.join(room.id, JoinRequest(display_name="Linus"))
        assert caught.value.code == "pin-needed"
        joined = await guest.rooms.join(room.id, JoinRequest(display_name="Linus", invitation=SecretStr(link.secret)))
        seat = guest.seat(joined)
        if joined.waiting:
            await client.meeting.admit(room.id, seat.participant)
            joined = await guest.rooms.join(room.id, JoinRequest(display_name="Linus", previous_token=joined.token))
            seat = guest.seat(joined)
        assert (await seat.speaking.say(seat.room, ChatSend(text="Hello"))).text == "Hello"
    assert [one.text async for one in client.meeting.all_messages(room.id)] == ["Hello"]
    assert (await client.rooms.change(room.id, RoomPatch(pin=""))).pin is None
    await client.rooms.delete(room.id)
    with pytest.raises(NotFound):
        await client.rooms.get(room.id)


async def test_records_are_taken_away_as_files(client: Client) -> None:
    await client.session.sign_up(wish("ada"))
    whole = b"".join([piece async for piece in client.records.as_csv()])
    assert whole.startswith(b"meeting,") and whole.endswith(b"\r\n")
    assert b"".join([piece async for piece in client.records.as_json()]).strip() == b"[]"
    with pytest.raises(NotAllowed):
        [user async for user in client.users.all(UserQuery())]
