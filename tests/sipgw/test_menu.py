"""The telephone's menu: what is said, asked and done for every key, silence and answer."""

from __future__ import annotations

import random
import re

import pytest

from confero.sipgw.menu import Action, Ask, Done, GiveUp, Hush, Knock, Menu, MenuConfig, Outcome, Say

QUICK = MenuConfig(next_key_s=5, first_key_s=10, silences=2, overall_s=100, tries=3)


def begun(number: str = "") -> Menu:
    menu = Menu(number, QUICK)
    want = "enter-pin" if number else "enter-room"
    assert menu.begin(0.0) == [Say(("welcome", want))]
    return menu


def keyed(menu: Menu, keys: str, now: float = 1.0) -> list[Action]:
    return [action for key in keys for action in menu.key(key, now)]


def test_a_number_without_pin() -> None:
    menu = begun()
    assert keyed(menu, "4711#") == [Hush(), Hush(), Ask("4711", None)]
    assert menu.answered("accepted", 2.0) == [Done()]


def test_a_number_and_its_pin() -> None:
    menu = begun()
    keyed(menu, "4711#")
    assert menu.answered("ask-pin", 2.0) == [Say(("enter-pin",))]
    assert keyed(menu, "1234#")[-1] == Ask("4711", "1234")
    assert menu.answered("accepted", 3.0) == [Done()]


def test_only_the_pin_where_the_number_was_dialled() -> None:
    menu = begun("4711")
    assert keyed(menu, "99#")[-1] == Ask("4711", "99")
    assert menu.answered("wrong", 2.0, tries_left=2) == [Say(("pin-wrong", "enter-pin"))]
    assert keyed(menu, "12#")[-1] == Ask("4711", "12")


def test_the_first_key_ends_the_prompt_and_the_others_stop_nothing() -> None:
    menu = begun()
    assert menu.key("4", 0.5) == [Hush()]
    assert menu.key("7", 0.6) == []


def test_a_wrong_entry_tells_not_which_part_was_wrong() -> None:
    menu = begun()
    keyed(menu, "1#")
    menu.answered("ask-pin", 2.0)
    keyed(menu, "1#")
    assert menu.answered("wrong", 2.0, tries_left=2) == [Say(("entry-wrong", "enter-room"))]


@pytest.mark.parametrize("server_counts", [True, False])
def test_three_tries(server_counts: bool) -> None:
    menu = begun("4711")
    for left in (2, 1):
        keyed(menu, "1#")
        assert menu.answered("wrong", 2.0, tries_left=left) == [Say(("pin-wrong", "enter-pin"))]
    keyed(menu, "1#")
    assert menu.answered("wrong", 2.0, tries_left=0 if server_counts else 5) == [Say(("too-many-tries",))]
    assert keyed(menu, "1234#") == []
    assert menu.said(5.0) == [GiveUp("too-many-tries")]
    assert menu.next_deadline() is None


def test_who_has_to_wait_is_told_so() -> None:
    menu = begun("4711")
    keyed(menu, "1#")
    assert menu.answered("wait", 2.0, tries_left=3) == [Say(("too-many-tries",))]


def test_a_star_begins_again() -> None:
    menu = begun()
    keyed(menu, "4711#")
    menu.answered("ask-pin", 2.0)
    assert keyed(menu, "12*") == [Hush(), Hush(), Say(("enter-room",))]
    assert keyed(menu, "5#")[-1] == Ask("5", None)


def test_what_was_keyed_counts_after_a_pause() -> None:
    menu = begun()
    keyed(menu, "4711", 1.0)
    assert menu.next_deadline() == 6.0
    assert menu.poll(5.9) == []
    assert menu.poll(6.0) == [Ask("4711", None)]


def test_the_longest_number_needs_no_hash() -> None:
    assert keyed(begun(), "12345678901234567890")[-1] == Ask("12345678901234567890", None)


