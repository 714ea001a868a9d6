"""Accounts over HTTP: set-up, sign-up, signing in and out, devices, passwords, and what an attacker tries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from ..browser import COOKIE, PASSWORD, Browser
from ..conftest import SiteMaker
from ..site import Site

Browsers = Callable[[], Browser]


def code(problem: dict[str, str]) -> str:
    return problem["type"].rpartition(":")[2]


# --- the first administrator -------------------------------------------------------------------------------------------


async def test_the_first_administrator_comes_by_the_printed_link(
    site: Site, browsers: Browsers, tmp_path: Path
) -> None:
    first, late = browsers(), browsers()
    secret = site.app.accounts.desk.setup.secret
    assert secret is not None and (tmp_path / "setup-link").stat().st_mode & 0o077 == 0
    wish = {"secret": "x" * 43, "login": "root", "display_name": "Root", "password": PASSWORD}
    status, problem = await first.ask("POST", "setup", wish)
    assert (status, code(problem)) == (403, "link-used")
    assert (await first.ask("GET", "session"))[1]["setup_needed"] is True
    assert (await first.set_up())["role"] == "admin"
    status, problem = await late.ask("POST", "setup", {**wish, "secret": secret, "login": "two"})
    assert (status, code(problem)) == (403, "link-used")
    assert (await late.ask("GET", "session"))[1]["setup_needed"] is False and not (tmp_path / "setup-link").exists()


async def test_a_restart_prints_the_same_link(site: Site) -> None:
    before = site.app.accounts.desk.setup.secret
    await site.app.stop()
    await site.start_app()
    assert site.app.accounts.desk.setup.secret == before


async def test_of_many_who_use_the_link_at_once_one_is_the_first(site: Site, browsers: Browsers) -> None:
    secret = site.app.accounts.desk.setup.secret
    wishes = [{"secret": secret, "login": f"root{n}", "display_name": "Root", "password": PASSWORD} for n in range(6)]
    answers = await asyncio.gather(*(browsers().ask("POST", "setup", wish) for wish in wishes))
    assert sorted(status for status, _ in answers) == [201] + [403] * 5


# --- up, in and out ---------------------------------------------------------------------------------------------------


async def test_an_accounts_life(browser: Browser) -> None:
    user = await browser.sign_up("Ada", mail="ada@example.org")
    assert (user["login"], user["role"]) == ("ada", "user")
    assert (await browser.ask("GET", "me"))[1]["mail"] == "ada@example.org"
    assert (await browser.ask("DELETE", "session"))[0] == 204
    assert (await browser.ask("GET", "me"))[0] == 401
    assert await browser.sign_in("ADA") == 200
    status, me = await browser.ask("PATCH", "me", {"display_name": "Ada L."})
    assert (status, me["display_name"]) == (200, "Ada L.")
    assert code((await browser.ask("PATCH", "me", {"mail": ""}))[1]) == "password-wrong"
    assert (await browser.ask("PATCH", "me", {"mail": "", "password": PASSWORD}))[1]["mail"] is None
    assert (await browser.ask("POST", "me/delete", {"password": "no"}))[0] == 403
    assert (await browser.ask("POST", "me/delete", {"password": PASSWORD}))[0] == 204
    assert await browser.sign_in("ada") == 401


async def test_the_cookie_is_kept_from_pages_and_from_the_clear(browser: Browser) -> None:
    await browser.sign_up("ada")
    header = browser.answer.headers["Set-Cookie"]
    assert header.startswith(f"{COOKIE}=") and browser.answer.headers["Cache-Control"] == "no-store"
    for flag in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/"):
        assert flag in header
    assert "Domain" not in header


async def test_who_signs_in_gets_another_session_than_the_browser_had(site: Site, browsers: Browsers) -> None:
    attacker, victim = browsers(), browsers()
    await attacker.sign_up("mallory")
    victim.cookie, victim.csrf = attacker.cookie, attacker.csrf  # planted
    await browsers().sign_up("ada")
    assert await victim.sign_in("ada") == 200 and victim.cookie != attacker.cookie
    assert (await attacker.ask("GET", "me"))[1]["login"] == "mallory"


async def test_the_same_words_and_work_whoever_it_is(site: Site, browser: Browser, browsers: Browsers) -> None:
    await browser.sign_up("ada")
    root = browsers()
    await root.set_up()
    _, off = await root.ask("POST", "users", {"login": "off", "display_name": "Off", "password": PASSWORD})
    await root.ask("PATCH", f"users/{off['id']}", {"enabled": False})
    passwords, answers, work = site.app.accounts.desk.passwords, [], []
    for login in ("ada", "nobody", "off"):
        before = passwords.hashed
        tried = PASSWORD if login == "off" else "wrong"
        status, problem = await browsers().ask("POST", "session", {"login": login, "password": tried})
        work.append(passwords.hashed - before)
        answers.append((status, code(problem), problem["detail"]))
    assert len(set(answers)) == 1 and answers[0][1] == "sign-in-refused" and work == [1, 1, 1]


async def test_who_guesses_has_to_wait_and_the_owner_does_not(site: Site, browsers: Browsers) -> None:
    await browsers().sign_up("ada")
    tries = [await browsers().sign_in("ada", "wrong") for _ in range(9)]
    assert tries == [401] * 8 + [429]
    browser = browsers()
    status, problem = await browser.ask("POST", "session", {"login": "ada", "password": PASSWORD})
    assert (status, code(problem)) == (429, "too-many-tries") and int(browser.answer.headers["Retry-After"]) > 0
    user, _ = await site.app.accounts.desk.sign_in.judge("ada", PASSWORD, "192.0.2.7")  # from elsewhere
    assert user.login == "ada"


async def test_many_at_once_do_not_pass_the_limit(site: Site, browsers: Browsers) -> None:
    await browsers().sign_up("ada")
    answers = await asyncio.gather(*(browsers().sign_in("ada", "wrong") for _ in range(30)))
    assert answers.count(401) <= 8 and set(answers) == {401, 429}


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("short", "password-short"),
        ("x" * 1024, "password-weak"),
        ("passwordpassword", "password-weak"),
        ("adaadaadaadaada", "password-weak"),
        ("conferoconfero1", "password-weak"),
        ("123456789012345", "password-weak"),
    ],
)
async def test_bad_passwords(browser: Browser, password: str, refusal: str) -> None:
    wish = {"login": "ada", "display_name": "Ada", "password": password}
    status, problem = await browser.ask("POST", "accounts", wish)
    assert (status, code(problem)) == (422, refusal)


async def test_sign_up_can_be_closed(make_site: SiteMaker) -> None:
    site = await make_site(sign_up="closed")
    browser = Browser(site)
    wish = {"login": "ada", "display_name": "Ada", "password": PASSWORD}
    assert code((await browser.ask("POST", "accounts", wish))[1]) == "sign-up-closed"
    assert (await browser.ask("GET", "session"))[1]["sign_up"] is False
    await browser.close()


async def test_names_are_taken_once_whatever_their_case(browsers: Browsers) -> None:
    await browsers().sign_up("ada")
    status, problem = await browsers().ask(
        "POST", "accounts", {"login": "ADA", "display_name": "A", "password": PASSWORD}
    )
    assert (status, code(problem)) == (409, "login-taken")


async def test_passwords_are_nowhere_in_the_answers_and_the_table(site: Site, browser: Browser, tmp_path: Path) -> None:
    await browser.sign_up("ada")
    await browser.ask("POST", "accounts", {"login": "bob", "display_name": 7, "password": PASSWORD})
    status, problem = await browser.ask("POST", "accounts", {"login": "x", "password": PASSWORD, "more": PASSWORD})
    assert status == 422 and PASSWORD not in str(problem)
    await site.app.stop()
    written = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("confero.db*")))  # noqa: ASYNC240
    assert PASSWORD.encode() not in written and browser.cookie.encode() not in written
    await site.start_app()


async def test_an_accounts_rooms_go_with_it(site: Site, browsers: Browsers) -> None:
    ada, bob = browsers(), browsers()
    user = await ada.sign_up("ada")
    await bob.sign_up("bob")
    _, mine = await ada.ask("POST", "rooms", {"name": "Mine", "number": "4711"})
    _, theirs = await bob.ask("POST", "rooms", {"name": "Theirs"})
    assert (await bob.ask("PUT", f"rooms/{theirs['id']}/members/{user['login']}", {}))[0] == 200
    assert (await ada.ask("POST", "me/delete", {"password": PASSWORD}))[0] == 204
    assert (await bob.ask("GET", f"rooms/{mine['id']}"))[0] == 404
    assert (await bob.ask("GET", f"rooms/{theirs['id']}/members"))[1]["items"] == []
    assert (await bob.ask("PATCH", f"rooms/{theirs['id']}", {"number": "4711"}))[1]["number"] == "4711"


# --- devices and passwords --------------------------------------------------------------------------------------------


async def test_signed_out_elsewhere(browsers: Browsers) -> None:
    here, there = browsers(), browsers()
    await here.sign_up("ada")
    await there.sign_in("ada")
    _, devices = await here.ask("GET", "me/sessions")
    assert [one["current"] for one in devices["items"]].count(True) == 1 and len(devices["items"]) == 2
    other = next(one["id"] for one in devices["items"] if not one["current"])
    assert (await here.ask("DELETE", f"me/sessions/{other}"))[0] == 204
    assert (await there.ask("GET", "me"))[0] == 401 and (await here.ask("GET", "me"))[0] == 200
    await there.sign_in("ada")
    assert (await here.ask("DELETE", "me/sessions"))[0] == 204
    assert (await there.ask("GET", "me"))[0] == 401 and (await here.ask("GET", "me"))[0] == 200


async def test_a_new_password_signs_out_everywhere_else(browsers: Browsers) -> None:
    here, there = browsers(), browsers()
    await here.sign_up("ada")
    await there.sign_in("ada")
    change = {"current": PASSWORD, "new": "eleven owls under the bridge"}
    assert (await here.ask("PUT", "me/password", {**change, "current": "no"}))[0] == 403
    assert (await here.ask("PUT", "me/password", change))[0] == 204
    assert (await there.ask("GET", "me"))[0] == 401 and (await here.ask("GET", "me"))[0] == 200
    assert await there.sign_in("ada") == 401 and await there.sign_in("ada", change["new"]) == 200


async def test_sessions_survive_a_restart_and_end_with_idleness(site: Site, browser: Browser) -> None:
    await browser.sign_up("ada")
    await site.app.stop()
    await site.start_app()
    assert (await browser.ask("GET", "me"))[0] == 200
    await site.app.stop()
    await site.start_app(session_idle_days=1e-9)
    assert (await browser.ask("GET", "me"))[0] == 401


# --- keys -------------------------------------------------------------------------------------------------------------


async def test_a_key_may_what_its_scopes_say(browsers: Browsers) -> None:
    browser, program = browsers(), browsers()
    await browser.sign_up("ada")
    status, made = await browser.ask("POST", "me/keys", {"name": "lab", "scopes": ["rooms:read"]})
    bearer = {"Authorization": f"Bearer {made['key']}"}
    assert status == 201 and (await program.ask("GET", "me", **bearer))[1]["login"] == "ada"
    status, problem = await program.ask("PATCH", "me", {"display_name": "X"}, **bearer)
    assert (status, code(problem)) == (403, "scope-missing")
    _, listed = await browser.ask("GET", "me/keys")
    assert "key" not in listed["items"][0] and made["key"].startswith(listed["items"][0]["hint"])
    assert (await browser.ask("DELETE", f"me/keys/{made['id']}"))[0] == 204
    assert (await program.ask("GET", "me", **bearer))[0] == 401


async def test_a_key_is_over_when_it_says(browser: Browser) -> None:
    await browser.sign_up("ada")
    status, problem = await browser.ask("POST", "me/keys", {"name": "a", "scopes": ["admin"], "expires_at": 1.0})
    assert (status, code(problem)) == (422, "expiry-past")


# --- administrators ---------------------------------------------------------------------------------------------------


async def test_what_administrators_do(browsers: Browsers) -> None:
    root, ada = browsers(), browsers()
    me = await root.set_up()
    await ada.sign_up("ada")
    _, page = await root.ask("GET", "users?limit=1")
    _, rest = await root.ask("GET", f"users?limit=1&page={page['next']}")
    assert [one["login"] for one in page["items"] + rest["items"]] == ["ada", "root"] and rest["next"] is None
    user = page["items"][0]["id"]
    assert (await root.ask("GET", "users?search=AD"))[1]["items"][0]["id"] == user
    assert (await root.ask("PATCH", f"users/{user}", {"role": "moderator"}))[1]["role"] == "moderator"
    assert (await root.ask("PATCH", f"users/{user}", {"enabled": False}))[0] == 200
    assert (await ada.ask("GET", "me"))[0] == 401
    for method, body in (("PATCH", {"role": "user"}), ("PATCH", {"enabled": False}), ("DELETE", None)):
        status, problem = await root.ask(method, f"users/{me['id']}", body)
        assert (status, code(problem)) == (409, "last-admin")
    assert (await root.ask("DELETE", f"users/{user}"))[0] == 204
    assert code((await root.ask("GET", f"users/{user}"))[1]) == "user-unknown"
    _, log = await root.ask("GET", "audit?action=users")
    assert [one["detail"] for one in log["items"]] == ["deleted", "enabled=False", "role=moderator"]
    assert {one["actor"] for one in log["items"]} == {"root"} and PASSWORD not in str(log)


async def test_a_reset_link_is_good_once(browsers: Browsers) -> None:
    root, ada = browsers(), browsers()
    await root.set_up()
    user = await ada.sign_up("ada")
    _, link = await root.ask("POST", f"users/{user['id']}/reset-link")
    secret = link["url"].partition("/reset#")[2]
    use = {"secret": secret, "password": "eleven owls under the bridge"}
    assert code((await ada.ask("POST", "password-resets/use", {**use, "password": "short"}))[1]) == "password-short"
    answers = await asyncio.gather(*(browsers().ask("POST", "password-resets/use", use) for _ in range(5)))
    assert sorted(status for status, _ in answers) == [204] + [403] * 4
    assert (await ada.ask("GET", "me"))[0] == 401 and await ada.sign_in("ada", use["password"]) == 200


async def test_asking_for_a_link_says_nothing(browser: Browser) -> None:
    await browser.sign_up("ada", mail="ada@example.org")
    for login in ("ada", "nobody"):
        assert await browser.ask("POST", "password-resets", {"login": login}) == (202, None)


# --- forged requests --------------------------------------------------------------------------------------------------


async def test_every_change_by_cookie_wants_the_pages_token(site: Site, browser: Browser) -> None:
    """Over all routes that change something and that a session may use."""
    await browser.sign_up("ada")
    browser.csrf = ""
    tried = 0
    for path, operations in site.app.site.openapi()["paths"].items():
        if path.startswith("/events"):
            continue  # its tokens stand in no cookie
        for method in operations.keys() & {"post", "put", "patch", "delete"}:
            where = path.removeprefix("/api/v1/").replace("{", "").replace("}", "")
            status, problem = await browser.ask(method.upper(), where, {} if method != "delete" else None)
            assert (status, code(problem)) == (403, "csrf"), (method, path)
            tried += 1
    assert tried > 20


async def test_nobody_is_signed_in_by_another_site(site: Site, browser: Browser) -> None:
    await browser.sign_up("ada")
    browser.cookie = browser.csrf = ""
    status, problem = await browser.ask(
        "POST", "session", {"login": "ada", "password": PASSWORD}, Sec_Fetch_Site="cross-site"
    )
    assert (status, code(problem)) == (403, "cross-site")
    for origin, expected in (("https://evil.example", 403), ("null", 403), (site.url, 200)):
        assert (await browser.ask("POST", "session", {"login": "ada", "password": PASSWORD}, Origin=origin))[
            0
        ] == expected
