"""Background tasks that have a name, are kept until they end, and whose failure is logged once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from confero.errors import LocalError
from confero.runtime.logging import get_logger

log = get_logger(__name__)
Result = TypeVar("Result")

_kept: set[asyncio.Task[Any]] = set()
# asyncio itself keeps only weak references to tasks; one that nobody holds can vanish while it waits.

CLOSE_S = 5.0
"""How long a bag waits for its cancelled tasks before it says which of them do not end."""


def spawn(coro: Coroutine[Any, Any, Result], *, name: str, logged: bool = True) -> asyncio.Task[Result]:
    """Starts ``coro`` as a task of the running loop. If it raises, that is logged with its name and trace, unless the
    caller says ``logged=False`` because it awaits the task and deals with the error itself.
    """
    task = asyncio.get_running_loop().create_task(coro, name=name)
    _kept.add(task)
    task.add_done_callback(_finished if logged else _kept.discard)
    return task


def _finished(task: asyncio.Task[Any]) -> None:
    _kept.discard(task)
    if not task.cancelled() and (error := task.exception()):
        log.error("task failed", task=task.get_name(), exc_info=error)


async def in_thread(function: Callable[..., Result], *arguments: Any) -> Result:
    """As ``asyncio.to_thread``, but whoever is cancelled meanwhile ends when the thread has: else what it works on could be
    closed under its hands, which SQLite answers with a crash. What it raises then nobody hears.
    """
    # No task: whoever cancels all tasks of a loop would cancel it, and the thread goes on all the same.
    work = asyncio.get_running_loop().run_in_executor(None, lambda: function(*arguments))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):  # once is enough
                await asyncio.wait([work])
        raise


class TaskBag:
    """The tasks of one owner, which end with it."""

    def __init__(self, *, limit: int = 10_000) -> None:
        self._limit = limit
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, coro: Coroutine[Any, Any, Result], *, name: str) -> asyncio.Task[Result]:
        """As ``spawn``. Raises LocalError when the bag is closed or holds ``limit`` tasks."""
        if self._closed or len(self._tasks) >= self._limit:
            coro.close()
            raise LocalError(f"task {name}: the bag is " + ("closed" if self._closed else f"full ({self._limit})"))
        task = spawn(coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Cancels all tasks but the caller's own and waits for them, up to ``CLOSE_S`` seconds. A closed bag stays closed."""
        self._closed = True
        others = self._tasks - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            _, pending = await asyncio.wait(others, timeout=CLOSE_S)
            for task in pending:
                log.error("task does not end", task=task.get_name())
