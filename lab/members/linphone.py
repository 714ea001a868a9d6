"""linphone's console program as somebody's telephone: driven by lines, it plays a file and records another."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from pathlib import Path

from confero.errors import LocalError
from confero.lab.signals import sources
from confero.lab.signals.sources import Signal, write_wav

from .telephone import HOST, POLL_S, TONE_DBFS, Encryption, FileRecording, Line, free_ports

CODECS = (
    *(("opus", 48_000, 2), ("PCMU", 8000, 1), ("PCMA", 8000, 1), ("G722", 8000, 1), ("G729", 8000, 1)),
    *(("speex", 8000, 1), ("speex", 16_000, 1), ("speex", 32_000, 1)),
)
"""Those that it has enabled by itself, or may have."""
SAMPLE_RATES = {"opus": 48_000, "G722": 16_000}
"""Of what it records; 8 kHz of all others."""
ENCRYPTION: dict[Encryption, str] = {
    "": "media_encryption=none",
    "srtp": "media_encryption=srtp",
    "srtp-mand": "media_encryption=srtp\nmedia_encryption_mandatory=1",
    "srtp-mandf": "media_encryption=srtp\nmedia_encryption_mandatory=1",
    "dtls_srtp": "media_encryption=dtls",
}
# Without the mark of a migration that has been done, it migrates use_ipv6 to 1.
CONFIG = """\
[sip]
sip_port={port}
sip_tcp_port={port}
sip_tls_port={tls_port}
bind_address={host}
use_ipv6=0
ipv6_migration_done=1
verify_server_certs=0
verify_server_cn=0
contact="{name}" <sip:{user}@{host}>
default_proxy={proxy}
{encryption}

[rtp]
bind_address={host}
audio_rtp_port=9000-9999
rtcp_mux={mux}

[net]
mtu=1300

[sound]
echocancellation=0

"""
ACCOUNT = """\
[proxy_0]
reg_proxy=<sip:{registrar};transport={transport}>
reg_identity="{name}" <sip:{user}@{registrar}>
reg_expires=60
reg_sendregister=1

[auth_info_0]
username={user}
passwd={password}
realm=confero

"""
CODEC = """\
[audio_codec_{number}]
mime={codec}
rate={clock}
channels={channels}
enabled={enabled}

