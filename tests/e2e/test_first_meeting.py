"""docs/first-meeting.md, block by block as it stands, against the whole system, with a real telephone; all are listened to."""

from __future__ import annotations

import ast
import code
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from confero.lab.members import Baresip, Line
from confero.lab.stack import Stack

from .listening import HEARD_DBFS, level, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = 95
PAGE = Path(__file__).parents[2] / "docs" / "first-meeting.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADA_HZ, PHONE_HZ = 433.0, 1151


def blocks() -> Iterator[Any]:
    """Compiled, with the page's own lines in tracebacks."""
    text = PAGE.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        source = "\n" * text[: found.start(1)].count("\n") + found[1]
        yield found[1], compile(source, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


async def test_blocks_can_be_pasted_at_a_prompt() -> None:
    """There an indented block ends with an empty line, and nowhere else."""
    for source, _ in blocks():
        at_prompt = code.InteractiveConsole()
        at_prompt.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        lines: list[str] = []
        for line in [*source.splitlines(), ""]:
            lines.append(line)
            if at_prompt.compile("\n".join(lines), str(PAGE), "single") is not None:
                lines = []
        assert lines == [], "an end is missing"


async def test_the_page_is_true(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Baresip(tmp_path, hertz=PHONE_HZ, user="bob", line=Line(answers=True)) as bob:
        secret = (stack.state_dir / "setup-link").read_text()
        monkeypatch.setenv("CONFERO_SITE", stack.page_url)
        monkeypatch.setenv("CONFERO_SETUP_LINK", f"{stack.page_url}/setup#{secret}")
        monkeypatch.setenv("CONFERO_CA", str(stack.state_dir / "tls" / "ca.pem"))
        monkeypatch.setenv("CONFERO_PHONE", bob.uri)
        names: dict[str, Any] = {"__name__": "first_meeting"}
        run = 0
        for source, compiled in blocks():
            result = eval(compiled, names)
            if inspect.iscoroutine(result):
                await result
            run += 1
            if "calls.dial" in source:
                await until(lambda: bob.saw("CALL_CLOSED"), 10, "the telephone is hung up on")
                heard = bob.heard()
                assert level(heard, ADA_HZ) > HEARD_DBFS, "the telephone has heard Ada"
                ear = names["ada_there"].heard.signal()
                assert (
                    max(level(ear[at : at + 24_000], PHONE_HZ) for at in range(0, ear.size - 24_000, 12_000))
                    > HEARD_DBFS
                )
        assert run == 10
