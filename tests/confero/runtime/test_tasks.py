"""Tasks are kept, named, and their failures logged exactly once."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading

import pytest

from confero.errors import LocalError
from confero.runtime import tasks
from confero.runtime.tasks import TaskBag, in_thread, spawn


async def fail() -> None:
    raise KeyError("broken")


async def forever() -> None:
    await asyncio.Event().wait()


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.msg["event"] if isinstance(record.msg, dict) else record.getMessage() for record in caplog.records]


async def test_a_task_that_nobody_holds_lives_on() -> None:
    done = asyncio.Event()

    async def later() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
            gc.collect()
        done.set()

    spawn(later(), name="later")
    await asyncio.wait_for(done.wait(), 60)  # the collector walks the whole test run's heap


async def test_a_failure_is_logged_once_with_name_and_trace(caplog: pytest.LogCaptureFixture) -> None:
    task = spawn(fail(), name="the task")
    await asyncio.wait([task])
    del task
    gc.collect()
    assert events(caplog) == ["task failed"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR and isinstance(record.msg, dict)
    assert record.msg["task"] == "the task" and isinstance(record.msg["exc_info"], KeyError)


async def test_a_failure_that_the_caller_deals_with_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(KeyError):
        await spawn(fail(), name="mine", logged=False)
    assert events(caplog) == []


async def test_cancelling_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    task = spawn(forever(), name="x")
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() and events(caplog) == []


async def test_a_bag_ends_its_tasks_and_stays_closed() -> None:
    bag = TaskBag()
    running = [bag.spawn(forever(), name=str(n)) for n in range(3)]
    finished = bag.spawn(asyncio.sleep(0), name="short")
    await asyncio.wait([finished])
    assert len(bag) == 3
    await bag.close()
    assert all(task.cancelled() for task in running) and len(bag) == 0
    with pytest.raises(LocalError, match="closed"):
        bag.spawn(forever(), name="late")
    await bag.close()


async def test_a_bag_has_a_bound() -> None:
    bag = TaskBag(limit=1)
    bag.spawn(forever(), name="1")
    with pytest.raises(LocalError, match=r"full \(1\)"):
        bag.spawn(forever(), name="2")
    await bag.close()


async def test_a_task_may_close_its_own_bag() -> None:
    bag = TaskBag()
    other = bag.spawn(forever(), name="other")
    await asyncio.wait_for(bag.spawn(bag.close(), name="closer"), 5)
    assert other.cancelled()


async def test_a_task_that_does_not_end_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tasks, "CLOSE_S", 0.02)
    release = asyncio.Event()

    async def stubborn() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            await release.wait()

    bag = TaskBag()
    task = bag.spawn(stubborn(), name="stubborn")
    await asyncio.sleep(0)
    await bag.close()
    assert events(caplog) == ["task does not end"]
    release.set()
    await asyncio.wait([task])


async def test_who_is_cancelled_waits_for_the_thread() -> None:
    begun, go_on, done = threading.Event(), threading.Event(), False

    def work() -> None:
        nonlocal done
        begun.set()
        go_on.wait(10)
        done = True
        raise KeyError("nobody hears it any more")

    task = spawn(in_thread(work), name="asks")
    await asyncio.to_thread(begun.wait, 10)
    for _ in range(3):  # however often it is told
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    await asyncio.wait([task])
    assert task.cancelled() and done


async def test_what_a_thread_returns_and_raises() -> None:
    assert await in_thread(divmod, 7, 3) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)
