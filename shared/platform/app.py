"""The app that the host loads: all of it, or, where an index was made with its package, a stub of every function.

The worker asks at its start for the bindings of every function, and then a cold instance answers for one workload. So
the package that goes to Azure holds an index of all functions, and a stub loads its workload when it is first called.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import pkgutil
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypedDict

import azure.functions as func

from shared.platform.workload_modules import set_workload_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).parents[2]
INDEX = "function_index.json"
LAYERS = ("activities", "orchestrators", "triggers")
"""Where functions are declared."""

logger = logging.getLogger(__name__)


class IndexedFunction(TypedDict):
    """One function, as the worker asks for it.

    Attributes:
        workloads: the modules that declare what it needs; all of them for a function of the platform.
        bindings: as in a function.json.
        annotations: of its parameters, and of what it returns: `module:name` of a type, or nothing where it has none.
        waits: whether it is a coroutine function.
    """

    name: str
    workloads: Sequence[str]
    bindings: Sequence[Mapping[str, Any]]
    annotations: Mapping[str, str | None]
    waits: bool


class FunctionIndex(TypedDict):
    """All functions of the app, and a digest of the sources that they were read from."""

    digest: str
    functions: Sequence[IndexedFunction]


def app_of(*workloads: str) -> func.FunctionRegister:
    """The app that the host loads, made of the workloads that these modules declare.

    Raises:
        ValueError: a route hides another, or two functions have one name.
    """
    set_workload_modules(workloads)
    index = _read_index(workloads)
    if index is not None:
        return _app_of_stubs(index)
    from shared.platform.workload import loaded_app  # noqa: PLC0415 - it loads all that a stub is there to leave

    return loaded_app(workloads)


def digest_of(workloads: Sequence[str], root: Path) -> str:
    """What an index was made from. A checkout that was changed since then is loaded whole."""
    digest = hashlib.sha256(repr(workloads).encode())
    for layer in LAYERS:
        for path in sorted((root / layer).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _read_index(workloads: Sequence[str]) -> FunctionIndex | None:
    path = ROOT / INDEX
    if not path.exists():
        return None
    index: FunctionIndex = json.loads(path.read_bytes())
    if index["digest"] != digest_of(workloads, ROOT):
        logger.warning("%s was made from other sources, so every workload is loaded at the start.", INDEX)
        return None
    return index


def _app_of_stubs(index: FunctionIndex) -> func.FunctionApp:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    for function in index["functions"]:
        stub: Any = _stub(function)
        for binding in function["bindings"]:
            stub = _bind(app, binding)(stub)
        app.function_name(function["name"])(stub)
    return app


def _bind(app: func.FunctionApp, binding: Mapping[str, Any]) -> Callable[[Any], Any]:
    given = {name: value for name, value in binding.items() if name not in {"direction", "type", "name"}}
    if binding["type"].endswith("Trigger"):
        return app.generic_trigger(arg_name=binding["name"], type=binding["type"], **given)
    if binding["direction"] == "OUT":
        return app.generic_output_binding(arg_name=binding["name"], type=binding["type"], **given)
    return app.generic_input_binding(arg_name=binding["name"], type=binding["type"], **given)


def _stub(function: IndexedFunction) -> Callable[..., Any]:
    """What the worker takes for the function: of its name, parameters and kind."""
    name, workloads = function["name"], tuple(function["workloads"])

    async def wait(**given: object) -> object:
        return await _loaded(workloads)[name](**given)

    def run(**given: object) -> object:
        return _loaded(workloads)[name](**given)

    stub: Any = wait if function["waits"] else run
    stub.__name__ = name
    types = {key: pkgutil.resolve_name(named) for key, named in function["annotations"].items() if named}
    stub.__annotations__ = types
    stub.__signature__ = inspect.Signature(
        [
            inspect.Parameter(
                key, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=types.get(key, inspect.Parameter.empty)
            )
            for key in function["annotations"]
            if key != "return"
        ]
    )
    return stub


_functions: dict[tuple[str, ...], Mapping[str, Callable[..., Any]]] = {}
_loading = RLock()  # orchestrators run on threads of their own; half a workload is of use to nobody


def _loaded(workloads: tuple[str, ...]) -> Mapping[str, Callable[..., Any]]:
    """The functions of these workloads by their names, loaded when they are first asked for."""
    if (known := _functions.get(workloads)) is not None:
        return known
    with _loading:
        if workloads not in _functions:
            from shared.platform.workload import loaded_app  # noqa: PLC0415 - as above

            functions = loaded_app(workloads).get_functions()
            _functions[workloads] = {str(one.get_function_name()): one.get_user_function() for one in functions}
        return _functions[workloads]
