"""kamailio as the proxy in front of the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from pathlib import Path

from confero.errors import LocalError

CONFIG = Path(__file__).resolve().parent.parent / "data" / "kamailio" / "proxy.cfg"
MODULES = ("/usr/lib/x86_64-linux-gnu/kamailio/modules", "/usr/lib/aarch64-linux-gnu/kamailio/modules")
SIP_PORT = 5060


class Kamailio:
    """``start``, then ``stop``."""

    def __init__(self, home: Path, *, host: str, gateway: str) -> None:
        self.uri = f"sip:{host}:{SIP_PORT}"
        self._home, self._host = home, host
        modules = next((path for path in MODULES if Path(path).is_dir()), MODULES[0])
        text = CONFIG.read_text().replace("LISTEN", host).replace("GATEWAY", gateway).replace("MODULES", modules, 2)
        (home / "kamailio.cfg").write_text(text)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it takes connections. Raises LocalError with its last words."""
        command = shutil.which("kamailio", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if command is None:
            raise LocalError("kamailio is not installed (Debian: apt-get install kamailio)")
        self._process = await asyncio.create_subprocess_exec(
            command,
            *("-f", str(self._home / "kamailio.cfg"), "-DD", "-E", "-m", "64", "-M", "8"),
            *("-P", str(self._home / "pid"), "-Y", str(self._home)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(self._home / "log").open("wb"),
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(10):
                while not await self._listens():  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            await self.stop()
            raise LocalError(f"kamailio does not start:\n{(self._home / 'log').read_text()[-2000:]}") from error

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self._host, SIP_PORT)
        except OSError:
            return False
        writer.close()
        return True

    async def stop(self) -> None:
        """Idempotent: it and its children."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await process.wait()
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
