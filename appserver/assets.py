"""The web client's files: a table made from the folder, so that no path of a request ever reaches the file system."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
"""What is served, and as what; other files (types for the editor) are not."""
MAX_FILE = 4 << 20
RESCAN_S = 1.0
"""A file that is not in the table is looked for at most this often."""


@dataclass(frozen=True)
class Asset:
    """One file as it is served."""

    body: bytes
    content_type: str
    etag: str
    stamp: tuple[int, int]


class Assets:
    """Looks up files by their path below the folder. Changed files are read again: no restart is needed while working on them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path] = {}
        self._loaded: dict[str, Asset] = {}
        self._scanned_at = 0.0
        self._scan()

    def __len__(self) -> int:
        return len(self._paths)

    def find(self, name: str) -> Asset | None:
        """The file ``js/main.js``; None if there is none, or none of a known type."""
        path = self._paths.get(name)
        if path is None:
            if time.monotonic() - self._scanned_at > RESCAN_S:
                self._scan()
                path = self._paths.get(name)
            if path is None:
                return None
        return self._load(name, path)

    def _scan(self) -> None:
        self._scanned_at = time.monotonic()
        self._paths = {
            path.relative_to(self._folder).as_posix(): path
            for path in sorted(self._folder.rglob("*"))
            if path.suffix in TYPES and path.is_file() and not path.is_symlink()
        }

    def _load(self, name: str, path: Path) -> Asset | None:
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            known = self._loaded.get(name)
            if known is not None and known.stamp == stamp:
                return known
            body = path.read_bytes() if stat.st_size <= MAX_FILE else None
        except OSError:
            body = None
        if body is None:
            self._loaded.pop(name, None)
            return None
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        self._loaded[name] = Asset(body, TYPES[path.suffix], etag, stamp)
        return self._loaded[name]
