"""kamailio, as the proxy in front of the gateway or as somebody's PBX: tests/data/kamailio says how it routes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Literal

from confero.errors import LocalError

CONFIGS = Path(__file__).resolve().parent.parent / "data" / "kamailio"
MODULES = ("/usr/lib/x86_64-linux-gnu/kamailio/modules", "/usr/lib/aarch64-linux-gnu/kamailio/modules")
SIP_PORT = 5060
START_S = 10.0
STOP_S = 3.0


class Kamailio:
    """``start``, then ``stop``, as often as wanted; or ``async with``.

    ``proxy`` takes everything to the ``gateway``; ``pbx`` is registrar and proxy for ``pbx.test``.
    """

    PASSWORD = "the-pbx-password"

    def __init__(self, home: Path, config: Literal["proxy", "pbx"], *, address: str, gateway: str = "") -> None:
        self.address = address
        self.uri = f"sip:{address}:{SIP_PORT}"
        self._home = home
        self._process: asyncio.subprocess.Process | None = None
        modules = next((path for path in MODULES if Path(path).is_dir()), MODULES[0])
        words = {"ADDRESS": address, "GATEWAY": gateway, "MODULES": modules, "PASSWORD": self.PASSWORD}
        text = re.sub("@([A-Z]+)@", lambda found: words[found[1]], (CONFIGS / f"{config}.cfg").read_text())
        (home / "kamailio.cfg").write_text(text)

    async def __aenter__(self) -> Kamailio:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Returns when it takes connections. Raises LocalError with its last words."""
        command = shutil.which("kamailio", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if command is None:
            raise LocalError("kamailio is not installed (Debian: apt-get install kamailio)")
        (self._home / "pid").unlink(missing_ok=True)  # it does not start beside an old one
        self._process = await asyncio.create_subprocess_exec(
            command,
            *("-f", str(self._home / "kamailio.cfg"), "-DD", "-E", "-m", "64", "-M", "8"),
            *("-P", str(self._home / "pid"), "-Y", str(self._home)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(self._home / "log").open("ab"),
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(START_S):
                while self._process.returncode is None and not await self._listens():  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(0.05)
        except TimeoutError:
            await self.stop()
        if self._process is None or self._process.returncode is not None:
            raise LocalError(f"kamailio does not start:\n{(self._home / 'log').read_text()[-2000:]}")

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self.address, SIP_PORT)
        except OSError:
            return False
        writer.close()
        return True

    async def stop(self) -> None:
        """Idempotent: it and its children, which sometimes do not end: it waits a minute for them, we do not."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await process.wait()
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
