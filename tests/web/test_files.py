"""The client's files: types, units, the vendored module, what index.html promises, and what the policy forbids."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "appserver" / "static"
NODE_MODULES = ROOT / "node_modules" / ".bin"
IMPORT = re.compile(r"^(?:import|export)\b[^;\"]*?\bfrom \"(\.[^\"]+)\"|^import \"(\.[^\"]+)\"", re.MULTILINE)
ON_DEMAND = re.compile(r"\bimport\(\"(\.[^\"]+)\"\)(?!\.)")
"""A page whose code is fetched when it is wanted."""

pytestmark = pytest.mark.xdist_group("web")


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]


def tool(name: str) -> str:
    assert (NODE_MODULES / name).exists(), f"{name} is not installed: run `npm ci`"
    return str(NODE_MODULES / name)


def modules() -> list[Path]:
    return sorted((STATIC / "js").rglob("*.js"))


def test_units() -> None:
    node = shutil.which("node")
    assert node is not None, "node is not installed (Debian: apt-get install nodejs npm)"
    run(node, "--test", *(str(path) for path in sorted((ROOT / "tests" / "web" / "unit").glob("*.test.mjs"))))


def test_types() -> None:
    run(tool("tsc"), "-p", "tsconfig.json")


def test_vendored_files_are_what_the_lock_file_gives() -> None:
    tool("esbuild")
    run("bash", "tools/vendor_preact.sh", "--check")


def test_wire_types_are_those_of_the_models() -> None:
    run(sys.executable, "tools/wire_types.py", "--check")


def graph(path: Path, seen: set[Path]) -> set[Path]:
    """The module and all that it imports."""
    if path not in seen:
        seen.add(path)
        for match in IMPORT.finditer(path.read_text(encoding="utf-8")):
            graph((path.parent / (match[1] or match[2])).resolve(), seen)
    return seen


def test_index_preloads_every_module() -> None:
    main = STATIC / "js" / "main.js"
    wanted = {f"/static/{path.relative_to(STATIC).as_posix()}" for path in graph(main, set())} - {"/static/js/main.js"}
    index = (STATIC / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'rel="modulepreload" href="([^"]+)"', index)) == wanted


def test_every_module_is_used() -> None:
    used = graph(STATIC / "js" / "main.js", set())
    later = {(path.parent / name).resolve() for path in used for name in ON_DEMAND.findall(path.read_text("utf-8"))}
    assert later and later.isdisjoint(used), "pages are fetched on demand, the meeting stays light"
    for page in later:
        graph(page, used)
    assert [path.name for path in modules() if path not in used] == ["begin.js", "unsupported.js"]


def test_every_file_that_is_named_exists() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (STATIC / "index.html", STATIC / "manifest.webmanifest")]
    named = {name for text in texts for name in re.findall(r'"/static/([^"]+)"', text)}
    assert len(named) > 20
    assert [name for name in sorted(named) if not (STATIC / name).exists()] == []


def test_nothing_inline_and_nothing_foreign() -> None:
    index = (STATIC / "index.html").read_text(encoding="utf-8")
    assert re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=|javascript:", index) is None
    for path in [*modules(), *(STATIC / "css").glob("*.css"), STATIC / "index.html"]:
        text = path.read_text(encoding="utf-8")
        assert re.search(r"[\"'(](?:https?:)?//", text) is None, path
        assert "innerHTML" not in text and "eval(" not in text, path


def test_licences_of_what_is_shipped() -> None:
    notice = (STATIC / "vendor" / "LICENSES.txt").read_text(encoding="utf-8")
    for name in ("preact", "htm", "@preact/signals", "@preact/signals-core", "@fontsource-variable/inter"):
        assert re.search(rf"^{re.escape(name)} \d+\.\d+\.\d+$", notice, re.MULTILINE), name
