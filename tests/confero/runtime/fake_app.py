"""A service that does nothing but fail as it is told: fake_app.py MODE [options of a service]."""

from __future__ import annotations

import asyncio
import sys

from confero.config import ConfigError, ServiceConfig
from confero.configsources import Fault
from confero.errors import LocalError
from confero.runtime.logging import get_logger
from confero.runtime.service import main

log = get_logger("confero.fake")
mode = sys.argv[1]
FAILURES: dict[str, Exception] = {
    "refuses": LocalError("cannot listen on 127.0.0.1:80: Permission denied"),
    "os-error": PermissionError(13, "Permission denied", "/x"),
    "crashes": KeyError("bug"),
    "config": ConfigError([Fault("/x/secret", "others may read it")]),
}


class FakeApp:
    name = "fake"

    def __init__(self, config: ServiceConfig) -> None:
        self.config = config

    async def start(self) -> None:
        log.info("app starts")
        if mode in FAILURES:
            raise FAILURES[mode]
        if mode == "slow-start":
            await asyncio.Event().wait()
        if mode == "callback":
            asyncio.get_running_loop().call_soon(fail)
            await asyncio.sleep(0.05)

    async def drain(self) -> None:
        log.info("app drains")
        if mode in ("slow-drain", "slow-stop"):
            try:
                await asyncio.Event().wait()
            finally:
                log.info("app drain cancelled")

    async def stop(self) -> None:
        log.info("app stops")
        if mode == "bad-stop":
            raise RuntimeError("stuck")
        if mode == "slow-stop":
            await asyncio.Event().wait()


def fail() -> None:
    raise RuntimeError("in a callback")


if __name__ == "__main__":
    sys.exit(main("fake", ServiceConfig, FakeApp, sys.argv[2:]))
