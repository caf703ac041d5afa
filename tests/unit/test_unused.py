"""No function, class or constant of the app is there that nothing but a test names.

Ruff and pyright see unused imports, variables and private functions; this sees what is public. A name counts as used
wherever any code says it, so that two of the same name hide each other; a private one, where its own module does.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
APP = ("shared", "triggers", "activities", "orchestrators")
STAND_INS = "local"
USERS = ("tools", "infra", "bench", "examples")
KEPT_BY_A_DECORATOR = ("dataclass", "runtime_checkable", "cache", "contextmanager", "asynccontextmanager", "overload")
"""Any other decorator registers what stands below it: a route, an activity, an orchestrator."""


def trees(*folders: str) -> dict[str, ast.Module]:
    """The syntax trees below the folders, by the paths of their files."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")) if ".venv" not in path.parts]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_bytes()) for path in paths}


def names_said(path: str, tree: ast.Module) -> set[str]:
    """Every name that the module reads or imports; an `__init__` that hands names on uses none of them."""
    hands_on = path.endswith("__init__.py")
    said: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load() | ast.Del()) | ast.Attribute(attr=name):
                said.add(name)
            case ast.alias(name=name) if not hands_on:
                said.add(name)
            case _:
                pass
    return said


def is_registered(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    names = [ast.unparse(decorator).partition("(")[0].rpartition(".")[2] for decorator in node.decorator_list]
    return any(name not in KEPT_BY_A_DECORATOR for name in names)


def definitions(tree: ast.Module) -> list[str]:
    """What the module defines; a `Workload` is found by its type, and methods of a subclass may be its base's."""
    found: list[str] = []
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if not is_registered(node):
                found.append(node.name)
            case ast.ClassDef():
                if not is_registered(node):
                    found.append(node.name)
                if not node.bases:
                    methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
                    found += [f"{node.name}.{one.name}" for one in methods if not one.decorator_list]
            case ast.Assign(targets=targets, value=value):
                if ast.unparse(value).partition("(")[0] != "Workload":
                    found += [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.append(name)
            case _:
                pass
    return [name for name in found if not name.rpartition(".")[2].startswith("__")]


def test_nothing_is_there_for_tests_alone() -> None:
    app, stand_ins = trees(*APP), trees(STAND_INS)
    users = app | stand_ins | trees(*USERS) | {"function_app.py": ast.parse((ROOT / "function_app.py").read_bytes())}
    said_in = {path: names_said(path, tree) for path, tree in users.items()}
    said = set[str]().union(*said_in.values())

    def unused(tree: dict[str, ast.Module]) -> list[str]:
        defined = [(path, name) for path, module in tree.items() for name in definitions(module)]
        assert len(defined) > 1_000
        return [
            f"{path}: {name}"
            for path, name in defined
            if name.rpartition(".")[2] not in (said_in[path] if name.startswith("_") and "." not in name else said)
        ]

    assert unused(app) == []
    # Tests are the users of what stands in for Azure, and libraries call some methods by their names.
    tests = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("*.py")))
    called_by_aiosmtpd = ("handle_RCPT", "handle_DATA")
    names = {one: re.split(r"[ .]", one)[-1] for one in unused(stand_ins)}
    assert [one for one, name in names.items() if name not in tests and name not in called_by_aiosmtpd] == []
