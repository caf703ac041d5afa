"""Run by azd before it packs the app: an index of its functions, by which a cold instance loads what it is asked for.

It is a file of the package, not of the repository: what it says stands in the code. `shared/platform/app.py` reads it.
"""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import iscoroutinefunction, signature
from pathlib import Path
from types import NoneType
from typing import Any, get_type_hints

import azure.functions as func

from shared.platform.app import INDEX, ROOT, FunctionIndex, IndexedFunction, digest_of
from shared.platform.workload import loaded_app
from shared.platform.workload_modules import workload_modules


def main() -> None:
    (ROOT / INDEX).unlink(missing_ok=True)  # so that the app is loaded whole
    index = function_index()
    (ROOT / INDEX).write_text(json.dumps(index, separators=(",", ":")), encoding="utf-8")
    sys.stderr.write(f"{INDEX} holds {len(index['functions'])} functions.\n")


def function_index(root: Path = ROOT) -> FunctionIndex:
    """Of the app in function_app.py, whose functions stand in the order in which they are loaded."""
    import_module("function_app")  # it says which workloads there are
    every = workload_modules()
    named = {
        module: {str(function.get_function_name()) for function in loaded_app([module]).get_functions()}
        for module in every
    }
    return {
        "digest": digest_of(every, root),
        "functions": [
            _indexed(function, [module for module in every if function.get_function_name() in named[module]])
            for function in loaded_app(every).get_functions()
        ],
    }


def _indexed(function: Any, workloads: list[str]) -> IndexedFunction:
    user_function = function.get_user_function()
    return {
        "name": function.get_function_name(),
        "workloads": workloads,
        "bindings": json.loads(function.get_function_json())["bindings"],
        "annotations": _annotations(user_function),
        "waits": iscoroutinefunction(user_function),
    }


def _annotations(user_function: Callable[..., Any]) -> Mapping[str, str | None]:
    types = get_type_hints(user_function)
    return {name: _name_of(types.get(name)) for name in (*signature(user_function).parameters, "return")}


def _name_of(annotation: type | None) -> str | None:
    """By which a stub finds a type of the SDK's or of Python's own; what it annotates with nothing has no name."""
    if annotation is None or annotation is NoneType:
        return None
    module = func if hasattr(func, annotation.__name__) else builtins
    return f"{module.__name__}:{annotation.__name__}"


if __name__ == "__main__":
    main()
