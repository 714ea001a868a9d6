"""Mail by SMTP: one letter after the other from a short queue, tried again a few times; nobody waits for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import aiosmtplib

from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from .accounts.links import Letter

log = get_logger(__name__)
WAITING = 100
"""Letters; beyond it the newest is dropped and counted: whoever asked may ask again."""
TRIES = 3
AGAIN_S = 10.0
TIMEOUT_S = 20.0


@dataclass(frozen=True)
class SmtpServer:
    """``security``: ``starttls`` (never in the clear if the server cannot), ``tls`` from the first byte, or ``none``."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = ""


class Mailer:
    """Implements ``accounts.links.Post``. ``start`` and ``close`` it."""

    def __init__(self, server: SmtpServer, *, again_s: float = AGAIN_S) -> None:
        self._server = server
        self._again_s = again_s
        self._queue: asyncio.Queue[Letter] = asyncio.Queue(WAITING)
        self._tasks = TaskBag()
        self.sent = 0
        self.failed = 0
        """Dropped, or given up."""

    def start(self) -> None:
        self._tasks.spawn(self._run(), name="mail")

    def post(self, letter: Letter) -> None:
        try:
            self._queue.put_nowait(letter)
        except asyncio.QueueFull:
            self.failed += 1
            log.warning("mail dropped, too many wait", waiting=WAITING)

    async def close(self) -> None:
        """What waits is not sent any more. Idempotent."""
        await self._tasks.close()

    async def _run(self) -> None:
        while True:
            await self._deliver(await self._queue.get())

    async def _deliver(self, letter: Letter) -> None:
        try:
            message = compose(letter, self._server.sender)
        except ValueError as error:
            self.failed += 1
            log.warning("mail not written", reason=str(error))
            return
        for attempt in range(1, TRIES + 1):
            try:
                await self._send(message)
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                log.warning("mail not sent", attempt=attempt, reason=type(error).__name__)
                await asyncio.sleep(self._again_s * attempt if attempt < TRIES else 0)
            else:
                self.sent += 1
                return
        self.failed += 1

    async def _send(self, message: EmailMessage) -> None:
        server = self._server
        await aiosmtplib.send(
            message,
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            username=server.user or None,
            password=server.password or None,
            timeout=TIMEOUT_S,
        )


def compose(letter: Letter, sender: str) -> EmailMessage:
    """The message. Addresses go through the parser of RFC 5322, so that none brings further headers.

    Raises ValueError for one that is none.
    """
    message = EmailMessage()
    try:
        message["From"] = Address(addr_spec=sender)
        message["To"] = Address(addr_spec=letter.to)
    except (MessageError, IndexError) as error:  # what the parser raises of the nameless kind
        raise ValueError(f"no address: {error}") from None
    message["Subject"] = letter.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(letter.text)
    return message
