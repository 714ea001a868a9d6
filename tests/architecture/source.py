"""The project's Python files under their installed names, and what each imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("appserver", "notifier", "mcu", "sipgw", "turn", "edge")
FOLDERS = {"confero": "confero", **{f"confero.{name}": name for name in (*SERVICES, "lab")}}
"""Package and folder, as setup.py maps them."""


@dataclass(frozen=True)
class Import:
    """One imported module, or name of a module, as absolute dotted name."""

    name: str
    line: int
    relative: bool
    names: tuple[str, ...] = ()
    """What is taken from it."""


@dataclass(frozen=True)
class Module:
    """One file."""

    name: str
    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @property
    def package(self) -> str:
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]

    @property
    def service(self) -> str:
        """``confero.mcu`` for everything in ``mcu/``; ``confero`` for the shared library."""
        parts = self.name.split(".")
        return ".".join(parts[:2]) if len(parts) > 1 and f"confero.{parts[1]}" in FOLDERS else "confero"

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """All, also those inside functions."""
        return tuple(found for node in ast.walk(self.tree) for found in self._of(node))

    def _of(self, node: ast.AST) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            base = node.module or ""
            if node.level:
                up = self.package.split(".")
                base = ".".join([*up[: len(up) - node.level + 1], *([base] if base else [])])
            # ``from package import module`` imports the module.
            found = [f"{base}.{name}" if is_module(f"{base}.{name}") else base for name in names]
            yield from (Import(name, node.lineno, node.level > 0, names) for name in dict.fromkeys(found))

    def where(self, line: int = 1) -> str:
        return f"{self.path.relative_to(ROOT)}:{line}"


@lru_cache
def modules() -> tuple[Module, ...]:
    """Every Python file of the shared library, the services and the lab."""
    found = []
    for package, folder in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.append(Module(name_of(package, path.relative_to(ROOT / folder)), path, path.read_text()))
    return tuple(found)


def name_of(package: str, path: Path) -> str:
    return ".".join([package, *(part for part in path.with_suffix("").parts if part != "__init__")])


@lru_cache
def module_names() -> frozenset[str]:
    names = set()
    for package, folder in FOLDERS.items():
        for path in (ROOT / folder).rglob("*.py*"):
            if path.suffix in (".py", ".pyi"):
                names.add(name_of(package, path.relative_to(ROOT / folder)))
    return frozenset(names)


def is_module(name: str) -> bool:
    return name in module_names()


def within(name: str, package: str) -> bool:
    """``package`` itself or something in it."""
    return name == package or name.startswith(package + ".")
