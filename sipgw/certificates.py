"""The certificate of SIP over TLS: taken up when it appears, and again when it is renewed, without a restart."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

from confero.errors import LocalError
from confero.runtime.logging import get_logger

log = get_logger(__name__)

LOOK_S = 2.0
"""How often it is looked whether the files have changed."""

Stamp = tuple[tuple[int, int, int], ...]


class Certificates:
    """``server`` and ``client`` are for the transport, and hold for the connections that are made after a change."""

    def __init__(self, certificate: Path, key: Path, peer_ca: Path | None = None) -> None:
        self._files = (certificate, key)
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.client = ssl.create_default_context(cafile=str(peer_ca) if peer_ca else None)
        self._taken: Stamp | None = None
        self._faulty: Stamp | None = None

    def look(self) -> bool:
        """Takes up what has changed. False as long as there is no certificate. Raises LocalError for one that cannot be used."""
        stamp = _stamp(self._files)
        if stamp is None or stamp == self._taken:
            return self._taken is not None
        try:
            self.server.load_cert_chain(*self._files)
            self.client.load_cert_chain(*self._files)
        except (OSError, ssl.SSLError) as error:
            raise LocalError(f"certificate {self._files[0]} with key {self._files[1]}: {error}") from error
        log.info("certificate taken up", file=str(self._files[0]), again=self._taken is not None)
        self._taken = stamp
        return True

    async def watch(self, on_first: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled. ``on_first``: when there is a certificate, if there was none so far."""
        waiting = self._taken is None
        while True:
            await asyncio.sleep(LOOK_S)
            if self._look_again() and waiting:
                waiting = False
                await on_first()

    def _look_again(self) -> bool:
        """A renewal that is half written is looked at again; the certificate before it holds meanwhile."""
        try:
            return self.look()
        except LocalError as error:
            stamp = _stamp(self._files)
            if stamp != self._faulty:
                log.error("the new certificate cannot be used", reason=str(error))
                self._faulty = stamp
            return self._taken is not None


def _stamp(files: tuple[Path, Path]) -> Stamp | None:
    """What tells a file from the one before; None while one is missing."""
    try:
        return tuple((s.st_mtime_ns, s.st_size, s.st_ino) for s in (file.stat() for file in files))
    except OSError:
        return None
