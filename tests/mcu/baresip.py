"""baresip as a telephone of an MCU: it dials, its INVITE makes a leg, and what it hears is on its disk.

Just enough of SIP to be called by it on loopback: one dialog, no retransmissions (RFC 3261; the gateway has the whole of it).
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import numpy as np

from confero.runtime.tasks import TaskBag

from .rig import Rig, Signal, tones

CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:0
call_max_calls 1
audio_player aubridge,nobody
audio_source ausine,{hertz}
audio_alert aubridge,nobody
ausrc_srate 48000
auplay_srate 48000
rtp_ports 20000-24000
rtcp_mux {mux}
net_interface 127.0.0.1
module_path {modules}
{lines}
snd_path {home}
"""
MODULES = ("g711", "g722", "opus", "ausine", "aubridge", "sndfile", "srtp", "dtls_srtp", "ice", "account", "menu")
PATHS = ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules")


class Baresip(asyncio.DatagramProtocol):
    """One call from a baresip process into room r1."""

    def __init__(self, rig: Rig, home: Path, wish: dict[str, object]) -> None:
        self._rig, self._home, self._wish = rig, home, wish
        self._transport: asyncio.DatagramTransport
        self._process: asyncio.subprocess.Process
        self.offer = self.answer = self.leg = self.refused = ""
        self.acknowledged = False
        self._tasks = TaskBag()

    @classmethod
    async def call(
        cls, rig: Rig, home: Path, *, hertz: int = 1000, encryption: str = "", mux: bool = True, **wish: object
    ) -> Baresip:
        """It is on its way: ``leg`` is set when the MCU has taken it."""
        loop = asyncio.get_running_loop()
        transport, phone = await loop.create_datagram_endpoint(
            lambda: cls(rig, home, wish), local_addr=("127.0.0.1", 0)
        )
        phone._transport = transport
        phone._settle(hertz, encryption, mux=mux)
        port = transport.get_extra_info("sockname")[1]
        command = shutil.which("baresip")
        assert command is not None, "baresip is missing"
        phone._process = await asyncio.create_subprocess_exec(
            command, "-f", str(home), "-e", f"/dial sip:room@127.0.0.1:{port}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(home / "log").open("wb"),
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        return phone

    def _settle(self, hertz: int, encryption: str, *, mux: bool) -> None:
        """Its files."""
        modules = next(path for path in PATHS if Path(path).is_dir())
        lines = "\n".join(f"module {name}.so" for name in MODULES)
        multiplexing = "yes" if mux else "no"
        text = CONFIG.format(hertz=hertz, modules=modules, lines=lines, home=self._home, mux=multiplexing)
        (self._home / "config").write_text(text)
        more = f";mediaenc={encryption}" if encryption else ""
        account = f"<sip:phone@127.0.0.1>;regint=0;audio_codecs=opus/48000/2,PCMU/8000/1{more}\n"
        (self._home / "accounts").write_text(account)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        head, _, body = data.decode().partition("\r\n\r\n")
        method = head.split(" ", 1)[0]
        if method == "INVITE" and not self.offer:
            self.offer = body
            self._tasks.spawn(self._invited(head, addr), name="a call")
        elif method == "INVITE" and self.answer:
            self._reply(head, addr, "200 OK", self.answer)
        elif method == "ACK":
            self.acknowledged = True
        elif method in ("BYE", "CANCEL"):
            self._reply(head, addr, "200 OK", "")

    async def _invited(self, head: str, addr: tuple[str, int]) -> None:
        try:
            reply = await self._rig.leg("baresip", kind="rtp", sdp=self.offer, **self._wish)
        except Exception as error:
            self.refused = str(error)
            self._reply(head, addr, "488 Not Acceptable Here", "")
            return
        self.leg, self.answer = reply.leg, reply.sdp
        self._reply(head, addr, "200 OK", reply.sdp)

    def _reply(self, head: str, addr: tuple[str, int], status: str, body: str) -> None:
        port = self._transport.get_extra_info("sockname")[1]
        kept = [
            line for line in head.split("\r\n")[1:] if line.lower().startswith(("via:", "from:", "call-id:", "cseq:"))
        ]
        to = next(line for line in head.split("\r\n") if line.lower().startswith("to:"))
        to += "" if ";tag=" in to else ";tag=mcu"
        more = [to, f"Contact: <sip:room@127.0.0.1:{port}>", f"Content-Length: {len(body)}"]
        more += ["Content-Type: application/sdp"] if body else []
        self._transport.sendto("\r\n".join([f"SIP/2.0 {status}", *kept, *more, "", body]).encode(), addr)

    def heard(self, seconds: float = 1.0) -> Signal:
        """The end of what it has decoded so far; its file's head is written at its end only."""
        found = sorted(self._home.glob("dump-*-dec.wav"))
        if not found:
            return np.zeros(1)
        data = found[-1].read_bytes()[44:]
        pcm = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float64)
        return pcm[-int(seconds * 48_000) * self._channels(found[-1]) :: self._channels(found[-1])]

    def _channels(self, path: Path) -> int:
        return max(1, int.from_bytes(path.read_bytes()[22:24], "little"))

    def levels(self, *hertz: float) -> list[float]:
        return tones(self.heard(), 48_000, hertz)

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        await self._tasks.close()
        self._transport.close()
