"""The life of a service process: configure, start, ready, drain on SIGTERM, stop; with exit codes that a supervisor can read."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from confero.config import ConfigError, Model, ServiceConfig, load
from confero.errors import ConferoError
from confero.runtime import logging
from confero.runtime.collector import Collector, settle_memory
from confero.runtime.tasks import spawn

log = logging.get_logger(__name__)

EXIT_OK = 0
EXIT_FAILED = 1
"""It could not start, or did not stop cleanly."""
EXIT_CONFIG = 2
"""The configuration is wrong: starting again does not help."""
STOP_S = 5.0
"""Seconds for ``stop`` itself, which closes what ``drain`` has left."""
MAX_FILES = 65_536
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class App(Protocol):
    """What a service is to the process around it. All three are called in the event loop, once, in this order."""

    name: str

    async def start(self) -> None:
        """Open ports, connect, become ready. Raising undoes nothing: ``stop`` is called then too."""
        ...

    async def drain(self) -> None:
        """Take no new work, say so in ``/ready``, and return when running work is done. It may be cancelled."""
        ...

    async def stop(self) -> None:
        """Close everything, whatever state it is in."""
        ...


def main(service: str, model: type[Model], make: Callable[[Model], App], argv: Sequence[str] | None = None) -> int:
    """The body of a service's ``__main__``: loads its configuration, makes the app, runs it. The process's exit code."""
    try:
        config = load(model, service=service, argv=sys.argv[1:] if argv is None else argv)
        app = make(config)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIG
    return run(app, config)


def run(app: App, config: ServiceConfig) -> int:
    """Runs ``app`` until SIGTERM or SIGINT, then drains it for up to ``config.drain_s`` seconds and stops it.

    A second signal ends the drain, a third the process. The exit code is 0 after a clean end, 1 if it could not start or stop,
    2 for a wrong configuration found on the way.
    """
    logging.setup(app.name, config.log_level, config.log_format)
    _raise_file_limit()
    return asyncio.run(_Life(app, config).live())


class _Life:
    def __init__(self, app: App, config: ServiceConfig) -> None:
        self._app = app
        self._config = config
        self._signals = 0
        self._asked = asyncio.Event()
        self._insisted = asyncio.Event()

    async def live(self) -> int:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_log_unhandled)
        for number in SIGNALS:
            loop.add_signal_handler(number, self._signalled, number)
        code = await self._start()
        settle_memory()
        collecting = spawn(Collector().run(), name=f"{self._app.name}: collector")
        if code == EXIT_OK and not self._asked.is_set():
            log.info("ready", pid=os.getpid())
            notify("READY=1")
            await self._asked.wait()
        if code == EXIT_OK:
            notify("STOPPING=1")
            await self._bounded("drain", self._app.drain(), self._config.drain_s, self._insisted)
        collecting.cancel()
        clean = await self._bounded("stop", self._app.stop(), STOP_S)
        log.info("stopped", clean=clean)
        return code or (EXIT_OK if clean else EXIT_FAILED)

    def _signalled(self, number: int) -> None:
        self._signals += 1
        log.info("signal", signal=signal.Signals(number).name, count=self._signals)
        self._asked.set()
        if self._signals == 2:
            self._insisted.set()
        elif self._signals > 2:
            os._exit(128 + number)

    async def _start(self) -> int:
        """Starts the app; a signal meanwhile ends the attempt."""
        task = spawn(self._app.start(), name=f"{self._app.name}: start", logged=False)
        await _first(task, self._asked)
        try:
            if task.done():
                task.result()
                return EXIT_OK
            task.cancel()
            await asyncio.wait([task], timeout=STOP_S)
        except ConfigError as error:
            log.error("cannot start", reason=str(error))
            return EXIT_CONFIG
        except (ConferoError, OSError) as error:
            log.error("cannot start", reason=str(error))
            return EXIT_FAILED
        except Exception as error:
            log.error("cannot start", reason=type(error).__name__, exc_info=error)
            return EXIT_FAILED
        return EXIT_OK

    async def _bounded(
        self, what: str, work: Coroutine[Any, Any, None], seconds: float, until: asyncio.Event | None = None
    ) -> bool:
        """True if ``work`` ended by itself, without error, within ``seconds`` and before ``until``."""
        task = spawn(work, name=f"{self._app.name}: {what}", logged=False)
        await _first(task, until, seconds)
        if not task.done():
            log.warning(f"{what} cut short", after_s=seconds)
            task.cancel()
            await asyncio.wait([task], timeout=1.0)
            return False
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            log.error(f"{what} failed", exc_info=error)
        return error is None


async def _first(task: asyncio.Task[Any], event: asyncio.Event | None, seconds: float | None = None) -> None:
    """Returns when the task is done, the event set or the time over."""
    waiting = [task] if event is None else [task, spawn(event.wait(), name="signal")]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for other in waiting[1:]:
        other.cancel()


def _raise_file_limit() -> None:
    """A socket is a file, and the usual soft limit of 1024 is lower than the number of people whom a service takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _log_unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.error("unhandled in the event loop", what=context.get("message"), exc_info=context.get("exception"))


def notify(state: str) -> None:
    """Tells systemd, if it started us with ``Type=notify`` (sd_notify(3)); elsewhere nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.setblocking(False)
        try:
            channel.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)
        except OSError as error:
            log.warning("systemd does not listen", reason=str(error))
