"""What the parts of the client share: the way to the server, paths, and lists that come by pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from .transport import Transport

Item = TypeVar("Item")
Query = TypeVar("Query", bound=BaseModel)


class Part:
    """Operations on one kind of thing."""

    def __init__(self, transport: Transport) -> None:
        self._to = transport


class Page(Protocol[Item]):
    """A page of a list."""

    @property
    def items(self) -> list[Item]: ...

    @property
    def next(self) -> str | None: ...


def at(*parts: str | int) -> str:
    """A path under /api/v1; what stands in it is quoted."""
    return "/api/v1/" + "/".join(quote(str(part), safe="") for part in parts)


async def every(
    page: Callable[[Query], Awaitable[Page[Item]]], query: Query, mark: str = "page"
) -> AsyncIterator[Item]:
    """All items of a list, one page at a time, as they are asked for. ``mark``: the field that says where a page begins."""
    while True:
        found = await page(query)
        for item in found.items:
            yield item
        if found.next is None:
            return
        query = query.model_copy(update={mark: found.next})
