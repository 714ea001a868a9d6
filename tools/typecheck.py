"""mypy --strict over the code under its installed names, and tsc over the web client (``--npm``: only install its tools).

The folders ``mcu/``, ``notifier/`` ... are installed as ``confero.mcu`` ...; mypy has to see them so. A tree of links under
var/ shows them to it in that shape, without an installation and without a copy.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / "var" / "mypy"
FOLDERS = ("appserver", "notifier", "mcu", "sipgw", "turn", "edge", "lab")


def link_tree() -> Path:
    """``var/mypy/confero`` with a link for each part of the package; made anew each time."""
    package = TREE / "confero"
    package.mkdir(parents=True, exist_ok=True)
    for old in package.iterdir():
        old.unlink()
    parts = [path for path in (ROOT / "confero").iterdir() if path.name != "__pycache__"]
    for target in [*parts, *(ROOT / folder for folder in FOLDERS)]:
        (package / target.name).symlink_to(target)
    return TREE


def mypy() -> int:
    env = {**os.environ, "MYPYPATH": str(link_tree())}
    command = [sys.executable, "-m", "mypy", "--cache-dir", "var/mypy_cache", "--scripts-are-modules"]
    package = subprocess.run([*command, "-p", "confero"], cwd=ROOT, env=env, check=False).returncode
    tools = subprocess.run(
        [*command, "tools", "benchmarks", "docker/call.py", "docker/people.py"], cwd=ROOT, env=env, check=False
    ).returncode
    return package or tools


def npm() -> int:
    """Installs the pinned development tools of the web client where one is missing."""
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    if all((ROOT / "node_modules" / name).exists() for name in wanted):
        return 0
    return subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=ROOT, check=False).returncode


def tsc() -> int:
    """The web client's JSDoc types."""
    return npm() or subprocess.run(["node_modules/.bin/tsc", "-p", "tsconfig.json"], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(npm() if "--npm" in sys.argv else mypy() or tsc())
