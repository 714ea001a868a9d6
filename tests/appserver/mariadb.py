"""A MariaDB server of our own: fresh data folder, free port, ended, killed or frozen by its process id (Debian: mariadb-server)."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

START_S = 40.0
STOP_S = 20.0
COMMAND_S = 10.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class MariaDb:
    """Use ``url`` between ``start`` and ``stop``."""

    def __init__(self, *options: str) -> None:
        """``options``: further ones of the server, with ``{folder}`` for one that it can read and ``share`` fills."""
        # Not below pytest's own folder, which only root may enter: the server runs as user mysql when root starts it.
        self._folder = Path(tempfile.mkdtemp(prefix="confero-mariadb-"))
        # Each has its own: a server that starts removes all temporary tables that it finds, and others crash which were using them.
        self._temporary = self._folder / "tmp"
        self._environment = {**os.environ, "TMPDIR": str(self._temporary)}
        self._user = ["--user=mysql"] if os.geteuid() == 0 else []
        self._options = [option.format(folder=self._folder) for option in options]
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def url(self, database: str) -> str:
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        self._folder.chmod(0o755)
        self._temporary.mkdir()
        for folder in (self._folder, self._temporary) if self._user else ():
            shutil.chown(folder, "mysql")
        data = f"--datadir={self._folder / 'data'}"
        install = [
            "mariadb-install-db",
            *self._user,
            data,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
        done = subprocess.run(install, check=False, capture_output=True, timeout=START_S, env=self._environment)
        assert done.returncode == 0, (done.stdout + done.stderr).decode()[-2000:]
        self.run()

    def share(self, name: str, content: bytes) -> None:
        """A file that the server can read, before it starts."""
        path = self._folder / name
        path.write_bytes(content)
        path.chmod(0o644)

    def run(self) -> None:
        """Once more with the data that there are."""
        data = f"--datadir={self._folder / 'data'}"
        command = [
            shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "mariadbd",
            "--no-defaults",
            *self._user,
            data,
            f"--socket={self._folder / 'sock'}",
            f"--pid-file={self._folder / 'pid'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--innodb-buffer-pool-size=16M",
            "--skip-name-resolve",
            *self._options,
        ]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            if self.sql("SELECT 1").returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError("mariadbd did not start:\n" + (self._folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        """As a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """It takes connections, by the kernel, and says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def sql(self, statement: str) -> subprocess.CompletedProcess[bytes]:
        command = ["mariadb", "--no-defaults", "-u", "root", f"--socket={self._folder / 'sock'}", "-N", "-e", statement]
        return subprocess.run(command, check=False, capture_output=True, timeout=10)

    def command(self, statement: str) -> None:
        """It does so, in the end: a server notices late which of its connections are closed, and may have none left for us."""
        deadline = time.monotonic() + COMMAND_S
        while (done := self.sql(statement)).returncode and time.monotonic() < deadline:
            time.sleep(0.05)
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
