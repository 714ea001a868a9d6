"""What tests of SIP with other programs share: the administrator's calls, kamailio as somebody's PBX, sipp."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from confero.clock import SystemClock
from confero.lab.stack import Stack
from confero.tokens import service_token

from ..support.waiting import until

START_S = 15.0
STOP_S = 3.0


class Admin:
    """``/api/v1/sip`` as its administrator."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._token = (stack.state_dir / "admin-token").read_text().strip()

    async def add(self, rows: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._ask("POST", rows, body, 201)

    async def change(self, rows: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._ask("PATCH", f"{rows}/{key}", body, 200)

    async def remove(self, rows: str, key: str) -> None:
        await self._ask("DELETE", f"{rows}/{key}", None, 204)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None, status: int) -> dict[str, Any]:
        url = f"{self._stack.url('appserver', 'https')}/api/v1/sip/{path}"
        headers = {"Authorization": f"Bearer {self._token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.request(method, url, json=body, ssl=self._stack.tls()) as response,
        ):
            text = await response.text()
            assert response.status == status, text
            found: dict[str, Any] = await response.json() if text else {}
            return found


async def trunk_state(stack: Stack, name: str) -> dict[str, Any]:
    """How the gateway has it; empty if it has none of this name."""
    token = service_token("lab", "sipgw", secret=stack.secret, now=SystemClock().wall())
    url = f"{stack.url('sipgw')}/v1/trunks"
    async with aiohttp.ClientSession() as http, http.get(url, headers={"Authorization": f"Bearer {token}"}) as response:
        items: list[dict[str, Any]] = (await response.json())["items"]
    return next((one for one in items if one["name"] == name), {})


async def figure(stack: Stack, name: str) -> float:
    """One of the gateway's metrics."""
    async with aiohttp.ClientSession() as http, http.get(f"{stack.url('sipgw')}/metrics") as response:
        lines = (await response.text()).splitlines()
    return float(next(line.split()[1] for line in lines if line.split(" ")[0] == f"confero_{name}"))


async def becomes(look: Callable[[], Awaitable[object]], what: str, seconds: float = START_S) -> None:
    """Returns when ``look`` finds something; AssertionError after ``seconds``."""
    until = asyncio.get_running_loop().time() + seconds
    while not await look():
        assert asyncio.get_running_loop().time() < until, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.05)


async def known(stack: Stack, name: str, value: float) -> None:
    """Until one of its metrics is that: the gateway follows the tables within a second."""

    async def look() -> bool:
        return await figure(stack, name) == value

    await becomes(look, f"{name} is {value}")


KAMAILIO = """\
#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2
listen=udp:{address}:5060
listen=tcp:{address}:5060
alias="pbx.test"
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("auth", "nonce_expire", {nonce_s})
modparam("auth", "qop", "auth")
modparam("registrar", "max_expires", {expires_s})
modparam("usrloc", "db_mode", 0)
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) t_relay(); exit; }}
        if ($rd != "pbx.test" && $rd != "{address}") {{ t_relay(); exit; }}
        sl_send_reply("404", "Not Here"); exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "Here"); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("pbx.test", "the-pbx-password", "0")) {{ www_challenge("pbx.test", "1"); exit; }}
        save("location"); exit;
    }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("pbx.test", "the-pbx-password", "0")) {{ proxy_challenge("pbx.test", "1"); exit; }}
        consume_credentials();
    }}
    record_route();
    if (!lookup("location")) {{ sl_send_reply("404", "Nobody"); exit; }}
    t_relay();
}}
"""


class Kamailio:
    """A PBX at a loopback address: registrar and proxy for ``pbx.test``, everybody's password is the same."""

    PASSWORD = "the-pbx-password"

    def __init__(self, home: Path, address: str, *, expires_s: int = 60, nonce_s: int = 300) -> None:
        self.address = address
        self._home = home
        self._process: asyncio.subprocess.Process | None = None
        home.mkdir(parents=True, exist_ok=True)
        (home / "k.cfg").write_text(KAMAILIO.format(address=address, expires_s=expires_s, nonce_s=nonce_s))

    async def __aenter__(self) -> Kamailio:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        command = shutil.which("kamailio")
        assert command is not None, "kamailio is missing (Debian: kamailio)"
        pid = self._home / "pid"
        pid.unlink(missing_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            command, "-f", str(self._home / "k.cfg"), "-DD", "-E", "-m", "64", "-M", "8", "-P", str(pid), "-Y", str(self._home),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(self._home / "log").open("ab"),
            stderr=asyncio.subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        await until(self._listens, "kamailio listens", START_S)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, (self._home / "log").read_text()[-2000:]
        wanted = b"".join(int(part).to_bytes(1, "big") for part in reversed(self.address.split("."))).hex().upper()
        return f"{wanted}:13C4" in Path("/proc/net/tcp").read_text()

    async def stop(self) -> None:
        """Idempotent."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:  # its children sometimes do not end, and it waits a minute for them
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()


async def sipp(*arguments: str, seconds: float = 20.0, folder: Path | None = None) -> tuple[int, str]:
    """Runs sipp to its end, in ``folder``: its exit code and its last words."""
    command = shutil.which("sipp")
    assert command is not None, "sipp is missing (Debian: sip-tester)"
    process = await asyncio.create_subprocess_exec(
        command, *arguments, "-nostdin", "-timeout", f"{seconds:.0f}", "-timeout_error",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=folder,
    )  # fmt: skip
    async with asyncio.timeout(seconds + 5):
        output, _ = await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")[-3000:]
