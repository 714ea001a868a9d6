"""Settings of alpha, which stands for the application server."""

from __future__ import annotations

from confero.config import ServiceConfig


class AlphaConfig(ServiceConfig):
    https_host: str = "0.0.0.0"
    https_port: int = 8443
    http_host: str = "127.0.0.1"
    http_port: int = 80
    public_url: str = ""
