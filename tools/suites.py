"""The test suites as a table, and the runner behind ``./test``: prints each suite's seconds and one verdict.

./test                 every suite
./test style unit      some
./test long [NAME...]  with larger numbers; writes docs/test-report.md
./test compose         builds and starts the containers, holds a call and meetings in them, restarts them
./test --list
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools import report

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LAST_FAILED = "cache/lastfailed"
"""Where pytest keeps, in its cache, which tests have failed."""
SOME_FAILED = 1
"""Exit code of pytest when it has run all tests; with any other that is not 0 there are some that nobody has seen."""
FEW = 3
"""So many failed tests of a suite are run once more, alone: what fails by a busy machine passes then. More are no accident."""
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 4 << 30
"""Free there, for the tests' folders: databases that are made and thrown away need not wait for a disk."""


@dataclass(frozen=True)
class Suite:
    """One suite: commands that run in order until one fails."""

    name: str
    what: str
    commands: tuple[tuple[str, ...], ...]
    long_env: dict[str, str] = field(default_factory=dict)
    """Environment of ``./test long``: the same tests with larger numbers."""
    long_commands: tuple[tuple[str, ...], ...] = ()
    """In place of ``commands`` there, for numbers that need the machine for themselves."""
    default: bool = True


def pytest(*args: str) -> tuple[str, ...]:
    return (str(BIN / "pytest"), "-q", "--no-header", "--durations=3", *args)


LANES = ("-n2", "--dist=loadfile")
"""Two files at a time: the tests of a file share what it has started."""

MORE_LANES = ("-n3", "--dist=loadgroup")
"""For tests that wait most of their time: half of the machine stood idle with two."""


def make(*args: str) -> tuple[str, ...]:
    return ("make", "-s", "-j2", "-C", "native", *args)


CROWDS = tuple(f"tests/e2e/test_{name}.py" for name in ("restarts", "full_room", "database_away"))
"""Of these the long form has a whole room of people, and no neighbour."""
NPM = (sys.executable, "tools/typecheck.py", "--npm")
BENCH = pytest("tests/lab/test_bench.py")
"""Mixers side by side, without a neighbour."""


SUITES: tuple[Suite, ...] = (
    Suite(
        "style",
        "ruff, clang-format, shellcheck",
        (
            (str(BIN / "ruff"), "check", "-q", "."),
            (str(BIN / "ruff"), "format", "-q", "--check", "."),
            ("bash", "-c", "git ls-files -z 'native/*.[ch]' | xargs -0 clang-format-14 --dry-run -Werror"),
            ("shellcheck", "-x", "run", "test", ".ci/run", "tools/setup.sh"),
        ),
    ),
    Suite("types", "mypy --strict, tsc on the web client", ((sys.executable, "tools/typecheck.py"),)),
    Suite(
        "c",
        "C tests plain and sanitized, the kernels on AArch64, clang-tidy",
        (
            make("check"),
            make("check", "SAN=address,undefined"),
            make("check", "SAN=thread"),
            make("neon"),
            make("tidy"),
        ),
        {"EVERY": "1"},
    ),
    Suite("fuzz", "every libFuzzer target over its corpus", (make("fuzz"),), {"FUZZTIME": "10"}),
    Suite(
        "unit",
        "Python modules, one by one and in pairs",
        (
            pytest(
                *MORE_LANES,
                "tests",
                *(
                    f"--ignore=tests/{d}"
                    for d in ("e2e", "web", "packaging", "quality", "interop", "lab/test_bench.py")
                ),
            ),
        ),
        {"CONFERO_TEST_LONG": "1"},
    ),
    Suite(
        "quality",
        "the engine in simulated time: minutes of conference, listened to",
        (pytest(*LANES, "tests/quality"),),
        {"CONFERO_TEST_LONG": "1"},
    ),
    Suite(
        "sip",
        "telephones and proxies that others wrote judge the gateway: sipp, baresip, kamailio, aiosip",
        (pytest("-n2", "tests/interop"),),
        {"CONFERO_TEST_LONG": "1"},
    ),
    Suite(
        "web",
        "the web client in Chromium against a pretended server",
        (NPM, pytest(*LANES, "tests/web")),
    ),
    Suite(
        "e2e",
        "real browsers, a phone and the benchmark's members through all services",
        (NPM, pytest(*LANES, "tests/e2e"), BENCH),
        {"CONFERO_TEST_LONG": "1"},
        (NPM, pytest(*LANES, "tests/e2e", *(f"--ignore={file}" for file in CROWDS)), pytest(*CROWDS), BENCH),
    ),
    Suite("packaging", "the wheel holds every module, every command starts", (pytest("tests/packaging"),)),
    Suite("compose", "a call and people's meetings in real containers", (("bash", "docker/test.sh"),), default=False),
)


