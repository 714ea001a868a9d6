"""Browsers call telephones and are called by them: a page in Chromium and a baresip, which hear each other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Error

from confero.lab.members import Baresip, Line
from confero.lab.members.chromium import Chromium
from confero.lab.members.loopback import gather_loopback
from confero.lab.page import Page
from confero.lab.stack import Stack
from confero.runtime.tasks import spawn

from ..support.jssip import CALL, REGISTER, bundle
from .listening import HEARD_DBFS, UNHEARD_DBFS, level, tone, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 47
ADA_HZ, PHONE_HZ, SCRIPT_HZ = 433.0, 1151, 719.0
SETTINGS = {
    "CONFERO_APPSERVER_CALL_OUT_ROLES": "guest",
    "CONFERO_SIPGW_PASS_HEADERS": "X-Customer",
    "CONFERO_SIPGW_DOMAINS": "meet.example",
    "CONFERO_SIPGW_RING_S": "12",
}
RULES = (
    {"position": 10, "direction": "out", "source": "browser", "pattern": ".", "action": "address"},
    {"position": 20, "direction": "in", "source": "any", "pattern": "Ada", "action": "user", "target": "{user}"},
)
KEY_5 = (770.0, 1336.0)
DOMAIN = "meet.example"
PASSWORD = "correct horse battery"
CALL_LINE = "document.querySelector('.call-lines .banner-call')"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    gather_loopback()
    running = Stack(tmp_path_factory.mktemp("state"), network=NETWORK, settings=SETTINGS)
    await running.start()
    await dial_plan(running)
    yield running
    await running.stop()
    assert "Traceback" not in running.output, running.output[-6000:]


async def dial_plan(stack: Stack) -> None:
    for rule in RULES:
        await administer(stack, "rules", rule)


async def administer(stack: Stack, rows: str, body: Mapping[str, object]) -> None:
    """Makes a row."""
    headers = {"Authorization": f"Bearer {(stack.state_dir / 'admin-token').read_text()}"}
    url = f"{stack.url('appserver', 'https')}/api/v1/sip/{rows}"
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(url, json=body, ssl=stack.tls()) as response,
    ):
        assert response.status == 201, await response.text()


@pytest_asyncio.fixture(loop_scope="module")
async def ada(stack: Stack) -> AsyncIterator[Page]:
    async with Chromium(tone(ADA_HZ)) as browser:
        page = Page(browser, stack.page_url)
        await page.join("lobby", "Ada")
        yield page
        await page.leave()


@contextlib.asynccontextmanager
async def phone(home: Path, *, answers: bool = True) -> AsyncIterator[Baresip]:
    async with Baresip(home, hertz=PHONE_HZ, user="bob", line=Line(answers=answers)) as running:
        yield running


async def hear_each_other(page: Page, telephone: Baresip) -> None:
    async with asyncio.timeout(20):
        while level(await page.hear(1.0), PHONE_HZ) < HEARD_DBFS:
            pass
    await until(lambda: level(telephone.heard(), ADA_HZ) > HEARD_DBFS, 15, "the telephone hears the browser")
    assert level(telephone.heard(), PHONE_HZ) < UNHEARD_DBFS + 15, "it hears itself"


async def dial(page: Page, to: str) -> None:
    await page.press(".control:has(path[d^='M6.5 3.5'])")
    await page.value(
        f"(() => {{ const i = document.querySelector('#dial-to'); i.value = '{to}';"
        " i.dispatchEvent(new InputEvent('input', { bubbles: true })); })()"
    )
    await page.press(".dialer button[type=submit]")


async def test_a_browser_calls_a_telephone(stack: Stack, ada: Page, tmp_path: Path) -> None:
    async with phone(tmp_path / "bob") as bob:
        await dial(ada, bob.uri)
        await until(lambda: bob.saw("CALL_ESTABLISHED"), 15, "the telephone answers")
        await ada.until("window.confero.roster.some((p) => p.kind === 'rtp' && p.state === 'connected')")
        await hear_each_other(ada, bob)
        await ada.press(".people .row-buttons button:last-of-type")
        await until(lambda: bob.saw("CALL_CLOSED"), 10, "it is hung up on")
        await ada.until("window.confero.roster.length === 1")
        await ada.until(f"{CALL_LINE}?.dataset.state === 'ended'")


async def test_a_call_that_is_given_up(stack: Stack, ada: Page, tmp_path: Path) -> None:
    async with phone(tmp_path / "bob", answers=False) as bob:
        await dial(ada, bob.uri.removeprefix("sip:"))
        await ada.until(f"{CALL_LINE}?.dataset.state === 'ringing'")
        await ada.press(".call-lines button")
        await until(lambda: bob.saw("CALL_CLOSED"), 10, "it rings no more")
        await ada.until(f"{CALL_LINE}?.dataset.state === 'ended'")


async def test_a_telephone_that_declines(stack: Stack, ada: Page, tmp_path: Path) -> None:
    async with phone(tmp_path / "bob", answers=False) as bob:
        await dial(ada, bob.uri.removeprefix("sip:"))
        await until(lambda: bob.saw("CALL_INCOMING"), 10, "it rings")
        await bob.hang_up()
        await ada.until(f"{CALL_LINE}?.dataset.state === 'ended'")
        assert "busy" in str(await ada.value(f"{CALL_LINE}.innerText"))  # baresip's refusal is 486


async def test_a_telephone_calls_a_browser(stack: Stack, ada: Page, tmp_path: Path) -> None:
    async with phone(tmp_path / "bob") as bob:
        await bob.dial(f"sip:Ada@{stack.addresses['sipgw']}")
        await ada.until("document.querySelector('.incoming[open]') !== null")
        await until(lambda: bob.saw("CALL_RINGING"), 5, "it hears that it rings")
        assert "bob" in str(await ada.value("document.querySelector('.incoming').innerText"))
        await ada.press(".incoming .button-primary")
        await until(lambda: bob.saw("CALL_ESTABLISHED"), 10, "the call is answered")
        await hear_each_other(ada, bob)
        await ada.press(".people .row-buttons button:last-of-type")
        await until(lambda: bob.saw("CALL_CLOSED"), 10, "it is hung up on")
        await ada.until("window.confero.roster.length === 1")


async def test_data_and_keys_reach_the_telephone(stack: Stack, ada: Page, tmp_path: Path) -> None:
    async with phone(tmp_path / "bob") as bob, aiohttp.ClientSession() as http:
        api = f"{stack.url('appserver', 'https')}/api/v1/rooms/lobby"
        async with http.post(f"{api}/join", json={"display_name": "Rex"}, ssl=stack.tls()) as response:
            headers = {"Authorization": f"Bearer {(await response.json())['token']}"}
        wish = {"to": bob.uri, "user_data": "order 7", "headers": {"X-Customer": "4711"}}
        async with http.post(f"{api}/calls", json=wish, headers=headers, ssl=stack.tls()) as response:
            assert response.status == 201, await response.text()
            call = (await response.json())["id"]
        await ada.until("window.confero.roster.some((p) => p.kind === 'rtp' && p.state === 'connected')")
        assert f"User-to-User: {b'order 7'.hex()};encoding=hex" in bob.log and "X-Customer: 4711" in bob.log
        async with http.post(
            f"{api}/calls/{call}/digits", json={"digits": "5", "ms": 4000}, headers=headers, ssl=stack.tls()
        ) as response:
            assert response.status == 204, await response.text()
        # baresip has no telephone-event on Opus' clock: it hears the key itself.
        await until(
            lambda: min(level(bob.heard(0.4), hz, 0.4) for hz in KEY_5) > HEARD_DBFS, 5, "the telephone hears the key"
        )
        async with http.delete(f"{api}/calls/{call}", headers=headers, ssl=stack.tls()) as response:
            assert response.status == 204
        await until(lambda: bob.saw("CALL_CLOSED"), 10, "it is hung up on")


@pytest.mark.parametrize(("button", "status"), [("2", "486"), ("3", "603")])
async def test_a_browser_that_does_not_want(stack: Stack, ada: Page, tmp_path: Path, button: str, status: str) -> None:
    async with phone(tmp_path / "bob") as bob:
        await bob.dial(f"sip:Ada@{stack.addresses['sipgw']}")
        await ada.press(f".incoming-answers button:nth-child({button})")
        await until(lambda: bob.saw("CALL_CLOSED"), 10, "the caller hears of it")
        assert status in bob.saw("CALL_CLOSED")[-1]["param"]
        await ada.until("document.querySelector('.incoming') === null")


async def test_a_caller_who_gives_up(stack: Stack, ada: Page, tmp_path: Path) -> None:
    async with phone(tmp_path / "bob") as bob:
        await bob.dial(f"sip:Ada@{stack.addresses['sipgw']}")
        await ada.until("document.querySelector('.incoming[open]') !== null")
        await bob.hang_up()
        await ada.until("document.querySelector('.incoming') === null")


async def test_nobody_answers(stack: Stack, ada: Page, tmp_path: Path) -> None:
    """After ``ring_s``."""
    async with phone(tmp_path / "bob") as bob:
        await bob.dial(f"sip:Ada@{stack.addresses['sipgw']}")
        await until(lambda: bob.saw("CALL_CLOSED"), 20, "it is given up")
        assert "480" in bob.saw("CALL_CLOSED")[-1]["param"]
        await ada.until("document.querySelector('.incoming') === null")


async def test_a_script_calls_a_room_over_websocket(stack: Stack, ada: Page) -> None:
    """RFC 7118, DTLS-SRTP and ICE: JsSIP in another Chromium."""
    async with Chromium(tone(SCRIPT_HZ)) as browser:
        await browser.goto(f"{stack.page_url}/")
        await browser.evaluate(bundle())
        assert await browser.page.evaluate(CALL, [f"sip:lobby@{stack.addresses['sipgw']}", []]) == "confirmed"
        await ada.until("window.confero.roster.some((p) => p.display_name === 'Script' && p.state === 'connected')")
        async with asyncio.timeout(20):
            while level(await ada.hear(1.0), SCRIPT_HZ) < HEARD_DBFS:
                pass
            while level((await browser.hear(1.0)).signal, ADA_HZ) < HEARD_DBFS:
                pass
        assert level((await browser.hear(1.0)).signal, SCRIPT_HZ) < HEARD_DBFS
        await browser.evaluate("window.session.terminate()")
        await ada.until("window.confero.roster.length === 1")


async def test_data_of_a_caller_reach_the_page(stack: Stack, ada: Page) -> None:
    async with Chromium(tone(SCRIPT_HZ)) as browser:
        await browser.goto(f"{stack.page_url}/")
        await browser.evaluate(bundle())
        headers = [f"User-to-User: {b'order 8'.hex()};encoding=hex"]
        calling = spawn(browser.page.evaluate(CALL, [f"sip:Ada@{stack.addresses['sipgw']}", headers]), name="a call")
        await ada.until("document.querySelector('.incoming-data')?.textContent === 'order 8'")
        assert "Script" in str(await ada.value("document.querySelector('.incoming').innerText"))
        await ada.press(".incoming-answers button:nth-child(3)")
        with pytest.raises(Error, match="Rejected"):
            await calling


async def test_a_script_that_has_registered_is_called(stack: Stack, ada: Page) -> None:
    """By its account's name, over the connection that it has made."""
    account = {"user": "carol", "realm": "confero", "password": PASSWORD, "display_name": "Carol"}
    await administer(stack, "accounts", account)
    await administer(
        stack, "rules", {"position": 5, "direction": "out", "source": "browser", "pattern": "carol", "action": "user"}
    )
    async with Chromium(tone(SCRIPT_HZ)) as browser:
        await browser.goto(f"{stack.page_url}/")
        await browser.evaluate(bundle())
        found = await browser.page.evaluate(REGISTER, ["carol", DOMAIN, PASSWORD])
        assert found == "registered 1"
        await dial(ada, "carol")
        await ada.until("window.confero.roster.some((p) => p.display_name === 'Carol' && p.state === 'connected')")
        async with asyncio.timeout(20):
            while level(await ada.hear(1.0), SCRIPT_HZ) < HEARD_DBFS:
                pass
            while level((await browser.hear(1.0)).signal, ADA_HZ) < HEARD_DBFS:
                pass
        await ada.press(".people .row-buttons button:last-of-type")
        await ada.until("window.confero.roster.length === 1")


