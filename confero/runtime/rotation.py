"""Follows the file of the secrets for TURN: the application server and the TURN servers take up a new one while they run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from confero.errors import LocalError
from confero.runtime.logging import get_logger
from confero.turnsecrets import TurnSecrets

log = get_logger(__name__)

LOOK_S = 2.0
"""How often it is looked whether the file has changed."""


async def follow(secrets: TurnSecrets, then: Callable[[], None] = lambda: None) -> None:
    """Until cancelled. ``then`` is called after each look: secrets come and go by the clock too. A file that is no good is told
    of once, and what was known before goes on."""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            if secrets.look():
                log.info("secrets for TURN taken up", taken=len(secrets.taken))
        except LocalError as error:
            log.error("the secrets for TURN cannot be used", reason=str(error))
        then()
