"""Structured logs to stderr: one line per record, with context, without secrets; the standard library's loggers come along.

Events are short fixed strings; what varies goes into key=value: ``log.info("leg joined", leg=leg, codec=codec)``.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any, Literal

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter

from confero.runtime.redaction import clean, clean_text

Event = MutableMapping[str, Any]
ROOT = "confero"
OURS = frozenset({"timestamp", "level", "logger"})
"""Made by the processors here, and put over whatever a caller has so named: nothing to be cleaned."""
_BARE = re.compile(r'[^ "=]+', re.DOTALL)
"""A value that needs no quotes."""
_JSON = json.JSONEncoder(ensure_ascii=True, default=str)
"""ASCII only, so that no character of a value can end the line."""
_SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def get_logger(name: str) -> BoundLogger:
    """The logger of a module (``__name__``). ``bind(room=..., leg=...)`` gives one that adds context to every record.

    It works before and without ``setup``: records then go to whatever handlers the standard library's logging has.
    """
    if name != ROOT and not name.startswith(ROOT + "."):
        name = f"{ROOT}.{name.strip('_')}"
    logger: BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.processors.StackInfoRenderer(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=False,
    )
    return logger


def setup(service: str, level: str = "info", format: Literal["json", "text"] = "json") -> None:
    """Sends all records of this process to stderr. Ours from ``level`` on, other libraries' from ``warning`` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(service, format))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(ROOT).setLevel(level.upper())
    logging.captureWarnings(True)


def formatter(service: str, format: Literal["json", "text"]) -> logging.Formatter:
    """Renders our records and other libraries' alike; ``service`` is added to each."""

    def add_service(_: Any, __: str, event: Event) -> Event:
        return {"service": service, **event}

    return ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_SHARED],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            add_service,
            _clean_values,
            _render_json if format == "json" else _render_text,
        ],
    )


def _clean_values(_: Any, __: str, event: Event) -> Event:
    return {str(name): value if name in OURS else clean(str(name), value) for name, value in event.items()}


def _render_json(_: Any, __: str, event: Event) -> str:
    first = {name: event.pop(name) for name in ("timestamp", "level", "service", "event") if name in event}
    return _JSON.encode({**first, **event})


def _render_text(_: Any, __: str, event: Event) -> str:
    """``time level service event  key=value ...``; the lines of a trace follow, each marked so that none can be forged."""
    trace = event.pop("exception", "")
    stamp, level, service = (str(event.pop(name, "")) for name in ("timestamp", "level", "service"))
    message = _plain(str(event.pop("event", "")))
    if str(event.get("logger")).startswith(ROOT):
        del event["logger"]
    pairs = "".join(f" {_plain(name)}={_quoted(value)}" for name, value in event.items())
    lines = [f"{stamp[11:23]} {level:<7} {service:<9} {message} {pairs}".rstrip()]
    return "\n".join([*lines, *(f"    | {line}" for line in _lines(trace))])


def _plain(text: str) -> str:
    """Control characters, line separators and the like as escapes."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _quoted(value: Any) -> str:
    text = _plain(value if isinstance(value, str) else json.dumps(value, default=str))
    return text if _BARE.fullmatch(text) else '"' + text.replace('"', r"\"") + '"'


def _lines(trace: str) -> Iterator[str]:
    return (_plain(line) for line in clean_text(trace, sys.maxsize).split("\n")) if trace else iter(())


def bind_context(**values: Any) -> None:
    """Adds to every record of this task and those it starts from now on, e.g. ``request_id``."""
    structlog.contextvars.bind_contextvars(**values)


def request_id() -> str | None:
    """The id of the HTTP request that is being served, if any."""
    value = structlog.contextvars.get_contextvars().get("request_id")
    return value if isinstance(value, str) else None