def test_silence_is_asked_again_then_said_goodbye_to() -> None:
    menu = begun()
    assert menu.next_deadline() == 100.0  # as long as the prompt is heard nobody is silent
    menu.said(4.0)
    assert menu.poll(14.0) == [Say(("enter-room",))]
    menu.said(16.0)
    assert menu.poll(26.0) == [Say(("goodbye",))]
    assert menu.said(27.0) == [GiveUp("menu-timeout")]


def test_a_menu_ends_some_time_whatever_is_keyed() -> None:
    menu = begun()
    for second in range(1, 100):
        menu.key("#", float(second))
    assert menu.poll(100.0) == [Say(("goodbye",))]
    assert menu.poll(110.0) == [GiveUp("menu-timeout")]  # though the end of the prompt was never told
    assert menu.key("1", 111.0) == [] and menu.poll(200.0) == []


@pytest.mark.parametrize(("outcome", "prompt"), [("full", "room-full"), ("unavailable", "not-available")])
def test_a_room_that_is_not_to_be_had(outcome: str, prompt: str) -> None:
    menu = begun("1")
    keyed(menu, "1#")
    assert menu.answered(outcome, 2.0) == [Say((prompt, "goodbye"))]  # type: ignore[arg-type]
    menu = begun("1")
    keyed(menu, "1#")
    assert menu.answered("accepted", 2.0) == [Done()]
    assert menu.key("5", 2.0) == []
    assert menu.turned_away(outcome) == [Say((prompt, "goodbye"))]  # type: ignore[arg-type]
    assert menu.said(3.0) == [GiveUp(prompt)]


def test_answers_that_nobody_waits_for() -> None:
    menu = begun()
    assert menu.answered("accepted", 1.0) == [] and menu.turned_away("full") == []


def test_whatever_happens_it_asks_for_digits_and_comes_to_an_end() -> None:
    """Random keys, answers and pauses: one question at a time, of what the wire takes, and the end in time."""
    for seed in range(300):
        chance, menu, now = random.Random(seed), Menu(random.Random(seed).choice(["", "77"]), QUICK), 0.0
        actions, asking = menu.begin(now), False
        while not any(isinstance(action, GiveUp | Done) for action in actions):
            for action in actions:
                if isinstance(action, Ask):
                    assert not asking and action.number.isdigit() and len(action.number) <= 20
                    assert action.pin is None or re.fullmatch("[0-9]{0,16}", action.pin)
                    asking = True
            now += chance.random() * 8
            match chance.randrange(4):
                case 0:
                    actions = menu.said(now)
                case 1:
                    asking, actions = (
                        False,
                        menu.answered(chance.choice(["ask-pin", "ask-host", "wrong", "wait"]), now, 3),
                    )
                case _:
                    actions = menu.key(chance.choice("0123456789*#A"), now)
            actions = actions + (menu.poll(now) if now >= (menu.next_deadline() or now) else [])
            assert now < 130


# --- the PIN of hosts alone ---


def hosts() -> Menu:
    """A caller who has keyed the number of a room in which only hosts have a PIN."""
    menu = begun()
    keyed(menu, "4711#")
    assert menu.answered("ask-host", 2.0) == [Say(("enter-host-pin",))]
    return menu


def test_a_host_keys_a_pin_and_a_guest_the_hash_key_alone() -> None:
    assert keyed(hosts(), "4321#")[-1] == Ask("4711", "4321")
    assert keyed(hosts(), "#")[-1] == Ask("4711", "")


def test_whoever_keys_nothing_is_a_guest() -> None:
    menu = hosts()
    menu.said(5.0)
    assert menu.poll(9.9) == []
    assert menu.poll(10.0) == [Ask("4711", "")]


def test_a_wrong_pin_of_a_host_is_asked_for_again_and_the_number_is_kept() -> None:
    menu = hosts()
    keyed(menu, "1#")
    assert menu.answered("wrong", 3.0, tries_left=2) == [Say(("pin-wrong", "enter-host-pin"))]
    assert keyed(menu, "#")[-1] == Ask("4711", "")


def test_where_the_number_was_dialled_only_the_pin_of_hosts_is_asked() -> None:
    menu = Menu("4711", QUICK, host=True)
    assert menu.begin(0.0) == [Say(("welcome", "enter-host-pin"))]
    assert keyed(menu, "12*")[-1] == Say(("enter-host-pin",))
    assert keyed(menu, "#")[-1] == Ask("4711", "")