async def test_a_script_is_there_again_after_the_gateway_was_killed(stack: Stack, tmp_path: Path) -> None:
    """Its connection has ended with the process: it makes another one by itself, and is called over that."""
    account = {"user": "dora", "realm": "confero", "password": PASSWORD, "display_name": "Dora"}
    await administer(stack, "accounts", account)
    await administer(
        stack, "rules", {"position": 6, "direction": "in", "source": "any", "pattern": "dora", "action": "user"}
    )
    async with Chromium(tone(SCRIPT_HZ)) as browser, phone(tmp_path / "bob") as bob:
        await browser.goto(f"{stack.page_url}/")
        await browser.evaluate(bundle())
        assert await browser.page.evaluate(REGISTER, ["dora", DOMAIN, PASSWORD]) == "registered 1"
        stack.kill("sipgw")
        await stack.wait_ready()
        async with asyncio.timeout(30):
            while await browser.page.evaluate("window.registered") < 2:  # noqa: ASYNC110 - of a page
                await asyncio.sleep(0.1)
        await bob.dial(f"sip:dora@{stack.addresses['sipgw']}")
        await until(lambda: bob.saw("CALL_ESTABLISHED"), 20, "it is answered")
        await until(lambda: level(bob.heard(1.0), SCRIPT_HZ) > HEARD_DBFS, 10, "the script is heard")
        await bob.hang_up()
