"""The hand-written types of the binding name what the compiled library has, no more and no less."""

from __future__ import annotations

import ast
from pathlib import Path

from confero import media
from confero.media._core import lib

STUB = Path(media.__file__).with_name("_core.pyi")


def stub_names() -> set[str]:
    tree = ast.parse(STUB.read_text())
    lib_class = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Lib")
    names = set()
    for node in lib_class.body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def test_stub_and_library_agree() -> None:
    assert stub_names() == set(dir(lib))