# --- the lobby of a room ---------------------------------------------------------------------------------------------


def waiting() -> Menu:
    """A caller who has keyed a number, and is in the lobby since second 2."""
    menu = begun()
    keyed(menu, "4711#")
    assert menu.answered("waiting", 2.0) == [Say(("waiting",))]
    return menu


def test_whoever_waits_is_asked_for_every_two_seconds_until_let_in() -> None:
    menu = waiting()
    assert menu.next_deadline() == 4.0
    assert (menu.poll(3.9), menu.poll(4.0)) == ([], [Knock()])
    assert menu.poll(5.0) == []  # the last question is not answered yet
    assert menu.answered("waiting", 5.0) == []
    assert menu.poll(7.0) == [Knock()]
    assert menu.answered("accepted", 7.1) == [Done()]


def test_whoever_dials_the_room_waits_from_the_first() -> None:
    menu = Menu(config=QUICK, waiting=True)
    assert menu.begin(0.0) == [Say(("welcome", "waiting"))]
    assert menu.poll(2.0) == [Knock()]


def test_keys_mean_nothing_in_the_lobby_and_the_menus_time_is_not_the_lobbys() -> None:
    menu = waiting()
    assert keyed(menu, "12#*", 3.0) == []
    assert menu.said(3.5) == []
    now = 4.0
    while now < QUICK.overall_s * 3:
        assert menu.poll(now)[-1] == Knock()
        assert menu.answered("waiting", now) == []
        now += 2.0


def test_one_is_reminded_that_one_has_to_wait() -> None:
    menu = waiting()
    menu.poll(4.0)
    menu.answered("waiting", 4.0)
    assert menu.poll(32.0) == [Say(("waiting",)), Knock()]
    menu.answered("waiting", 32.0)
    assert menu.poll(34.0) == [Knock()]


def test_whoever_waits_hears_music_after_the_words() -> None:
    """It begins with a question, so that a player that fails at once is not asked all the time."""
    menu = waiting()
    menu.poll(4.0)
    menu.answered("waiting", 4.0)
    assert menu.said(5.0) == []
    assert menu.poll(6.0) == [Say(("hold-music",)), Knock()]
    menu.answered("waiting", 6.0)
    assert menu.poll(8.0) == [Knock()], "it is still heard"
    menu.answered("waiting", 8.0)
    menu.said(9.0)
    assert menu.poll(32.0) == [Say(("waiting",)), Knock()], "the words in place of the music"
    menu.answered("waiting", 32.0)
    assert menu.poll(34.0) == [Knock()]


def test_a_server_that_is_away_is_waited_for() -> None:
    menu = waiting()
    menu.poll(4.0)
    assert menu.answered("unavailable", 4.5) == []
    assert menu.poll(6.5) == [Knock()]


@pytest.mark.parametrize(
    ("outcome", "reason", "prompts"),
    [
        ("refused", "not-admitted", ("not-admitted", "goodbye")),
        ("full", "room-full", ("room-full", "goodbye")),
    ],
)
def test_whoever_is_not_let_in_is_told_so(outcome: Outcome, reason: str, prompts: tuple[str, ...]) -> None:
    menu = waiting()
    menu.poll(4.0)
    assert menu.answered(outcome, 4.5) == [Say(prompts)]
    assert menu.said(6.0) == [GiveUp(reason)]


def test_nobody_waits_for_ever() -> None:
    menu = waiting()
    assert menu.poll(1 + QUICK.waiting_s) == [Say(("waiting",)), Knock()]
    assert menu.poll(2 + QUICK.waiting_s) == [Say(("goodbye",))]
    assert menu.said(3 + QUICK.waiting_s) == [GiveUp("menu-timeout")]


def test_a_room_that_is_not_to_be_had_after_the_lobby() -> None:
    menu = waiting()
    menu.poll(4.0)
    menu.answered("accepted", 4.5)
    assert menu.turned_away("full") == [Say(("room-full", "goodbye"))]
