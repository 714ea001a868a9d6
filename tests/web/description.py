"""The description of the real API, for the pretended server to give."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from confero.appserver.api.description import words
from confero.appserver.app import AppserverApp
from confero.appserver.config import AppserverConfig


@cache
def api_description() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        app = AppserverApp(AppserverConfig(state_dir=Path(folder), https_port=0, http_port=0))
        return app.site.openapi(words())
