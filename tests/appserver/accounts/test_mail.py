"""Mail: a real SMTP server gets the letter; what cannot be sent is tried again, bounded, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from confero.appserver.accounts.links import Letter
from confero.appserver.mail import WAITING, Mailer, SmtpServer, compose

from ...support.waiting import until
from ..browser import PASSWORD, Browser
from ..conftest import SiteMaker

LETTER = Letter("ada@example.org", "Hello", "Text\n")


class Box:
    """Takes letters, but the first ``refuse``."""

    def __init__(self, refuse: int = 0) -> None:
        self.refuse = refuse
        self.got: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            self.refuse -= 1
            return "451 later"
        self.got.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def smtp(box: Box, unused_tcp_port: int) -> Iterator[int]:
    controller = Controller(box, hostname="127.0.0.1", port=unused_tcp_port)
    controller.start()
    yield unused_tcp_port
    controller.stop()


async def test_a_forgotten_password_is_helped_by_mail(make_site: SiteMaker, smtp: int, box: Box) -> None:
    server = {"smtp_server": f"127.0.0.1:{smtp}", "smtp_security": "none", "mail_from": "meet@example.org"}
    site = await make_site(**server, public_url="https://meet.example")
    browser = Browser(site)
    await browser.sign_up("ada", mail="ada@example.org")
    assert (await browser.ask("GET", "session"))[1]["mail"] is True
    for origin, status in (("https://meet.example", 200), ("https://evil.example", 403)):  # a proxy says another Host
        assert (await browser.ask("PATCH", "me", {"display_name": "Ada"}, Origin=origin))[0] == status
    await browser.ask("POST", "password-resets", {"login": "nobody"})
    await browser.ask("POST", "password-resets", {"login": "ada"})
    await until(lambda: box.got)
    await browser.ask("POST", "password-resets", {"login": "ada"})  # too soon: the first link stays good
    (to, message) = box.got[0]
    assert to == ["ada@example.org"] and message["From"] == "meet@example.org" and len(box.got) == 1
    secret = message.get_content().partition("https://meet.example/reset#")[2].split()[0]
    use = {"secret": secret, "password": "eleven owls under the bridge"}
    assert (await browser.ask("POST", "password-resets/use", use))[0] == 204
    assert await browser.sign_in("ada") == 401 and await browser.sign_in("ada", use["password"]) == 200
    assert PASSWORD not in message.as_string()
    await browser.close()


async def test_what_is_refused_is_sent_again(smtp: int, box: Box) -> None:
    box.refuse = 2
    mailer = Mailer(SmtpServer("127.0.0.1", smtp, "none", "meet@example.org"), again_s=0.01)
    mailer.start()
    mailer.post(LETTER)
    await until(lambda: mailer.sent == 1)
    assert len(box.got) == 1 and mailer.failed == 0
    await mailer.close()


async def test_nothing_goes_in_the_clear_where_it_must_not(smtp: int, box: Box) -> None:
    mailer = Mailer(SmtpServer("127.0.0.1", smtp, "starttls", "meet@example.org"), again_s=0.01)
    mailer.start()
    mailer.post(LETTER)
    await until(lambda: mailer.failed == 1)
    assert box.got == []
    await mailer.close()


async def test_a_server_that_is_away_holds_nobody_up() -> None:
    mailer = Mailer(SmtpServer("127.0.0.1", 9, "none", "meet@example.org"), again_s=0.01)
    for _ in range(WAITING + 5):
        mailer.post(LETTER)
    assert mailer.failed == 5
    await mailer.close()


@pytest.mark.parametrize("to", ["a@b.example\r\nBcc: x@y.example", "a b@c", "", "a@b, c@d", "<a@b>", "a@b\nX: y"])
def test_no_address_brings_more_headers(to: str) -> None:
    try:
        message = compose(Letter(to, "Hello", "Text"), "meet@example.org")
    except ValueError:
        return
    assert message["Bcc"] is None and message["X"] is None and len(message.get_all("To", [])) == 1
    assert "\n" not in str(message["To"]) and message["To"].addresses[0].addr_spec.count("@") == 1