def run_suite(suite: Suite, *, long: bool) -> report.Section:
    """Runs one suite with its output passed through."""
    report.clear_figures()
    print(f"\n== {suite.name}: {suite.what}", flush=True)
    env = {**os.environ, "PYTHONUNBUFFERED": "1", **(suite.long_env if long else {})}
    commands = (suite.long_commands if long else ()) or suite.commands
    unsteady: list[str] = []
    started = time.monotonic()
    with scratch() as folder:
        env["TMPDIR"] = folder
        passed = all(run_command(command, env, unsteady) for command in commands)
    seconds = time.monotonic() - started
    print(f"== {suite.name}: {'passed' if passed else 'FAILED'} in {seconds:.0f} s", flush=True)
    return report.Section(suite.name, suite.what, passed, seconds, report.figures(), tuple(unsteady))


@contextlib.contextmanager
def scratch() -> Iterator[str]:
    """A folder for temporary files, in memory where there is room. Others than its maker may enter: MariaDB's server does."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES
    with tempfile.TemporaryDirectory(prefix="ct-", dir=MEMORY if roomy else None, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o1777)
        yield folder


def run_command(command: tuple[str, ...], env: dict[str, str], unsteady: list[str]) -> bool:
    """Whether it has succeeded; a few failed tests get a second try, and those that pass it are named in ``unsteady``."""
    if command[0] != str(BIN / "pytest"):
        return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode == 0
    # Short names: those of Unix sockets in there have 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="c", dir=env["TMPDIR"]) as folder:
        cached = (*command, "-o", f"cache_dir={folder}", f"--basetemp={env['TMPDIR']}/p")
        code = subprocess.run(cached, cwd=ROOT, env=env, check=False).returncode
        failed = failures(Path(folder))
        if code != SOME_FAILED or not 0 < len(failed) <= FEW:
            return code == 0
        print(f"== once more, alone: {', '.join(failed)}", flush=True)
        again = pytest("-p", "no:cacheprovider", f"--basetemp={env['TMPDIR']}/q", *failed)
        if subprocess.run(again, cwd=ROOT, env=env, check=False).returncode:
            return False
    unsteady += failed
    return True


def failures(cache: Path) -> list[str]:
    """The failed tests that pytest has noted there."""
    try:
        return list(json.loads((cache / "v" / LAST_FAILED).read_text()))
    except (OSError, ValueError):
        return []


def chosen(names: list[str]) -> list[Suite]:
    """The suites named, or the default ones. Exits with 2 for an unknown name."""
    known = {suite.name: suite for suite in SUITES}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"no such suite: {', '.join(unknown)}; there are: {', '.join(known)}, long")
    return [known[name] for name in names] or [suite for suite in SUITES if suite.default]


def main(argv: list[str]) -> int:
    if "--list" in argv:
        print("\n".join(f"{suite.name:10} {suite.what}{'' if suite.default else ' (on demand)'}" for suite in SUITES))
        return 0
    long = "long" in argv
    results: list[report.Section] = []
    for suite in chosen([name for name in argv if name != "long"]):
        results.append(run_suite(suite, long=long))
        if long:  # at once: what has run is on record, whatever happens to the rest
            report.write(results[-1:], [suite.name for suite in SUITES])
    print("\n" + "\n".join(f"{r.suite:10} {'passed' if r.passed else 'FAILED':7} {r.seconds:6.0f} s" for r in results))
    for name in (name for r in results for name in r.unsteady):
        print(f"unsteady: {name} passed at the second try")
    failed = sum(not r.passed for r in results)
    print(f"\n{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
