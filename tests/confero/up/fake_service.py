"""A tiny service for the supervisor's tests: answers /ready and /health on 127.0.0.1, and fails as it is told.

    fake_service.py PORT [fail CODE TEXT | deaf FILE | waiting FILE | stubborn | noisy]

fail: says TEXT and ends. deaf: stops answering once FILE is there. waiting: is not
ready until FILE is there. stubborn: ignores SIGTERM. noisy: writes a line without end.
"""

from __future__ import annotations

import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

port, mode, *rest = [*sys.argv[1:], "plain"][: max(2, len(sys.argv) - 1)]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if mode == "deaf" and Path(rest[0]).exists():
            time.sleep(60)
        waiting = mode == "waiting" and self.path == "/ready" and not Path(rest[0]).exists()
        self.send_response(503 if waiting else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests look at what the services themselves say."""


if mode == "fail":
    sys.stderr.write(f"starting\n{rest[1]}\n")
    sys.exit(int(rest[0]))
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = HTTPServer(("127.0.0.1", int(port)), Handler)
sys.stderr.write("x" * 200_000 if mode == "noisy" else "listening\n")
sys.stderr.flush()
server.serve_forever()
