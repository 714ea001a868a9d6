"""One-time links to a new password: made by administrators, or sent by mail to whoever asks for their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from confero.clock import Clock
from confero.errors import Refused
from confero.ratelimit import Rate, RateLimiter

from ..rights.actors import Actor
from .entities import Link, User
from .notes import note
from .passwords import Passwords
from .secrets import digest, new_secret
from .store import LinkStore, UserStore

LINK_S = 86_400.0
"""How long an administrator's link is good."""
MAIL_S = 3600.0
"""How long a mailed one is."""
LETTERS = Rate(burst=1, per_s=1 / 300)
"""Of one account: strangers neither flood its mailbox nor keep making its latest link void."""


@dataclass(frozen=True)
class Letter:
    """A mail to be sent."""

    to: str
    subject: str
    text: str


class Post(Protocol):
    """Sends letters, later and by itself: it never waits, and what it cannot keep is dropped and counted."""

    def post(self, letter: Letter) -> None: ...


class Links:
    """``post``: None where no mail is sent."""

    def __init__(
        self, users: UserStore, store: LinkStore, passwords: Passwords, clock: Clock, post: Post | None
    ) -> None:
        self._users = users
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._post = post
        self._letters = RateLimiter(LETTERS, clock)

    @property
    def by_mail(self) -> bool:
        return self._post is not None

    async def make(self, actor: Actor, user: User, origin: str) -> tuple[str, float]:
        """The link's URL, and until when it is good."""
        secret, until = await self._put(actor, user, LINK_S, "users.change")
        return link_url(origin, secret), until

    async def ask(self, login: str, source: str, origin: str) -> None:
        """Mails a link to the account's address, if there is such an account with one. Called once the answer is given."""
        user = await self._users.user_called(login)
        if self._post is None or user is None or not user.enabled or user.mail is None or self._letters.take(user.id):
            return
        actor = Actor(source=source)
        secret, _ = await self._put(actor, user, MAIL_S, "resets.ask")
        self._post.post(letter_of(user, link_url(origin, secret)))

    async def _put(self, actor: Actor, user: User, good_s: float, action: str) -> tuple[str, float]:
        secret, now = new_secret(), self._clock.wall()
        link = Link(digest(secret), user.id, now, now + good_s)
        await self._store.put_link(link, note(self._clock, actor, action, user.login, "reset link made"))
        return secret, link.expires_at

    async def use(self, secret: str, password: str, source: str) -> None:
        """Raises Refused 403 ``link-used`` for one that is no good (any more), and as ``Passwords.new``."""
        now, key = self._clock.wall(), digest(secret)
        user = await self._store.link(key, now)
        if user is None or not user.enabled:
            raise _used()
        hashed = await self._passwords.new(password, about_of(user))
        written = note(self._clock, Actor(source=source), "resets.use", user.login)
        if not await self._store.use_link(key, now, hashed, written):
            raise _used()


def about_of(user: User) -> list[str]:
    """What an attacker knows of an account."""
    return [user.login, user.display_name, *user.display_name.split(), *([user.mail] if user.mail else [])]


def link_url(origin: str, secret: str) -> str:
    """The secret stands in the fragment, which browsers send to nobody."""
    return f"{origin}/reset#{secret}"


def letter_of(user: User, url: str) -> Letter:
    text = (
        f"Hello {user.display_name},\n\nsomebody has asked for a new password for the account {user.login}. "
        f"If it was you, choose it here within an hour:\n\n{url}\n\n"
        "If it was not, nothing has changed, and you need not do anything.\n"
    )
    return Letter(user.mail or "", "Your new password", text)


def _used() -> Refused:
    return Refused("This link has been used, or is too old. Ask for another one.", status=403, code="link-used")
