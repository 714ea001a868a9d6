"""Figures of the listening tests, for the report of `./test long`."""

from __future__ import annotations

from ..support.figures import record_figure

__all__ = ["record_figure"]
