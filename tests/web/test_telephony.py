"""The administrator's page of telephony by hand: rooms are let call; rules are read, made, changed, refused and deleted."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from confero.models.sipadmin import DialRuleCreate

from .account_backend import AccountBackend
from .account_scene import RULES, furnish
from .backend import problem, until
from .conftest import OpenPage

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("web")]

ALLOW = "Let rooms call SIP addresses"


def section(page: Page, title: str) -> Locator:
    return page.locator("section").filter(has=page.get_by_role("heading", name=title, exact=True))


async def opened(open_page: OpenPage, people: AccountBackend) -> Page:
    """As somebody sees it who has just installed confero: the first two rules stand there."""
    people.sign_in(people.account("ada", "Ada Lovelace", role="admin"))
    for values in RULES[:2]:
        people.world.telephony.add(DialRuleCreate.model_validate(values))
    return await open_page("/admin/telephony", at=people)


async def test_rooms_are_let_call_by_one_button(open_page: OpenPage, people: AccountBackend) -> None:
    page = await opened(open_page, people)
    out = section(page, "Calls out")
    await expect(out).to_contain_text("Nobody can call out of a room yet.")
    await page.get_by_role("button", name=ALLOW).click()
    dialog = page.get_by_role("dialog", name="Let rooms call SIP addresses?")
    await expect(dialog).to_contain_text("can then call any SIP address that this server reaches")
    await dialog.get_by_role("button", name="Cancel").click()
    assert len(people.world.telephony.rules) == 2
    await page.get_by_role("button", name=ALLOW).click()
    people.answers_lost = 1
    await dialog.get_by_role("button", name="Let them call").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await dialog.get_by_role("button", name="Let them call").click()
    await expect(out).to_contain_text("can call any SIP address that this server reaches")
    await expect(page.get_by_role("button", name=ALLOW)).to_have_count(0)
    await expect(page.get_by_text("Somebody in a browser dials anything")).to_be_visible()
    await expect(page.get_by_role("button", name="New rule")).to_be_focused()
    (rule,) = [one for one in people.world.telephony.rules.values() if one.direction == "out"]
    assert (rule.source, rule.pattern, rule.action, rule.domain) == ("browser", ".", "address", "")
    assert len(people.keys) == 2 and len(set(people.keys)) == 1


async def test_rules_stand_in_their_order_and_in_plain_words(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/admin/telephony", at=people)
    await expect(section(page, "Rules").get_by_role("listitem").locator(".entry-text")).to_have_text(
        [
            "In A stranger dials what begins with 900 and is refused (403). DisabledPosition 5",
            "In A telephone with an account dials what begins with 0 and is put through by the trunk provider."
            "Position 10 · without the first character · with +49 in front",
            "In A caller from the trunk provider dials +49309018XX (X: a digit) and hears the menu,"
            " which asks for a room's number.Position 20 · The numbers of the house",
            "In Anybody dials anything and comes into the room of that name or number.Position 1000",
            "In A telephone with an account dials anything and rings whoever has that name here.Position 1010",
        ]
    )


async def test_a_rule_is_made_changed_and_deleted(open_page: OpenPage, people: AccountBackend) -> None:
    page = await opened(open_page, people)
    rules, rows = people.world.telephony.rules, section(page, "Rules").get_by_role("listitem")
    await page.get_by_role("button", name="New rule").click()
    dialog = page.get_by_role("dialog", name="New rule")
    await expect(dialog.get_by_label("Position")).to_have_value("10")
    await dialog.get_by_label("Calls", exact=True).select_option("out")
    await expect(dialog.get_by_label("Who calls")).to_have_count(0)
    await dialog.get_by_label("What happens").select_option("trunk")
    await dialog.get_by_role("button", name="Make the rule").click()
    await expect(dialog.get_by_text("Type what is dialled: a point stands for everything.")).to_be_visible()
    await expect(dialog.get_by_text("Type the name of a trunk.")).to_be_visible()
    await expect(dialog.get_by_label("What is dialled")).to_be_focused()
    await dialog.get_by_label("What is dialled").fill("+49.")
    await dialog.get_by_label("Which trunks").fill("provider")
    await dialog.get_by_label("Position").fill("30")
    await dialog.get_by_label("Position").press("Enter")
    await expect(rows.first).to_contain_text(
        "Somebody in a browser dials what begins with +49 and is put through by the trunk provider."
    )
    await expect(section(page, "Calls out")).to_contain_text("can call what the rules for calls out allow")
    await page.get_by_role("button", name="Change the rule at position 30").click()
    changed = page.get_by_role("dialog", name="Change the rule")
    await changed.get_by_label("Position").fill("2000")
    await changed.get_by_text("More", exact=True).click()
    await changed.get_by_label("Note").fill("Germany")
    await changed.get_by_role("button", name="Save").click()
    await expect(rows.last).to_contain_text("Position 2000 · Germany")
    assert [(one.position, one.target, one.source, one.note) for one in rules.values()][2:] == [
        (2000, "provider", "browser", "Germany")
    ]
    await page.get_by_role("button", name="Delete the rule at position 2000").click()
    ending = page.get_by_role("dialog", name="Delete this rule?")
    await expect(ending).to_contain_text("Somebody in a browser dials what begins with +49 and is put through")
    await ending.get_by_role("button", name="Delete").click()
    await expect(rows).to_have_count(2)
    await expect(page.get_by_role("button", name="New rule")).to_be_focused()
    assert len(rules) == 2


async def test_what_the_server_refuses_is_said_at_its_field(open_page: OpenPage, people: AccountBackend) -> None:
    page = await opened(open_page, people)
    await page.get_by_role("button", name="New rule").click()
    dialog = page.get_by_role("dialog")
    fields = (
        ("What is dialled", "a|b", "Digits, letters and signs of addresses"),
        ("At which host", "no host", "The name of a host"),
        ("Which room", "{secret}", "in curly brackets {user} and {number} alone"),
        ("Position", "9999999", "A whole number from 0 to 1,000,000."),
        ("Then to put in front", "#!", "At most 32 digits, letters"),
    )
    await dialog.get_by_text("More", exact=True).click()
    await dialog.get_by_label("What is dialled").fill("4711")
    for label, wrong, said in fields:
        field = dialog.get_by_label(label)
        right = await field.input_value()
        await field.fill(wrong)
        await dialog.get_by_role("button", name="Make the rule").click()
        await expect(dialog.get_by_role("alert")).to_contain_text(said)
        await expect(field).to_be_focused()
        await expect(field).to_have_attribute("aria-invalid", "true")
        await field.fill(right)
    assert len(people.world.telephony.rules) == 2
    people.refuse["/sip/rules"] = problem("too-many-rules", 409)
    await dialog.get_by_role("button", name="Make the rule").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("as many rules as there may be")


async def test_a_rule_by_keyboard_alone(open_page: OpenPage, people: AccountBackend) -> None:
    page = await opened(open_page, people)
    await page.get_by_role("button", name="New rule").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="New rule")
    await expect(dialog.get_by_label("Calls", exact=True)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="New rule")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_label("Calls", exact=True)).to_be_focused()
    for _ in range(3):
        await page.keyboard.press("Tab")
    await expect(dialog.get_by_label("What is dialled")).to_be_focused()
    await page.keyboard.type("4711")
    await page.keyboard.press("Enter")
    await until(lambda: [one.pattern for one in people.world.telephony.rules.values()][2:] == ["4711"])
    await expect(page.get_by_role("button", name="New rule")).to_be_focused()


async def test_a_rule_that_refuses_every_call_is_told(open_page: OpenPage, people: AccountBackend) -> None:
    values = {"position": 1, "direction": "out", "pattern": ".", "action": "reject"}
    people.world.telephony.add(DialRuleCreate.model_validate(values))
    page = await opened(open_page, people)
    await expect(section(page, "Calls out")).to_contain_text("A rule refuses every call out of a room.")
    await expect(page.get_by_role("button", name=ALLOW)).to_have_count(0)


async def test_a_room_is_given_a_number_and_loses_it(open_page: OpenPage, people: AccountBackend) -> None:
    furnish(people)
    page = await open_page("/admin/telephony", at=people)
    numbers = people.world.telephony.shown["numbers"]
    rows = section(page, "Room numbers").get_by_role("listitem")
    await expect(rows).to_contain_text("4711")
    await page.get_by_role("button", name="New number").click()
    dialog = page.get_by_role("dialog", name="New number")
    room, number = dialog.get_by_label("Room"), dialog.get_by_label("Number")
    for typed, said in (
        ("", "Type the name or id of a room."),
        ("nowhere", "There is no such room any more."),
        ("a", "More than one room has that in its name."),
        ("Team standup", "This room has a number already."),
    ):
        await room.fill(typed)
        await dialog.get_by_role("button", name="Give the number").click()
        await expect(dialog.get_by_role("alert")).to_contain_text(said)
        await expect(room).to_be_focused()
    await room.fill("board")
    for typed, said in (("47a", "1 to 20 digits."), ("4711", "Another room has this number.")):
        await number.fill(typed)
        await number.press("Enter")
        await expect(dialog.get_by_role("alert")).to_contain_text(said)
    await number.fill("4712")
    await dialog.get_by_label("PIN").fill("482913")
    await dialog.get_by_role("button", name="Give the number").click()
    await expect(rows.last).to_contain_text("4712 PIN")
    assert [(one["number"], one["room"], one["has_pin"]) for one in numbers][1:] == [("4712", "board", True)]
    await page.get_by_role("button", name="Delete 4712").click()
    ending = page.get_by_role("dialog", name="Delete the number 4712?")
    await expect(ending).to_contain_text("Telephones come into board by it no more.")
    await ending.get_by_role("button", name="Delete").click()
    await expect(rows).to_have_count(1)
    await expect(page.get_by_role("button", name="New number")).to_be_focused()
    assert [one["number"] for one in numbers] == ["4711"]
