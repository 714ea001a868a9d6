"""The pages beside the meeting, by hand: what a person does on them, and what the server is asked for."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from confero.models.accounts import DeviceInfo

from .account_backend import AccountBackend
from .account_scene import furnish
from .backend import problem, until
from .conftest import OpenPage

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

GOOD = "copper river seven lanterns"


async def test_signing_in_leads_to_what_was_asked_for(open_page: OpenPage, people: AccountBackend) -> None:
    people.account("ada", "Ada Lovelace", GOOD)
    people.world.room("Team standup")
    page = await open_page("/rooms/team-standup", at=people)
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("Type your user name.")).to_be_visible()
    await expect(page.get_by_label("User name")).to_be_focused()
    await page.get_by_label("User name").fill("ada")
    await page.get_by_label("Password", exact=True).fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("do not fit together")
    await page.get_by_label("Password", exact=True).fill(GOOD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Team standup")).to_be_focused()
    assert page.url == f"{people.url}/rooms/team-standup"
    await page.get_by_role("button", name="Account of Ada Lovelace").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert people.session.user is None


async def test_nobody_is_sent_to_another_site(open_page: OpenPage, people: AccountBackend) -> None:
    people.account("ada", "Ada Lovelace", GOOD)
    page = await open_page("/signin?next=//evil.example/rooms", at=people)
    await page.get_by_label("User name").fill("ada")
    await page.get_by_label("Password", exact=True).fill(GOOD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Rooms")).to_be_visible()
    assert page.url == f"{people.url}/rooms"


async def test_a_new_person_makes_an_account(open_page: OpenPage, people: AccountBackend) -> None:
    people.account("ada", "Ada Lovelace")
    page = await open_page("/signup", at=people)
    await page.get_by_label("Your name").fill("Grace Hopper")
    await page.get_by_label("User name").fill("ada")
    password = page.get_by_label("Password", exact=True)
    await password.fill("short")
    await expect(page.get_by_text("Too short so far")).to_be_visible()
    await page.evaluate(f"document.querySelector('[name=password]').setRangeText('{GOOD}', 0, 5)")
    await password.press("End")
    await password.press("!")
    await expect(page.get_by_text("Strong", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Show Password").click()
    assert await password.get_attribute("type") == "text"
    assert await password.get_attribute("autocomplete") == "new-password"
    await page.get_by_role("button", name="Make the account").click()
    await expect(page.get_by_text("Somebody has this name already.")).to_be_visible()
    await expect(page.get_by_label("User name")).to_be_focused()
    await page.get_by_label("User name").fill("no spaces")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("A name of 2 to 128 letters")).to_be_visible()
    await page.get_by_label("User name").fill("grace")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Rooms")).to_be_visible()
    assert people.session.user is not None and people.session.user.login == "grace"


async def test_secrets_of_links_leave_the_address_at_once(open_page: OpenPage, people: AccountBackend) -> None:
    people.session = people.session.model_copy(update={"setup_needed": True})
    page = await open_page("/setup#a-secret-of-one-use", at=people)
    assert page.url == f"{people.url}/setup"
    for label, text in (("Your name", "Ada"), ("User name", "ada"), ("Password", GOOD)):
        await page.get_by_label(label, exact=True).fill(text)
    await page.get_by_role("button", name="Make the administrator").click()
    await expect(page.get_by_text("make your first room here")).to_be_visible()
    await expect(page.get_by_role("button", name="New room")).to_be_visible()
    await expect(page.get_by_role("link", name="Administration")).to_be_visible()
    await page.goto(f"{people.url}/reset#another-secret-of-one-use")
    await expect(page.get_by_role("heading", name="Set a new password")).to_be_visible()
    assert page.url == f"{people.url}/reset"
    await page.get_by_label("New password", exact=True).fill(GOOD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Your password is set.")).to_be_visible()
    assert people.secrets == ["a-secret-of-one-use", "another-secret-of-one-use"]
    assert not [path for path in people.asked if "secret" in path]


async def test_a_forgotten_password(open_page: OpenPage, people: AccountBackend) -> None:
    page = await open_page("/signin", at=people)
    await page.get_by_role("link", name="Forgotten your password?").click()
    await expect(page.get_by_role("heading", name="Reset your password")).to_be_visible()
    await page.get_by_label("User name").fill(" Ada ")
    await page.get_by_role("button", name="Send the link").click()
    await expect(page.get_by_role("heading", name="Look into your mail")).to_be_focused()
    assert people.resets == ["ada"]


async def test_a_proof_that_is_old_is_asked_for_anew(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/me", at=people)
    await expect(page.get_by_label("Your name")).to_have_value("Ada Lovelace")
    for proof in ("proof-2", "proof-3"):
        people.session = people.session.model_copy(update={"csrf": proof})
        await page.get_by_label("Your name").fill(f"Ada {proof}")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("button", name=f"Account of Ada {proof}")).to_be_visible()
    assert people.proofs[-1] == "proof-3"


async def test_own_account(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/me", at=people)
    await page.get_by_label("Mail address").fill("countess@example.org")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Type your current password.")).to_be_visible()
    await page.get_by_label("Current password").first.fill("correct horse")
    await page.get_by_role("button", name="Save").click()
    await until(lambda: people.me.mail == "countess@example.org")
    await page.get_by_role("button", name="Sign out everywhere else").click()
    await expect(page.get_by_text("Safari on iOS")).to_have_count(0)
    assert [one.id for one in people.world.devices] == ["d1"]
    await page.get_by_role("button", name="Make a key").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What is it for?").fill("Panel")
    await dialog.get_by_label("See rooms and join them").uncheck()
    await dialog.get_by_role("button", name="Make a key").click()
    await expect(dialog.get_by_text("At least one right.")).to_be_visible()
    await dialog.get_by_label("Moderate meetings").check()
    await dialog.get_by_role("button", name="Make a key").click()
    await expect(dialog.get_by_label("Your new key")).to_have_value("ck_f00d_0123456789abcdef")
    await dialog.get_by_role("button", name="I have it").click()
    assert people.world.keys[-1].scopes == ["meetings:moderate"]
    await page.get_by_role("button", name="Take back Billing").click()
    await dialog.get_by_role("button", name="Take back").click()
    await expect(page.get_by_text("Billing")).to_have_count(0)
    await page.get_by_role("button", name="End my account").click()
    await dialog.get_by_label("Password", exact=True).fill("wrong")
    await dialog.get_by_role("button", name="End my account").click()
    await expect(dialog.get_by_text("That is not your password.")).to_be_visible()
    await dialog.get_by_label("Password", exact=True).fill("correct horse")
    await dialog.get_by_role("button", name="End my account").click()
    await expect(page.get_by_text("Your account has been ended.")).to_be_visible()


async def test_a_room_is_made_and_set_up(open_page: OpenPage, people: AccountBackend) -> None:
    ada = people.account("ada", "Ada Lovelace")
    people.account("grace", "Grace Hopper")
    people.sign_in(ada)
    page = await open_page("/rooms", at=people)
    await expect(page.get_by_text("No rooms yet")).to_be_visible()
    await page.get_by_role("button", name="New room").click()
    await page.get_by_label("Name", exact=True).fill("Planning")
    await page.get_by_label("PIN for guests").fill("2468")
    await page.get_by_role("switch", name="Lobby").check()
    await page.get_by_role("button", name="Make the room").dblclick()
    await expect(page.get_by_role("heading", name="Planning")).to_be_visible()
    assert [(wish.name, wish.pin, wish.lobby, wish.permanent) for wish in people.creations] == [
        ("Planning", "2468", True, True)
    ]
    await page.get_by_label("PIN for guests").fill("")
    await page.get_by_label("Number for telephones").fill("auto")
    await page.get_by_label("Who may speak").select_option("request")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_label("Number for telephones")).to_have_value("4711")
    await expect(page.get_by_text("sip:4711@meet.example")).to_be_visible()
    room = people.world.rooms["planning"]
    assert (room.pin, room.speak, room.lobby) == (None, "request", True)
    await page.get_by_label("User name").fill("nobody")
    await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_text("There is no such account.")).to_be_visible()
    await page.get_by_label("User name").fill("grace")
    await page.get_by_label("As", exact=True).select_option("host")
    await page.get_by_role("button", name="Add").click()
    await page.get_by_label("Role of Grace Hopper").select_option("guest")
    await until(lambda: [one.role for one in people.world.members["planning"].values()] == ["guest"])
    await page.get_by_role("button", name="Remove Grace Hopper").click()
    await expect(page.get_by_text("No members yet")).to_be_visible()


async def test_invitations_are_made_and_taken_back(open_page: OpenPage, people: AccountBackend) -> None:
    ada = people.account("ada", "Ada Lovelace")
    people.sign_in(ada)
    people.world.room("Planning")
    script = "navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); };"
    page = await open_page("/rooms/planning", at=people, script=script)
    await page.get_by_role("button", name="New invitation").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What is it for?").fill("Demo")
    await dialog.get_by_label("How many may use it").fill("5")
    await dialog.get_by_role("button", name="Make the link").click()
    await dialog.get_by_role("button", name="Copy Your invitation link").click()
    await expect(dialog.get_by_text("Copied", exact=False).first).to_be_visible()
    assert str(await page.evaluate("window.copied")).startswith(f"{people.url}/r/planning#invitation=")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="New invitation")).to_be_focused()
    (made,) = people.world.invitations["planning"]
    assert (made.note, made.max_uses, made.role) == ("Demo", 5, "guest") and made.expires_at is not None
    await page.get_by_role("button", name="Take back Demo").click()
    await dialog.get_by_role("button", name="Cancel").click()
    assert not people.world.invitations["planning"][0].revoked
    await page.get_by_role("button", name="Take back Demo").click()
    await dialog.get_by_role("button", name="Take back").click()
    await expect(page.get_by_text("Taken back")).to_be_visible()
    await page.get_by_role("button", name="Delete the room").click()
    await dialog.get_by_role("button", name="Delete the room").click()
    await expect(page.get_by_text("No rooms yet")).to_be_visible()


async def test_what_is_asked_for_again_is_made_once(open_page: OpenPage, people: AccountBackend) -> None:
    """The server has made it, and its answer gets lost; whoever asks again gets what was made."""
    people.sign_in(people.account("ada", "Ada Lovelace"))
    people.world.room("Planning")
    page = await open_page("/rooms", at=people)
    people.answers_lost = 1
    await page.get_by_role("button", name="New room").click()
    await page.get_by_label("Name", exact=True).fill("Review")
    await page.get_by_role("button", name="Make the room").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.get_by_role("button", name="Make the room").click()
    await expect(page.get_by_role("heading", name="Review")).to_be_visible()
    assert len(people.creations) == 1 and len(people.keys) == 2 and len(set(people.keys)) == 1
    people.answers_lost = 1
    await page.get_by_role("button", name="New invitation").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Make the link").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await page.evaluate("Date.now = () => new Date().getTime() + 5000")  # the invitation would end at another time
    await dialog.get_by_role("button", name="Make the link").click()
    await expect(dialog.get_by_role("button", name="Copy Your invitation link")).to_be_visible()
    assert len(people.world.invitations["review"]) == 1
    await page.goto(f"{people.url}/me")
    people.answers_lost = 1
    await page.get_by_role("button", name="Make a key").click()
    await dialog.get_by_label("What is it for?").fill("Script")
    await dialog.get_by_role("button", name="Make a key").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await dialog.get_by_role("button", name="Make a key").click()
    await until(lambda: len(people.world.keys) == 1 and len(people.keys) == 6)
    assert len(set(people.keys)) == 3


async def test_lists_come_in_pages_and_are_searched(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/rooms", at=people)
    await expect(page.get_by_role("listitem").filter(has=page.get_by_role("heading"))).to_have_count(3)
    await page.get_by_role("button", name="Show more").click()
    await expect(page.get_by_role("link", name="Interviews", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Show more")).to_have_count(0)
    await page.get_by_label("Find a room").fill("boa")
    await expect(page.get_by_role("listitem").filter(has=page.get_by_role("heading"))).to_have_count(1)
    await page.get_by_label("Find a room").fill("nowhere")
    await expect(page.get_by_text("No such room")).to_be_visible()
    people.refuse["/rooms"] = problem("database-down", 503)
    await page.get_by_label("Find a room").fill("")
    await expect(page.get_by_role("alert")).to_contain_text("The database can't be reached.")
    people.refuse.clear()
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("link", name="Board", exact=True)).to_be_visible()


async def test_records(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/records", at=people)
    await page.get_by_label("Find by a participant's name").fill("grace")
    await page.get_by_label("Everybody's meetings").check()
    link = page.get_by_role("link", name="Export CSV")
    await until(lambda: _has(link, "/api/v1/meetings.csv?who=grace&everyone=true"))
    async with page.expect_download() as download:
        await link.click()
    assert (await download.value).suggested_filename == "meetings.csv"
    await page.get_by_role("link", name="Team standup").click()
    await expect(page.get_by_role("rowheader", name="Grace Hopper")).to_be_visible()
    phone = page.get_by_role("row").filter(has_text="+49 30 1234567")
    for text in ("PCMA", "11.0 % / 6.0 %", "48 ms / 31 ms", "2.6 poor", "Hung up"):
        await expect(phone).to_contain_text(text)
    await page.get_by_role("button", name="Delete the record").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete the record").click()
    await expect(page.get_by_text("The record is deleted.")).to_be_visible()
    assert len(people.world.meetings) == 3


async def _has(link: Locator, href: str) -> bool:
    return await link.get_attribute("href") == href


async def test_administration(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/admin", at=people)
    await expect(page.get_by_text("6 people · 1 in the lobby")).to_be_visible()
    await page.get_by_role("link", name="Users").click()
    await page.get_by_role("button", name="New user").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Your name").fill("Joan Clarke")
    await dialog.get_by_label("User name").fill("joan")
    await dialog.get_by_role("button", name="Make the account").click()
    await expect(dialog.get_by_label("Link to set a password")).to_have_value(
        f"{people.url}/reset#one-time-secret-of-it"
    )
    await dialog.get_by_role("button", name="Done").click()
    await page.get_by_label("Role of Joan Clarke").select_option("moderator")
    await page.get_by_role("button", name="Disable Grace Hopper").click()
    await until(lambda: [one.login for one in people.world.users.values() if not one.enabled] == ["grace", "mary"])
    assert [one.role for one in people.world.users.values() if one.login == "joan"] == ["moderator"]
    await page.get_by_role("link", name="Media servers").click()
    await page.get_by_role("button", name="Drain mcu-1").click()
    await expect(page.get_by_role("button", name="Take into use mcu-1")).to_be_visible()
    assert people.world.mcus["mcu-1"].state == "draining"
    await page.get_by_role("link", name="Audit log").click()
    await expect(page.get_by_text("session.refused")).to_be_visible()
    await page.get_by_role("link", name="Telephony").click()
    await expect(page.get_by_text("sip:trunk.example.net")).to_be_visible()


async def test_who_is_no_administrator_sees_no_administration(open_page: OpenPage, people: AccountBackend) -> None:
    people.sign_in(people.account("mary", "Mary Jackson"))
    page = await open_page("/admin/users", at=people)
    await expect(page.get_by_role("heading", name="This is for administrators")).to_be_visible()
    assert not [path for path in people.asked if "/users" in path]
    people.world.devices = [DeviceInfo(id="d", created_at=0, used_at=0, source="::1", agent="curl/8", current=True)]
    await page.get_by_role("button", name="Account of Mary Jackson").click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Account of Mary Jackson")).to_be_focused()
    await page.get_by_role("button", name="Account of Mary Jackson").click()
    await page.get_by_role("link", name="Your account").click()
    await expect(page.get_by_text("This device")).to_be_visible()


async def test_the_front_page_knows_ones_rooms(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/", at=people)
    await page.get_by_role("link", name="Team standup").click()
    await until(lambda: page.url.endswith("/r/team-standup"))


async def test_the_api_is_shown_from_its_description(open_page: OpenPage, people: AccountBackend) -> None:
    """Without an account, by keyboard; what is found, opened and copied is what programs read."""
    page = await open_page("/api", at=people)
    await expect(page.get_by_role("heading", name="API", exact=True)).to_be_visible()
    await expect(page.get_by_role("heading", name="Telephones")).to_be_visible()
    await page.get_by_role("searchbox").fill("/join")
    await expect(page.get_by_text("1 operation", exact=True)).to_be_visible()
    join = page.locator("details.operation").filter(has_text="/api/v1/rooms/{room}/join")
    await join.locator("summary").focus()
    await page.keyboard.press("Enter")
    await expect(join.get_by_role("region", name="Example: 200")).to_contain_text('"participant": "p_7d1mB0qk2Wc"')
    await expect(join.get_by_role("rowheader", name="display_name")).to_be_visible()
    await expect(join.get_by_text("pin-wrong", exact=True)).to_be_visible()
    await page.get_by_role("searchbox").fill("xylophone")
    await expect(page.get_by_text("No such operation")).to_be_visible()
    people.refuse = {"/openapi.json": problem("database-down", 503)}
    await page.reload()
    await expect(page.get_by_role("alert")).to_contain_text("The database can't be reached.")
