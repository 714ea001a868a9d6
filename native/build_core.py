"""Builds ``confero.media._core``: the cffi binding of conferocore, its declarations read from the library's own headers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from cffi import FFI

NATIVE = Path(__file__).resolve().parent
HEADERS = ("base", "codec", "srtp", "playout", "tone", "player", "core", "engine", "sim", "oneshot", "relay")
"""Headers with ``/*cdef*/ ... /*end*/`` parts, in the order in which they depend on one another."""


def declarations() -> str:
    """The parts of the public headers that Python sees."""
    parts: list[str] = []
    for name in HEADERS:
        text = (NATIVE / "include" / "conferocore" / f"{name}.h").read_text()
        parts += re.findall(r"/\*cdef\*/\n(.*?)/\*end\*/", text, flags=re.DOTALL)
    return "\n".join(parts)


def pkg_config(option: str, *packages: str) -> list[str]:
    try:
        out = subprocess.run(["pkg-config", option, *packages], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(
            "confero needs a C compiler, pkg-config, libopus, libcrypto and libssl with their headers.\n"
            "Debian: apt-get install build-essential pkg-config python3-dev libopus-dev libssl-dev"
        ) from error
    return out.stdout.split()


ffibuilder = FFI()
ffibuilder.cdef(declarations())
ffibuilder.set_source(
    "confero.media._core",
    "\n".join(f'#include "conferocore/{name}.h"' for name in HEADERS),
    sources=sorted(str(path.relative_to(NATIVE.parent)) for path in (NATIVE / "src").rglob("*.c")),
    depends=sorted(str(path.relative_to(NATIVE.parent)) for path in NATIVE.rglob("*.h")),
    include_dirs=[str((NATIVE / part).relative_to(NATIVE.parent)) for part in ("include", "src")],
    extra_compile_args=[
        "-std=c11",
        "-O3",
        "-ffp-contract=off",  # the kernels' one order of rounding (native/src/kernels/kernels.h)
        "-D_GNU_SOURCE",
        "-Wall",
        "-Wextra",
        *pkg_config("--cflags", "opus", "libcrypto", "libssl"),
    ],
    extra_link_args=["-pthread", *pkg_config("--libs", "opus", "libcrypto", "libssl"), "-lm"],
    py_limited_api=True,
)

if __name__ == "__main__":
    ffibuilder.compile(verbose=True)
