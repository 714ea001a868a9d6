"""The command confero, with two tiny services in place of the real ones."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ["PYTHONPATH"] = str(HERE)  # for the services, which are started as ``python -m alpha``

from confero import cli  # noqa: E402
from confero.up import plan  # noqa: E402
from confero.up.specs import HTTP, Listen, Spec  # noqa: E402

HTTPS = Listen("https", "https_host", "https_port")
plan.SPECS = (
    Spec("appserver", listens=(HTTPS, HTTP), page="public_url", folder="alpha"),
    Spec("mcu", ("appserver",), (HTTP,), {"appserver_url": ("appserver", "http")}, folder="beta"),
    Spec("turn", listens=(HTTP,), folder="not_installed"),
)

if __name__ == "__main__":
    cli.main()
