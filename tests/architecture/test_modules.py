"""How modules present themselves: a first line that says the idea, documented public names, and fronts that are true."""

from __future__ import annotations

import ast
import importlib

import pytest

from .source import Module, modules, within

FRONTS = [module for module in modules() if "__all__" in module.text]
LIBRARY = [module for module in modules() if module.service == "confero" and "._" not in module.name]
SPEAK_FOR_THEMSELVES = ("confero.models",)
"""The wire models: their fields are documented, and a name such as Welcome says the rest."""


def summary(module: Module) -> str:
    return (ast.get_docstring(module.tree) or "").split("\n\n")[0]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_the_first_line_says_the_idea(module: Module) -> None:
    text = summary(module)
    first = module.text.splitlines()[0] if module.text else ""
    assert first.startswith('"""') and len(first) > 12, (
        f"{module.where()}: begin with a docstring that says what this is"
    )
    assert text.endswith((".", "?", "!", "::")), f"{module.where()}: the docstring begins with a sentence"


def public(module: Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in module.tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


def says_itself(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """A few statements under a name that describes them; a class whose fields are documented one by one."""
    if isinstance(node, ast.ClassDef):
        return any(isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) for part in node.body)
    return len(node.body) <= 3


@pytest.mark.parametrize(
    "module",
    [module for module in LIBRARY if not any(within(module.name, name) for name in SPEAK_FOR_THEMSELVES)],
    ids=lambda module: module.name,
)
def test_public_names_of_the_shared_library_are_documented(module: Module) -> None:
    bare = [node.name for node in public(module) if not ast.get_docstring(node) and not says_itself(node)]
    assert bare == [], f"{module.where()}: no docstring"


@pytest.mark.parametrize("module", FRONTS, ids=lambda module: module.name)
def test_a_front_lists_what_is_there_once_and_in_order(module: Module) -> None:
    loaded = importlib.import_module(module.name)
    names = list(loaded.__all__)
    assert [name for name in names if not hasattr(loaded, name)] == []
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), name.upper() if name.isupper() else name))


def attributes(module: Module) -> list[tuple[str, int]]:
    return [(node.attr, node.lineno) for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_tasks_are_started_by_spawn_alone(module: Module) -> None:
    """The linter knows ``asyncio.create_task``; this one knows the loop's as well."""
    if module.name != "confero.runtime.tasks":
        found = [module.where(line) for name, line in attributes(module) if name in ("create_task", "ensure_future")]
        assert found == [], "use confero.runtime.tasks.spawn"
