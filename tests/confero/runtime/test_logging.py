"""Log lines: one each, with context, other libraries' too, and nothing that a value can forge."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from confero.runtime.logging import bind_context, formatter, get_logger, request_id, setup


class Lines(logging.Handler):
    """Collects formatted records."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.setFormatter(formatter("mcu", form))  # type: ignore[arg-type]
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(params=["json", "text"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def lines(form: str) -> Iterator[Lines]:
    handler = Lines(form)
    root, ours = logging.getLogger(), logging.getLogger("confero")
    root.addHandler(handler)
    level, ours.level = ours.level, logging.DEBUG
    yield handler
    root.removeHandler(handler)
    ours.level = level
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize("form", ["json"], indirect=True)
def test_a_record_as_json(lines: Lines) -> None:
    get_logger("confero.mcu.rooms").bind(room="r1").info("leg joined", leg="l1", n=3, ok=True, none=None, token="t")
    (record,) = map(json.loads, lines.lines)
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "level": "info",
        "service": "mcu",
        "event": "leg joined",
        "logger": "confero.mcu.rooms",
        "room": "r1",
        "leg": "l1",
        "n": 3,
        "ok": True,
        "none": None,
        "token": "***",
    }


@pytest.mark.parametrize("form", ["text"], indirect=True)
def test_a_record_as_text(lines: Lines) -> None:
    get_logger("confero.mcu.rooms").info("leg joined", leg="l1", why='a "b"', empty="", d={"a": 1})
    assert lines.lines[0][13:] == r'info    mcu       leg joined  leg=l1 why="a \"b\"" empty="" d="{\"a\": 1}"'


EVIL = ["a\nb", "a\r\nb", "a\u2028b", "a\x85b", "a\x1b[31mb", "a\x00b", "a\u202eb"]


@pytest.mark.parametrize("evil", EVIL, ids=ascii)
def test_no_value_ends_the_line(lines: Lines, evil: str) -> None:
    get_logger("confero.x").info(f"event {evil}", value=evil, **{evil.replace("\x00", ""): 1})
    logging.getLogger("aiohttp.server").warning("remote said %s", evil)
    assert len(lines.lines) == 2
    assert all(line.isprintable() and line.encode() for line in lines.lines)


@pytest.mark.parametrize("form", ["json", "text"], indirect=True)
def test_what_cannot_be_encoded_is_escaped(form: str) -> None:
    """Without a logger: pytest's own capture could not report such a record between its processes."""
    record = logging.LogRecord("aiohttp.server", logging.WARNING, "", 0, "remote said %s", ("\ud800",), None)
    line = formatter("mcu", form).format(record)  # type: ignore[arg-type]
    assert line.isprintable()
    assert line.encode()


def test_a_trace_stays_with_its_record(lines: Lines, form: str) -> None:
    try:
        raise ValueError("first\n12:00:00.000 error mcu forged")
    except ValueError:
        get_logger("confero.x").exception("broken")
    (line,) = lines.lines
    assert "Traceback" in line and "test_logging.py" in line
    if form == "json":
        assert json.loads(line)["exception"].endswith("forged")
    else:
        assert all(rest.startswith("    | ") for rest in line.splitlines()[1:])


def test_other_libraries_come_along(lines: Lines, form: str) -> None:
    logging.getLogger("sqlalchemy.dialects").error("cannot connect to %s", "mysql://u:p@h/db", extra={"password": "p"})
    (line,) = lines.lines
    assert "cannot connect to mysql://u:***@h/db" in line and "sqlalchemy.dialects" in line
    assert '"p"' not in line and "password=p" not in line


def test_context_follows_the_task(lines: Lines) -> None:
    assert request_id() is None
    bind_context(request_id="req_1")
    assert request_id() == "req_1"
    get_logger("confero.x").info("a")
    logging.getLogger("aiohttp").warning("b")
    assert all("req_1" in line for line in lines.lines)


def test_a_module_run_as_main_is_one_of_ours(lines: Lines) -> None:
    get_logger("__main__").debug("x")
    assert len(lines.lines) == 1


@pytest.fixture
def whole_logging() -> Iterator[None]:
    """Puts the process's logging back as it was."""
    root, ours = logging.getLogger(), logging.getLogger("confero")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    logging.captureWarnings(False)


@pytest.mark.usefixtures("whole_logging")
def test_setup_writes_ours_from_the_level_and_others_from_warning(capsys: pytest.CaptureFixture[str]) -> None:
    setup("notifier", "info", "json")
    for name in ("confero.notifier.hub", "aiortc.rtcdtlstransport"):
        for level in ("debug", "info", "warning"):
            getattr(logging.getLogger(name), level)(f"{name} {level}")
    get_logger("confero.notifier.hub").debug("not this", costly=object())
    out, err = capsys.readouterr()
    events: list[Any] = [json.loads(line)["event"] for line in err.splitlines()]
    assert out == ""
    assert events == ["confero.notifier.hub info", "confero.notifier.hub warning", "aiortc.rtcdtlstransport warning"]


@pytest.mark.usefixtures("whole_logging")
def test_setup_twice_does_not_write_twice(capsys: pytest.CaptureFixture[str]) -> None:
    setup("a")
    setup("b")
    get_logger("confero.x").info("once")
    assert capsys.readouterr().err.count("once") == 1
    assert sys.stderr is not None
