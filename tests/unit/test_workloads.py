"""Each workload declares all that it brings, and nothing is left out of a declaration."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import function_app
from shared.platform.durable import Blueprint
from shared.platform.health import Check, StatusField
from shared.platform.http import Routes
from shared.platform.sweeps import Sweep
from shared.platform.workload import Workload, workloads

ROOT = Path(__file__).parents[2]
LAYERS = ("triggers", "orchestrators", "activities")
OPERATIONS_PAGE = (ROOT / "docs" / "operations.md").read_text()

app: Any = function_app.app
FUNCTIONS = [builder._function for builder in app._function_builders]
LOADED = workloads()


def modules(layer: str) -> list[str]:
    files = [path.relative_to(ROOT) for path in (ROOT / layer).glob("*/**/*.py")]
    return [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in files]


@pytest.mark.parametrize("layer", LAYERS)
def test_every_module_of_a_layer_is_loaded_with_the_app(layer: str) -> None:
    assert [name for name in modules(layer) if name not in sys.modules] == []


@pytest.mark.parametrize("layer", LAYERS)
def test_the_packages_of_a_layer_are_the_workloads(layer: str) -> None:
    packages = {path.parent.name for path in (ROOT / layer).glob("*/__init__.py")}
    assert packages <= {workload.name for workload in LOADED}


@pytest.mark.parametrize("workload", LOADED, ids=lambda one: one.name)
def test_a_workload_lies_where_its_name_says(workload: Workload) -> None:
    declared = sys.modules[f"triggers.{workload.name}"]
    assert getattr(declared, workload.name) is workload
    assert (declared.__doc__ or "").strip()


def imported(path: Path) -> set[str]:
    """The modules that a file imports, also where it does so inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("workload", LOADED, ids=lambda one: one.name)
def test_a_workload_imports_nothing_of_another(workload: Workload) -> None:
    others = {one.name for one in LOADED} - {workload.name}
    foreign = {f"{layer}.{other}" for layer in (*LAYERS, "shared") for other in others}
    found = {
        f"{path.relative_to(ROOT)}: {module}"
        for layer in (*LAYERS, "shared")
        for path in (ROOT / layer / workload.name).glob("**/*.py")
        for module in imported(path)
        if ".".join(module.split(".")[:2]) in foreign
    }
    assert found == set()


def test_the_import_contracts_name_every_domain() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = {contract["name"]: contract for contract in contracts}
    domains = {f"shared.{path.parent.name}" for path in (ROOT / "shared").glob("*/__init__.py")} - {"shared.platform"}
    assert set(named["Workloads never import one another"]["modules"]) == domains
    assert domains <= set(named["The platform knows no workload"]["forbidden_modules"])


@pytest.mark.parametrize("workload", LOADED, ids=lambda one: one.name)
def test_what_the_triggers_of_a_workload_make_is_declared(workload: Workload) -> None:
    declared = [*workload.routes, *workload.functions, *workload.sweeps]
    made = {
        f"{name}.{attribute}"
        for name, module in sys.modules.items()
        if name.startswith(f"triggers.{workload.name}.")
        for attribute, value in vars(module).items()
        if isinstance(value, Routes | Blueprint | Sweep) and not any(value is one for one in declared)
    }
    assert made == set()


@pytest.mark.parametrize("workload", LOADED, ids=lambda one: one.name)
def test_every_probe_and_field_of_the_status_is_made_in_the_domain_and_declared(workload: Workload) -> None:
    made = {
        value.name: value
        for name, module in sys.modules.items()
        if name.startswith(f"shared.{workload.name}.")
        for value in vars(module).values()
        if isinstance(value, Check | StatusField)
    }
    assert made == {one.name: one for one in (*workload.probes, *workload.status)}


def test_every_kind_of_alert_is_declared() -> None:
    defined = [
        node
        for path in (ROOT / "shared").glob("**/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") == "AlertKind"
    ]
    declared = [kind for workload in LOADED for kind in workload.alerts]
    assert len(defined) == len(declared) == len({kind.name for kind in declared})


def test_operators_find_every_kind_of_alert_on_their_page() -> None:
    documented = dict(re.findall(r"^\| `([a-z-]+)` \| [a-z]+ \| (.+) \|$", OPERATIONS_PAGE, re.MULTILINE))
    assert documented == {kind.name: kind.meaning for workload in LOADED for kind in workload.alerts}


def test_operators_find_every_timer_on_their_page() -> None:
    timers = {
        function.get_function_name(): function._trigger.schedule
        for function in FUNCTIONS
        if function._trigger.type == "timerTrigger"
    }
    documented = dict(re.findall(r"^\| `([a-z_]+)` \| `([^`]+)` \|", OPERATIONS_PAGE, re.MULTILINE))
    assert documented == timers


def test_every_queue_that_is_read_is_declared() -> None:
    read = {function._trigger.queue_name for function in FUNCTIONS if function._trigger.type == "serviceBusTrigger"}
    assert read == {queue for workload in LOADED for queue in workload.queues}
