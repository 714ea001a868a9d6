"""SIP messages as lines of a ladder: who to whom, what, coloured by what it says."""

from __future__ import annotations

import datetime
import zlib
from typing import Any

from rich.text import Text

HUES = ("cyan", "magenta", "yellow", "bright_blue", "bright_green", "bright_magenta", "bright_cyan", "orange3")
"""Of calls, so that several can be told apart."""
STATUS_STYLES = {1: "dim", 2: "green", 3: "yellow", 4: "red", 5: "bold red", 6: "bold red"}
METHOD_STYLES = {"INVITE": "bold", "BYE": "bold yellow", "CANCEL": "bold yellow"}


def wanted(line: dict[str, Any], *, call: str = "", number: str = "") -> bool:
    """``call``: a part of the Call-ID; ``number``: a part of From, To or Request-URI."""
    if call and call not in line["call"]:
        return False
    return not number or any(number in part for part in parties(line))


def parties(line: dict[str, Any]) -> list[str]:
    """Where a number may stand."""
    text: str = line["text"]
    head = text.partition("\r\n\r\n")[0].splitlines()
    names = ("from:", "f:", "to:", "t:")
    return head[:1] + [each for each in head[1:] if each.lower().replace(" ", "").startswith(names)]


def rung(line: dict[str, Any]) -> Text:
    """One line: time, peer, arrow with transport, what it is."""
    peer = line["source"] if line["came"] else line["destination"]
    arrow = f"──{line['transport']:─<4}─▶" if line["came"] else f"◀─{line['transport']:─<4}──"
    at = datetime.datetime.fromtimestamp(line["at"], datetime.UTC).astimezone()
    text = Text(f"{at:%H:%M:%S}.{at.microsecond // 1000:03} ")
    text.append(f"{_place(peer):>24} {arrow} ", style=hue(line["call"]))
    text.append(line["title"], style=style_of(line["title"]))
    return text


def hue(call: str) -> str:
    """The same for the same call, in each run."""
    return HUES[zlib.crc32(call.encode()) % len(HUES)]


def style_of(title: str) -> str:
    word = title.split(" ", 1)[0]
    if word.isdecimal():
        return STATUS_STYLES.get(int(word) // 100, "")
    return METHOD_STYLES.get(word, "")


def _place(peer: list[Any]) -> str:
    host, port = peer
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
