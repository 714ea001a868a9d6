"""The wheel holds every module and file that the checkout has, claims no other top-level name, and every command starts from it."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "confero": "confero",
    **{name: f"confero/{name}" for name in ("appserver", "notifier", "mcu", "sipgw", "turn", "edge", "lab")},
}
DATA_SUFFIXES = {
    ".py",
    ".js",
    ".css",
    ".html",
    ".svg",
    ".woff2",
    ".ico",
    ".mako",
    ".typed",
    ".pyi",
    ".txt",
    ".webmanifest",
}
BUILD_TIMEOUT_S = 240


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from what git would commit, so that neither strays nor stale builds get in."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    for name in (os.fsdecode(raw) for raw in names if raw):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder / "dist"),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked where only it is; dependencies come from the environment that runs the tests."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(command, check=True, timeout=BUILD_TIMEOUT_S)
    return target


def expected_files() -> set[str]:
    """What the wheel must hold, by the names it is installed under."""
    found = set()
    for folder, package in FOLDERS.items():
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in DATA_SUFFIXES and "__pycache__" not in path.parts and path.name != "_core.c":
                found.add(f"{package}/{path.relative_to(ROOT / folder)}")
    return found


def test_wheel_holds_every_module_and_file(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    assert expected_files() - held == set()
    assert any(name.startswith("confero/media/_core.") and name.endswith(".so") for name in held)


def test_wheel_is_abi3_and_claims_one_top_level_name(wheel: Path) -> None:
    assert "-cp311-abi3-" in wheel.name
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"confero"}


COMMANDS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_starts(command: str, installed: Path) -> None:
    module, function = COMMANDS[command].split(":")
    code = (
        f"import sys, {module} as m; sys.argv = [{command!r}, '--help']; "
        f"assert m.__file__.startswith({str(installed)!r}), m.__file__; sys.exit(m.{function}())"
    )
    env = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, cwd=installed, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()
