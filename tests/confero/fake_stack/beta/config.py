"""Settings of beta, which stands for the MCU."""

from __future__ import annotations

from confero.config import ServiceConfig


class BetaConfig(ServiceConfig):
    http_host: str = "127.0.0.1"
    http_port: int = 2131
    appserver_url: str = ""
    slow: bool = False
