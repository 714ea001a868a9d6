"""The DTLS of one leg: its task over the engine's channel, from the first datagram to the goodbye."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confero.protocols.sdp import Fingerprint
from confero.runtime.logging import get_logger
from confero.runtime.tasks import spawn

from .channel import DtlsEngine, EngineChannel, Turnstile
from .dtls import Association, Certificate, OnKeys, Outcome, Role

log = get_logger(__name__)


@dataclass(frozen=True)
class DtlsMeans:
    """What all handshakes of an MCU share."""

    certificate: Certificate
    turnstile: Turnstile


class Handshake:
    """Of the engine's leg with this number; ``begin`` it once, ``close`` it."""

    def __init__(
        self,
        engine: DtlsEngine,
        number: int,
        leg: str,
        means: DtlsMeans,
        on_keys: OnKeys,
        on_end: Callable[[str], None],
    ) -> None:
        """``on_end`` hears why it is over: ``fingerprint-mismatch`` or ``bye``. Failed tries are not told: until the deadline a
        stranger's datagrams may have been to blame."""
        self._channel = EngineChannel(engine, number, means.turnstile)
        self._leg = leg
        self._means = means
        self._on_keys = on_keys
        self._on_end = on_end
        self._association: Association | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def begun(self) -> bool:
        return self.task is not None

    def begin(self, fingerprints: Sequence[Fingerprint], role: Role) -> None:
        """As client it says hello at once, as server it waits."""
        self._association = Association(self._channel, self._means.certificate, fingerprints, role, self._on_keys)
        self.task = spawn(self._run(self._association), name=f"dtls {self._leg}")

    async def _run(self, association: Association) -> None:
        outcome = await association.run()
        log.info("dtls ended", leg=self._leg, outcome=outcome.value)
        if outcome is not Outcome.FAILED:
            self._on_end(outcome.value)

    def wake(self) -> None:
        """The engine says that datagrams wait."""
        self._channel.wake()

    def close(self) -> None:
        """Says goodbye to the peer. Idempotent."""
        if self._association is not None:
            self._association.close()
        self._channel.close()
        if self.task is not None and self.task is not asyncio.current_task():
            self.task.cancel()
