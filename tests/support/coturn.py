"""A TURN server that we did not write: coturn on an address of its own, without its configuration and its files."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from confero.errors import LocalError
from confero.models import IceServer
from confero.ports import find

REALM = "confero.test"
USER, PASSWORD = "doctor", "a-password-of-tests"


@dataclass
class Coturn:
    """One process; what it relays is on the same address."""

    host: str
    folder: Path
    options: tuple[str, ...] = ()
    """Further ones, such as ``--denied-peer-ip``."""
    udp: int = field(default_factory=lambda: find("turn", "udp").number)
    tls: int = field(default_factory=lambda: find("turn", "tls").number)
    process: asyncio.subprocess.Process | None = None

    def server(self, password: str = PASSWORD) -> IceServer:
        """As a browser is told of it."""
        urls = [
            f"turn:{self.host}:{self.udp}?transport=udp",
            f"turn:{self.host}:{self.udp}?transport=tcp",
            f"turns:{self.host}:{self.tls}?transport=tcp",
        ]
        return IceServer(urls=urls, username=USER, credential=password)

    async def start(self) -> None:
        """Returns when it takes connections."""
        program = shutil.which("turnserver")
        if program is None:
            raise LocalError("coturn is not installed (Debian: apt-get install coturn)")
        chain, key = self._certificate()
        self.process = await asyncio.create_subprocess_exec(
            *(program, "-n", "--no-cli", "--lt-cred-mech", f"--user={USER}:{PASSWORD}", f"--realm={REALM}"),
            *(f"--listening-ip={self.host}", f"--relay-ip={self.host}", "--allow-loopback-peers"),
            *(f"--listening-port={self.udp}", f"--tls-listening-port={self.tls}", f"--cert={chain}", f"--pkey={key}"),
            *(f"--pidfile={self.folder / 'pid'}", f"--log-file={self.folder / 'log'}", "--simple-log", *self.options),
            f"--userdb={self.folder / 'db'}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(15):
            while not await self._takes(self.udp) or not await self._takes(self.tls):
                if self.process.returncode is not None:
                    raise LocalError(f"coturn has ended: {(self.folder / 'log').read_text()[-1000:]}")
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Idempotent."""
        process, self.process = self.process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    def _certificate(self) -> tuple[Path, Path]:
        issued = trustme.CA().issue_cert(self.host)
        chain, key = self.folder / "chain.pem", self.folder / "key.pem"
        chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key.write_bytes(issued.private_key_pem.bytes())
        return chain, key

    async def _takes(self, port: int) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(self.host, port)
            writer.close()
            return True
        return False
