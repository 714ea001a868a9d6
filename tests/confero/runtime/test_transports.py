"""Cutting connections that are there, gone, or half gone."""

from __future__ import annotations

import asyncio

from confero.runtime.transports import abort


class Transport(asyncio.WriteTransport):
    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.aborted = 0
        self._error = error

    def abort(self) -> None:
        self.aborted += 1
        if self._error is not None:
            raise self._error


def test_an_open_connection_is_cut() -> None:
    transport = Transport()
    abort(transport)
    assert transport.aborted == 1


def test_one_that_is_gone_is_left_alone() -> None:
    abort(None)
    gone = Transport(AttributeError("'NoneType' object has no attribute '_abort'"))
    abort(gone)
    assert gone.aborted == 1
