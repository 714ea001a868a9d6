"""What stands for accounts' passwords in digests: asked of the application server, remembered for a short while."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

from confero.clock import Clock
from confero.errors import Refused, Unavailable
from confero.models.sip import SipCredentials, SipCredentialsAsk
from confero.runtime.logging import get_logger

log = get_logger(__name__)

FRESH_S = 60.0
"""An answer is used without asking again; a changed password shows earlier, by the change of the directory."""
STALE_S = 3600.0
"""... and for this long while the application server cannot be asked: phones stay registered."""
ANSWERS = 4096
"""That are remembered; of accounts that do not exist too. The one unused for longest is forgotten."""

Key = tuple[str, str, str]


class Source(Protocol):
    async def credentials(self, ask: SipCredentialsAsk) -> SipCredentials: ...


class CredentialBook:
    """Answers for accounts that exist and for such that do not in the same way: who asks cannot tell them apart by the time."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._known: OrderedDict[Key, tuple[float, SipCredentials | None]] = OrderedDict()

    async def find(self, ask: SipCredentialsAsk) -> SipCredentials | None:
        """None: there is no such account. Raises Unavailable."""
        key = (ask.user, ask.realm, ask.algorithm)
        now = self._clock.monotonic()
        known = self._known.get(key)
        if known is not None and now - known[0] < FRESH_S:
            self._known.move_to_end(key)
            return known[1]
        try:
            found = await self._source.credentials(ask)
        except Refused as error:
            if error.status != 404:
                raise Unavailable(f"credentials are refused: {error.detail}") from error
            found = None
        except Unavailable:
            if known is not None and now - known[0] < STALE_S:
                return known[1]
            raise
        self._known[key] = (now, found)
        self._known.move_to_end(key)
        if len(self._known) > ANSWERS:
            self._known.popitem(last=False)
        return found

    def forget(self) -> None:
        """Accounts have changed: what is known may be wrong."""
        self._known.clear()