"""
TONE_S = 20.0
"""Its file begins again at its end; a tone of whole periods has no seam."""
PATIENCE_S = 10.0
QUIT_S = 3.0
CLOSED = re.compile(r"Call \d+ with .+ (ended|error|declined|terminated)[^\n]*")


class Linphone:
    """One process with one line; ``async with Linphone(...) as phone``, or ``start`` and ``stop``.

    ``home``: a folder of its own. ``name``: what it shows of itself. Its calls have numbers, from 1 on.
    """

    def __init__(
        self, home: Path, *, hertz: int, user: str = "phone", name: str = "", host: str = HOST, line: Line | None = None
    ) -> None:
        self.user, self.hertz = user, hertz
        self._home, self._host, self._name, self._line = home, host, name or user, line or Line()
        dearest = self._line.codecs.split("/")[0]
        # The head of its file is written at the end only: until then the rate is that of the codec that it wants.
        self.recording = FileRecording(home, "heard.wav", SAMPLE_RATES.get(dearest, 8000))
        self._process: asyncio.subprocess.Process | None = None
        port = free_ports(host, 2)
        self.uri = f"sip:{user}@{host}:{port}"
        (home / ".local" / "share" / "linphone").mkdir(parents=True, exist_ok=True)
        write_wav(home / "said.wav", sources.tone(hertz, TONE_S, dbfs=TONE_DBFS))
        (home / "rc").write_text(self._config(port))

    async def __aenter__(self) -> Linphone:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Ready to call. Raises LocalError where it is not installed, TimeoutError."""
        command = shutil.which("linphonec")
        if command is None:
            raise LocalError("linphonec is not installed (Debian: apt-get install linphone-cli)")
        self._process = await asyncio.create_subprocess_exec(
            command,
            *("-c", str(self._home / "rc"), "-d", "5", "-l", str(self._home / "trace")),
            *["-a"] * self._line.answers,
            stdin=asyncio.subprocess.PIPE,
            stdout=(self._home / "log").open("wb"),
            stderr=asyncio.subprocess.STDOUT,
            cwd=self._home,
            env={**os.environ, "HOME": str(self._home), "COLUMNS": "1000"},  # it breaks the lines that it echoes
        )
        try:
            await self._prints("linphonec> ", 0)
            for line in ("soundcard use files", "play said.wav", "record heard.wav"):
                await self.command(line)
        except BaseException:
            process, self._process = self._process, None
            process.kill()
            await process.wait()
            raise

    async def stop(self) -> None:
        """Ends the process as its user would, by force if it does not listen. Idempotent."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(TimeoutError, ConnectionError):
            await self.command("quit")
            async with asyncio.timeout(QUIT_S):
                await process.wait()
        self._process = None
        if process.returncode is None:
            process.kill()
            await process.wait()

    async def command(self, line: str) -> None:
        """One line of its console. Returns when it has been taken: one that comes too soon takes the place of the one before."""
        if self._process is None or self._process.stdin is None:
            raise LocalError(f"linphone of {self.user} does not run")
        before = len(self.log)
        self._process.stdin.write(f"{line}\n".encode())
        await self._prints(line, before)

    async def dial(self, uri: str) -> None:
        """Its account's transport is added, as baresip does."""
        transport = self._line.transport
        await self.command(f"call {uri}" + (f";transport={transport}" if transport != "udp" else ""))

    async def hang_up(self) -> None:
        await self.command("terminate all")

    async def hold(self) -> None:
        await self.command("pause")

    async def resume(self) -> None:
        await self.command("resume")

    @property
    def registered(self) -> bool:
        return "to [LinphoneRegistrationOk]" in self.trace

    @property
    def established(self) -> bool:
        return "Media streams established" in self.log

    @property
    def closed(self) -> list[str]:
        return [found[0] for found in CLOSED.finditer(self.log)]

    def heard(self, seconds: float = 1.0) -> Signal:
        """The end of what it has heard so far."""
        return self.recording.last(seconds)

    @property
    def log(self) -> str:
        """What it has printed."""
        path = self._home / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def trace(self) -> str:
        """What it has done, with all messages of SIP."""
        path = self._home / "trace"
        return path.read_text(errors="replace") if path.exists() else ""

    # -- inside --

    async def _prints(self, text: str, after: int) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while text not in self.log[after:]:  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise TimeoutError(f"linphone of {self.user} does not print {text!r} but:\n{self.log[-1500:]}") from None

    def _config(self, port: int) -> str:
        line = self._line
        mux = int(line.rtcp_mux)
        values = {"user": self.user, "name": self._name, "host": self._host, "port": port, "tls_port": port + 1}
        parts = [
            CONFIG.format(**values, mux=mux, encryption=ENCRYPTION[line.encryption], proxy=0 if line.registrar else -1)
        ]
        if line.registrar:
            account = {"registrar": line.registrar, "transport": line.transport, "password": line.password}
            parts.append(ACCOUNT.format(**values, **account))
        wanted = [codec.split("/") for codec in line.codecs.split(",")]
        chosen = [(name, int(clock), int(channels)) for name, clock, channels in wanted]
        chosen = [one if one[0] != "G722" else ("G722", 8000, 1) for one in chosen]  # its clock on the wire
        for number, (codec, clock, channels) in enumerate([*chosen, *(one for one in CODECS if one not in chosen)]):
            enabled = int(number < len(chosen))
            parts.append(CODEC.format(number=number, codec=codec, clock=clock, channels=channels, enabled=enabled))
        return "".join(parts)
