"""HTTP that came inside of TLS: browsers name no protocol for ``turns:``, and neither do simple HTTP clients for pages.

What they say inside tells. The data path goes on ending TLS; the inside goes through a pair of sockets to the application server.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from confero.clock import Clock
from confero.errors import Refused
from confero.relay import NotStun, RelayError
from confero.runtime.giving import Giver
from confero.runtime.handover import Flags, Handed
from confero.runtime.logging import get_logger

log = get_logger(__name__)

METHOD = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|PRI) ")
KIND = "https"
"""As ``confero.protocols.sniff.Kind`` has it."""


class Joining(Protocol):
    """What of ``confero.relay.Relay`` is used here."""

    def join(self, connection: int, fd: int) -> None: ...
    def hang_up(self, connection: int) -> None: ...


class HttpsInside:
    """Decides about connections that begin with something that is not STUN."""

    def __init__(self, path: Joining, folder: Path | None, clock: Clock, *, uids: Iterable[int] = ()) -> None:
        """``folder``: where the application server takes connections; None: it does not, and they end."""
        self._path = path
        self._giver: Giver | None = None
        if folder is not None:
            self._giver = Giver(folder / "appserver.sock", clock, self._told, uids=uids)
        self.given = 0
        """Connections that the application server has taken."""
        self.ended = 0
        """Those that were something else, or for which nobody was there."""

    def decide(self, event: NotStun) -> None:
        """Hands it over, or ends it."""
        client = event.client
        if self._giver is None or client.transport != "tls" or not METHOD.match(event.data):
            self._end(client.connection)
            return
        ours, theirs = socket.socketpair()
        try:
            ours.setblocking(False)
            self._path.join(client.connection, ours.fileno())
        except (Refused, RelayError) as error:
            log.debug("HTTP inside of TLS was not handed over", reason=str(error))
            ours.close()
            theirs.close()
            self._end(client.connection)
            return
        ours.detach()
        self._giver.give(theirs, Handed(KIND, client.peer, Flags.TLS_ENDED))

    def _end(self, connection: int) -> None:
        self.ended += 1
        try:
            self._path.hang_up(connection)
        except Refused as error:
            log.debug("a connection was not hung up: it ends by itself", reason=str(error))

    def _told(self, handed: Handed, taken: bool) -> None:
        if taken:
            self.given += 1
        else:
            self.ended += 1

    def close(self) -> None:
        """Idempotent."""
        if self._giver is not None:
            self._giver.close()
